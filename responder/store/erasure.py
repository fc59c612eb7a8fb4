"""Letting go of what mails say, and of whom they are from: the row stays, with lane, reason, rule and moments.

So accepted = answered + escalated + suppressed + waiting goes on to hold (Law 2), the figures stay what they were, and
the digest still tells a repetition. What is gone: octets, addresses, subject, the decision's excerpts, what search
looks in, our replies, notes, drafts, and what the audit says of it beside who did what and when.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.mail.address import correspondent_of, normalised
from responder.store import cases
from responder.store.inbox import Lane, digested
from responder.store.outbox import DeliveryKind
from responder.store.schema import (
    audit,
    case_events,
    composing,
    drafts,
    inbox,
    labels,
    muted,
    notices,
    outbox,
    searchable,
    unsearchable,
)
from responder.store.schema import cases as cases_table

GONE = "erased"
"""What stands in place of a case's reason, which may quote a server that names the address."""


def due(conn: Connection, lane: Lane, *, before: datetime, after: int, limit: int) -> list[int]:
    """Mails of a lane that were settled before a moment and not erased, with higher numbers than `after`."""
    old = (inbox.c.lane == lane.value, inbox.c.erased_at.is_(None), inbox.c.settled_at < before, inbox.c.id > after)
    return list(conn.execute(sa.select(inbox.c.id).where(*old).order_by(inbox.c.id).limit(limit)).scalars())


def overdue(conn: Connection, lane: Lane, *, before: datetime) -> list[int]:
    """Mails of a lane that should have been erased before a moment, and are there."""
    found: list[int] = []
    after = 0
    while old := due(conn, lane, before=before, after=after, limit=1000):
        found += ended(conn, old, before=before)
        after = old[-1]
    return found


def ended(
    conn: Connection, numbers: Collection[int], *, before: datetime | None = None, lock: bool = False
) -> list[int]:
    """Those of these mails that nobody works with: nothing is to be sent any more, and their case is closed.

    With `before` it was closed before that moment. With `lock` they stay so until the transaction ends, and what
    somebody else has in hand at this moment is none of them: it is looked at the next time, and nobody waits.
    """
    settled = sa.select(inbox.c.id).where(inbox.c.id.in_(numbers), inbox.c.lane.is_not(None))
    free = set(conn.execute(_locked(settled, inbox) if lock else settled).scalars())
    over = [number for number in numbers if number in free and _is_over(conn, number, before, lock=lock)]
    busy = _still_to_be_sent(conn, over, lock=lock)
    return [number for number in over if number not in busy]


def _locked(statement: sa.Select[Any], table: sa.Table) -> sa.Select[Any]:
    return statement.with_for_update(of=table, skip_locked=True)


def _is_over(conn: Connection, number: int, before: datetime | None, *, lock: bool) -> bool:
    case_id = cases.case_of(conn, number)
    if case_id is None:
        return True
    closed = sa.select(cases_table.c.changed_at).where(
        cases_table.c.inquiry_id == case_id, cases_table.c.state == "closed"
    )
    changed_at = conn.execute(_locked(closed, cases_table) if lock else closed).scalar_one_or_none()
    return changed_at is not None and (before is None or changed_at < before)


def _still_to_be_sent(conn: Connection, numbers: Collection[int], *, lock: bool) -> set[int]:
    """Those of these inquiries that mails of ours speak of which are to leave yet, or are in somebody's hand."""
    sent = sa.select(outbox.c.id, outbox.c.inquiry_id, outbox.c.state).where(outbox.c.inquiry_id.in_(numbers))
    told = (
        sa.select(outbox.c.id, notices.c.case_id.label("inquiry_id"), outbox.c.state)
        .join(notices, notices.c.told_at == outbox.c.created_at)
        .where(outbox.c.kind == DeliveryKind.NOTICE.value, notices.c.case_id.in_(numbers))
    )
    found = [row for which in (sent, told) for row in conn.execute(which)]
    ids = sa.select(outbox.c.id).where(outbox.c.id.in_([row.id for row in found]))
    free = set(conn.execute(_locked(ids, outbox) if lock else ids).scalars())
    return {row.inquiry_id for row in found if row.id not in free or row.state in ("queued", "held")}


def erase(conn: Connection, numbers: Collection[int], *, examples: bool, now: datetime) -> int:
    """Erase what these mails say; how many there were. With `examples` also what was taught with them."""
    fresh = (inbox.c.id.in_(numbers), inbox.c.erased_at.is_(None))
    _digest_ids(conn, fresh)
    nobody: dict[str, Any] = {"mail_from": "", "rcpt_to": [], "from_address": None, "from_name": None}
    nothing = {"raw": b"", "subject": None, "decision": sa.null(), "erased_at": now}
    done = conn.execute(sa.update(inbox).where(*fresh).values(**nobody, **nothing)).rowcount
    _erase_sent(conn, numbers)
    # In this order: a worker that makes one searchable takes it off the one table before it adds it to the other.
    for table in (unsearchable, searchable):
        conn.execute(sa.delete(table).where(table.c.inquiry_id.in_(numbers)))
    _erase_casework(conn, numbers)
    if examples:
        _forget_examples(conn, numbers, now)
    return done


def _digest_ids(conn: Connection, which: Sequence[sa.ColumnElement[bool]]) -> None:
    """Message-IDs name the machine that made them, and yet a thread must stay known: it gets one automatic mail."""
    known = conn.execute(sa.select(inbox.c.id, inbox.c.message_id).where(*which, inbox.c.message_id.is_not(None)))
    digests = [{"number": row.id, "digested": digested(row.message_id)} for row in known]
    if digests:
        statement = sa.update(inbox).where(inbox.c.id == sa.bindparam("number"))
        conn.execute(statement.values(message_id=sa.bindparam("digested")), digests)


