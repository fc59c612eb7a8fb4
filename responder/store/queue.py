"""The lists that staff work from: who waits, for how long, and who is on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from responder.store import search
from responder.store.inbox import Lane
from responder.store.schema import cases, composing, inbox
from responder.store.schema import searchable as table

HEARD_OF = timedelta(seconds=60)
"""Who has not been heard of for so long is not writing any more."""

MOST_COUNTED = 1000
"""Counting stops here: that there are more is all that anybody wants to know, and it costs the same at any size."""


class View(StrEnum):
    """One list. The last two are of mails that no case was made of."""

    OPEN = "open"
    MINE = "mine"
    TAKEN = "taken"
    HELD = "held"
    CLOSED = "closed"
    ALL = "all"
    ANSWERED = "answered"
    SUPPRESSED = "suppressed"


COUNTED = (View.OPEN, View.MINE, View.TAKEN, View.HELD, View.CLOSED, View.ANSWERED, View.SUPPRESSED)
"""As they stand on the page; what is found in ALL says how much it is."""

_WAITING = {View.OPEN, View.MINE, View.TAKEN, View.HELD}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of a list: a case, or a mail that none was made of."""

    id: int
    at: datetime
    """Since when it waits; of a mail without a case when it came."""
    state: str | None
    """Of the case; None: there is none."""
    lane: str | None
    reason: str
    rule: str | None
    subject: str
    name: str
    address: str
    entry: str | None
    """The entry that recognition thought of first."""
    confidence: float | None
    taken_by: str | None
    held_until: datetime | None
    hold_reason: str | None
    writing: str | None
    """Who is writing an answer at this moment."""
    erased_at: datetime | None
    """Since when nothing is left of the mail."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends and the next one begins."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of a list."""

    rows: tuple[Waiting, ...]
    next: Place | None
    """None: there are no more."""


def counts(conn: Connection, who: str, *, now: datetime) -> Mapping[View, int]:
    """How many stand in each list, up to MOST_COUNTED."""
    return {view: _counted(conn, _numbers(view, who, now)) for view in COUNTED}


def _counted(conn: Connection, numbers: sa.Select[Any]) -> int:
    some = numbers.limit(MOST_COUNTED).subquery()
    return conn.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()


def _numbers(view: View, who: str, now: datetime) -> sa.Select[Any]:
    if view in (View.ANSWERED, View.SUPPRESSED):
        return sa.select(inbox.c.id).where(*_which(view, who, now))
    return sa.select(cases.c.inquiry_id).where(*_which(view, who, now))


def _which(view: View, who: str, now: datetime) -> list[sa.ColumnElement[bool]]:
    held = sa.and_(cases.c.held_until.is_not(None), cases.c.held_until > now)
    match view:
        case View.OPEN:
            return [cases.c.state == "open", ~held]
        case View.MINE:
            return [cases.c.state == "taken", cases.c.taken_by == who, ~held]
        case View.TAKEN:
            return [cases.c.state == "taken", ~held]
        case View.HELD:
            return [cases.c.state.in_(("open", "taken")), held]
        case View.CLOSED:
            return [cases.c.state == "closed", cases.c.merged_into.is_(None)]
        case View.ANSWERED:
            return [inbox.c.lane == Lane.ANSWERED.value]
        case View.SUPPRESSED:
            return [inbox.c.lane == Lane.SUPPRESSED.value]
        case View.ALL:
            return []


def page(
    conn: Connection,
    view: View,
    who: str,
    *,
    now: datetime,
    words: Sequence[str] = (),
    after: Place | None = None,
    limit: int = 50,
) -> Page:
    """Some rows, after that place: the longest waiting first, of what is done or was never a case the newest."""
    oldest_first, at, number = view in _WAITING, *_key(view)
    order = (at, number) if oldest_first else (at.desc(), number.desc())
    statement = _rows(view, at, now).where(*_which(view, who, now), *search.holds(words))
    if after is not None:
        statement = statement.where(_beyond(at, number, after, oldest_first))
    found = conn.execute(statement.order_by(*order).limit(limit + 1)).all()
    rows = tuple(_waiting(row) for row in found[:limit])
    return Page(rows, Place(rows[-1].at, rows[-1].id) if len(found) > limit else None)


def _key(view: View) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[Any]]:
    """What a list is ordered by; an index of its own has it."""
    match view:
        case View.ALL | View.ANSWERED | View.SUPPRESSED:
            return inbox.c.id, inbox.c.id
        case _:
            return cases.c.opened_at, cases.c.inquiry_id


def _beyond(
    at: sa.ColumnElement[Any], number: sa.ColumnElement[Any], after: Place, oldest_first: bool
) -> sa.ColumnElement[bool]:
    if at is number:
        return number > after.id if oldest_first else number < after.id
    if oldest_first:
        return sa.or_(at > after.at, sa.and_(at == after.at, number > after.id))
    return sa.or_(at < after.at, sa.and_(at == after.at, number < after.id))


def _rows(view: View, at: sa.ColumnElement[Any], now: datetime) -> sa.Select[Any]:
    mail = [inbox.c[name] for name in ("id", "lane", "rule", "subject", "from_name", "from_address", "mail_from")]
    case = [cases.c[name] for name in ("state", "opened_at", "taken_by", "held_until", "hold_reason")]
    columns = [
        *mail,
        *case,
        inbox.c.received_at,
        inbox.c.erased_at,
        inbox.c.decision,
        inbox.c.reason.label("mail_reason"),
        cases.c.reason.label("case_reason"),
        composing.c.who.label("writing"),
    ]
    writing = sa.and_(composing.c.case_id == inbox.c.id, composing.c.seen_at > now - HEARD_OF)
    joined = (
        inbox.outerjoin(cases, cases.c.inquiry_id == inbox.c.id)
        if view in (View.ALL, View.ANSWERED, View.SUPPRESSED)
        else cases.join(inbox, cases.c.inquiry_id == inbox.c.id)
    )
    joined = joined.outerjoin(composing, writing).outerjoin(table, table.c.inquiry_id == inbox.c.id)
    return sa.select(*columns).select_from(joined)


def _waiting(row: Row[Any]) -> Waiting:
    entry, confidence = _best(row.decision or {})
    return Waiting(
        id=row.id,
        at=row.opened_at or row.received_at,
        state=row.state,
        lane=row.lane,
        reason=row.case_reason or row.mail_reason or "",
        rule=row.rule,
        subject=row.subject or "",
        name=row.from_name or "",
        address=row.from_address or row.mail_from,
        entry=entry,
        confidence=confidence,
        taken_by=row.taken_by if row.state == "taken" else None,
        held_until=row.held_until,
        hold_reason=row.hold_reason,
        writing=row.writing,
        erased_at=row.erased_at,
    )


def _best(decision: Mapping[str, Any]) -> tuple[str | None, float | None]:
    questions = decision.get("questions") or [{}]
    return questions[0].get("entry"), questions[0].get("confidence")
