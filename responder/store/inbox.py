"""Mails taken in, and the lane each of them ended in."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql.dml import ReturningUpdate

from responder.mail.envelope import Envelope
from responder.mail.trace import untraced
from responder.store.schema import inbox


class Lane(StrEnum):
    """Where an inquiry ended (Law 2)."""

    ANSWERED = "answered"
    ESCALATED = "escalated"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """A mail in hand: leased to one worker, waiting for its lane."""

    id: int
    envelope: Envelope
    raw: bytes
    digest: str
    received_at: datetime
    lease: int
    """How often it was leased, this time included: it tells our lease from a later one."""
    lease_until: datetime
    """Tells it from an earlier one as well, where a later one was given back."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What is written down when an inquiry reaches its lane."""

    lane: Lane
    reason: str
    rule: str | None
    decision: Mapping[str, Any]
    subject: str
    from_address: str
    message_id: str | None = None
    from_name: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A row for a list: no bytes of the mail."""

    id: int
    received_at: datetime
    mail_from: str
    subject: str | None
    size: int
    lane: str | None
    reason: str | None
    rule: str | None
    erased_at: datetime | None = None
    """Since when nothing is left of it but this row."""


@dataclass(frozen=True, slots=True)
class Record:
    """All that is kept of one inquiry."""

    listing: Listing
    envelope: Envelope
    decision: Mapping[str, Any] | None
    settled_at: datetime | None
    raw: bytes


def digest_of(envelope: Envelope, raw: bytes) -> str:
    """Equal for a mail and its repetition by a client that never saw our 250; hex of 32 octets.

    Neither our own Received field nor what a server before us adds anew at each attempt counts.
    """
    addresses = [envelope.mail_from.encode(), *sorted(address.encode() for address in envelope.rcpt_to)]
    header, rest = untraced(raw)
    lengths = ",".join(str(length) for length in (*map(len, addresses), len(header) + len(rest)))
    digest = hashlib.sha256(lengths.encode() + b":")
    for part in (*addresses, header):
        digest.update(part)
    digest.update(rest)
    return digest.hexdigest()


def accept(conn: Connection, mails: Sequence[tuple[Envelope, bytes]], *, now: datetime) -> None:
    """Take mails in; they are ours once the caller's transaction is committed."""
    if not mails:
        return
    rows = [
        {
            "received_at": now,
            "mail_from": envelope.mail_from,
            "rcpt_to": list(envelope.rcpt_to),
            "digest": digest_of(envelope, raw),
            "size": len(raw),
            "raw": raw,
        }
        for envelope, raw in mails
    ]
    conn.execute(sa.insert(inbox), rows)


# What every mail asks of the store is written once: to build a statement takes SQLAlchemy five times as long as to
# execute it (docs/why.md).
_NOW: sa.BindParameter[datetime] = sa.bindparam("now")
_FREE = (inbox.c.lane.is_(None), sa.or_(inbox.c.lease_until.is_(None), inbox.c.lease_until <= _NOW))
_WAITING = sa.select(sa.exists().where(*_FREE))
_LEASED_BEFORE = sa.select(inbox.c.leases > 0).where(*_FREE).order_by(inbox.c.id).limit(1)


def _claiming(*which: sa.ColumnElement[bool]) -> ReturningUpdate[Any]:
    oldest = sa.select(inbox.c.id).where(*_FREE, *which).order_by(inbox.c.id).limit(sa.bindparam("most"))
    return (
        sa.update(inbox)
        .where(inbox.c.id.in_(oldest.with_for_update(skip_locked=True)))
        .values(lease_until=sa.bindparam("until"), leases=inbox.c.leases + 1)
        .returning(inbox)
    )


_CLAIM, _CLAIM_AGAIN = _claiming(inbox.c.leases == 0), _claiming(inbox.c.leases > 0)


def any_waiting(conn: Connection, *, now: datetime) -> bool:
    """Whether a claim would find something; costs no write lock."""
    found: bool = conn.execute(_WAITING, {"now": now}).scalar_one()
    return found


