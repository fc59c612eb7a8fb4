"""Mails that leave: automatic answers, acknowledgements, and what people wrote."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Row
from sqlalchemy.sql.dml import ReturningInsert

from responder.mail.address import correspondent_of, domain_of
from responder.mail.organisation import organisation_of
from responder.mail.reply import Reply
from responder.store.engine import inserting
from responder.store.schema import outbox


class DeliveryKind(StrEnum):
    """Who speaks in a mail: the corpus, the queue, or a person; a notice goes to staff and not to a contractor."""

    ANSWER = "answer"
    ACKNOWLEDGEMENT = "acknowledgement"
    PERSON = "person"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A mail in the courier's hand."""

    id: int
    inquiry_id: int
    kind: DeliveryKind
    message_id: str
    sender: str
    recipient: str
    raw: bytes
    attempts: int
    """Attempts made, the present one included."""
    created_at: datetime
    lease: int
    lease_until: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """A row for a list: no bytes of the mail."""

    id: int
    inquiry_id: int
    kind: str
    message_id: str
    recipient: str
    created_at: datetime
    state: str
    attempts: int
    next_attempt_at: datetime | None
    reply: str | None

    @property
    def standing(self) -> str:
        """How far it came, in Postfix's words: its state, or deferred where it is queued after an attempt."""
        return "deferred" if self.state == "queued" and self.attempts else self.state


def enqueue(
    conn: Connection,
    reply: Reply,
    *,
    inquiry_id: int,
    kind: DeliveryKind,
    once: str,
    now: datetime,
    entries: Collection[str] = (),
    not_before: datetime | None = None,
) -> int | None:
    """Put a mail into the outbox; its number, or None where a mail with the same `once` already stands there.

    `entries` are those that an automatic answer gives. No courier takes it before `not_before`.
    """
    values = {
        "inquiry_id": inquiry_id,
        "kind": kind.value,
        "once": once,
        "message_id": reply.message_id,
        "sender": reply.sender,
        "recipient": reply.recipient,
        "created_at": now,
        "queued_at": now,
        "next_attempt_at": not_before or now,
        "raw": reply.raw,
        "correspondent": correspondent_of(reply.recipient),
        "organisation": organisation_of(domain_of(reply.recipient)),
        "entries": ",".join(sorted(entries)) or None,
    }
    return conn.execute(_new(conn.dialect.name), values).scalar_one_or_none()


# What every mail asks of the store is written once: see `inbox`.
@cache
def _new(dialect: str) -> ReturningInsert[Any]:
    return inserting(dialect, outbox).on_conflict_do_nothing(index_elements=["once"]).returning(outbox.c.id)


_NOW: sa.BindParameter[datetime] = sa.bindparam("now")
_UNLEASED = sa.or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= _NOW)
_DUE = (outbox.c.state == "queued", outbox.c.next_attempt_at <= _NOW, _UNLEASED)
_ANY_DUE = sa.select(sa.exists().where(*_DUE))
_LONGEST_DUE = (
    sa.select(outbox.c.id)
    .where(*_DUE, outbox.c.id.not_in(sa.bindparam("but", expanding=True)))
    .order_by(outbox.c.next_attempt_at, outbox.c.id)
    .limit(sa.bindparam("most"))
)
_CLAIM = (
    sa.update(outbox)
    .where(outbox.c.id.in_(_LONGEST_DUE.with_for_update(skip_locked=True)))
    .values(lease_until=sa.bindparam("until"), leases=outbox.c.leases + 1, attempts=outbox.c.attempts + 1)
    .returning(outbox)
)
_SETTLE = sa.update(outbox).where(
    outbox.c.id == sa.bindparam("our_id"),
    outbox.c.settled_at.is_(None),
    outbox.c.leases == sa.bindparam("our_lease"),
)


def any_due(conn: Connection, *, now: datetime) -> bool:
    """Whether a claim would find something; costs no write lock."""
    found: bool = conn.execute(_ANY_DUE, {"now": now}).scalar_one()
    return found


