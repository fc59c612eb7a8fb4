"""What the store knows of a mail, read in the transaction that decides on it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from responder.mail.address import normalised
from responder.mail.envelope import Envelope
from responder.mail.message import Message, Unreadable, parse_message
from responder.mail.report import Report, report_of
from responder.store import automatic, breaker, inbox, muted, outbox
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
    conn: Connection, inquiry: Inquiry, reading: Reading, key: bytes, *, bounces: frozenset[str], now: datetime
) -> Past:
    """The past of one mail. `key` is that of our Message-IDs, `bounces` as in `Arrival`."""
    message = reading.message
    if isinstance(message, Unreadable):
        return Past(_history(conn, inquiry, now))
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
    history = _history(conn, inquiry, now)
    return Past(replace(history, in_thread=thread is not None, to_notice=to_notice, thanks=thanks), thread)


def _report(envelope: Envelope, raw: bytes, bounces: frozenset[str]) -> Report | None:
    """RFC 5321 §6.1: a report has the null reverse-path, or at least comes to where automatic mail left from.

    Whoever was written to knows the id of our mail, and could take it back by what looks like a report.
    """
    to_bounces = not bounces.isdisjoint(map(normalised, envelope.rcpt_to))
    return report_of(raw, null_sender=envelope.null) if envelope.null or to_bounces else None


def _history(conn: Connection, inquiry: Inquiry, now: datetime) -> History:
    sender = inquiry.envelope.mail_from
    return History(
        repeated=inbox.settled_before(conn, inquiry),
        muted=bool(sender) and muted.is_muted(conn, sender, now=now),
    )


def counted(conn: Connection, history: History, sender: str, budgets: Budgets, *, now: datetime) -> History:
    """The same with what was sent by itself until now, to the sender and to others."""
    hour, day = now - timedelta(hours=1), now - timedelta(days=1)
    longest = max(timedelta(days=1), budgets.same_answer_after, budgets.acknowledge_again_after)
    had = automatic.to(conn, sender, since=now - longest)
    known_since = now - budgets.same_answer_after
    reset_at = breaker.last_reset_at(conn)
    return replace(
        history,
        automatic_lately=sum(one.created_at > hour for one in had),
        automatic_today=sum(one.created_at > day for one in had),
        automatic_there=automatic.there(conn, sender, since=hour),
        automatic_at_all=automatic.at_all(conn, since=max(hour, reset_at or hour)),
        answered_with=frozenset(one.entries for one in had if one.entries and one.created_at > known_since),
        written_to=any(one.created_at > now - budgets.acknowledge_again_after for one in had),
    )


def _thanks(conn: Connection, message: Message, thread: Conversation) -> bool:
    """Whether it only thanks for a mail of ours that is still kept, to tell what it quotes from what it says."""
    cited = outbox.of_message_ids(conn, [thread.cites]) if thread.cites and thread.inquiry else []
    ours = parse_message(outbox.raw_of(conn, cited[0].id) or b"") if cited else None
    return isinstance(ours, Message) and only_thanks(message, ours)
