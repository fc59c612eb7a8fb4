"""What else somebody has written to us."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import cases, inbox


@dataclass(frozen=True, slots=True)
class Past:
    """A mail of the same sender, and what became of it."""

    id: int
    received_at: datetime
    subject: str | None
    lane: str | None
    reason: str | None
    case_state: str | None
    """None where no case began with it."""


def of_sender(conn: Connection, address: str, *, but: Collection[int], limit: int = 10) -> list[Past]:
    """The newest mails whose author had this address, those of the case at hand left out."""
    if not address:
        return []
    listed = [inbox.c[name] for name in ("id", "received_at", "subject", "lane", "reason")]
    columns = [*listed, cases.c.state]
    statement = (
        sa.select(*columns)
        .select_from(inbox.outerjoin(cases, cases.c.inquiry_id == inbox.c.id))
        .where(inbox.c.from_address == address, inbox.c.id.not_in(but))
        .order_by(inbox.c.id.desc())
        .limit(limit)
    )
    return [Past(*row) for row in conn.execute(statement)]
