"""What a person must handle: open → taken → closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import case_events, cases, inbox


@dataclass(frozen=True, slots=True)
class Case:
    """A case; its number is that of the inquiry that began it."""

    id: int
    opened_at: datetime
    reason: str
    state: str
    taken_by: str | None
    changed_at: datetime
    mail_from: str
    subject: str | None


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One thing that happened to a case."""

    at: datetime
    event: str
    who: str
    detail: str
    inquiry_id: int | None
    delivery_id: int | None


def reference_of(case_id: int) -> str:
    """The number that the contractor reads, and writes when he calls."""
    return f"R-{case_id:06d}"


def open_case(conn: Connection, inquiry_id: int, *, reason: str, now: datetime, caused_by: int | None = None) -> None:
    """Put an inquiry before people. A case that exists is opened again; one that somebody has taken stays theirs.

    `caused_by` is the later inquiry, if one (a reply in the thread) is the cause.
    """
    reopened = (
        sa.update(cases)
        .where(cases.c.inquiry_id == inquiry_id)
        .values(
            state=sa.case((cases.c.state == "taken", "taken"), else_="open"),
            opened_at=sa.case((cases.c.state == "closed", now), else_=cases.c.opened_at),
            reason=reason,
            changed_at=now,
        )
    )
    if conn.execute(reopened).rowcount == 0:
        conn.execute(sa.insert(cases).values(inquiry_id=inquiry_id, opened_at=now, reason=reason, changed_at=now))
    record(conn, inquiry_id, "opened", who="responder", detail=reason, inquiry_id=caused_by, now=now)


def call_back(conn: Connection, inquiry_id: int, *, who: str, now: datetime) -> bool:
    """Put a mail that was kept in silence before people; its lane stays. False where it was not, or was so before."""
    kept = sa.exists().where(inbox.c.id == inquiry_id, inbox.c.lane == "suppressed")
    if not conn.execute(sa.select(kept)).scalar_one() or case_of(conn, inquiry_id) is not None:
        return False
    reason = "called back"
    conn.execute(sa.insert(cases).values(inquiry_id=inquiry_id, opened_at=now, reason=reason, changed_at=now))
    record(conn, inquiry_id, "opened", who=who, detail=reason, now=now)
    return True


def case_of(conn: Connection, inquiry_id: int) -> int | None:
    """The case that an inquiry began, or joined as a later mail; None if neither."""
    began: int | None = conn.execute(
        sa.select(cases.c.inquiry_id).where(cases.c.inquiry_id == inquiry_id)
    ).scalar_one_or_none()
    if began is not None:
        return began
    joined = sa.select(case_events.c.case_id).where(case_events.c.inquiry_id == inquiry_id).limit(1)
    number: int | None = conn.execute(joined).scalar_one_or_none()
    return number


def take(conn: Connection, case_id: int, *, who: str, now: datetime) -> bool:
    """Make an open case theirs; False where it is not open, and not already theirs."""
    free = sa.or_(cases.c.state == "open", sa.and_(cases.c.state == "taken", cases.c.taken_by == who))
    statement = sa.update(cases).where(cases.c.inquiry_id == case_id, free)
    taken = conn.execute(statement.values(state="taken", taken_by=who, changed_at=now)).rowcount == 1
    if taken:
        record(conn, case_id, "taken", who=who, detail="", now=now)
    return taken


def close_case(
    conn: Connection, case_id: int, *, who: str, detail: str, now: datetime, delivery_id: int | None = None
) -> bool:
    """Close a case that is open or theirs, with what ended it; False where it is another's or closed."""
    free = sa.or_(cases.c.state == "open", sa.and_(cases.c.state == "taken", cases.c.taken_by == who))
    statement = sa.update(cases).where(cases.c.inquiry_id == case_id, free)
    closed = conn.execute(statement.values(state="closed", changed_at=now)).rowcount == 1
    if closed:
        event = "closed" if delivery_id is None else "answered"
        record(conn, case_id, event, who=who, detail=detail, delivery_id=delivery_id, now=now)
    return closed


def record(
    conn: Connection,
    case_id: int,
    event: str,
    *,
    who: str,
    detail: str,
    now: datetime,
    inquiry_id: int | None = None,
    delivery_id: int | None = None,
) -> None:
    """Write down what happened to a case."""
    values = {"inquiry_id": inquiry_id, "delivery_id": delivery_id}
    conn.execute(sa.insert(case_events).values(case_id=case_id, at=now, event=event, who=who, detail=detail, **values))


def events(conn: Connection, case_id: int) -> list[CaseEvent]:
    """All that happened to a case, oldest first."""
    names = ("at", "event", "who", "detail", "inquiry_id", "delivery_id")
    statement = sa.select(*(case_events.c[name] for name in names)).where(case_events.c.case_id == case_id)
    return [CaseEvent(*row) for row in conn.execute(statement.order_by(case_events.c.id))]


def listing(conn: Connection, *, states: Sequence[str] = ("open", "taken"), limit: int = 100) -> list[Case]:
    """Cases of these states, the one waiting longest first."""
    statement = _cases().where(cases.c.state.in_(states)).order_by(cases.c.opened_at, cases.c.inquiry_id).limit(limit)
    return [Case(*row) for row in conn.execute(statement)]


def find(conn: Connection, case_id: int, *, lock: bool = False) -> Case | None:
    """One case, or None; with `lock` nobody else changes it before the transaction ends."""
    statement = _cases().where(cases.c.inquiry_id == case_id)
    row = conn.execute(statement.with_for_update(of=cases) if lock else statement).first()
    return None if row is None else Case(*row)


def waiting(conn: Connection) -> dict[str, int]:
    """How many cases stand in each state."""
    rows = conn.execute(sa.select(cases.c.state, sa.func.count().label("n")).group_by(cases.c.state))
    counts = {row.state: row.n for row in rows}
    return {state: counts.get(state, 0) for state in ("open", "taken", "closed")}


def _cases() -> sa.Select[Any]:
    own = ("inquiry_id", "opened_at", "reason", "state", "taken_by", "changed_at")
    columns = [*(cases.c[name] for name in own), inbox.c.mail_from, inbox.c.subject]
    return sa.select(*columns).join(inbox, inbox.c.id == cases.c.inquiry_id)
