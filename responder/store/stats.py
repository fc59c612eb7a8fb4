"""Figures for whoever watches over the service: where mails ended, what waits, what people and couriers did."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row

from responder.store.inbox import Lane
from responder.store.outbox import LISTED, Listing
from responder.store.schema import case_events, cases, inbox, outbox


@dataclass(frozen=True, slots=True)
class Day:
    """The mails taken in on one day, and where they are now: the sum of the lanes and of those that wait (Law 2)."""

    date: date
    """In the organisation's time zone."""
    answered: int
    escalated: int
    suppressed: int
    waiting: int

    @property
    def accepted(self) -> int:
        """All of them."""
        return self.answered + self.escalated + self.suppressed + self.waiting


def by_day(conn: Connection, *, zone: ZoneInfo, days: int, now: datetime) -> list[Day]:
    """The last days, today included and last; all of one moment."""
    today = now.astimezone(zone).date()
    dates = [today - timedelta(days=back) for back in reversed(range(days))]
    lane = sa.func.coalesce(inbox.c.lane, "waiting").label("lane")
    # A day is a range of the index on received_at. No expression of SQL gives days of a zone on both databases, and
    # one statement for all of them sees one moment.
    counts = [
        sa.select(sa.literal(number).label("day"), lane, sa.func.count().label("n"))
        .where(inbox.c.received_at >= _midnight(one, zone), inbox.c.received_at < _midnight(one, zone, days=1))
        .group_by(lane)
        for number, one in enumerate(dates)
    ]
    found = {(row.day, row.lane): row.n for row in conn.execute(sa.union_all(*counts))}
    names = [*(each.value for each in Lane), "waiting"]
    return [Day(one, **{name: found.get((number, name), 0) for name in names}) for number, one in enumerate(dates)]


def _midnight(day: date, zone: ZoneInfo, *, days: int = 0) -> datetime:
    return datetime.combine(day + timedelta(days=days), time.min, zone)


def automatic_share(days: Iterable[Day]) -> float | None:
    """Of the mails that wanted an answer, those that a machine gave it to; None where there were none."""
    known = list(days)
    answered = sum(day.answered for day in known)
    wanted = answered + sum(day.escalated for day in known)
    return answered / wanted if wanted else None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What is not done yet, and since when the oldest of it waits."""

    waiting: int
    """Mails without a lane."""
    waiting_since: datetime | None
    cases: int
    """Open or taken."""
    cases_since: datetime | None


def backlog(conn: Connection) -> Backlog:
    """What waits for a worker, and what waits for people."""
    mails = sa.select(sa.func.count(), sa.func.min(inbox.c.received_at)).where(inbox.c.lane.is_(None))
    unclosed = cases.c.state.in_(("open", "taken"))
    waiting, waiting_since = conn.execute(mails).one()
    people = sa.select(sa.func.count(), sa.func.min(cases.c.opened_at)).where(unclosed)
    open_cases, cases_since = conn.execute(people).one()
    return Backlog(waiting, waiting_since, open_cases, cases_since)


@dataclass(frozen=True, slots=True)
class Answered:
    """A person's answer, and how long the contractor waited for it."""

    at: datetime
    after: timedelta
    """Since the case came before people, or came again after the last answer; nights and holidays included."""


def answers_of_people(conn: Connection, *, since: datetime) -> list[Answered]:
    """The answers sent since then, oldest first; one that was taken back is none."""
    # Cases are few and slim where mails are many and wide: those that moved lately are found by reading them all.
    moved = sa.select(cases.c.inquiry_id).where(cases.c.changed_at >= since)
    columns = (case_events.c.case_id, case_events.c.at, case_events.c.event)
    statement = sa.select(*columns).where(case_events.c.case_id.in_(moved))
    rows = conn.execute(statement.order_by(case_events.c.case_id, case_events.c.id))
    of_cases = groupby(rows, key=lambda row: row.case_id)
    found = [answer for _, events in of_cases for answer in _answers(events) if answer.at >= since]
    return sorted(found, key=lambda answer: answer.at)


def _answers(events: Iterable[Row[Any, Any, Any]]) -> list[Answered]:
    """Of one case, from its events in order."""
    answers: list[Answered] = []
    waiting_since: datetime | None = None
    for event in events:
        match event.event:
            case "opened" | "reopened":
                waiting_since = waiting_since or event.at
            case "answered" if waiting_since is not None:
                answers.append(Answered(event.at, event.at - waiting_since))
                waiting_since = None
            case "withdrawn" if answers:
                taken_back = answers.pop()
                waiting_since = taken_back.at - taken_back.after
            case "closed" | "spam" | "merged":
                waiting_since = None
    return answers


def quantile(durations: Sequence[timedelta], share: float) -> timedelta | None:
    """What this share of them do not exceed, for a share in 0..1; None of none."""
    if not durations:
        return None
    return sorted(durations)[max(0, math.ceil(share * len(durations)) - 1)]


def deliveries(conn: Connection, *, since: datetime) -> dict[tuple[str, str], int]:
    """Mails that were written since then, by kind and state."""
    columns = (outbox.c.kind, outbox.c.state)
    statement = sa.select(*columns, sa.func.count().label("n")).where(outbox.c.created_at >= since).group_by(*columns)
    return {(row.kind, row.state): row.n for row in conn.execute(statement)}


def queued(conn: Connection) -> dict[str, int]:
    """Mails that are on their way, whenever they were written, by kind."""
    statement = sa.select(outbox.c.kind, sa.func.count().label("n")).where(outbox.c.state == "queued")
    return {row.kind: row.n for row in conn.execute(statement.group_by(outbox.c.kind))}


def deferred(conn: Connection, *, limit: int = 20) -> list[Listing]:
    """Mails that were tried in vain and will be tried again, the next one first."""
    late = (outbox.c.state == "queued", outbox.c.attempts > 0, outbox.c.reply.is_not(None))
    return _troubles(conn, late, outbox.c.next_attempt_at, limit)


def failed(conn: Connection, *, since: datetime, limit: int = 20) -> list[Listing]:
    """Mails written since then that came back or were given up, newest first."""
    gone = (outbox.c.state.in_(("bounced", "expired")), outbox.c.created_at >= since)
    return _troubles(conn, gone, outbox.c.created_at.desc(), limit)


def _troubles(
    conn: Connection, which: Sequence[sa.ColumnElement[bool]], order: sa.ColumnElement[datetime], limit: int
) -> list[Listing]:
    statement = sa.select(*LISTED).where(*which).order_by(order, outbox.c.id).limit(limit)
    return [Listing(*row) for row in conn.execute(statement)]
