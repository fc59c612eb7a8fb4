"""All that was said and done in a case, in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy.engine import Connection

from responder.store import case_events, inbox, outbox
from responder.store.case_events import CaseEvent
from responder.store.inbox import Record
from responder.store.outbox import Listing


@dataclass(frozen=True, slots=True)
class Item:
    """One of them."""

    at: datetime
    kind: Literal["mail", "sent", "event"]
    mail: Record | None = None
    sent: Listing | None = None
    event: CaseEvent | None = None


# What a mail or a letter beside it shows already.
_SHOWN_ELSEWHERE = {"answered", "thanked"}


def conversation(conn: Connection, case_id: int, inquiries: Sequence[int]) -> list[Item]:
    """The mails of these inquiries, what we wrote about them, and the events of the case; oldest first."""
    items: list[Item] = []
    for number in inquiries:
        record = inbox.find(conn, number)
        if record is not None:
            items.append(Item(record.listing.received_at, "mail", mail=record))
        written = outbox.listing(conn, inquiry_id=number)
        items.extend(Item(row.created_at, "sent", sent=row) for row in reversed(written))
    told = [event for event in case_events.of_case(conn, case_id) if event.event not in _SHOWN_ELSEWHERE]
    items.extend(Item(event.at, "event", event=event) for event in told)
    return sorted(items, key=lambda item: item.at)
