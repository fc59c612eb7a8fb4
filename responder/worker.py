"""Inbox → decision → outbox or case. Reads and writes; what to do with a mail `triage` decides."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from responder import maillog
from responder.letters import Letter, Letters
from responder.mail.message import Message, Unreadable
from responder.mail.reply import Mailbox, Reply, build_reply
from responder.reader import Reader, ReaderUnavailable
from responder.store import breaker, cases, inbox, outbox
from responder.store.engine import reading
from responder.store.inbox import Inquiry, Lane
from responder.store.outbox import DeliveryKind
from responder.store.past import Past, counted, past_of
from responder.store.returned import take_back
from responder.triage.contents import Contents
from responder.triage.policy import Answer, Budgets, Decision, Escalate, History, Reason, Suppress
from responder.triage.reading import Knowledge, Reading, decision_on, read_contents
from responder.triage.record import record_of
from responder.triage.thread import Conversation

log = maillog.log("worker")

MOST_LEASES = 3
"""A mail that was leased as often and never settled takes its worker down; a person gets it unread."""


@dataclass(frozen=True, slots=True)
class Briefing:
    """What an answer is made of, beside the mail: swapped in whole when the files change."""

    knowledge: Knowledge
    letters: Letters
    author: Mailbox
    mute_after_bounce: timedelta = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One mail, decided and written: what is left is to put it down."""

    inquiry: Inquiry
    reading: Reading
    decision: Decision
    reply: Reply | None
    once: str


def triage_next(
    engine: Engine, briefing: Briefing, reader: Reader, *, now: datetime, limit: int, lease: timedelta
) -> int:
    """Take up to `limit` waiting mails through triage; gives how many were claimed. Raises ReaderUnavailable."""
    with reading(engine) as connection:
        if not inbox.any_waiting(connection, now=now):
            return 0
    with engine.begin() as connection:
        inquiries = inbox.claim(connection, now=now, limit=limit, lease=lease)
    readings = _read_all(engine, inquiries, briefing.knowledge, reader, within=lease * 0.75)
    for outcome in _settle_all(engine, readings, briefing, now):
        _tell(outcome)
    return len(inquiries)


def _read_all(
    engine: Engine, inquiries: Sequence[Inquiry], knowledge: Knowledge, reader: Reader, *, within: timedelta
) -> list[tuple[Inquiry, Reading]]:
    """The mails that could be read while the lease holds; the others are given back, as if never claimed."""
    abandoned = [inquiry for inquiry in inquiries if inquiry.lease >= MOST_LEASES]
    sound = [inquiry for inquiry in inquiries if inquiry.lease < MOST_LEASES]
    found: list[Contents | Unreadable] = []
    try:
        found = reader.read([inquiry.raw for inquiry in sound], within=within)
    finally:
        if len(found) < len(sound):
            with engine.begin() as connection:
                inbox.release(connection, sound[len(found) :])
    unread = Reading(Unreadable("work on it broke off three times"), Reason.ABANDONED, (), None, None)
    read = [(inquiry, _read(inquiry, contents, knowledge)) for inquiry, contents in zip(sound, found, strict=False)]
    return sorted([*((inquiry, unread) for inquiry in abandoned), *read], key=lambda one: one[0].id)


def _read(inquiry: Inquiry, contents: Contents | Unreadable, knowledge: Knowledge) -> Reading:
    try:
        return read_contents(inquiry.envelope, contents, knowledge)
    except Exception as error:  # noqa: BLE001 - a fault of ours on one mail must not stop the mails behind it
        log.error("not read", inquiry=inquiry.id, reason=repr(error))
        return Reading(Unreadable(repr(error)), Reason.UNREADABLE, (), None, None)


def _settle_all(
    engine: Engine, readings: Sequence[tuple[Inquiry, Reading]], briefing: Briefing, now: datetime
) -> list[Outcome | None]:
    """All in one transaction; where that fails, each in its own, so that one bad mail holds up itself alone."""
    try:
        with engine.begin() as connection:
            return [_settle(connection, inquiry, found, briefing, now) for inquiry, found in readings]
    except DBAPIError as error:
        if len(readings) == 1 or error.connection_invalidated:
            raise
        log.error("not settled together", count=len(readings), reason=repr(error.orig))
    return [outcome for one in readings for outcome in _settle_alone(engine, one, briefing, now)]


def _settle_alone(
    engine: Engine, one: tuple[Inquiry, Reading], briefing: Briefing, now: datetime
) -> list[Outcome | None]:
    try:
        return _settle_all(engine, [one], briefing, now)
    except DBAPIError as error:
        # Its lease ends by itself; the third time a person gets it unread.
        log.error("not settled", inquiry=one[0].id, reason=repr(error.orig))
        return []


def _settle(
    connection: Connection, inquiry: Inquiry, found: Reading, briefing: Briefing, now: datetime
) -> Outcome | None:
    """Decide on the mail and put it down, in the caller's transaction; None where our lease was lost."""
    if not inbox.hold(connection, inquiry):
        return None
    past = past_of(connection, inquiry, found, briefing.author.key, now=now)
    history = _with_budgets(connection, past.history, inquiry, found, briefing.knowledge.budgets, now)
    outcome = _written(inquiry, found, decision_on(found, history, briefing.knowledge), briefing)
    if outcome.reply is not None and _enqueue(connection, outcome, outcome.reply, now) is None:
        # Another worker has settled the same bytes since their past was read: now they are a repetition.
        repeated = replace(past.history, repeated=True)
        outcome = _written(inquiry, found, decision_on(found, repeated, briefing.knowledge), briefing)
    inbox.settle(connection, inquiry, _settlement(outcome, briefing.knowledge), now=now)
    if outcome.decision.reason is Reason.TRIPPED:
        _trip(connection, history, now)
    _follow(connection, outcome, past, briefing, now)
    return outcome


