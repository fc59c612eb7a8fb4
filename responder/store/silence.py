"""Mails that were kept in silence, for whoever looks whether a person was among them."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.inbox import Lane
from responder.store.schema import cases, inbox
from responder.store.slices import Slice, sliced

LATELY = 5_000
"""Mails in which the reasons to choose from are looked for: all that there ever were would be too many."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail without an answer, and the rule that held."""

    id: int
    received_at: datetime
    mail_from: str
    from_address: str | None
    subject: str | None
    reason: str
    case_id: int | None
    """Its case, where a person called it back."""
    erased_at: datetime | None
    """Since when nothing is left of it."""


def listing(conn: Connection, *, reason: str = "", before: int | None = None, limit: int) -> Slice[Kept]:
    """The newest mails kept in silence: of one reason, and older than the mail `before`, where given."""
    own = ("id", "received_at", "mail_from", "from_address", "subject", "reason")
    columns = [*(inbox.c[name] for name in own), cases.c.inquiry_id, inbox.c.erased_at]
    statement = sa.select(*columns).outerjoin(cases, cases.c.inquiry_id == inbox.c.id).where(*_kept())
    if reason:
        statement = statement.where(inbox.c.reason == reason)
    return sliced(conn, statement, inbox.c.id, lambda row: Kept(*row), before=before, limit=limit)


def reasons(conn: Connection) -> dict[str, int]:
    """Why the newest mails of this lane were kept, the most frequent reason first, each with its count among them."""
    newest = sa.select(inbox.c.reason).where(*_kept()).order_by(inbox.c.id.desc()).limit(LATELY).subquery()
    counts = sa.select(newest.c.reason, sa.func.count().label("n")).group_by(newest.c.reason)
    found = {row.reason: row.n for row in conn.execute(counts)}
    return dict(sorted(found.items(), key=lambda pair: (-pair[1], pair[0])))


def _kept() -> tuple[sa.ColumnElement[bool], ...]:
    return (inbox.c.lane == Lane.SUPPRESSED.value,)
