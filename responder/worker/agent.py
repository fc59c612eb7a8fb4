"""Inbox → decision → outbox or case. Reads and writes; what to do with a mail `triage` decides."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog
from responder.failpoints import Point, reach
from responder.mail.message import Unreadable
from responder.reader import Reader, ReaderUnavailable
from responder.store import inbox
from responder.store.engine import reading, words_of
from responder.store.inbox import Inquiry
from responder.triage.contents import Contents
from responder.triage.policy import Answer, Escalate, Reason, Suppress
from responder.triage.reading import Knowledge, Reading, read_contents
from responder.wakeup import Wakeup, nobody, pause
from responder.worker.catching_up import catch_up
from responder.worker.settling import settle_all
from responder.worker.writing import Briefing, Outcome

log = maillog.log("worker")

MOST_LEASES = 3
"""A mail that was leased as often and never settled takes its worker down; a person gets it unread."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A mail in hand, and what its octets say."""

    inquiry: Inquiry
    contents: Contents | Unreadable | None
    """None: work on it broke off too often, and nobody tries again."""


def triage_next(
    engine: Engine, briefing: Briefing, reader: Reader, *, now: datetime, limit: int, lease: timedelta
) -> int:
    """Take up to `limit` waiting mails through triage; gives how many were read. Raises ReaderUnavailable."""
    taken = take_next(engine, reader, now=now, limit=limit, lease=lease)
    if taken:
        settle_taken(engine, taken, briefing, now=now)
    return len(taken)


def take_next(engine: Engine, reader: Reader, *, now: datetime, limit: int, lease: timedelta) -> list[Taken]:
    """Claim up to `limit` waiting mails, and let them be read. Raises ReaderUnavailable.

    Those that could not be read while the lease holds are given back, as if never claimed.
    """
    with reading(engine) as connection:
        if not inbox.any_waiting(connection, now=now):
            return []
    with engine.begin() as connection:
        inquiries = inbox.claim(connection, now=now, limit=limit, lease=lease)
    reach(Point.INQUIRY_CLAIMED)
    taken = [Taken(inquiry, None) for inquiry in inquiries if inquiry.lease >= MOST_LEASES]
    sound = [inquiry for inquiry in inquiries if inquiry.lease < MOST_LEASES]
    found: list[Contents | Unreadable] = []
    try:
        found = reader.read([inquiry.raw for inquiry in sound], within=lease * 0.75)
    finally:
        if len(found) < len(sound):
            with engine.begin() as connection:
                inbox.release(connection, sound[len(found) :])
    reach(Point.INQUIRY_READ)
    taken += [Taken(inquiry, contents) for inquiry, contents in zip(sound, found, strict=False)]
    return sorted(taken, key=lambda one: one.inquiry.id)


def settle_taken(engine: Engine, taken: Sequence[Taken], briefing: Briefing, *, now: datetime) -> int:
    """Decide on mails that were read, and put them down; gives how many replies that queued."""
    readings = [(one.inquiry, _read(one, briefing.knowledge)) for one in taken]
    outcomes = settle_all(engine, readings, briefing, now)
    reach(Point.INQUIRY_SETTLED)
    for outcome in outcomes:
        _tell(outcome)
    return sum(outcome is not None and outcome.reply is not None for outcome in outcomes)


def _read(taken: Taken, knowledge: Knowledge) -> Reading:
    if taken.contents is None:
        return Reading(Unreadable("work on it broke off three times"), Reason.ABANDONED, (), None, None)
    try:
        return read_contents(taken.inquiry.envelope, taken.contents, knowledge)
    except Exception as error:  # noqa: BLE001 - a fault of ours on one mail must not stop the mails behind it
        log.error("not read", inquiry=taken.inquiry.id, reason=repr(error))
        return Reading(Unreadable(repr(error)), Reason.UNREADABLE, (), None, None)


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


def _may_break_off(taken: Sequence[Taken]) -> bool:
    """Whether a mail is among these on which work has broken off: nothing else is taken in hand beside it."""
    return any(one.inquiry.lease > 1 for one in taken)


async def run(
    engine: Engine,
    briefing: Callable[[], Briefing],
    reader: Reader,
    *,
    stop: asyncio.Event,
    clock: Callable[[], datetime],
    limit: int,
    lease: timedelta,
    poll: timedelta = timedelta(milliseconds=100),
    work: Wakeup | None = None,
    queued: Callable[[], None] = nobody,
) -> None:
    """Step after step until `stop`; a database that is away is waited for, never an end.

    While mails are decided on, the next ones are read: that is another process's work. `work` says that mails came in,
    and `queued` hears that replies wait for the courier.
    """

    def take() -> asyncio.Task[list[Taken]]:
        return asyncio.create_task(
            asyncio.to_thread(take_next, engine, reader, now=clock(), limit=limit, lease=lease),
        )

    wait, behind = poll, True
    ahead: asyncio.Task[list[Taken]] | None = None
    while ahead is not None or not stop.is_set():
        try:
            early, coming, ahead = ahead is not None, ahead or take(), None
            taken = await coming
            if taken:
                ahead = None if stop.is_set() or _may_break_off(taken) else take()
                if await asyncio.to_thread(settle_taken, engine, taken, briefing(), now=clock()):
                    queued()
            elif behind and not early:
                behind = await asyncio.to_thread(catch_up, engine, reader, limit=limit)
            # What was looked for early may have come meanwhile.
            wait = timedelta() if taken or early or behind else poll
            called = work
        except (SQLAlchemyError, ReaderUnavailable) as error:
            wait, called = min(max(wait * 2, timedelta(seconds=1)), timedelta(seconds=30)), None
            log.error(
                "reader not available" if isinstance(error, ReaderUnavailable) else "store not available",
                reason=words_of(error),
                retry_in=wait.total_seconds(),
            )
        await pause(stop, wait, called)
