"""What was sent by itself: to one sender, to one organisation, and at all. Budgets are counted by it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.mail.address import correspondent_of, domain_of
from responder.mail.organisation import organisation_of
from responder.store.outbox import DeliveryKind
from responder.store.schema import outbox

AUTOMATIC = (DeliveryKind.ANSWER.value, DeliveryKind.ACKNOWLEDGEMENT.value)


@dataclass(frozen=True, slots=True)
class Automatic:
    """An automatic mail that somebody had."""

    created_at: datetime
    kind: DeliveryKind
    entries: frozenset[str]


def _since(moment: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (outbox.c.created_at > sa.bindparam(moment), outbox.c.kind.in_(AUTOMATIC))


_COUNT = sa.select(sa.func.count()).select_from(outbox)
_TO = (outbox.c.correspondent == sa.bindparam("correspondent"), *_since("to_since"))
_SELECT_TO = sa.select(outbox.c.created_at, outbox.c.kind, outbox.c.entries).where(*_TO)
_AT_ALL = _COUNT.where(*_since("since"))

ANY_TO = sa.select(sa.exists().where(*_TO))
"""Whether `to` would give any; of the correspondent, `to_since`."""

THERE = _COUNT.where(outbox.c.organisation == sa.bindparam("organisation"), *_since("there_since"))
"""What `there` gives; of the organisation, `there_since`."""


def to(conn: Connection, address: str, *, since: datetime) -> list[Automatic]:
    """The automatic mails that a sender was written to since then, whatever tag the address had."""
    return [
        Automatic(row.created_at, DeliveryKind(row.kind), frozenset((row.entries or "").split(",")) - {""})
        for row in conn.execute(_SELECT_TO, {"correspondent": correspondent_of(address), "to_since": since})
    ]


def entries_answered(conn: Connection, inquiry_id: int) -> frozenset[str]:
    """The entries of the automatic answer to a mail; none where it got none."""
    statement = sa.select(outbox.c.entries).where(outbox.c.inquiry_id == inquiry_id, outbox.c.kind == "answer")
    return frozenset((conn.execute(statement.limit(1)).scalar_one_or_none() or "").split(",")) - {""}


def there(conn: Connection, address: str, *, since: datetime) -> int:
    """How many automatic mails the organisation of an address was written to since then."""
    organisation = organisation_of(domain_of(address))
    return conn.execute(THERE, {"organisation": organisation, "there_since": since}).scalar_one()


def at_all(conn: Connection, *, since: datetime) -> int:
    """How many automatic mails were written since then."""
    return conn.execute(_AT_ALL, {"since": since}).scalar_one()