def _erase_sent(conn: Connection, numbers: Collection[int]) -> None:
    sent = {"raw": b"", "recipient": "", "correspondent": None, "organisation": None, "reply": None}
    ours = (outbox.c.inquiry_id.in_(numbers), outbox.c.kind != DeliveryKind.NOTICE.value)
    conn.execute(sa.update(outbox).where(*ours).values(**sent))
    # One notice to staff names the senders of several cases; whom of the staff it went to is nobody else's matter.
    told = sa.select(notices.c.told_at).where(notices.c.case_id.in_(numbers))
    of_them = (outbox.c.kind == DeliveryKind.NOTICE.value, outbox.c.created_at.in_(told))
    conn.execute(sa.update(outbox).where(*of_them).values(raw=b""))


def _erase_casework(conn: Connection, numbers: Collection[int]) -> None:
    """What people wrote about the mails themselves, and of a case of which no mail is left about the case."""
    roots = {cases.case_of(conn, number) for number in numbers} - {None}
    whole = [number for root in roots if root and cases.is_erased(conn, root) for number in cases.mails_of(conn, root)]
    gone = {*numbers, *whole}
    for table in (drafts, composing):
        conn.execute(sa.delete(table).where(table.c.case_id.in_(gone)))
    told = sa.or_(case_events.c.case_id.in_(gone), case_events.c.inquiry_id.in_(numbers))
    conn.execute(sa.update(case_events).where(told).values(detail=""))
    conn.execute(sa.update(cases_table).where(cases_table.c.inquiry_id.in_(gone)).values(reason=GONE, hold_reason=None))
    named = [f"{what}:{number}" for what in ("mail", "case") for number in gone]
    conn.execute(sa.update(audit).where(audit.c.object.in_(named), audit.c.detail != "").values(detail=""))


def _forget_examples(conn: Connection, numbers: Collection[int], now: datetime) -> None:
    theirs = labels.c.inquiry_id.in_(numbers)
    # Taken back first: what is learned from then on is learned without them.
    taken_back = {"undone_at": now, "undone_by": GONE}
    conn.execute(sa.update(labels).where(theirs, labels.c.undone_at.is_(None)).values(**taken_back))
    conn.execute(sa.update(labels).where(theirs).values(subject="", body=""))


@dataclass(frozen=True, slots=True)
class Traces:
    """What there is of a person that was not erased yet."""

    mails: list[int]
    """Numbers of all mails from the address, or that were answered to it."""
    cases: list[int]
    """Those that their mails belong to."""
    answers: int
    """Mails of ours about theirs."""
    examples: int
    audited: int
    """Rows of the audit that name the address."""
    muted: bool

    @property
    def any(self) -> bool:
        """Whether there is anything at all."""
        return bool(self.mails) or self.muted or self.audited > 0


def traces_of(conn: Connection, address: str) -> Traces:
    """What there is of an address, whatever its case and its tag: as envelope sender, in From, or as our recipient."""
    numbers = _mails_of(conn, address)
    belonging = {cases.case_of(conn, number) for number in numbers}
    ours = (outbox.c.inquiry_id.in_(numbers), outbox.c.kind != DeliveryKind.NOTICE.value)
    return Traces(
        mails=numbers,
        cases=sorted(number for number in belonging if number is not None),
        answers=_count(conn, outbox, *ours),
        examples=_count(conn, labels, labels.c.inquiry_id.in_(numbers), labels.c.body != ""),
        audited=_count(conn, audit, sa.or_(_is(audit.c.object, address), _names(audit.c.detail, address))),
        muted=_count(conn, muted, muted.c.address == correspondent_of(address)) > 0,
    )


def _mails_of(conn: Connection, address: str) -> list[int]:
    wanted = correspondent_of(address)
    local, _, domain = wanted.rpartition("@")
    # A tag stands between the two; what else begins and ends so is told apart afterwards.
    like = [
        sa.and_(sa.func.lower(column).startswith(local, autoescape=True), sa.func.lower(column).endswith(domain))
        for column in (inbox.c.mail_from, inbox.c.from_address)
    ]
    rows = conn.execute(sa.select(inbox.c.id, inbox.c.mail_from, inbox.c.from_address).where(sa.or_(*like)))
    theirs = {row.id for row in rows if wanted in map(correspondent_of, (row.mail_from, row.from_address or ""))}
    # A form on a web page writes in our own name; whom we answered is known all the same.
    answered = (outbox.c.correspondent == wanted, outbox.c.kind != DeliveryKind.NOTICE.value)
    told = sa.select(outbox.c.inquiry_id).where(*answered)
    return sorted(theirs | set(conn.execute(told).scalars()))


def _count(conn: Connection, table: sa.Table, *which: sa.ColumnElement[bool]) -> int:
    return conn.execute(sa.select(sa.func.count()).select_from(table).where(*which)).scalar_one()


def _is(column: sa.ColumnElement[str], address: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(column) == normalised(address)


def _names(column: sa.ColumnElement[str], address: str) -> sa.ColumnElement[bool]:
    return sa.func.lower(column).contains(normalised(address), autoescape=True)


def forget_address(conn: Connection, address: str) -> None:
    """Take an address out of what stands beside its mails: the list of muted ones, the audit, and what was noted in
    cases of others."""
    conn.execute(sa.delete(muted).where(muted.c.address == correspondent_of(address)))
    conn.execute(sa.update(audit).where(_is(audit.c.object, address)).values(object=GONE))
    conn.execute(sa.update(audit).where(_names(audit.c.detail, address)).values(detail=""))
    conn.execute(sa.update(case_events).where(_names(case_events.c.detail, address)).values(detail=""))
