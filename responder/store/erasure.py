"""Letting go of what mails say, and of whom they are from: the row stays, with lane, reason, rule and moments.

So accepted = answered + escalated + suppressed + waiting goes on to hold (Law 2), the figures stay what they were, and
the digest still tells a repetition. What is gone: octets, addresses, subject, the decision's excerpts, what search
looks in, our replies, notes, drafts, and what the audit says of it beside who did what and when.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.mail.address import correspondent_of, normalised
from responder.store import cases
from responder.store.inbox import Lane
from responder.store.schema import audit, case_events, composing, drafts, inbox, labels, muted, outbox, searchable
from responder.store.schema import cases as cases_table

GONE = "erased"
"""What stands in place of a case's reason, which may quote a server that names the address."""


def due(conn: Connection, lane: Lane, *, before: datetime, after: int, limit: int) -> list[int]:
    """Mails of a lane that were settled before a moment and not erased, with higher numbers than `after`."""
    old = (inbox.c.lane == lane.value, inbox.c.erased_at.is_(None), inbox.c.settled_at < before, inbox.c.id > after)
    return list(conn.execute(sa.select(inbox.c.id).where(*old).order_by(inbox.c.id).limit(limit)).scalars())


def ended(conn: Connection, numbers: Collection[int], *, before: datetime | None = None) -> list[int]:
    """Those of these mails that nobody works with: nothing is to be sent any more, and their case is closed.

    With `before` it was closed before that moment.
    """
    unsent = sa.select(outbox.c.inquiry_id).where(
        outbox.c.inquiry_id.in_(numbers), outbox.c.state.in_(("queued", "held"))
    )
    waiting = sa.select(inbox.c.id).where(inbox.c.id.in_(numbers), inbox.c.lane.is_(None))
    busy = set(conn.execute(sa.union(unsent, waiting)).scalars())
    return [number for number in numbers if number not in busy and _is_over(conn, number, before)]


def _is_over(conn: Connection, number: int, before: datetime | None) -> bool:
    case_id = cases.case_of(conn, number)
    case = None if case_id is None else cases.find(conn, case_id)
    return case is None or (case.state == "closed" and (before is None or case.changed_at < before))


def erase(conn: Connection, numbers: Collection[int], *, examples: bool, now: datetime) -> int:
    """Erase what these mails say; how many there were. With `examples` also what was taught with them."""
    fresh = (inbox.c.id.in_(numbers), inbox.c.erased_at.is_(None))
    nobody: dict[str, Any] = {"mail_from": "", "rcpt_to": [], "from_address": None, "from_name": None}
    nothing = {"raw": b"", "subject": None, "message_id": None, "decision": sa.null(), "erased_at": now}
    done = conn.execute(sa.update(inbox).where(*fresh).values(**nobody, **nothing)).rowcount
    sent = {"raw": b"", "recipient": "", "correspondent": None, "organisation": None, "reply": None}
    conn.execute(sa.update(outbox).where(outbox.c.inquiry_id.in_(numbers)).values(**sent))
    conn.execute(sa.delete(searchable).where(searchable.c.inquiry_id.in_(numbers)))
    for table in (drafts, composing):
        conn.execute(sa.delete(table).where(table.c.case_id.in_(numbers)))
    told = sa.or_(case_events.c.case_id.in_(numbers), case_events.c.inquiry_id.in_(numbers))
    conn.execute(sa.update(case_events).where(told).values(detail=""))
    own = cases_table.c.inquiry_id.in_(numbers)
    conn.execute(sa.update(cases_table).where(own).values(reason=GONE, hold_reason=None))
    named = [f"{what}:{number}" for what in ("mail", "case") for number in numbers]
    conn.execute(sa.update(audit).where(audit.c.object.in_(named), audit.c.detail != "").values(detail=""))
    if examples:
        _forget_examples(conn, numbers, now)
    return done


def _forget_examples(conn: Connection, numbers: Collection[int], now: datetime) -> None:
    theirs = labels.c.inquiry_id.in_(numbers)
    # Taken back first: what is learned from then on is learned without them.
    taken_back = {"undone_at": now, "undone_by": GONE}
    conn.execute(sa.update(labels).where(theirs, labels.c.undone_at.is_(None)).values(**taken_back))
    conn.execute(sa.update(labels).where(theirs).values(subject="", body=""))


@dataclass(frozen=True, slots=True)
class Traces:
    """What there is of a person."""

    mails: list[int]
    """Numbers of all mails from the address that were not erased yet."""
    examples: int
    muted: bool


def traces_of(conn: Connection, address: str) -> Traces:
    """What there is of an address, whatever its case: as envelope sender, or in From."""
    wanted = normalised(address)
    theirs = sa.or_(sa.func.lower(inbox.c.mail_from) == wanted, sa.func.lower(inbox.c.from_address) == wanted)
    numbers = list(conn.execute(sa.select(inbox.c.id).where(theirs).order_by(inbox.c.id)).scalars())
    taught = sa.select(sa.func.count()).select_from(labels).where(labels.c.inquiry_id.in_(numbers))
    known = sa.select(sa.exists().where(muted.c.address == correspondent_of(address)))
    return Traces(numbers, conn.execute(taught).scalar_one(), conn.execute(known).scalar_one())


def forget_address(conn: Connection, address: str) -> None:
    """Take an address out of what stands beside its mails: the list of muted ones, and the audit of that list."""
    conn.execute(sa.delete(muted).where(muted.c.address == correspondent_of(address)))
    named = sa.func.lower(audit.c.object) == normalised(address)
    conn.execute(sa.update(audit).where(named).values(object=GONE))
