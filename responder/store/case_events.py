"""What happened to a case, in order. Rows are only ever added."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import case_events


@dataclass(frozen=True, slots=True)
class CaseEvent:
    """One thing that happened to a case."""

    id: int
    """Grows with time within a case, as whoever writes one holds the case locked."""
    at: datetime
    event: str
    who: str
    detail: str
    inquiry_id: int | None
    delivery_id: int | None


_RECORD = sa.insert(case_events).returning(case_events.c.id)


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
) -> int:
    """Write down what happened to a case that the caller has locked or just made; the number of the event."""
    what = {"event": event, "who": who, "detail": detail}
    values = {"case_id": case_id, "at": now, **what, "inquiry_id": inquiry_id, "delivery_id": delivery_id}
    number: int = conn.execute(_RECORD, values).scalar_one()
    return number


def of_case(conn: Connection, case_id: int, *, since: int = 0) -> list[CaseEvent]:
    """All that happened to a case after the event `since`, oldest first."""
    names = ("id", "at", "event", "who", "detail", "inquiry_id", "delivery_id")
    chosen = (case_events.c.case_id == case_id, case_events.c.id > since)
    statement = sa.select(*(case_events.c[name] for name in names)).where(*chosen)
    return [CaseEvent(*row) for row in conn.execute(statement.order_by(case_events.c.id))]


def newest(conn: Connection, case_id: int) -> int:
    """The number of the last thing that happened to a case; 0 where there is no such case."""
    last = sa.select(sa.func.coalesce(sa.func.max(case_events.c.id), 0)).where(case_events.c.case_id == case_id)
    number: int = conn.execute(last).scalar_one()
    return number
