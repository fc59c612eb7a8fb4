"""The agent beside the staff pages that has changes of entries tried, one after the other."""

import asyncio
import pickle
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Literal

from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from responder import maillog
from responder.app.child import started
from responder.app.pieces import clock
from responder.config import Config
from responder.store import rehearsals
from responder.store.engine import reading
from responder.wakeup import pause

POLL = timedelta(seconds=1)
HEARTBEAT = timedelta(seconds=5)
SILENT = timedelta(minutes=2)
"""After so long without a heartbeat whoever ran it was killed."""

log = maillog.log("app")


async def run(engine: Engine, config: Callable[[], Config], *, stop: asyncio.Event) -> None:
    """Try what waits, until `stop`; what is running then waits for the next start."""
    while not stop.is_set():
        with suppress(SQLAlchemyError):  # the worker says that the store is away, and the next look is soon
            number = await asyncio.to_thread(_claimed, engine)
            if number is not None:
                await _tried(engine, config(), number, stop)
                continue
        await pause(stop, POLL)


def _claimed(engine: Engine) -> int | None:
    silent_since = clock() - SILENT
    with reading(engine) as connection:
        if not rehearsals.any_due(connection, silent_since=silent_since):
            return None
    with engine.begin() as connection:
        now = clock()
        if failed := rehearsals.fail_silent(connection, since=silent_since, now=now):
            log.warning("rehearsals given up", number=failed, reason="their processes ended without a word")
        return rehearsals.claim(connection, now=now)


async def _tried(engine: Engine, config: Config, number: int, stop: asyncio.Event) -> None:
    log.info("rehearsing", number=number)
    child = await started("responder.app.rehearsal")
    ended, stopped = asyncio.create_task(child.wait()), asyncio.create_task(stop.wait())
    try:
        if child.stdin is not None:
            # It stays open: to the child, its end is ours.
            child.stdin.write(pickle.dumps((config, number)))
        while await _goes_on(engine, number, ended, stopped):
            pass
    finally:
        stopped.cancel()
        if child.stdin is not None:
            child.stdin.close()
        if child.returncode is None:
            child.kill()
        code = await ended
    await asyncio.to_thread(_left, engine, number, code, stop.is_set())


async def _goes_on(
    engine: Engine, number: int, ended: "asyncio.Task[int]", stopped: "asyncio.Task[Literal[True]]"
) -> bool:
    """Wait until it is time for a heartbeat; False where there is nothing to wait for any more."""
    done, _ = await asyncio.wait({ended, stopped}, timeout=HEARTBEAT.total_seconds(), return_when="FIRST_COMPLETED")
    return not done and await asyncio.to_thread(
        _changed, engine, lambda connection: rehearsals.go_on(connection, number, now=clock())
    )


def _changed(engine: Engine, change: Callable[[Connection], bool]) -> bool:
    with engine.begin() as connection:
        return change(connection)


def _left(engine: Engine, number: int, code: int, stopping: bool) -> None:
    """What a child leaves running is taken up again after a stop, and has failed otherwise."""
    with engine.begin() as connection:
        if stopping:
            rehearsals.release(connection, number, now=clock())
        else:
            rehearsals.fail(connection, number, f"its process ended with {code}", now=clock())
