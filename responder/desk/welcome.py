"""/welcome/TOKEN: a one-time link, by which somebody chooses a password, or becomes the first administrator."""

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from responder.desk import passwords, roster
from responder.desk.desk import Desk
from responder.desk.entrance import LoggedIn, begin_session
from responder.desk.gate import entered, foreign, language_of, open_form
from responder.desk.rendering import rendered
from responder.desk.routing import cookie_of, desk_of
from responder.desk.visit import Form, client_of
from responder.store import accounts, invitations
from responder.store.accounts import Account, Role, fault_of_login, normal_login
from responder.store.audit import Actor
from responder.store.engine import reading


@dataclass(frozen=True, slots=True)
class _Guest:
    """Whoever has a link that works; without an account they make the first administrator."""

    account: Account | None


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What the form says; `login` counts for the first administrator only."""

    login: str
    name: str
    password: str
    repeated: str

    @classmethod
    def of(cls, form: Form, guest: _Guest) -> "_Chosen":
        login = guest.account.login if guest.account else normal_login(form.text("login", 200))
        name = form.text("name", 100).strip() or login
        return cls(login, name, form.text("password"), form.text("repeated"))

    def faults(self) -> dict[str, str]:
        """What keeps each field from being taken, in the words of the code."""
        found = {
            "login": fault_of_login(self.login),
            "password": passwords.weakness_of(self.password, self.login),
            "repeated": None if self.password == self.repeated else "the two passwords differ",
        }
        return {field: str(fault) for field, fault in found.items() if fault is not None}


async def show(request: Request) -> Response:
    """The form, or that the link does not work any more."""
    guest = await asyncio.to_thread(_guest, desk_of(request), request.path_params["token"])
    return _dead(request) if guest is None else _page(request, guest)


async def enter(request: Request) -> Response:
    """Set the password, use the link up, and let them in."""
    form, desk, token = await open_form(request), desk_of(request), request.path_params["token"]
    if form is None:
        return foreign(request)
    guest = await asyncio.to_thread(_guest, desk, token)
    if guest is None:
        return _dead(request)
    chosen = _Chosen.of(form, guest)
    if faults := chosen.faults():
        return _page(request, guest, chosen, faults, status=422)
    before, client = request.cookies.get(cookie_of(desk), ""), client_of(request)
    hashed = await passwords.in_a_thread(lambda: passwords.hash_of(chosen.password))
    done = await asyncio.to_thread(_enter, desk, token, chosen, hashed, client, before)
    return _dead(request) if done is None else entered(desk, done, RedirectResponse("/", status_code=303))


def _guest(desk: Desk, token: str) -> _Guest | None:
    with reading(desk.engine) as connection:
        found = invitations.find(connection, token, now=desk.clock())
        if found is None:
            return None
        return _Guest(None if found.account_id is None else accounts.find(connection, found.account_id))


def _enter(desk: Desk, token: str, chosen: _Chosen, hashed: str, client: str, before: str) -> LoggedIn | None:
    now, by = desk.clock(), Actor(chosen.login, client)
    with desk.engine.begin() as connection:
        used = invitations.use(connection, token, now=now)
        if used is None:
            return None
        account = (
            accounts.find(connection, used.account_id)
            if used.account_id is not None
            else roster.add(connection, login=chosen.login, name=chosen.name, role=Role.ADMINISTRATOR, by=by, now=now)
        )
        if account is None:
            return None
        accounts.rename(connection, account.id, chosen.name)
        roster.set_password(connection, account, hashed, by=by, now=now)
        return begin_session(connection, account, client=client, now=now, how="link", instead_of=before)


def _page(
    request: Request,
    guest: _Guest,
    chosen: _Chosen | None = None,
    faults: dict[str, str] | None = None,
    *,
    status: int = 200,
) -> Response:
    given = chosen or guest.account
    values = {
        "guest": guest.account,
        "given": {"login": given.login, "name": given.name} if given else {"login": "", "name": ""},
        "faults": faults or {},
    }
    return rendered(request, desk_of(request), "welcome.html", language_of(request), status=status, **values)


def _dead(request: Request) -> Response:
    return rendered(request, desk_of(request), "welcome_dead.html", language_of(request), status=404)


OPEN = [
    Route("/welcome/{token}", show, methods=["GET"]),
    Route("/welcome/{token}", enter, methods=["POST"]),
]
