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


_NEWEST = sa.select(*(breaker_trips.c[name] for name in ("id", "tripped_at", "sent", "reset_at", "reset_by"))).order_by(
    breaker_trips.c.id.desc()
)
_LAST_RESET = sa.select(sa.func.max(breaker_trips.c.reset_at)).where(breaker_trips.c.reset_by != ITSELF)
_IN_FORCE = _NEWEST.where(breaker_trips.c.in_force).limit(1)


def in_force(conn: Connection) -> Trip | None:
    """The trip that nobody has reset yet."""
    row = conn.execute(_IN_FORCE).first()
    return None if row is None else Trip(*row)


def listing(conn: Connection, *, limit: int = 20) -> list[Trip]:
    """The trips, newest first."""
    return [Trip(*row) for row in conn.execute(_NEWEST.limit(limit))]


def trip(conn: Connection, *, sent: int, now: datetime) -> bool:
    """Stop automatic mail; False where it is stopped already."""
    statement = inserting(conn.dialect.name, breaker_trips).values(tripped_at=now, sent=sent, in_force=True)
    stopped = statement.on_conflict_do_nothing(index_elements=["in_force"]).returning(breaker_trips.c.id)
    return conn.execute(stopped).first() is not None


def reset(conn: Connection, *, who: str, now: datetime) -> bool:
    """Let automatic mail leave again, and count from here; False where nothing was stopped."""
    statement = sa.update(breaker_trips).where(breaker_trips.c.in_force)
    return conn.execute(statement.values(in_force=None, reset_at=now, reset_by=who)).rowcount == 1


def last_reset_at(conn: Connection) -> datetime | None:
    """When a person let automatic mail leave again: what left before is not held against what comes after. A breaker
    that falls back by itself has seen that there is room, and forgets nothing."""
    found: datetime | None = conn.execute(_LAST_RESET).scalar_one_or_none()
    return found
