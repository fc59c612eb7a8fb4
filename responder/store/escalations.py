"""Mails that went to people: what they asked, and what people wrote and taught in return."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store import labels as taught
from responder.store.schema import case_events, inbox, labels, outbox


@dataclass(frozen=True, slots=True)
class Escalation:
    """A mail that went to people, as far as it was read when it was decided on."""

    id: int
    received_at: datetime
    subject: str
    question: str
    """The mail as a whole, as recognition read it; "" where it could not be read."""
    expected: tuple[str, ...] | None
    """What is taught of it; None: nothing yet."""


def listing(conn: Connection, reasons: Collection[str], *, since: datetime, limit: int) -> list[Escalation]:
    """The newest that went to people for one of these reasons, newest first. Spam is left out."""
    question = inbox.c.decision[("questions", 0, "text")].as_string()
    spam = sa.exists().where(case_events.c.case_id == inbox.c.id, case_events.c.event == "spam")
    statement = (
        sa.select(inbox.c.id, inbox.c.received_at, inbox.c.subject, question, labels.c.expected)
        .select_from(inbox.outerjoin(labels, _in_force()))
        .where(
            inbox.c.lane == "escalated",
            inbox.c.reason.in_(reasons),
            inbox.c.received_at >= since,
            ~spam,
            inbox.c.erased_at.is_(None),
        )
        .order_by(inbox.c.id.desc())
        .limit(limit)
    )
    rows = conn.execute(statement)
    return [
        Escalation(number, at, subject or "", asked or "", None if expected is None else tuple(expected))
        for number, at, subject, asked, expected in rows
    ]


@dataclass(frozen=True, slots=True)
class Written:
    """The newest answer that a person sent to a mail."""

    inquiry_id: int
    at: datetime
    subject: str
    """Of the mail that it answers."""
    raw: bytes


def written(
    conn: Connection,
    *,
    inquiry_id: int | None = None,
    reasons: Collection[str] | None = None,
    untaught: bool = False,
    since: datetime | None = None,
    limit: int = 1,
) -> list[Written]:
    """What people wrote, newest first, one for each mail. What was withdrawn was never sent."""
    last = sa.select(sa.func.max(outbox.c.id)).where(outbox.c.kind == "person", outbox.c.state != "withdrawn")
    statement = (
        sa.select(outbox.c.inquiry_id, outbox.c.created_at, sa.func.coalesce(inbox.c.subject, ""), outbox.c.raw)
        .select_from(outbox.join(inbox, inbox.c.id == outbox.c.inquiry_id).outerjoin(labels, _in_force()))
        .where(outbox.c.id.in_(last.group_by(outbox.c.inquiry_id)), inbox.c.erased_at.is_(None))
        .order_by(outbox.c.id.desc())
        .limit(limit)
    )
    if inquiry_id is not None:
        statement = statement.where(outbox.c.inquiry_id == inquiry_id)
    if reasons is not None:
        statement = statement.where(inbox.c.lane == "escalated", inbox.c.reason.in_(reasons))
    if untaught:
        statement = statement.where(labels.c.id.is_(None))
    if since is not None:
        statement = statement.where(outbox.c.created_at >= since)
    return [Written(*row) for row in conn.execute(statement)]


def _in_force() -> sa.ColumnElement[bool]:
    return sa.and_(labels.c.inquiry_id == inbox.c.id, labels.c.undone_at.is_(None))


def stamp(conn: Connection) -> tuple[int, int, int, int]:
    """Another value whenever a mail went to people, they answered one, took an answer back, or taught anything, and
    when such a mail was erased."""
    last: int = conn.execute(sa.select(sa.func.coalesce(sa.func.max(case_events.c.id), 0))).scalar_one()
    kept = sa.select(sa.func.count()).where(inbox.c.lane == "escalated", inbox.c.erased_at.is_(None))
    return last, *taught.stamp(conn), conn.execute(kept).scalar_one()
