"""How a path becomes a page: nobody gets one without the right role, nor changes anything from another site."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime
from urllib.parse import quote, urlsplit

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from responder.desk.desk import Desk
from responder.desk.rendering import rendered
from responder.desk.visit import Form, Visit, csrf_of
from responder.store import sessions
from responder.store.accounts import Account, Role
from responder.store.engine import reading

Page = Callable[[Visit], Awaitable[Response]]
Action = Callable[[Visit, Form], Awaitable[Response]]

MOST_FIELDS = 2000
_UNSAFE = ["POST"]


def page(path: str, show: Page, role: Role = Role.AGENT) -> Route:
    """A page to look at, for accounts of this role or a higher one."""

    async def endpoint(request: Request) -> Response:
        visit = await visit_of(request)
        if visit is None:
            return _to_login(request)
        return await show(visit) if visit.account.role.may(role) else forbidden(visit)

    return Route(path, endpoint, methods=["GET"], name=f"GET {path}")


def action(path: str, do: Action, role: Role = Role.AGENT) -> Route:
    """A form that changes something, for accounts of this role or a higher one."""

    async def endpoint(request: Request) -> Response:
        visit = await visit_of(request)
        if visit is None:
            return _to_login(request)
        if not visit.account.role.may(role):
            return forbidden(visit)
        only_a_form(request)
        async with request.form(max_fields=MOST_FIELDS, max_files=0) as fields:
            form = Form(fields)
            if not _ours(request, form.text("csrf"), visit.session):
                return forbidden(visit, "csrf")
            return await do(visit, form)

    return Route(path, endpoint, methods=_UNSAFE, name=f"POST {path}")


def only_a_form(request: Request) -> None:
    """Raises 415 for what no form of ours sends: a multipart body is decoded by whatever codec it names, and some of
    Python's take minutes for a megabyte."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in ("", "application/x-www-form-urlencoded"):
        raise HTTPException(415)


def forbidden(visit: Visit, why: str = "role") -> Response:
    """Told to somebody who may not; `why` is role or csrf."""
    return visit.page("forbidden.html", status=403, why=why)


def not_found(visit: Visit) -> Response:
    """Told where there is no such thing."""
    return visit.page("missing.html", status=404)


def desk_of(request: Request) -> Desk:
    """What the pages work with."""
    desk: Desk = request.app.state.desk
    return desk


def cookie_of(desk: Desk) -> str:
    """The name of the cookie; its prefix has browsers refuse one that was not set by TLS, for this host alone."""
    return "__Host-desk" if desk.secure else "desk"


async def visit_of(request: Request) -> Visit | None:
    """The request with its account; None where nobody is logged in."""
    desk = desk_of(request)
    token = request.cookies.get(cookie_of(desk), "")
    if not token:
        return None
    now = desk.clock()
    account = await asyncio.to_thread(_account, desk, token, now)
    return None if account is None else Visit(request, desk, account, token, now)


def _account(desk: Desk, token: str, now: datetime) -> Account | None:
    with reading(desk.engine) as connection:
        found = sessions.look_up(connection, token, now=now)
    if found is None:
        return None
    account, unseen_for_long = found
    if unseen_for_long:
        with desk.engine.begin() as connection:
            sessions.touch(connection, token, now=now)
    return account


def _to_login(request: Request) -> Response:
    """To the login, and back to a page afterwards; what a form asked for is not repeated by itself."""
    desk = desk_of(request)
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if request.method == "GET" and request.headers.get("sec-fetch-site") == "cross-site":
        # A strict cookie stays away from whoever follows a link in a mail. One more step, from our own page, brings it.
        return rendered(request, desk, "onward.html", "ja", target=target)
    if request.headers.get("hx-request"):
        return Response(status_code=401, headers={"HX-Redirect": "/login"})
    query = f"?next={quote(target, safe='/')}" if request.method == "GET" else ""
    return RedirectResponse(f"/login{query}", status_code=303)


def from_our_page(request: Request) -> bool:
    """Whether the browser says that a page of ours sent the form, or is too old to say anything."""
    site = request.headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    # A proxy may have put another Host in place of the one that the browser asked.
    ours = {request.headers.get("host", ""), urlsplit(desk_of(request).url).netloc} - {""}
    try:
        return urlsplit(origin).netloc in ours
    except ValueError:
        return False


def _ours(request: Request, given: str, session: str) -> bool:
    return from_our_page(request) and secrets.compare_digest(given.encode(), csrf_of(session).encode())
