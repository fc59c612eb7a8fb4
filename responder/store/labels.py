"""What people taught: which entries answer a mail. A label is undone, never deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import inbox, labels


@dataclass(frozen=True, slots=True)
class Label:
    """One mail with the entries that answer it, and who said so."""

    id: int
    inquiry_id: int
    subject: str
    body: str
    """As recognition reads it: the text of the mail, not its bytes."""
    expected: tuple[str, ...]
    """All of them must be sent; none: a person must answer."""
    complete: bool
    """False where the mail asks something else besides."""
    taught_at: datetime
    taught_by: str
    undone_at: datetime | None
    undone_by: str | None


def teach(
    conn: Connection,
    inquiry_id: int,
    *,
    subject: str,
    body: str,
    expected: Sequence[str],
    complete: bool,
    who: str,
    now: datetime,
) -> int | None:
    """Label a mail, and give the label's number; a label it has is undone. None where there is no such mail."""
    # Whoever teaches the same mail at the same moment waits here, and then replaces what we said.
    if conn.execute(sa.select(inbox.c.id).where(inbox.c.id == inquiry_id).with_for_update()).first() is None:
        return None
    undo(conn, inquiry_id, who=who, now=now)
    values = {"inquiry_id": inquiry_id, "subject": _storable(subject), "body": _storable(body)}
    values |= {"expected": list(expected), "complete": complete, "taught_at": now, "taught_by": who}
    number: int = conn.execute(sa.insert(labels).values(values).returning(labels.c.id)).scalar_one()
    return number


def _storable(text: str) -> str:
    # PostgreSQL keeps no NUL in text; recognition reads past it anyway.
    return text.replace("\0", " ")


def undo(conn: Connection, inquiry_id: int, *, who: str, now: datetime) -> bool:
    """Take back the label in force, which stays on record; False where there is none."""
    statement = sa.update(labels).where(labels.c.inquiry_id == inquiry_id, labels.c.undone_at.is_(None))
    return conn.execute(statement.values(undone_at=now, undone_by=who)).rowcount == 1


def listing(conn: Connection, *, undone: bool = False) -> list[Label]:
    """The labels in force, oldest first; with `undone` those that were taken back too."""
    names = ("id", "inquiry_id", "subject", "body", "expected", "complete")
    signed = ("taught_at", "taught_by", "undone_at", "undone_by")
    statement = sa.select(*(labels.c[name] for name in (*names, *signed))).order_by(labels.c.id)
    if not undone:
        statement = statement.where(labels.c.undone_at.is_(None))
    rows = conn.execute(statement).mappings()
    return [Label(**{**row, "expected": tuple(row["expected"])}) for row in rows]


def stamp(conn: Connection) -> tuple[int, int]:
    """Another value after every teaching and every undo; costs less than the labels themselves."""
    row = conn.execute(sa.select(sa.func.max(labels.c.id), sa.func.count(labels.c.undone_at))).one()
    return row[0] or 0, row[1]
