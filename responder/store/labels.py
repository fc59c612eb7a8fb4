"""What people taught: which entries answer a mail. A label is undone, never deleted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    """Label a mail, and give the label's number; a label it has is undone.

    None where there is no such mail, or it was erased.
    """
    # Whoever teaches the same mail at the same moment waits here, and then replaces what we said.
    kept = (inbox.c.id == inquiry_id, inbox.c.erased_at.is_(None))
    if conn.execute(sa.select(inbox.c.id).where(*kept).with_for_update()).first() is None:
        return None
    undo(conn, inquiry_id, who=who, now=now)
    values = {"inquiry_id": inquiry_id, "subject": _storable(subject), "body": _storable(body)}
    values |= {"expected": list(expected), "complete": complete, "taught_at": now, "taught_by": who}
    number: int = conn.execute(sa.insert(labels).values(values).returning(labels.c.id)).scalar_one()
    return number


def _storable(text: str) -> str:
    # PostgreSQL keeps no NUL in text; recognition reads past it anyway.
    return text.replace("\0", " ")


def said(expected: Sequence[str], *, complete: bool) -> str:
    """What is taught, in a few words for the audit."""
    entries = ",".join(expected) or "nobody"
    return entries if complete else f"{entries} partly"


def undo(conn: Connection, inquiry_id: int, *, who: str, now: datetime, label: int | None = None) -> bool:
    """Take back the label in force, which stays on record; False where there is none.

    With `label` only if it is that one: somebody may have taught otherwise since it was looked at.
    """
    statement = sa.update(labels).where(labels.c.inquiry_id == inquiry_id, labels.c.undone_at.is_(None))
    if label is not None:
        statement = statement.where(labels.c.id == label)
    return conn.execute(statement.values(undone_at=now, undone_by=who)).rowcount == 1


def listing(conn: Connection, *, undone: bool = False) -> list[Label]:
    """The labels in force, oldest first; with `undone` those that were taken back too."""
    statement = _labels().order_by(labels.c.id)
    if not undone:
        statement = statement.where(labels.c.undone_at.is_(None))
    return _read(conn, statement)


def in_force(conn: Connection, inquiry_id: int) -> Label | None:
    """What is taught of a mail."""
    found = _read(conn, _labels().where(labels.c.inquiry_id == inquiry_id, labels.c.undone_at.is_(None)))
    return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which labels to show; None stands for all."""

    entry: str | None = None
    """An entry that they name; "" for those that say that nobody but a person can answer."""
    who: str | None = None
    """The account that taught them."""
    undone: bool = False
    """Whether those that were taken back are shown too."""


EVERYTHING = Filters()


def newest(
    conn: Connection, filters: Filters = EVERYTHING, *, before: int | None = None, limit: int = 50
) -> list[Label]:
    """The newest first; `before` is the number of the last one on the page before."""
    statement = _labels().order_by(labels.c.id.desc()).limit(limit)
    if not filters.undone:
        statement = statement.where(labels.c.undone_at.is_(None))
    if filters.who is not None:
        statement = statement.where(labels.c.taught_by == filters.who)
    if filters.entry is not None:
        statement = statement.where(_names(filters.entry))
    if before is not None:
        statement = statement.where(labels.c.id < before)
    return _read(conn, statement)


def _names(entry: str) -> sa.ColumnElement[bool]:
    # Both databases give a JSON column back as it was written, and an entry's id holds nothing that JSON escapes.
    written = sa.cast(labels.c.expected, sa.Text)
    return written.contains(f'"{entry}"', autoescape=True) if entry else written == "[]"


def teachers(conn: Connection) -> list[str]:
    """Who taught anything, by name."""
    return list(conn.execute(sa.select(labels.c.taught_by).distinct().order_by(labels.c.taught_by)).scalars())


def _labels() -> sa.Select[Any]:
    names = ("id", "inquiry_id", "subject", "body", "expected", "complete")
    signed = ("taught_at", "taught_by", "undone_at", "undone_by")
    return sa.select(*(labels.c[name] for name in (*names, *signed)))


def _read(conn: Connection, statement: sa.Select[Any]) -> list[Label]:
    rows = conn.execute(statement).mappings()
    return [Label(**{**row, "expected": tuple(row["expected"])}) for row in rows]


def stamp(conn: Connection) -> tuple[int, int]:
    """Another value after every teaching and every undo; costs less than the labels themselves."""
    row = conn.execute(sa.select(sa.func.max(labels.c.id), sa.func.count(labels.c.undone_at))).one()
    return row[0] or 0, row[1]
