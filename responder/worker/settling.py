"""A mail that was read is put into its lane, with all that follows from it, in one transaction."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError

from responder import maillog
from responder.failpoints import Point, reach
from responder.mail.message import Message
from responder.mail.reply import Reply
from responder.store import cases, inbox, outbox, search
from responder.store.engine import of_the_store, one_at_a_time
from responder.store.inbox import Inquiry, Lane
from responder.store.outbox import DeliveryKind
from responder.store.past import Past, past_of
from responder.store.returned import take_back
from responder.triage.policy import Answer, Escalate, Reason, Suppress
from responder.triage.reading import Knowledge, Reading, decision_on
from responder.triage.record import record_of
from responder.triage.thread import Conversation
from responder.worker.tally import Tally, tally_of, trip
from responder.worker.writing import Briefing, Outcome, written

log = maillog.log("worker")


def settle_all(
    engine: Engine, readings: Sequence[tuple[Inquiry, Reading]], briefing: Briefing, now: datetime
) -> list[Outcome | None]:
    """All in one transaction; where that fails, each in its own, so that one bad mail holds up itself alone."""
    try:
        with engine.begin() as connection:
            one_at_a_time(connection)
            return _settle_together(connection, readings, briefing, now)
    except DBAPIError as error:
        if len(readings) == 1 or of_the_store(error):
            raise
        log.error("not settled together", count=len(readings), reason=repr(error.orig))
    return [outcome for one in readings for outcome in _settle_alone(engine, one, briefing, now)]


def _settle_alone(
    engine: Engine, one: tuple[Inquiry, Reading], briefing: Briefing, now: datetime
) -> list[Outcome | None]:
    try:
        return settle_all(engine, [one], briefing, now)
    except DBAPIError as error:
        # Its lease ends by itself; the third time a person gets it unread.
        log.error("not settled", inquiry=one[0].id, reason=repr(error.orig))
        return []


def _settle_together(
    connection: Connection, readings: Sequence[tuple[Inquiry, Reading]], briefing: Briefing, now: datetime
) -> list[Outcome | None]:
    """One after the other, for what one of them is sent counts for the next; None where our lease was lost."""
    held = inbox.hold(connection, [inquiry for inquiry, _ in readings])
    tally = tally_of(connection, briefing.knowledge.budgets, now=now)
    outcomes = [
        _settle(connection, inquiry, found, briefing, tally, now) if inquiry.id in held else None
        for inquiry, found in readings
    ]
    texts = {one.inquiry.id: search.text_of(one.reading.message) for one in outcomes if one is not None}
    search.add(connection, texts)
    return outcomes


def _settle(
    connection: Connection, inquiry: Inquiry, found: Reading, briefing: Briefing, tally: Tally, now: datetime
) -> Outcome:
    """Decide on a mail that is held, and put it down, in the caller's transaction."""
    knowledge = briefing.knowledge
    past = past_of(
        connection,
        inquiry,
        found,
        briefing.author.key,
        bounces=knowledge.bounces,
        budgets=knowledge.budgets,
        now=now,
    )
    history = replace(past.history, automatic_at_all=tally.sent, tripped=tally.tripped)
    outcome = written(inquiry, found, decision_on(found, history, knowledge), briefing)
    reach(Point.REPLY_BUILT)
    if outcome.reply is not None:
        if _enqueue(connection, outcome, outcome.reply, now) is not None:
            tally.sent += 1
        else:
            # The same bytes had their automatic mail: from another worker since their past was read, or so long ago
            # that they are no repetition of a client, and a person looks at them.
            repeated = inbox.settled_before(connection, inquiry)
            known = replace(history, repeated=repeated, in_thread=not repeated)
            outcome = written(inquiry, found, decision_on(found, known, knowledge), briefing)
    reach(Point.REPLY_QUEUED)
    inbox.settle(connection, inquiry, _settlement(outcome, knowledge), now=now)
    if outcome.decision.reason is Reason.TRIPPED:
        trip(connection, tally, now=now)
    _follow(connection, outcome, past, briefing, now)
    return outcome


def _enqueue(connection: Connection, outcome: Outcome, reply: Reply, now: datetime) -> int | None:
    kind = DeliveryKind.ANSWER if isinstance(outcome.decision, Answer) else DeliveryKind.ACKNOWLEDGEMENT
    entries = outcome.decision.entries if isinstance(outcome.decision, Answer) else ()
    return outbox.enqueue(
        connection, reply, inquiry_id=outcome.inquiry.id, kind=kind, once=outcome.once, now=now, entries=entries
    )


def _settlement(outcome: Outcome, knowledge: Knowledge) -> inbox.Settlement:
    message = outcome.reading.message
    match outcome.decision:
        case Answer():
            lane = Lane.ANSWERED
        case Escalate():
            lane = Lane.ESCALATED
        case Suppress():
            lane = Lane.SUPPRESSED
    return inbox.Settlement(
        lane=lane,
        reason=outcome.decision.reason.value,
        rule=getattr(outcome.decision, "rule", None),
        decision=record_of(outcome.reading, outcome.decision, knowledge),
        subject=message.subject if isinstance(message, Message) else "",
        from_address=message.from_address if isinstance(message, Message) else "",
        message_id=message.message_id if isinstance(message, Message) else None,
        from_name=message.from_name.replace("\0", " ") if isinstance(message, Message) else "",
    )


def _follow(connection: Connection, outcome: Outcome, past: Past, briefing: Briefing, now: datetime) -> None:
    """What a mail means for cases and deliveries, beside the lane that it ends in."""
    if isinstance(outcome.decision, Escalate):
        _open_case(connection, outcome, past.conversation, outcome.decision.reason.value, now)
    elif outcome.decision.reason is Reason.THANKS:
        _keep_thanks(connection, outcome.inquiry.id, past.conversation, now)
    if past.report is not None and past.returned is not None:
        until = now + briefing.mute_after_bounce
        take_back(connection, past.returned, past.report, mute_until=until, now=now)


def _open_case(
    connection: Connection, outcome: Outcome, thread: Conversation | None, reason: str, now: datetime
) -> None:
    """A mail in a conversation of ours joins the case that this has; everything else begins its own."""
    number = outcome.inquiry.id
    if thread is None or thread.inquiry is None:
        cases.open_case(connection, number, reason=reason, now=now)
        return
    case_id = cases.case_of(connection, thread.inquiry) or thread.inquiry
    cases.open_case(connection, case_id, reason=reason, caused_by=number, now=now)


def _keep_thanks(connection: Connection, number: int, thread: Conversation | None, now: datetime) -> None:
    """Where there is a case they are told in it; its state stays, and nobody is called."""
    case_id = cases.case_of(connection, thread.inquiry) if thread is not None and thread.inquiry else None
    if case_id is not None:
        cases.keep_thanks(connection, case_id, number, now=now)