def claim(conn: Connection, *, now: datetime, limit: int, lease: timedelta) -> list[Inquiry]:
    """Lease up to `limit` waiting inquiries, oldest first; nobody else gets them before the lease ends.

    One that was leased before comes alone: it may be the one that took its worker down, and must not do that again to
    those beside it.
    """
    again = conn.execute(_LEASED_BEFORE, {"now": now}).scalar_one_or_none()
    statement, most = (_CLAIM_AGAIN, 1) if again else (_CLAIM, limit)
    rows = conn.execute(statement, {"now": now, "most": most, "until": now + lease}).all()
    return sorted((_inquiry(row) for row in rows), key=lambda inquiry: inquiry.id)


def _inquiry(row: Row[Any]) -> Inquiry:
    envelope = Envelope(row.mail_from, tuple(row.rcpt_to))
    return Inquiry(row.id, envelope, bytes(row.raw), row.digest, row.received_at, row.leases, row.lease_until)


_OURS = (
    inbox.c.id == sa.bindparam("our_id"),
    inbox.c.lane.is_(None),
    inbox.c.leases == sa.bindparam("our_lease"),
    inbox.c.lease_until == sa.bindparam("our_lease_until"),
)
_HOLD = (
    sa.select(inbox.c.id, inbox.c.leases, inbox.c.lease_until)
    .where(inbox.c.id.in_(sa.bindparam("numbers", expanding=True)), inbox.c.lane.is_(None))
    .order_by(inbox.c.id)
    .with_for_update()
)
_CHANGE = sa.update(inbox).where(*_OURS)
_RELEASE = _CHANGE.values(lease_until=None, leases=inbox.c.leases - 1)


def hold(conn: Connection, inquiries: Collection[Inquiry]) -> set[int]:
    """Lock inquiries until the transaction ends; the numbers of those whose lease has not gone to somebody else."""
    rows = conn.execute(_HOLD, {"numbers": [inquiry.id for inquiry in inquiries]})
    leased = {row.id: (row.leases, row.lease_until) for row in rows}
    return {one.id for one in inquiries if leased.get(one.id) == (one.lease, one.lease_until)}


def settle(conn: Connection, inquiry: Inquiry, settlement: Settlement, *, now: datetime) -> bool:
    """Put the inquiry into its lane; False, and nothing changed, where our lease has gone to somebody else."""
    values = {
        "lane": settlement.lane.value,
        "reason": settlement.reason,
        "rule": settlement.rule,
        "decision": dict(settlement.decision),
        "subject": settlement.subject,
        "from_address": settlement.from_address,
        "message_id": settlement.message_id,
        "from_name": settlement.from_name,
        "settled_at": now,
        "lease_until": None,
    }
    return conn.execute(_CHANGE, _ours(inquiry) | values).rowcount == 1


def _ours(inquiry: Inquiry) -> dict[str, Any]:
    return {"our_id": inquiry.id, "our_lease": inquiry.lease, "our_lease_until": inquiry.lease_until}


RETRY_HORIZON = timedelta(days=7)
"""How long a client that never saw our 250 may come again: RFC 5321 §4.5.4.1 asks for four to five days at least. The
same bytes after that were sent once more by somebody, who is waiting for something."""


SETTLED_BEFORE = sa.select(
    sa.exists().where(
        inbox.c.digest == sa.bindparam("digest"),
        inbox.c.id != sa.bindparam("number"),
        inbox.c.lane.is_not(None),
        inbox.c.received_at >= sa.bindparam("horizon"),
    )
)
"""What `settled_before` gives; of what `repeating` gives."""


def settled_before(conn: Connection, inquiry: Inquiry) -> bool:
    """Whether the same bytes, from and to the same addresses, came within RETRY_HORIZON and were settled."""
    found: bool = conn.execute(SETTLED_BEFORE, repeating(inquiry)).scalar_one()
    return found


def repeating(inquiry: Inquiry) -> dict[str, Any]:
    """What tells a repetition of an inquiry."""
    return {"digest": inquiry.digest, "number": inquiry.id, "horizon": inquiry.received_at - RETRY_HORIZON}


