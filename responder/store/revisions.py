"""How each entry came to be what it is: its file as it was, time after time. Rows are only ever added."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import entry_revisions

BY_HAND = ""
"""Who wrote what was found on disk: the store does not know."""


@dataclass(frozen=True, slots=True)
class Revision:
    """The file of an entry, as it was from then on."""

    id: int
    entry_id: str
    revision: int
    """Of the entry, as its file counts."""
    written_at: datetime
    """Where it was changed by hand, when that was found."""
    written_by: str
    note: str
    content: str
    """The whole file."""


def record(
    conn: Connection, entry_id: str, revision: int, content: str, *, who: str, note: str = "", now: datetime
) -> int:
    """Add what somebody wrote, and give its number."""
    values = {"entry_id": entry_id, "revision": revision, "content": content}
    statement = sa.insert(entry_revisions).values(**values, written_at=now, written_by=who, note=note)
    number: int = conn.execute(statement.returning(entry_revisions.c.id)).scalar_one()
    return number


def see(conn: Connection, entry_id: str, revision: int, content: str, *, now: datetime) -> bool:
    """Add what stands on disk where it is not what was last recorded: the first look, or a change by hand."""
    known = newest(conn, entry_id)
    if known is not None and known.content == content:
        return False
    record(conn, entry_id, revision, content, who=BY_HAND, now=now)
    return True


def newest(conn: Connection, entry_id: str, *, until: datetime | None = None) -> Revision | None:
    """The last one recorded, or the last one up to a moment; None where nobody has looked at the entry by then."""
    statement = _of(entry_id).limit(1)
    if until is not None:
        statement = statement.where(entry_revisions.c.written_at <= until)
    row = conn.execute(statement).first()
    return None if row is None else Revision(*row)


def find(conn: Connection, number: int) -> Revision | None:
    """One by its number."""
    row = conn.execute(_revisions().where(entry_revisions.c.id == number)).first()
    return None if row is None else Revision(*row)


def before(conn: Connection, revision: Revision) -> Revision | None:
    """The one that it took the place of; None for the first."""
    row = conn.execute(_of(revision.entry_id).where(entry_revisions.c.id < revision.id).limit(1)).first()
    return None if row is None else Revision(*row)


def listing(conn: Connection, entry_id: str, *, limit: int = 50) -> list[Revision]:
    """Those of an entry, the newest first."""
    return [Revision(*row) for row in conn.execute(_of(entry_id).limit(limit))]


def _of(entry_id: str) -> sa.Select[Any]:
    return _revisions().where(entry_revisions.c.entry_id == entry_id).order_by(entry_revisions.c.id.desc())


def _revisions() -> sa.Select[Any]:
    names = ("id", "entry_id", "revision", "written_at", "written_by", "note", "content")
    return sa.select(*(entry_revisions.c[name] for name in names))
