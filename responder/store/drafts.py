"""What somebody has written so far in answer to a case: one draft for each of them, seen by nobody else."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store import cases
from responder.store.engine import upsert
from responder.store.schema import case_events, drafts


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer that nobody has sent."""

    salutation: str
    text: str
    seen: int
    """The last event of the case that its author knew."""
    saved_at: datetime


def save(conn: Connection, case_id: int, *, who: str, salutation: str, text: str, seen: int, now: datetime) -> None:
    """Keep what they have written, in place of what they had; nothing once the case was erased."""
    if cases.is_erased(conn, case_id):
        return
    values = {"salutation": salutation, "text": text, "seen": seen, "saved_at": now}
    upsert(conn, drafts, {"case_id": case_id, "who": who}, values)


def load(conn: Connection, case_id: int, *, who: str) -> Draft | None:
    """Their draft; one that was sent is none any more."""
    # What was sent is kept, as it may be withdrawn. It is known by the event that sent it, after all it had seen.
    withdrawn = case_events.alias("withdrawn")
    again = sa.exists().where(
        withdrawn.c.case_id == case_events.c.case_id,
        withdrawn.c.event == "withdrawn",
        withdrawn.c.delivery_id == case_events.c.delivery_id,
    )
    sent = sa.exists().where(
        case_events.c.case_id == drafts.c.case_id,
        case_events.c.event == "answered",
        case_events.c.who == drafts.c.who,
        case_events.c.id > drafts.c.seen,
        ~again,
    )
    columns = (drafts.c[name] for name in ("salutation", "text", "seen", "saved_at"))
    row = conn.execute(sa.select(*columns).where(*_theirs(case_id, who), ~sent)).first()
    return None if row is None else Draft(*row)


def drop(conn: Connection, case_id: int, *, who: str) -> None:
    """Forget what they have written."""
    conn.execute(sa.delete(drafts).where(*_theirs(case_id, who)))


def _theirs(case_id: int, who: str) -> tuple[sa.ColumnElement[bool], ...]:
    return drafts.c.case_id == case_id, drafts.c.who == who
