"""Group commit: what waits at one moment is written in one transaction."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy.engine import Engine

from responder import maillog
from responder.failpoints import Point, reach
from responder.mail.envelope import Envelope
from responder.store import inbox
from responder.store.engine import of_the_store
from responder.wakeup import nobody

log = maillog.log("listener")

MOST_PER_COMMIT = 200


class CongestedError(Exception):
    """The store is slower than the mails come: their clients have to come again."""


class Intake:
    """Writes down every mail that waits at one moment in one transaction: one flush of the disk serves them all."""

    def __init__(
        self, engine: Engine, clock: Callable[[], datetime], most: int, kept: Callable[[], None] = nobody
    ) -> None:
        """`most` octets may wait at one moment; one mail always fits. `kept` hears that mails were written down."""
        self._engine = engine
        self._clock = clock
        self._most = most
        self._kept = kept
        self._held = 0
        self._waiting: asyncio.Queue[tuple[Envelope, bytes, asyncio.Future[None]]] = asyncio.Queue()

    async def take(self, envelope: Envelope, raw: bytes) -> None:
        """Return once the mail is committed; raise what kept it from being so.

        The commit is no part of the caller's task: aiosmtpd cancels that as soon as the client hangs up, and a mail
        half stored is worse than one stored whose client will come again. So what waits is counted here, too: its
        session may be gone, and its client back with the next one.
        """
        if self._held and self._held + len(raw) > self._most:
            raise CongestedError
        self._held += len(raw)
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((envelope, raw, done))
        await done

    async def run(self) -> None:
        """Commit batch after batch until cancelled."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MOST_PER_COMMIT and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._commit(batch)

    async def _commit(self, batch: Sequence[tuple[Envelope, bytes, asyncio.Future[None]]]) -> None:
        try:
            await asyncio.to_thread(self._write, [(envelope, raw) for envelope, raw, _ in batch])
            reach(Point.MAIL_KEPT)
        except Exception as error:  # noqa: BLE001 - whatever it was, the client must hear 451 (Law 1)
            if len(batch) > 1 and not of_the_store(error):
                # One mail that cannot be stored must not take its neighbours along.
                for one in batch:
                    await self._commit([one])
                return
            self._settle(batch, error)
            # Last: where the disk is full the log may be, too.
            with suppress(OSError):
                log.error("not taken in", mails=len(batch), reason=str(error))
        else:
            self._settle(batch, None)
            self._kept()

    def _settle(self, batch: Sequence[tuple[Envelope, bytes, asyncio.Future[None]]], error: Exception | None) -> None:
        for _, raw, done in batch:
            self._held -= len(raw)
            _settle(done, error)

    def _write(self, mails: Sequence[tuple[Envelope, bytes]]) -> None:
        with self._engine.begin() as connection:
            inbox.accept(connection, mails, now=self._clock())
            reach(Point.MAIL_WRITTEN)


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
        return
    done.set_exception(error)
    done.exception()  # seen: the client may be gone, and then nobody else looks at it
