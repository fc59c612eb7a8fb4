"""What is kept for so many days is erased after them, a few mails at a time."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog
from responder.config.sections import Retention
from responder.store import erasure
from responder.store.engine import erasing, give_back, reading, words_of
from responder.store.inbox import Lane
from responder.store.laws import LATE
from responder.wakeup import pause

AT_ONCE = 100
"""Mails in one transaction, so that nobody who takes mail in waits for long."""

log = maillog.log("app")


def days_of(retention: Retention) -> Mapping[Lane, timedelta]:
    """How long the mails of each lane are kept; a lane that is kept for ever is not in it."""
    days = {
        Lane.ANSWERED: retention.answered_days,
        Lane.ESCALATED: retention.escalated_days,
        Lane.SUPPRESSED: retention.suppressed_days,
    }
    return {lane: timedelta(days=count) for lane, count in days.items() if count}


def sweep(engine: Engine, kept: Mapping[Lane, timedelta], *, now: datetime, go_on: Callable[[], bool]) -> int:
    """Erase what is over its time, until all of it is or `go_on` says no; how many mails.

    An escalated mail's time begins when its case is closed, and so does that of any other that has a case.
    """
    count = 0
    for lane, time in kept.items():
        after, before = 0, now - time
        while go_on():
            with reading(engine) as connection:
                old = erasure.due(connection, lane, before=before, after=after, limit=AT_ONCE)
            if not old:
                break
            with erasing(engine) as connection:
                over = erasure.ended(connection, old, before=before, lock=True)
                count += erasure.erase(connection, over, examples=False, now=now) if over else 0
            after = old[-1]
    if count:
        give_back(engine, go_on=go_on)
    return count


def overdue(engine: Engine, kept: Mapping[Lane, timedelta], *, now: datetime) -> list[int]:
    """Mails that are over their time by a day, which every sweep of a service that runs would have found."""
    with reading(engine) as connection:
        return [
            number
            for lane, time in kept.items()
            for number in erasure.overdue(connection, lane, before=now - time - LATE)
        ]


async def run(
    engine: Engine,
    kept: Mapping[Lane, timedelta],
    *,
    stop: asyncio.Event,
    clock: Callable[[], datetime],
    every: timedelta = timedelta(hours=1),
) -> None:
    """Sweep now and then, until `stop`; a store that is away is swept the next time."""
    while not stop.is_set():
        try:
            count = await asyncio.to_thread(sweep, engine, kept, now=clock(), go_on=lambda: not stop.is_set())
            if count:
                log.info("erased", mails=count)
        except SQLAlchemyError as error:
            log.error("not erased", reason=words_of(error))
        await pause(stop, every)
