"""What people are asked again and again, found in the store: what might make the FAQ answer more."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache

from sqlalchemy.engine import Connection, Engine

from responder.corpus import Entry
from responder.mail.message import Message, parse_message
from responder.store import audit, escalations
from responder.store.audit import Filters
from responder.store.engine import reading
from responder.triage.grouping import MOST_MAILS, Asked, Group, groups_of
from responder.triage.policy import Reason
from responder.triage.sent import entries_sent

LOOKED_BACK = timedelta(days=90)
"""How long ago a question may have come and still count as one of today's."""

HIDDEN_FOR = timedelta(days=30)

HIDE, SHOW = "suggestion.hide", "suggestion.show"

UNRECOGNISED = frozenset({Reason.UNSURE, Reason.TWO_FIT, Reason.PARTLY})
"""Why mails go to people that another phrasing, or another entry, would let the machine answer."""

_MOST_WRITTEN = 1000
"""Of what people wrote, the newest are read."""

_MOST_EVENTS = 10_000


def repeated(engine: Engine, entries: Sequence[Entry], *, now: datetime) -> tuple[Group, ...]:
    """The groups of the last weeks, largest first. Seconds where the store has changed since it was asked last."""
    with reading(engine) as connection:
        stamp = escalations.stamp(connection)
    since = datetime.combine((now - LOOKED_BACK).date(), time(), now.tzinfo)
    return _found(engine, stamp, since, tuple(entries))


@lru_cache(maxsize=2)
def _found(
    engine: Engine, stamp: tuple[int, int, int, int], since: datetime, entries: tuple[Entry, ...]
) -> tuple[Group, ...]:
    # The stamp is here for the cache alone: while it stays the same, so does what is read.
    del stamp
    with reading(engine) as connection:
        kept = escalations.listing(connection, UNRECOGNISED, since=since, limit=MOST_MAILS)
        written = escalations.written(connection, reasons=UNRECOGNISED, since=since, limit=_MOST_WRITTEN)
    sent = {one.inquiry_id: entries_of_letter(one.raw, entries) for one in written}
    mails = [
        Asked(
            one.id,
            one.received_at,
            one.subject,
            one.question,
            sent.get(one.id) if one.expected is None else one.expected,
        )
        for one in kept
    ]
    return groups_of(mails, entries)


def entries_of_letter(raw: bytes, entries: Sequence[Entry]) -> tuple[str, ...]:
    """The entries whose answer a letter of ours holds nearly whole."""
    message = parse_message(raw)
    return entries_sent(message.text, entries) if isinstance(message, Message) else ()


@dataclass(frozen=True, slots=True)
class Suggestions:
    """The groups, with those that somebody does not want to see now apart."""

    shown: tuple[Group, ...]
    hidden: tuple[Group, ...]


def suggestions_of(conn: Connection, groups: Sequence[Group], *, now: datetime) -> Suggestions:
    """A group is hidden while most of its mails are; it comes back when as many others have joined them."""
    known = hidden_mails(conn, now=now)
    hidden = tuple(group for group in groups if 2 * sum(mail.id in known for mail in group.mails) > len(group.mails))
    return Suggestions(tuple(group for group in groups if group not in hidden), hidden)


def hidden_mails(conn: Connection, *, now: datetime) -> frozenset[int]:
    """The mails that were hidden of late and not shown again. The audit is where this stands, with who did it."""
    since = now - HIDDEN_FOR
    events = [
        event
        for action in (HIDE, SHOW)
        for event in audit.listing(conn, Filters(action=action, since=since), limit=_MOST_EVENTS)
    ]
    found: set[int] = set()
    for event in sorted(events, key=lambda event: event.id):
        numbers = {int(number) for number in event.detail.split(",") if number.isdigit()}
        found = found | numbers if event.action == HIDE else found - numbers
    return frozenset(found)
