"""How one agent tells another that there is work for it, so that nobody waits for the next look into the store.

It is a convenience and no promise: agents of other hosts hear nothing, and every agent looks by itself now and then.
"""

import asyncio
import socket
from contextlib import suppress
from datetime import timedelta
from typing import Any


class Wakeup:
    """Made before the processes of a service are forked, and shared by them: any may call, and one or more hear it."""

    def __init__(self) -> None:
        self._ear, self._mouth = socket.socketpair()
        self._ear.setblocking(False)
        self._mouth.setblocking(False)
        self._waiting: set[asyncio.Future[None]] = set()

    def call(self) -> None:
        """Wake who waits, or who waits next where nobody does. Never blocks; any thread may call."""
        with suppress(BlockingIOError):  # so many calls that nobody has heard yet are enough
            self._mouth.send(b"\0")

    async def wait(self) -> None:
        """Until somebody calls. Who is busy does not listen, and takes no call away from a process that waits."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.add_reader(self._ear, self._hear)
        self._waiting.add(heard := loop.create_future())
        try:
            await heard
        finally:
            self._waiting.discard(heard)
            if not self._waiting:
                loop.remove_reader(self._ear)

    def _hear(self) -> None:
        with suppress(BlockingIOError):  # another process was quicker, and there may be work for two
            self._ear.recv(4096)
        for heard in self._waiting:
            if not heard.done():
                heard.set_result(None)

    def close(self) -> None:
        """Nobody of this process calls or waits any more."""
        self._ear.close()
        self._mouth.close()


def nobody() -> None:
    """Hears no call."""


async def pause(stop: asyncio.Event, longest: timedelta, work: Wakeup | None = None) -> None:
    """Until `stop` is set, there is work, or so long."""
    ends: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
    if work is not None:
        ends.append(asyncio.create_task(work.wait()))
    try:
        await asyncio.wait(ends, timeout=longest.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for end in ends:
            end.cancel()