def _with_budgets(
    connection: Connection, past: History, inquiry: Inquiry, found: Reading, budgets: Budgets, now: datetime
) -> History:
    sender = inquiry.envelope.mail_from
    if past.repeated or past.in_thread or past.muted or found.suppression is not None or not sender:
        # No automatic mail leaves whatever was sent before: nothing need be counted.
        return past
    tripped = _tripped(connection, budgets, now)
    return replace(counted(connection, past, sender, budgets, now=now), tripped=tripped)


def _tripped(connection: Connection, budgets: Budgets, now: datetime) -> bool:
    """Whether the breaker stands open; one that falls back by itself does so here, before the next mail."""
    trip = breaker.in_force(connection)
    if trip is None:
        return False
    hour = now - timedelta(hours=1)
    if budgets.falls_back and outbox.automatic_at_all(connection, since=hour) < budgets.per_hour:
        breaker.reset(connection, who="responder", now=now)
        log.warning("breaker fell back", tripped_at=trip.tripped_at.isoformat())
        return False
    return True


def _trip(connection: Connection, history: History, now: datetime) -> None:
    if not history.tripped and breaker.trip(connection, sent=history.automatic_at_all, now=now):
        log.error("breaker tripped", sent=history.automatic_at_all, remedy="responder breaker show")


def _once(inquiry: Inquiry) -> str:
    # Two rows of the same bytes are one mail whose sender did not hear our 250: one automatic mail for both.
    return f"automatic:{inquiry.digest}"


def _written(inquiry: Inquiry, found: Reading, decision: Decision, briefing: Briefing) -> Outcome:
    """Render and build what the decision asks for; what cannot be built goes to a person in silence."""
    once = _once(inquiry)
    try:
        reply = _reply(inquiry, found, decision, briefing)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one answer, a person can still give it
        log.error("not built", inquiry=inquiry.id, reason=repr(error))
        unsent = Escalate(Reason.UNSENDABLE, acknowledge=False, entries=getattr(decision, "entries", ()))
        return Outcome(inquiry, found, unsent, None, once)
    return Outcome(inquiry, found, decision, reply, once)


def _reply(inquiry: Inquiry, found: Reading, decision: Decision, briefing: Briefing) -> Reply | None:
    message, letters = found.message, briefing.letters
    if not isinstance(message, Message):
        return None
    subject, reference = message.subject, cases.reference_of(inquiry.id)
    match decision:
        case Answer(entries):
            chosen = [briefing.knowledge.corpus.entry(entry) for entry in entries]
            letter = letters.answer(chosen, subject=subject, reference=reference, language=found.language)
            return _built(inquiry, message, letter, "answer", briefing.author)
        case Escalate(acknowledge=True):
            letter = letters.acknowledgement(subject=subject, reference=reference, language=found.language)
            return _built(inquiry, message, letter, "acknowledgement", briefing.author)
        case _:
            return None


def _built(inquiry: Inquiry, message: Message, letter: Letter, kind: str, author: Mailbox) -> Reply:
    # The Message-ID comes from the mail itself: a second attempt at the same mail gives the same (Law 3).
    return build_reply(
        subject=letter.subject,
        body=letter.body,
        author=author,
        recipient=inquiry.envelope.mail_from,
        message_id=author.message_id(kind, inquiry.id, inquiry.digest),
        date=inquiry.received_at,
        answers=message,
        automatic=True,
        language=letter.language,
    )


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
        cases.record(connection, case_id, "thanked", who="contractor", detail="", inquiry_id=number, now=now)


def _tell(outcome: Outcome | None) -> None:
    if outcome is None:
        return
    match outcome.decision:
        case Answer(entries, confidence):
            log.info("answered", inquiry=outcome.inquiry.id, entries=",".join(entries), confidence=confidence)
        case Escalate(reason):
            log.info("escalated", inquiry=outcome.inquiry.id, reason=reason.value)
        case Suppress(reason):
            log.info("suppressed", inquiry=outcome.inquiry.id, reason=reason.value)


async def run(
    engine: Engine,
    briefing: Callable[[], Briefing],
    reader: Reader,
    *,
    stop: asyncio.Event,
    clock: Callable[[], datetime],
    limit: int,
    lease: timedelta,
    pause: timedelta = timedelta(milliseconds=100),
) -> None:
    """Step after step until `stop`; a database that is away is waited for, never an end."""
    wait = pause
    while not stop.is_set():
        try:
            done = await asyncio.to_thread(
                triage_next, engine, briefing(), reader, now=clock(), limit=limit, lease=lease
            )
            wait = timedelta() if done else pause
        except (SQLAlchemyError, ReaderUnavailable) as error:
            wait = min(max(wait * 2, timedelta(seconds=1)), timedelta(seconds=30))
            log.error(
                "reader not available" if isinstance(error, ReaderUnavailable) else "store not available",
                reason=" ".join(str(error).split())[:300],
                retry_in=wait.total_seconds(),
            )
        await _pause(stop, wait)


async def _pause(stop: asyncio.Event, wait: timedelta) -> None:
    try:
        async with asyncio.timeout(wait.total_seconds()):
            await stop.wait()
    except TimeoutError:
        return
