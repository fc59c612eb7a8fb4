"""/account: what everybody settles for themselves."""

from functools import partial

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk import passwords, roster
from responder.desk.rendering import Said
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit
from responder.store import accounts, sessions, throttle

_WAIT = "too many attempts failed; wait for a quarter of an hour"


async def show(visit: Visit) -> Response:
    """Preferences, password, and where one is logged in."""
    return await _page(visit, {})


async def _page(visit: Visit, faults: dict[str, str], *, status: int = 200) -> Response:
    own = await visit.read(lambda conn: sessions.listing(conn, visit.account.id, now=visit.now))
    here = sessions.digest_of(visit.session)
    return visit.page("account.html", status=status, faults=faults, sessions=own, here=here)


async def prefer(visit: Visit, form: Form) -> Response:
    """Keep language, shortcuts and the name under the letters."""
    language = "en" if form.text("language") == "en" else "ja"
    shortcuts, signature = form.text("shortcuts") == "on", " ".join(form.text("signature", 100).split())

    def change(conn: Connection) -> None:
        accounts.set_preferences(conn, visit.account.id, language=language, shortcuts=shortcuts, signature=signature)
        visit.noted(conn, "account.preferences", f"account:{visit.account.login}")

    await visit.write(change)
    return visit.to("/account", Said.SAVED)


async def change_password(visit: Visit, form: Form) -> Response:
    """Another password, by whoever knows the one of now; sessions elsewhere end."""
    new, login = form.text("new"), visit.account.login
    faults: dict[str, str | None] = {
        "new": passwords.weakness_of(new, login),
        "repeated": None if new == form.text("repeated") else "the two passwords differ",
    }
    found = {field: str(fault) for field, fault in faults.items() if fault is not None}
    if not found:
        work = partial(_change_password, visit, form.text("current"), new)
        found = {"current": fault} if (fault := await passwords.in_a_thread(work)) else {}
    return await _page(visit, found, status=422) if found else visit.to("/account", Said.SAVED)


def _change_password(visit: Visit, current: str, new: str) -> str:
    """What was wrong, or "". The session alone is not enough: its browser may have been left open."""
    engine, account, now = visit.desk.engine, visit.account, visit.now
    with engine.begin() as connection:
        if throttle.attempt(connection, account.login, client=visit.client, now=now) is not None:
            return _WAIT
        known = accounts.password_of(connection, account.id)
    if not passwords.is_right(current, known):
        return "this is not the password of now"
    hashed = passwords.hash_of(new)
    with engine.begin() as connection:
        roster.set_password(connection, account, hashed, by=visit.by, now=now, but=visit.session)
    return ""


async def end_session(visit: Visit, form: Form) -> Response:
    """End one of one's own sessions, or all others."""

    def end(conn: Connection) -> bool:
        which = form.text("session", 64)
        ended = (
            sessions.end_one(conn, visit.account.id, which)
            if which
            else sessions.end_all(conn, visit.account.id, but=visit.session) > 0
        )
        if ended:
            visit.noted(conn, "account.logout", f"account:{visit.account.login}", "1" if which else "all others")
        return ended or not which

    return visit.to("/account", Said.SAVED) if await visit.write(end) else not_found(visit)


ROUTES = [
    page("/account", show),
    action("/account/preferences", prefer),
    action("/account/password", change_password),
    action("/account/sessions/end", end_session),
]
