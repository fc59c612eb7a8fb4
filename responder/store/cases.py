"""What a person must handle: open → taken → closed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Executable
from sqlalchemy.engine import Connection

from responder.store import case_events
from responder.store.engine import inserting
from responder.store.schema import case_events as events
from responder.store.schema import cases, inbox


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
    held_until: datetime | None = None
    """Put off until then, whatever its state; a moment that has passed holds nothing."""
    hold_reason: str | None = None
    merged_into: int | None = None
    """The case that its mails belong to now; it is closed then."""
    erased_at: datetime | None = None
    """Since when nothing is left of the mail that began it."""


def reference_of(case_id: int) -> str:
    """The number that the contractor reads, and writes when he calls."""
    return f"R-{case_id:06d}"


def number_of(text: str) -> int | None:
    """The case that somebody writes as R-000042, r-42 or 42; None where it is none of these."""
    digits = text.strip().removeprefix("R-").removeprefix("r-")
    return int(digits) if digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**63 else None


# What many mails ask of the store is written once: see `inbox`.
@cache
def _opening(dialect: str) -> Executable:
    return inserting(dialect, cases).on_conflict_do_nothing().returning(cases.c.inquiry_id)


_REOPEN = (
    sa.update(cases)
    .where(cases.c.inquiry_id == sa.bindparam("case"), cases.c.merged_into.is_(None))
    .values(
        state=sa.case((cases.c.state == "taken", "taken"), else_="open"),
        opened_at=sa.case((cases.c.state == "closed", sa.bindparam("now")), else_=cases.c.opened_at),
        reason=sa.bindparam("because"),
        changed_at=sa.bindparam("now"),
        held_until=None,
        hold_reason=None,
    )
    .returning(cases.c.inquiry_id)
)


def open_case(
    conn: Connection,
    inquiry_id: int,
    *,
    reason: str,
    now: datetime,
    caused_by: int | None = None,
    who: str = "responder",
) -> None:
    """Put an inquiry before people. A case that exists is opened again; one that somebody has taken stays theirs.

    `caused_by` is the later inquiry, if one (a reply in the thread) is the cause. A hold ends, and of a case that was
    merged into another it is the other that opens.
    """
    values = {"inquiry_id": inquiry_id, "opened_at": now, "reason": reason, "changed_at": now}
    # Where somebody opens the case or merges it at this moment, the second look finds what came of it.
    while True:
        known = case_of(conn, inquiry_id)
        root = inquiry_id if known is None else known
        if known is None:
            done = conn.execute(_opening(conn.dialect.name), values)
        else:
            done = conn.execute(_REOPEN, {"case": root, "now": now, "because": reason})
        if done.first() is not None:
            break
    case_events.record(conn, root, "opened", who=who, detail=reason, inquiry_id=caused_by, now=now)


def call_back(conn: Connection, inquiry_id: int, *, who: str, now: datetime) -> bool:
    """Put a mail that was kept in silence before people; its lane stays. False where it was not, or was so before."""
    kept = (inbox.c.id == inquiry_id, inbox.c.lane == "suppressed", inbox.c.erased_at.is_(None))
    # Locked, for it may be erased at this moment.
    found = conn.execute(sa.select(inbox.c.id).where(*kept).with_for_update()).first()
    if found is None or case_of(conn, inquiry_id) is not None:
        return False
    reason = "called back"
    values = {"inquiry_id": inquiry_id, "opened_at": now, "reason": reason, "changed_at": now}
    if conn.execute(_opening(conn.dialect.name), values).first() is None:
        return False  # somebody else was as quick
    case_events.record(conn, inquiry_id, "opened", who=who, detail=reason, now=now)
    return True


def keep_thanks(conn: Connection, case_id: int, inquiry_id: int, *, now: datetime) -> None:
    """Tell a mail that only thanks in its case; the state stays."""
    find(conn, case_id, lock=True)
    case_events.record(conn, case_id, "thanked", who="contractor", detail="", inquiry_id=inquiry_id, now=now)


_BEGAN = sa.select(cases.c.inquiry_id, cases.c.merged_into).where(cases.c.inquiry_id == sa.bindparam("case"))
_JOINED = sa.select(events.c.case_id).where(events.c.inquiry_id == sa.bindparam("inquiry")).limit(1)


def case_of(conn: Connection, inquiry_id: int) -> int | None:
    """The case that an inquiry began, or joined as a later mail, or that this one was merged into; None if neither."""
    row = _began(conn, inquiry_id)
    if row is None:
        # A mail that was split off has a case of its own, whatever it had joined.
        number = conn.execute(_JOINED, {"inquiry": inquiry_id}).scalar_one_or_none()
        row = None if number is None else _began(conn, number)
    while row is not None and row.merged_into is not None:
        row = _began(conn, row.merged_into)
    return None if row is None else row.inquiry_id


def _began(conn: Connection, case_id: int) -> Any:
    return conn.execute(_BEGAN, {"case": case_id}).one_or_none()


def mails_of(conn: Connection, case_id: int, *, thanks: bool = True) -> list[int]:
    """The inquiries that belong to a case now, as they came: its own, those that joined it, and those of cases that
    were merged into it. Without those that were split off; `thanks` False leaves out what only thanks."""
    family = sa.select(sa.cast(case_id, cases.c.inquiry_id.type).label("id")).cte("family", recursive=True)
    family = family.union(sa.select(cases.c.inquiry_id).join(family, cases.c.merged_into == family.c.id))
    own = cases.alias("own")
    joined = sa.select(events.c.inquiry_id).where(
        events.c.case_id.in_(sa.select(family.c.id)),
        events.c.inquiry_id.is_not(None),
        ~sa.exists().where(own.c.inquiry_id == events.c.inquiry_id),
    )
    if not thanks:
        joined = joined.where(events.c.event != "thanked")
    numbers = conn.execute(sa.union(sa.select(family.c.id), joined)).scalars()
    return sorted(numbers)


def is_erased(conn: Connection, case_id: int) -> bool:
    """Whether nothing is left of any mail of a case."""
    left = sa.exists().where(inbox.c.id.in_(mails_of(conn, case_id)), inbox.c.erased_at.is_(None))
    return not conn.execute(sa.select(left)).scalar_one()


def author_of(conn: Connection, case_id: int) -> str:
    """The address in From of the mail that began the case; "" where it names nobody."""
    statement = sa.select(sa.func.coalesce(inbox.c.from_address, "")).where(inbox.c.id == case_id)
    return conn.execute(statement).scalar_one_or_none() or ""


def listing(conn: Connection, *, states: Sequence[str] = ("open", "taken"), limit: int = 100) -> list[Case]:
    """Cases of these states, the one waiting longest first."""
    statement = _cases().where(cases.c.state.in_(states)).order_by(cases.c.opened_at, cases.c.inquiry_id).limit(limit)
    return [Case(*row) for row in conn.execute(statement)]


def next_open(conn: Connection, *, but: int, now: datetime) -> int | None:
    """The open case that waits longest and is not held, except that one."""
    free = sa.or_(cases.c.held_until.is_(None), cases.c.held_until <= now)
    statement = sa.select(cases.c.inquiry_id).where(cases.c.state == "open", free, cases.c.inquiry_id != but)
    number: int | None = conn.execute(
        statement.order_by(cases.c.opened_at, cases.c.inquiry_id).limit(1)
    ).scalar_one_or_none()
    return number


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
    since = ("held_until", "hold_reason", "merged_into")
    columns = [
        *(cases.c[name] for name in own),
        inbox.c.mail_from,
        inbox.c.subject,
        *(cases.c[name] for name in since),
        inbox.c.erased_at,
    ]
    return sa.select(*columns).join(inbox, inbox.c.id == cases.c.inquiry_id)
