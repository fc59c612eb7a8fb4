"""A copy of an SQLite store while it is in use, a look at one, and what must be done to a store that was one.

PostgreSQL is copied by its own tools; what follows a restored copy is the same for both.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.errors import Fault, StoreError
from responder.store import cases
from responder.store.engine import schema_head
from responder.store.laws import breaches
from responder.store.schema import inbox, outbox

RESTORED = "restored from a backup"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done to a store that is a copy of before."""

    held: int
    """Mails that were on their way then: whether they left since, nobody knows here."""
    escalated: int
    """Mails that waited then, and may have been answered since: a person looks at them."""


def back_up(database: Path, target: Path) -> None:
    """Copy the store to a file that is not there yet, whole and flushed, or not at all. Raises StoreError.

    Writers go on meanwhile: the copy is of one moment, as whoever reads from a WAL sees one.
    """
    with _made(target) as part, closing(_opened(database)) as source, closing(sqlite3.connect(part)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE")  # one file, which needs no other beside it


def faults_of(copy: Path, *, now: datetime) -> list[str]:
    """What is wrong with a copy: damaged pages, rows that hang in the air, another schema, broken Laws."""
    with closing(_opened(copy, "&immutable=1")) as connection:
        try:
            damaged = [row[0] for row in connection.execute("PRAGMA integrity_check(20)") if row[0] != "ok"]
            if damaged:
                return damaged
            hanging = [
                f"{row[0]} {row[1]} belongs to nothing" for row in connection.execute("PRAGMA foreign_key_check")
            ]
            version = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.DatabaseError as error:
            return [str(error)]
    ours = schema_head()
    if version is None or version[0] != ours:
        return [*hanging, f"its schema is {version and version[0]}, and {ours} is this program's"]
    engine = sa.create_engine("sqlite://", creator=lambda: _opened(copy, "&immutable=1"), poolclass=sa.NullPool)
    with engine.connect() as connection:
        found = breaches(connection, now=now)
    return [*hanging, *(f"law {one.law}: {one.what} {one.number} {one.problem}" for one in found)]


def put_in_place(copy: Path, database: Path) -> None:
    """Make a copy the store, where there is none. Raises StoreError."""
    with (
        _made(database) as part,
        closing(_opened(copy, "&immutable=1")) as source,
        closing(sqlite3.connect(part)) as to,
    ):
        source.backup(to)


def settle_restored(conn: Connection, *, now: datetime) -> Restored:
    """Let nothing leave a second time from a store that was put back.

    What was on its way is held until somebody retries it; what waited goes before a person, without a word to its
    sender. The time between the copy and now is in nobody's records.
    """
    queued = sa.update(outbox).where(outbox.c.state == "queued")
    held = conn.execute(queued.values(state="held", lease_until=None)).rowcount
    waiting = conn.execute(sa.select(inbox.c.id).where(inbox.c.lane.is_(None)).order_by(inbox.c.id)).scalars().all()
    for number in waiting:
        settled = {"lane": "escalated", "reason": RESTORED, "settled_at": now, "lease_until": None, "decision": {}}
        conn.execute(sa.update(inbox).where(inbox.c.id == number).values(**settled))
        cases.open_case(conn, number, reason=RESTORED, now=now)
    return Restored(held, len(waiting))


def _opened(database: Path, more: str = "") -> sqlite3.Connection:
    try:
        return sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro{more}", uri=True, timeout=30)
    except sqlite3.OperationalError as error:
        raise _fault(database, f"cannot be opened ({error})", "Name the file of a store or of a copy") from error


@contextmanager
def _made(target: Path) -> Iterator[Path]:
    """A file beside the target that becomes it at the end; people's mail stands in it, so it is nobody else's."""
    part = target.with_name(f"{target.name}.part")
    try:
        if target.exists():
            raise FileExistsError(0, "is there already")
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise _fault(target, f"cannot be made ({error.strerror})", "Name a file that is not there yet") from error
    try:
        yield part
        for flushed in (part, target.parent):
            descriptor = os.open(flushed, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)
        part.rename(target)
    except sqlite3.Error as error:
        raise _fault(target, f"was not written ({error})", "See to the disk, and that the other is a store") from error
    finally:
        part.unlink(missing_ok=True)


def _fault(file: Path, problem: str, remedy: str) -> StoreError:
    return StoreError([Fault(str(file), "", problem, remedy)])