def claim(
    conn: Connection, *, now: datetime, limit: int, lease: timedelta, but: Collection[int] = ()
) -> list[Delivery]:
    """Lease up to `limit` mails whose next attempt is due, longest due first, and none of `but`."""
    values = {"now": now, "most": limit, "until": now + lease, "but": list(but)}
    rows = conn.execute(_CLAIM, values).all()
    return sorted((_delivery(row) for row in rows), key=lambda delivery: delivery.id)


def _delivery(row: Row[Any]) -> Delivery:
    return Delivery(
        id=row.id,
        inquiry_id=row.inquiry_id,
        kind=DeliveryKind(row.kind),
        message_id=row.message_id,
        sender=row.sender,
        recipient=row.recipient,
        raw=bytes(row.raw),
        attempts=row.attempts,
        created_at=row.queued_at,
        lease=row.leases,
        lease_until=row.lease_until,
    )


def settle_sent(conn: Connection, delivery: Delivery, *, reply: str, now: datetime) -> bool:
    """The next hop took it. False, and nothing changed, where our lease has gone to somebody else."""
    return _settle(conn, delivery, state="sent", reply=reply, settled_at=now, next_attempt_at=None)


def settle_deferred(
    conn: Connection, delivery: Delivery, *, reply: str, next_attempt_at: datetime, now: datetime
) -> bool:
    """It stays queued until `next_attempt_at`. False as in `settle_sent`."""
    return _settle(conn, delivery, reply=reply, next_attempt_at=max(next_attempt_at, now))


def settle_failed(
    conn: Connection, delivery: Delivery, *, state: Literal["bounced", "expired"], reply: str, now: datetime
) -> bool:
    """It will not be tried again by itself. False as in `settle_sent`."""
    return _settle(conn, delivery, state=state, reply=reply, settled_at=now, next_attempt_at=None)


def _settle(conn: Connection, delivery: Delivery, **values: Any) -> bool:
    ours = {"our_id": delivery.id, "our_lease": delivery.lease}
    return conn.execute(_SETTLE, {**ours, "lease_until": None, **values}).rowcount == 1


def hold(conn: Connection, delivery_id: int, *, now: datetime) -> bool:
    """Keep a queued mail back until somebody retries it; False where it is not queued, or in the courier's hand."""
    idle = sa.or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)
    statement = sa.update(outbox).where(outbox.c.id == delivery_id, outbox.c.state == "queued", idle)
    return conn.execute(statement.values(state="held")).rowcount == 1


def withdraw(conn: Connection, delivery_id: int, *, now: datetime) -> bool:
    """Take back a mail that no courier has had in hand; False where one had. It never leaves then, nor is retried."""
    untouched = (outbox.c.state == "queued", outbox.c.leases == 0)
    statement = sa.update(outbox).where(outbox.c.id == delivery_id, *untouched)
    return conn.execute(statement.values(state="withdrawn", settled_at=now, next_attempt_at=None)).rowcount == 1


def retry(conn: Connection, delivery_id: int, *, now: datetime) -> bool:
    """Try a held, failed or deferred mail at once, with its time to live begun anew; False where it was sent,
    withdrawn by whoever wrote it, or erased."""
    idle = sa.or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= now)
    unended = outbox.c.state.not_in(("sent", "withdrawn"))
    statement = sa.update(outbox).where(outbox.c.id == delivery_id, unended, idle, outbox.c.raw != b"")
    fresh = {"state": "queued", "next_attempt_at": now, "queued_at": now, "attempts": 0, "settled_at": None}
    return conn.execute(statement.values(**fresh)).rowcount == 1


@dataclass(frozen=True, slots=True)
class Earlier:
    """A mail of ours that a later one refers to."""

    id: int
    message_id: str
    inquiry_id: int
    kind: DeliveryKind
    recipient: str


