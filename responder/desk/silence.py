"""The mails that were kept in silence, and calling one back."""

from typing import Any

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk.links import linked
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit, number_in
from responder.store import cases, silence
from responder.store.silence import Kept
from responder.store.slices import Slice

PATH = "/suppressed"
A_PAGE = 50


async def show(visit: Visit) -> Response:
    """The newest of them, with the rule that held."""
    given = visit.request.query_params
    reason, before = given.get("reason", "")[:200], number_in(given.get("before", ""))

    def find(conn: Connection) -> tuple[Slice[Kept], dict[str, int]]:
        return silence.listing(conn, reason=reason, before=before, limit=A_PAGE), silence.reasons(conn)

    found, reasons = await visit.read(find)
    values: dict[str, Any] = {"reason": reason, "before": before, "reasons": reasons, "lately": silence.LATELY}
    older = None if found.older is None else linked(PATH, reason=reason, before=found.older)
    return visit.page("suppressed.html", rows=found.rows, older=older, newest=linked(PATH, reason=reason), **values)


async def call_back(visit: Visit, form: Form) -> Response:
    """Put a mail before people after all; on to its case."""
    number = form.number("mail") or 0

    def change(conn: Connection) -> bool:
        called = cases.call_back(conn, number, who=visit.account.login, now=visit.now)
        if called:
            visit.noted(conn, "mail.call-back", f"mail:{number}")
        # Two people may press at the same moment: the second finds the case that the first has opened.
        return called or cases.case_of(conn, number) is not None

    return visit.to(f"/cases/{number}") if await visit.write(change) else not_found(visit)


ROUTES = [page(PATH, show), action(f"{PATH}/call-back", call_back)]