@dataclass(frozen=True, slots=True)
class Origin:
    """Whom an inquiry came from."""

    digest: str
    mail_from: str
    from_address: str | None


def digested(message_id: str) -> str:
    """What stands for the Message-ID of a mail that was erased: enough to know it again, and to tell nothing."""
    return f"sha256:{hashlib.sha256(message_id.encode()).hexdigest()}"


def origins(conn: Connection, inquiry_ids: Collection[int]) -> dict[int, Origin]:
    """Those of these inquiries that there are."""
    if not inquiry_ids:
        return {}
    rows = conn.execute(_ORIGINS, {"numbers": list(inquiry_ids)})
    return {row.id: Origin(row.digest, row.mail_from, row.from_address) for row in rows}


_ORIGINS = sa.select(inbox.c.id, inbox.c.digest, inbox.c.mail_from, inbox.c.from_address).where(
    inbox.c.id.in_(sa.bindparam("numbers", expanding=True))
)


# Not by the bare lane: where two ids are asked for SQLite would look through all that was answered for them.
_OF_MESSAGE_IDS = (
    sa.select(inbox.c.message_id, sa.func.min(inbox.c.id).label("first"))
    .where(
        inbox.c.message_id.in_(sa.bindparam("ids", expanding=True)),
        sa.func.coalesce(inbox.c.lane, "").in_(("answered", "escalated")),
    )
    .group_by(inbox.c.message_id)
)


def of_message_ids(conn: Connection, message_ids: Collection[str]) -> dict[str, int]:
    """The inquiries that these ids were given by their senders; the first of those that share one."""
    if not message_ids:
        return {}
    # A mail that was erased is known by the digest of its id.
    given = {form: known for known in message_ids for form in (known, digested(known))}
    found: dict[str, int] = {}
    for row in conn.execute(_OF_MESSAGE_IDS, {"ids": list(given)}):
        known = given[row.message_id]
        found[known] = min(row.first, found.get(known, row.first))
    return found


def release(conn: Connection, inquiries: Sequence[Inquiry]) -> None:
    """Give back what was claimed and not begun, as if it had never been leased."""
    for inquiry in inquiries:
        conn.execute(_RELEASE, _ours(inquiry))


def balance(conn: Connection) -> dict[str, int]:
    """Counts by lane, `waiting`, and `accepted`, all of one moment: accepted is the sum of the others (Law 2)."""
    # By the bare column: an expression would have a million rows sorted where the index has them in order.
    lanes = sa.select(inbox.c.lane, sa.func.count().label("n")).group_by(inbox.c.lane)
    counts = {row.lane or "waiting": row.n for row in conn.execute(lanes)}
    names = [*(lane.value for lane in Lane), "waiting"]
    return {"accepted": sum(counts.values()), **{name: counts.get(name, 0) for name in names}}


_LISTED = [
    inbox.c[name]
    for name in ("id", "received_at", "mail_from", "subject", "size", "lane", "reason", "rule", "erased_at")
]


def listing(conn: Connection, *, lane: str | None = None, limit: int = 100) -> list[Listing]:
    """The newest inquiries; `lane` is a lane, `waiting`, or None for all."""
    statement = sa.select(*_LISTED).order_by(inbox.c.id.desc()).limit(limit)
    if lane is not None:
        statement = statement.where(inbox.c.lane.is_(None) if lane == "waiting" else inbox.c.lane == lane)
    return [Listing(*row) for row in conn.execute(statement)]


def find(conn: Connection, inquiry_id: int) -> Record | None:
    """One inquiry with its bytes, or None."""
    row = conn.execute(sa.select(inbox).where(inbox.c.id == inquiry_id)).first()
    if row is None:
        return None
    listed = Listing(*(getattr(row, column.name) for column in _LISTED))
    return Record(listed, Envelope(row.mail_from, tuple(row.rcpt_to)), row.decision, row.settled_at, bytes(row.raw))