_OF_MESSAGE_IDS = (
    sa.select(*(outbox.c[name] for name in ("id", "message_id", "inquiry_id", "kind", "recipient")))
    .where(outbox.c.message_id.in_(sa.bindparam("ids", expanding=True)))
    .order_by(outbox.c.id.desc())
)


def of_message_ids(conn: Connection, message_ids: Collection[str]) -> list[Earlier]:
    """Mails of ours among these Message-IDs, newest first."""
    if not message_ids:
        return []
    return [
        Earlier(row.id, row.message_id, row.inquiry_id, DeliveryKind(row.kind), row.recipient)
        for row in conn.execute(_OF_MESSAGE_IDS, {"ids": list(message_ids)})
    ]


def written_about(conn: Connection, inquiry_ids: Collection[int]) -> frozenset[int]:
    """Those of these inquiries that a mail of ours to a contractor answers."""
    known = [number for number in inquiry_ids if number < 2**63]
    if not known:
        return frozenset()
    to_them = (outbox.c.kind != DeliveryKind.NOTICE.value, outbox.c.state != "withdrawn")
    statement = sa.select(outbox.c.inquiry_id).where(outbox.c.inquiry_id.in_(known), *to_them).distinct()
    return frozenset(conn.execute(statement).scalars())


def settle_returned(conn: Connection, delivery_id: int, *, reply: str, now: datetime) -> bool:
    """A report says that it never arrived, whatever the next hop had said. False where that was known already."""
    # A courier that has it in hand finds it settled, and its own outcome changes nothing.
    hopeful = (outbox.c.id == delivery_id, outbox.c.state.in_(("queued", "held", "sent")))
    ended = {"state": "bounced", "reply": reply, "settled_at": now, "next_attempt_at": None, "lease_until": None}
    return conn.execute(sa.update(outbox).where(*hopeful).values(**ended)).rowcount == 1


def note(conn: Connection, delivery_id: int, *, reply: str) -> None:
    """Keep what was said of a mail that is still on its way."""
    on_its_way = (outbox.c.id == delivery_id, outbox.c.state.in_(("queued", "sent")))
    conn.execute(sa.update(outbox).where(*on_its_way).values(reply=reply))


def noticed(conn: Connection, *, since: datetime) -> bool:
    """Whether a notice to staff was written since then."""
    written = (outbox.c.created_at > since, outbox.c.kind == DeliveryKind.NOTICE.value)
    found: bool = conn.execute(sa.select(sa.exists().where(*written))).scalar_one()
    return found


LISTED = [
    outbox.c[name]
    for name in (
        "id",
        "inquiry_id",
        "kind",
        "message_id",
        "recipient",
        "created_at",
        "state",
        "attempts",
        "next_attempt_at",
        "reply",
    )
]


def listing(
    conn: Connection, *, state: str | None = None, inquiry_id: int | None = None, limit: int = 100
) -> list[Listing]:
    """The newest mails, of one state where given; of one inquiry where given, and then no notices to staff."""
    statement = sa.select(*LISTED).order_by(outbox.c.id.desc()).limit(limit)
    if state is not None:
        statement = statement.where(outbox.c.state == state)
    if inquiry_id is not None:
        statement = statement.where(outbox.c.inquiry_id == inquiry_id, outbox.c.kind != DeliveryKind.NOTICE.value)
    return [Listing(*row) for row in conn.execute(statement)]


def written_to(conn: Connection, inquiry_ids: Collection[int], *, kind: DeliveryKind) -> list[Listing]:
    """The mails of a kind that answer these inquiries, newest first."""
    chosen = (outbox.c.inquiry_id.in_(inquiry_ids), outbox.c.kind == kind.value)
    return [Listing(*row) for row in conn.execute(sa.select(*LISTED).where(*chosen).order_by(outbox.c.id.desc()))]


def raw_of(conn: Connection, delivery_id: int) -> bytes | None:
    """The finished bytes of one mail, or None."""
    raw = conn.execute(sa.select(outbox.c.raw).where(outbox.c.id == delivery_id)).scalar_one_or_none()
    return None if raw is None else bytes(raw)
