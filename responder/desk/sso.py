"""/login/oidc: out to the OpenID provider and back, and whose account it is then."""

import asyncio
import secrets
from datetime import datetime

from sqlalchemy.engine import Connection
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from responder import maillog
from responder.desk import roster
from responder.desk.desk import Desk
from responder.desk.entrance import LoggedIn, begin_session, record_failure
from responder.desk.gate import entered, local, login_page
from responder.desk.identity import Departure, Identity, ProviderError, Registration
from responder.desk.rendering import rendered
from responder.desk.routing import cookie_of, desk_of
from responder.desk.visit import client_of
from responder.store import accounts
from responder.store.accounts import Account, Role, fault_of_login, normal_login
from responder.store.audit import Actor

_CALLBACK = "/login/oidc/back"

_HOW = "single sign-on"
_VALID_SECONDS = 600

log = maillog.log("desk")


async def leave(request: Request) -> Response:
    """To the provider, with what must be known again in a cookie of this browser."""
    desk = desk_of(request)
    if desk.provider is None:
        raise HTTPException(404)
    departure = Departure.to(local(request.query_params.get("next", "")))
    try:
        response = RedirectResponse(await desk.provider.address(departure, redirect=_back_to(desk)), status_code=303)
    except ProviderError as error:
        return _unreachable(request, error, departure.target)
    # Not strict: the browser comes back from another site, and must bring it.
    response.set_cookie(
        _cookie_of(desk),
        departure.sealed(),
        max_age=_VALID_SECONDS,
        secure=desk.secure,
        httponly=True,
        samesite="lax",
    )
    return response


async def come_back(request: Request) -> Response:
    """Let in whom the provider knows and we do; a code counts only in the browser that had left for it."""
    desk, query = desk_of(request), request.query_params
    if desk.provider is None:
        raise HTTPException(404)
    departure = Departure.unsealed(request.cookies.get(_cookie_of(desk), ""))
    target = "/" if departure is None else local(departure.target)  # a cookie may be anybody's word
    if departure is None or not _equal(departure.state, query.get("state", "")):
        return login_page(request, "/", fault="the single sign-on took too long, or began elsewhere", status=400)
    issuer = desk.provider.registration.issuer
    # RFC 9207: where a provider says who it is, it must be the one that we asked.
    if not query.get("code") or query.get("iss", issuer) != issuer:
        return login_page(request, target, fault="the single sign-on was broken off", status=401)
    try:
        identity = await desk.provider.identity(query["code"], departure, redirect=_back_to(desk), now=desk.clock())
    except ProviderError as error:
        return _unreachable(request, error, target)
    client, before = client_of(request), request.cookies.get(cookie_of(desk), "")
    done = await asyncio.to_thread(_enter, desk, desk.provider.registration, identity, client, before)
    if done is None:
        fault = "nobody is known here by this single sign-on"
        return login_page(request, target, fault=fault, status=403)
    # The session's cookie is strict, so it stays away from a redirect that began at another site: one more step, from
    # our own page, brings it.
    onward = rendered(request, desk, "onward.html", done.account.language, target=target)
    onward.delete_cookie(_cookie_of(desk), secure=desk.secure, httponly=True, samesite="lax")
    return entered(desk, done, onward)


def _equal(one: str, other: str) -> bool:
    return secrets.compare_digest(one.encode(), other.encode(errors="replace"))


def _back_to(desk: Desk) -> str:
    return f"{desk.url}{_CALLBACK}"


def _cookie_of(desk: Desk) -> str:
    return f"{cookie_of(desk)}-oidc"


def _unreachable(request: Request, error: ProviderError, target: str) -> Response:
    log.error("single sign-on failed", reason=str(error))
    return login_page(request, target, fault="the single sign-on cannot be reached now", status=502)


def _enter(desk: Desk, ours: Registration, identity: Identity, client: str, before: str) -> LoggedIn | None:
    now, by = desk.clock(), Actor("responder", client)
    with desk.engine.begin() as connection:
        account = account_of(connection, identity, ours, by=by, now=now)
        if account is None or account.disabled_at is not None:
            record_failure(connection, account, client=client, now=now, how=_HOW)
            return None
        return begin_session(connection, account, client=client, now=now, how=_HOW, instead_of=before)


def account_of(conn: Connection, identity: Identity, ours: Registration, *, by: Actor, now: datetime) -> Account | None:
    """Whose account it is: by subject; else by a verified address that is a login; else a new one, where settled so.

    An account that is bound to one user of the provider is never given to another, whatever their address. An address
    that is a login only once its characters are folded (a full-width one) may be another person's mailbox.
    """
    account = accounts.by_subject(conn, identity.subject)
    if account is None and identity.email is not None and _is_login(identity.email):
        account = accounts.by_login(conn, identity.email)
        if account is None and ours.make_accounts:
            name = identity.name or identity.email
            account = roster.add(conn, login=identity.email, name=name, role=Role.AGENT, by=by, now=now)
        if account is None or account.subject is not None:
            return None
        if account.disabled_at is None:
            roster.bind(conn, account, identity.subject, by=by, now=now)
    if account is not None and account.disabled_at is None and identity.groups is not None:
        roster.set_role(conn, account, role_of(identity.groups, ours), by=by, now=now)
    return account


def _is_login(email: str) -> bool:
    return fault_of_login(email) is None and email.strip().lower() == normal_login(email)


def role_of(groups: frozenset[str], ours: Registration) -> Role:
    """The highest role that the provider's words give."""
    if ours.administrators and ours.administrators in groups:
        return Role.ADMINISTRATOR
    return Role.EDITOR if ours.editors and ours.editors in groups else Role.AGENT


OPEN = [Route("/login/oidc", leave, methods=["GET"]), Route(_CALLBACK, come_back, methods=["GET"])]
