"""The breaker: once it has tripped no automatic mail leaves until somebody resets it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.engine import inserting
from responder.store.schema import breaker_trips

ITSELF = "responder"
"""Who reset a breaker that fell back by itself."""


@dataclass(frozen=True, slots=True)
class Trip:
    """One time that automatic mail was stopped."""

    id: int
    tripped_at: datetime
    sent: int
    """Automatic mails in the hour before."""
    reset_at: datetime | None
    reset_by: str | None


def in_force(conn: Connection) -> Trip | None:
    """The trip that nobody has reset yet."""
    return next(iter(listing(conn, limit=1, only_in_force=True)), None)


def listing(conn: Connection, *, limit: int = 20, only_in_force: bool = False) -> list[Trip]:
    """The trips, newest first."""
    columns = (breaker_trips.c[name] for name in ("id", "tripped_at", "sent", "reset_at", "reset_by"))
    statement = sa.select(*columns).order_by(breaker_trips.c.id.desc()).limit(limit)
    if only_in_force:
        statement = statement.where(breaker_trips.c.in_force)
    return [Trip(*row) for row in conn.execute(statement)]


def trip(conn: Connection, *, sent: int, now: datetime) -> bool:
    """Stop automatic mail; False where it is stopped already."""
    statement = inserting(conn, breaker_trips).values(tripped_at=now, sent=sent, in_force=True)
    stopped = statement.on_conflict_do_nothing(index_elements=["in_force"]).returning(breaker_trips.c.id)
    return conn.execute(stopped).first() is not None


def reset(conn: Connection, *, who: str, now: datetime) -> bool:
    """Let automatic mail leave again, and count from here; False where nothing was stopped."""
    statement = sa.update(breaker_trips).where(breaker_trips.c.in_force)
    return conn.execute(statement.values(in_force=None, reset_at=now, reset_by=who)).rowcount == 1


def last_reset_at(conn: Connection) -> datetime | None:
    """When a person let automatic mail leave again: what left before is not held against what comes after. A breaker
    that falls back by itself has seen that there is room, and forgets nothing."""
    by_people = sa.select(sa.func.max(breaker_trips.c.reset_at)).where(breaker_trips.c.reset_by != ITSELF)
    found: datetime | None = conn.execute(by_people).scalar_one_or_none()
    return found
