"""Pieces of text that staff use again and again: everybody their own, and editors those of all."""

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk.rendering import Said
from responder.desk.routing import action, forbidden, not_found, page
from responder.desk.visit import Form, Visit
from responder.store import snippets
from responder.store.accounts import Role

LONGEST_TITLE, LONGEST = 100, 20_000


async def show(visit: Visit) -> Response:
    """All that they may use."""
    found = await visit.read(lambda conn: snippets.listing(conn, who=visit.account.login))
    return visit.page("snippets.html", found=found, shares=_shares(visit))


async def write(visit: Visit, form: Form) -> Response:
    """A new one, or another wording; without words there is nothing to keep."""
    shared, number = form.text("shared") == "yes", form.number("snippet")
    title, text = form.text("title", LONGEST_TITLE).strip(), form.text("text", LONGEST).strip()
    if shared and not _shares(visit):
        return forbidden(visit)
    if not title or not text:
        return visit.to("/snippets")
    owner = None if shared else visit.account.login

    def change(conn: Connection) -> int | None:
        if number is None:
            made = snippets.add(conn, owner=owner, title=title, text=text, now=visit.now)
            visit.noted(conn, "snippet.add", f"snippet:{made}", title)
            return made
        if not snippets.change(conn, number, owner=owner, title=title, text=text, now=visit.now):
            return None
        visit.noted(conn, "snippet.change", f"snippet:{number}", title)
        return number

    return visit.to("/snippets", said=Said.SAVED) if await visit.write(change) else not_found(visit)


async def drop(visit: Visit, form: Form) -> Response:
    """Take one away."""
    shared, number = form.text("shared") == "yes", form.number("snippet") or 0
    if shared and not _shares(visit):
        return forbidden(visit)

    def change(conn: Connection) -> bool:
        gone = snippets.drop(conn, number, owner=None if shared else visit.account.login)
        if gone:
            visit.noted(conn, "snippet.drop", f"snippet:{number}")
        return gone

    return visit.to("/snippets", said=Said.SAVED) if await visit.write(change) else not_found(visit)


def _shares(visit: Visit) -> bool:
    return visit.account.role.may(Role.EDITOR)


ROUTES = [page("/snippets", show), action("/snippets", write), action("/snippets/drop", drop)]
