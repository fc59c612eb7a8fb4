"""One case: what was written, why no machine answered, and what may be sent."""

import asyncio
from dataclasses import dataclass
from functools import partial

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk.composer import Beginning, Composer, beginning_of, composer_of, entry_text
from responder.desk.conversation import Item, conversation
from responder.desk.desk import Desk
from responder.desk.evidence import Evidence, evidence_of
from responder.desk.mails import letters_of, shown
from responder.desk.newest import Newest, as_read, newest_mail
from responder.desk.routing import not_found, page
from responder.desk.teaching import panel_of
from responder.desk.visit import Visit
from responder.store import accounts, cases, history
from responder.store.cases import Case
from responder.store.history import Past
from responder.store.inbox import Record

MOST_MAILS = 50
"""Of a longer conversation the newest are shown."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the store has of a case."""

    case: Case
    newest: Record
    items: list[Item]
    letters: dict[int, bytes]
    """The octets of what we wrote, by delivery."""
    history: list[Past]
    composer: Composer
    names: dict[str, str]
    """Of accounts, by login."""


async def show(visit: Visit) -> Response:
    """The page of a case; a number that joined another case leads there."""
    number = visit.number
    found = await visit.read(lambda conn: _find(conn, number, visit))
    match found:
        case None:
            return not_found(visit)
        case int(other):
            return visit.to(f"/cases/{other}")
    # In a transaction of its own, since reading leaves no trace otherwise.
    await visit.write(lambda conn: visit.noted(conn, "case.see", f"case:{number}"))
    newest = await as_read(visit, found.newest)
    beginning, evidence = await asyncio.to_thread(_suggested, visit.desk, found, newest)
    mails = {item.mail.listing.id: item.mail.raw for item in found.items if item.mail is not None}
    return visit.page(
        "case.html",
        found=found,
        evidence=evidence,
        beginning=beginning,
        reference=cases.reference_of(number),
        teaching=await panel_of(visit, found.newest),
        composer=found.composer,
        entry_text=partial(entry_text, language=newest.language),
        framed=partial(visit.desk.letters().framed, language=newest.language),
        shown=await shown(visit.desk.reader, mails),
        letters=await shown(visit.desk.reader, found.letters),
    )


def _find(conn: Connection, number: int, visit: Visit) -> Found | int | None:
    case = cases.find(conn, number)
    if case is None:
        other = cases.case_of(conn, number)
        return None if other in (None, number) else other
    numbers = cases.mails_of(conn, number)
    newest = newest_mail(conn, case)
    items = conversation(conn, number, numbers[-MOST_MAILS:])
    return Found(
        case=case,
        newest=newest,
        items=items,
        letters=letters_of(conn, [item.sent.id for item in items if item.sent is not None]),
        composer=composer_of(conn, visit.account, case, numbers, now=visit.now),
        history=history.of_sender(conn, cases.author_of(conn, number), but=numbers),
        names=accounts.names(conn),
    )


def _suggested(desk: Desk, found: Found, newest: Newest) -> tuple[Beginning, Evidence]:
    return beginning_of(desk, found.composer, newest), evidence_of(found.newest.decision or {}, desk.entries())


ROUTES = [page("/cases/{number}", show)]
