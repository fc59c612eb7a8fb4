"""The way in and out: /login and /logout."""

import re
from datetime import datetime

from sqlalchemy.engine import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from responder.desk import passwords
from responder.desk.desk import Desk
from responder.desk.entrance import LoggedIn, Throttled, Wrong, log_in
from responder.desk.rendering import rendered
from responder.desk.routing import action, cookie_of, desk_of, from_our_page, only_a_form, visit_of
from responder.desk.visit import Form, Visit, client_of
from responder.store import sessions

# A path of ours. Browsers read a backslash as a slash and skip blanks and control characters, so `//`, `/\\` and what
# becomes one of them would lead to another host.
_LOCAL = re.compile(r"/(?!/)[!-\[\]-~]*")


_WRONG = "login or password is not right"


def local(target: str) -> str:
    """Where to go on to: a path of our own, or the first page."""
    return target if _LOCAL.fullmatch(target) else "/"


def language_of(request: Request) -> str:
    """What somebody reads whom we do not know yet: Japanese, or English where the query says so."""
    return "en" if request.query_params.get("language") == "en" else "ja"


async def open_form(request: Request) -> Form | None:
    """The form of a page that needs no account; None where another site's page sent it.

    Such pages have no session whose secret a form could carry, and a browser says where a form comes from.
    """
    if not from_our_page(request):
        return None
    only_a_form(request)
    # Whoever may send it need not have an account: a login's few fields, and no more.
    async with request.form(max_fields=20, max_files=0, max_part_size=10_000) as fields:
        return Form(fields)


def foreign(request: Request) -> Response:
    """Told to whoever sends a form from another site."""
    return rendered(request, desk_of(request), "forbidden.html", language_of(request), status=403, why="csrf")


def entered(desk: Desk, done: LoggedIn, response: Response) -> Response:
    """The response that leads on, with the cookie of a session that has just begun."""
    response.set_cookie(
        cookie_of(desk),
        done.token,
        max_age=int(sessions.LONGEST.total_seconds()),
        secure=desk.secure,
        httponly=True,
        samesite="strict",
    )
    return response


async def show_login(request: Request) -> Response:
    """The form to log in with."""
    target = local(request.query_params.get("next", ""))
    if await visit_of(request) is not None:
        return RedirectResponse(target, status_code=303)
    return login_page(request, target)


async def do_login(request: Request) -> Response:
    """Let somebody in, or say why not; which of login and password was wrong is not said."""
    form, desk = await open_form(request), desk_of(request)
    if form is None:
        return foreign(request)
    login, password, target = form.text("login", 200), form.text("password"), local(form.text("next"))
    before = request.cookies.get(cookie_of(desk), "")
    client = client_of(request)
    match await passwords.in_a_thread(
        lambda: log_in(desk.engine, login, password, client=client, clock=desk.clock, instead_of=before)
    ):
        case LoggedIn() as done:
            return entered(desk, done, RedirectResponse(target, status_code=303))
        case Throttled(until):
            return login_page(request, target, login=login, until=until, status=429)
        case Wrong():
            return login_page(request, target, login=login, fault=_WRONG, status=401)


def login_page(
    request: Request,
    target: str,
    *,
    login: str = "",
    fault: str | None = None,
    until: datetime | None = None,
    status: int = 200,
) -> Response:
    """The form to log in with, and why one is here again: a fault in the words of the code, or a wait until then."""
    desk = desk_of(request)
    values = {"target": target, "login": login, "fault": fault, "until": until}
    response = rendered(request, desk, "login.html", language_of(request), status=status, **values)
    if until is not None:
        response.headers["Retry-After"] = str(max(int((until - desk.clock()).total_seconds()), 1))
    return response


async def log_out(visit: Visit, _: Form) -> Response:
    """End this session."""

    def end(conn: Connection) -> None:
        sessions.end(conn, visit.session)
        visit.noted(conn, "logout", f"account:{visit.account.login}")

    await visit.write(end)
    response = RedirectResponse("/login", status_code=303)
    response.delete_cookie(cookie_of(visit.desk), secure=visit.desk.secure, httponly=True, samesite="strict")
    return response


ROUTES = [action("/logout", log_out)]
OPEN = [Route("/login", show_login, methods=["GET"]), Route("/login", do_login, methods=["POST"])]
