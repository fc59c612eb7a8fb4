"""Inbox → decision → outbox or case. Reads and writes; what to do with a mail `triage` decides."""

import asyncio
from collections.abc import Callable, Sequence
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
from responder.worker.catching_up import catch_up
from responder.worker.settling import settle_all
from responder.worker.writing import Briefing, Outcome

log = maillog.log("worker")

MOST_LEASES = 3
"""A mail that was leased as often and never settled takes its worker down; a person gets it unread."""


def triage_next(
    engine: Engine, briefing: Briefing, reader: Reader, *, now: datetime, limit: int, lease: timedelta
) -> int:
    """Take up to `limit` waiting mails through triage; gives how many were claimed. Raises ReaderUnavailable."""
    with reading(engine) as connection:
        if not inbox.any_waiting(connection, now=now):
            return 0
    with engine.begin() as connection:
        inquiries = inbox.claim(connection, now=now, limit=limit, lease=lease)
    reach(Point.INQUIRY_CLAIMED)
    readings = _read_all(engine, inquiries, briefing.knowledge, reader, within=lease * 0.75)
    reach(Point.INQUIRY_READ)
    outcomes = settle_all(engine, readings, briefing, now)
    reach(Point.INQUIRY_SETTLED)
    for outcome in outcomes:
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
    wait, behind = pause, True
    while not stop.is_set():
        try:
            done = await asyncio.to_thread(
                triage_next, engine, briefing(), reader, now=clock(), limit=limit, lease=lease
            )
            if behind and not done:
                behind = await asyncio.to_thread(catch_up, engine, reader, limit=limit)
            wait = timedelta() if done or behind else pause
        except (SQLAlchemyError, ReaderUnavailable) as error:
            wait = min(max(wait * 2, timedelta(seconds=1)), timedelta(seconds=30))
            log.error(
                "reader not available" if isinstance(error, ReaderUnavailable) else "store not available",
                reason=words_of(error),
                retry_in=wait.total_seconds(),
            )
        await _pause(stop, wait)


async def _pause(stop: asyncio.Event, wait: timedelta) -> None:
    try:
        async with asyncio.timeout(wait.total_seconds()):
            await stop.wait()
    except TimeoutError:
        return
