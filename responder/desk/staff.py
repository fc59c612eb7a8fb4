"""/accounts: who may use the pages, for administrators."""

from collections.abc import Callable

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk import roster
from responder.desk.rendering import Said
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit
from responder.store import accounts, sessions
from responder.store.accounts import Account, Role, fault_of_login, normal_login

_NEEDED = "somebody must be left who can log in and administer"


async def show_all(visit: Visit) -> Response:
    """All accounts, and the form for another."""
    return await _list(visit, {}, {"login": "", "name": "", "role": Role.AGENT})


async def _list(visit: Visit, faults: dict[str, str], given: dict[str, str], *, status: int = 200) -> Response:
    found = await visit.read(accounts.listing)
    return visit.page("accounts.html", status=status, accounts=found, roles=list(Role), faults=faults, given=given)


async def add(visit: Visit, form: Form) -> Response:
    """A new account, and the link by which its owner chooses a password."""
    login, name = normal_login(form.text("login", 200)), form.text("name", 100).strip()
    role = _role(form)
    fault = fault_of_login(login)

    def make(conn: Connection) -> tuple[Account, str] | None:
        account = roster.add(conn, login=login, name=name or login, role=role, by=visit.by, now=visit.now)
        return None if account is None else (account, roster.invite(conn, account, by=visit.by, now=visit.now))

    made = None if fault is not None else await visit.write(make)
    if made is None:
        faults = {"login": fault or "somebody has this login already"}
        return await _list(visit, faults, {"login": login, "name": name, "role": role}, status=422)
    return _link(visit, *made)


async def show_one(visit: Visit) -> Response:
    """One account, and what can be done to it."""
    return await _one(visit)


async def _one(visit: Visit, fault: str | None = None, *, status: int = 200) -> Response:
    account = await visit.read(lambda conn: _asked(visit, conn))
    if account is None:
        return not_found(visit)
    found = await visit.read(lambda conn: sessions.listing(conn, account.id, now=visit.now))
    return visit.page("accounts_one.html", status=status, one=account, sessions=found, roles=list(Role), fault=fault)


async def set_role(visit: Visit, form: Form) -> Response:
    """Another role, from the next page on."""
    wanted = _role(form)
    return await _changed(
        visit, lambda conn, account: roster.set_role(conn, account, wanted, by=visit.by, now=visit.now)
    )


async def disable(visit: Visit, _: Form) -> Response:
    """Shut somebody out at once."""
    return await _changed(visit, lambda conn, account: roster.disable(conn, account, by=visit.by, now=visit.now))


async def enable(visit: Visit, _: Form) -> Response:
    """Let somebody in again."""

    def change(conn: Connection, account: Account) -> bool:
        roster.enable(conn, account, by=visit.by, now=visit.now)
        return True

    return await _changed(visit, change)


async def log_out(visit: Visit, _: Form) -> Response:
    """End all sessions of somebody."""
    return await _changed(visit, lambda conn, account: roster.log_out(conn, account, by=visit.by, now=visit.now) >= 0)


async def make_link(visit: Visit, _: Form) -> Response:
    """A link by which somebody chooses another password; until then the one of now is good."""

    def make(conn: Connection) -> tuple[Account, str] | None:
        account = _asked(visit, conn)
        if account is None or account.disabled_at is not None:
            return None
        return account, roster.invite(conn, account, by=visit.by, now=visit.now)

    made = await visit.write(make)
    return not_found(visit) if made is None else _link(visit, *made)


async def _changed(visit: Visit, change: Callable[[Connection, Account], bool]) -> Response:
    def do(conn: Connection) -> bool | None:
        account = _asked(visit, conn)
        return None if account is None else change(conn, account)

    match await visit.write(do):
        case None:
            return not_found(visit)
        case True:
            return visit.to(f"/accounts/{visit.number}", Said.SAVED)
        case False:
            return await _one(visit, _NEEDED, status=409)


def _asked(visit: Visit, conn: Connection) -> Account | None:
    return accounts.find(conn, visit.number)


def _link(visit: Visit, account: Account, token: str) -> Response:
    # Shown in the answer to the form and nowhere else: an address with it would stay in the browser's history.
    link = f"{visit.desk.url}/welcome/{token}"
    return visit.page("accounts_link.html", one=account, link=link, until=visit.now + roster.LINK_VALID)


def _role(form: Form) -> Role:
    given = form.text("role", 20)
    return Role(given) if given in list(Role) else Role.AGENT


ROUTES = [
    page("/accounts", show_all, Role.ADMINISTRATOR),
    action("/accounts/add", add, Role.ADMINISTRATOR),
    page("/accounts/{number}", show_one, Role.ADMINISTRATOR),
    action("/accounts/{number}/role", set_role, Role.ADMINISTRATOR),
    action("/accounts/{number}/disable", disable, Role.ADMINISTRATOR),
    action("/accounts/{number}/enable", enable, Role.ADMINISTRATOR),
    action("/accounts/{number}/link", make_link, Role.ADMINISTRATOR),
    action("/accounts/{number}/logout", log_out, Role.ADMINISTRATOR),
]
