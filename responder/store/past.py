"""What the store knows of a mail, read in the transaction that decides on it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.mail.address import correspondent_of, domain_of, normalised
from responder.mail.envelope import Envelope
from responder.mail.message import Message, Unreadable, parse_message
from responder.mail.organisation import organisation_of
from responder.mail.report import Report, report_of
from responder.store import automatic, inbox, muted, outbox
from responder.store.inbox import Inquiry
from responder.store.outbox import Earlier
from responder.store.returned import delivery_of
from responder.store.threads import conversation
from responder.triage.guard.suppression import Suppression
from responder.triage.policy import Budgets, History
from responder.triage.reading import Reading
from responder.triage.thanks import only_thanks
from responder.triage.thread import Conversation, clues_of

_DOUBTED = {Suppression.OTHER_ORGANISATION, Suppression.UNAUTHENTIC, Suppression.SPAM}


@dataclass(frozen=True, slots=True)
class Past:
    """For the decision, and for where the mail then goes."""

    history: History
    conversation: Conversation | None = None
    report: Report | None = None
    returned: Earlier | None = None
    """The mail of ours that the report is about."""


def past_of(
    conn: Connection,
    inquiry: Inquiry,
    reading: Reading,
    key: bytes,
    *,
    bounces: frozenset[str],
    budgets: Budgets,
    now: datetime,
) -> Past:
    """The past of one mail, but for what left to anybody. `key` is that of our Message-IDs, `bounces` as in
    `Arrival`."""
    message = reading.message
    if isinstance(message, Unreadable):
        return Past(_history(conn, inquiry, budgets, now))
    if reading.suppression is not None and not reading.suppression.needs_person:
        # Only what a machine sent can report; a person who hands a report on is answered as any other.
        report = _report(inquiry.envelope, inquiry.raw, bounces)
        returned = None if report is None else delivery_of(conn, report, key)
        return Past(History(returned=returned is not None), None, report, returned)
    clues = clues_of(inquiry.envelope, message)
    if reading.suppression in _DOUBTED:
        # Whoever it is knows a number that somebody was told; a case is not shown to him for that.
        clues = replace(clues, numbers=())
    thread = conversation(conn, clues, key)
    thanks = thread is not None and _thanks(conn, message, thread)
    to_notice = thread is not None and thread.notice
    history = _history(conn, inquiry, budgets, now)
    return Past(replace(history, in_thread=thread is not None, to_notice=to_notice, thanks=thanks), thread)


def _report(envelope: Envelope, raw: bytes, bounces: frozenset[str]) -> Report | None:
    """RFC 5321 §6.1: a report has the null reverse-path, or at least comes to where automatic mail left from.

    Whoever was written to knows the id of our mail, and could take it back by what looks like a report.
    """
    to_bounces = not bounces.isdisjoint(map(normalised, envelope.rcpt_to))
    return report_of(raw, null_sender=envelope.null) if envelope.null or to_bounces else None


# All that one mail asks, in one statement: what a statement costs beside its work is most of what it costs.
_KNOWN = sa.select(
    inbox.SETTLED_BEFORE.scalar_subquery().label("repeated"),
    muted.IS_MUTED.scalar_subquery().label("muted"),
    automatic.THERE.scalar_subquery().label("there"),
    automatic.ANY_TO.scalar_subquery().label("written_to"),
)


def _history(conn: Connection, inquiry: Inquiry, budgets: Budgets, now: datetime) -> History:
    """Whether it came before, and what its sender and the organisation of that had of us."""
    sender, hour, day = inquiry.envelope.mail_from, now - timedelta(hours=1), now - timedelta(days=1)
    longest = now - max(timedelta(days=1), budgets.same_answer_after, budgets.acknowledge_again_after)
    of_sender = {"correspondent": correspondent_of(sender), "organisation": organisation_of(domain_of(sender))}
    moments = {"now": now, "there_since": hour, "to_since": longest}
    known = conn.execute(_KNOWN, {**inbox.repeating(inquiry), **of_sender, **moments}).one()
    if not sender:
        return History(repeated=known.repeated)
    had = automatic.to(conn, sender, since=longest) if known.written_to else []
    known_since, written_since = now - budgets.same_answer_after, now - budgets.acknowledge_again_after
    return History(
        repeated=known.repeated,
        muted=known.muted,
        automatic_lately=sum(one.created_at > hour for one in had),
        automatic_today=sum(one.created_at > day for one in had),
        automatic_there=known.there,
        answered_with=frozenset(one.entries for one in had if one.entries and one.created_at > known_since),
        written_to=any(one.created_at > written_since for one in had),
    )


def _thanks(conn: Connection, message: Message, thread: Conversation) -> bool:
    """Whether it only thanks for a mail of ours that is still kept, to tell what it quotes from what it says."""
    cited = outbox.of_message_ids(conn, [thread.cites]) if thread.cites and thread.inquiry else []
    ours = parse_message(outbox.raw_of(conn, cited[0].id) or b"") if cited else None
    return isinstance(ours, Message) and only_thanks(message, ours)
