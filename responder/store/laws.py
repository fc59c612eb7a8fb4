"""The Laws, asked of a store as it is: whatever breaks one is named by its number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import case_events, cases, inbox, outbox

LATE = timedelta(days=1)
"""A mail that waits for longer than any lease, or any outage that is not seen to."""


@dataclass(frozen=True, slots=True)
class Breach:
    """A row that should not be."""

    law: int
    """As CONTRIBUTING.md counts them."""
    what: str
    """"mail", "delivery" or "case"."""
    number: int
    problem: str


def breaches(conn: Connection, *, now: datetime) -> list[Breach]:
    """All there are, in the order of the Laws."""
    return [
        Breach(law, what, number, problem)
        for law, what, problem, ask in _LAWS
        for number in conn.execute(ask(now)).scalars()
    ]


_Ask = Callable[[datetime], sa.Select[Any]]


def _waits_too_long(now: datetime) -> sa.Select[Any]:
    return _inquiries(inbox.c.lane.is_(None), inbox.c.received_at < now - LATE)


def _answered_without_answer(_: datetime) -> sa.Select[Any]:
    return _inquiries(inbox.c.lane == "answered", ~_has(outbox.c.kind == "answer"))


def _escalated_without_case(_: datetime) -> sa.Select[Any]:
    began = sa.exists().where(cases.c.inquiry_id == inbox.c.id)
    joined = sa.exists().where(case_events.c.inquiry_id == inbox.c.id)
    return _inquiries(inbox.c.lane == "escalated", ~began, ~joined)


def _suppressed_and_answered(_: datetime) -> sa.Select[Any]:
    return _inquiries(inbox.c.lane == "suppressed", _has(outbox.c.kind.in_(("answer", "acknowledgement"))))


def _automatic_twice(_: datetime) -> sa.Select[Any]:
    automatic = outbox.c.kind.in_(("answer", "acknowledgement"))
    grouped = sa.select(outbox.c.inquiry_id).where(automatic).group_by(outbox.c.inquiry_id)
    return grouped.having(sa.func.count() > 1)


def _automatic_from_somebody(_: datetime) -> sa.Select[Any]:
    automatic = outbox.c.kind.in_(("answer", "acknowledgement"))
    return sa.select(outbox.c.id).where(automatic, outbox.c.sender != "")


def _automatic_to_another(_: datetime) -> sa.Select[Any]:
    automatic = outbox.c.kind.in_(("answer", "acknowledgement"))
    asked = sa.select(outbox.c.id).join(inbox, inbox.c.id == outbox.c.inquiry_id)
    return asked.where(automatic, outbox.c.recipient != inbox.c.mail_from)


def _queued_for_never(_: datetime) -> sa.Select[Any]:
    return sa.select(outbox.c.id).where(outbox.c.state == "queued", outbox.c.next_attempt_at.is_(None))


def _merged_and_open(_: datetime) -> sa.Select[Any]:
    return sa.select(cases.c.inquiry_id).where(cases.c.merged_into.is_not(None), cases.c.state != "closed")


_LAWS: Sequence[tuple[int, str, str, _Ask]] = (
    (2, "mail", "has waited for a day and is in no lane", _waits_too_long),
    (2, "mail", "is in the lane answered and has no answer", _answered_without_answer),
    (2, "mail", "is in the lane escalated and in no case", _escalated_without_case),
    (2, "case", "was merged into another and is not closed", _merged_and_open),
    (3, "mail", "had two automatic mails", _automatic_twice),
    (5, "delivery", "is automatic and has an envelope sender", _automatic_from_somebody),
    (5, "delivery", "is automatic and goes to somebody else than the mail came from", _automatic_to_another),
    (6, "mail", "was kept in silence and has an automatic mail", _suppressed_and_answered),
    (6, "delivery", "is queued and will never be tried", _queued_for_never),
)


def _inquiries(*which: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(inbox.c.id).where(*which).order_by(inbox.c.id)


def _has(*which: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    return sa.exists().where(outbox.c.inquiry_id == inbox.c.id, *which)
