"""Who is writing an answer at this moment: a lock that only warns, and ends when its owner is not heard of any more."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.engine import upsert
from responder.store.schema import composing

UNHEARD = timedelta(seconds=60)
"""After so long without a word the case is anybody's to answer."""


@dataclass(frozen=True, slots=True)
class Composer:
    """Somebody who is writing."""

    who: str
    begun_at: datetime


def heartbeat(conn: Connection, case_id: int, *, who: str, now: datetime) -> Composer:
    """Say that they are writing; whoever is, which is somebody else where these came first and were heard of since."""
    values = {"who": who, "begun_at": now, "seen_at": now}
    # Whoever goes on writing began when they began; only where somebody else is no longer heard of does it change.
    begun = sa.case((composing.c.who == who, composing.c.begun_at), else_=now)
    theirs = sa.or_(composing.c.who == who, composing.c.seen_at <= now - UNHEARD)
    upsert(conn, composing, {"case_id": case_id}, values, changed={**values, "begun_at": begun}, where=theirs)
    found = holder(conn, case_id, now=now)
    if found is None:
        raise LookupError(f"nobody is writing in case {case_id}, although somebody just said so")
    return found


def take_over(conn: Connection, case_id: int, *, who: str, now: datetime) -> None:
    """Write in somebody else's place; they see it with their next heartbeat."""
    upsert(conn, composing, {"case_id": case_id}, {"who": who, "begun_at": now, "seen_at": now})


def leave(conn: Connection, case_id: int, *, who: str) -> None:
    """Say that they write no longer."""
    conn.execute(sa.delete(composing).where(composing.c.case_id == case_id, composing.c.who == who))


def holder(conn: Connection, case_id: int, *, now: datetime) -> Composer | None:
    """Who is writing, if anybody was heard of."""
    live = (composing.c.case_id == case_id, composing.c.seen_at > now - UNHEARD)
    row = conn.execute(sa.select(composing.c.who, composing.c.begun_at).where(*live)).first()
    return None if row is None else Composer(*row)
