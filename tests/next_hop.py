"""A real SMTP server in a thread of its own, for services that run as processes: it keeps what it took."""

import asyncio
import random
import re
import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

_NUMBER = re.compile(r"<n(\d+)\.")


class NextHop:
    """What came, in the order that it came. A share of the mails, drawn from a fixed seed, is told to come again."""

    def __init__(self, fails: float = 0.0) -> None:
        self.port = 0
        self.mails: list[bytes] = []
        self._fails = fails
        self._draw = random.Random(20261126)  # noqa: S311 - no secret depends on it
        self._lock = threading.Lock()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        if self._draw.random() < self._fails:
            return self._draw.choice(["451 4.3.0 Not now", "421 4.3.2 Going away"])
        content: Any = envelope.content
        with self._lock:
            self.mails.append(content)
        return "250 2.0.0 Ok"

    def answered(self) -> dict[int, Counter[str]]:
        """The numbers of the mails that ours answer, each with the Message-IDs that came, and how often."""
        with self._lock:
            mails = [message_from_bytes(raw) for raw in self.mails]
        found: dict[int, Counter[str]] = {}
        for mail in mails:
            number = _NUMBER.search(str(mail["In-Reply-To"]))
            assert number is not None
            found.setdefault(int(number[1]), Counter())[str(mail["Message-ID"])] += 1
        return found


@contextmanager
def next_hop(fails: float = 0.0, host: str = "127.0.0.1") -> Iterator[NextHop]:
    """For as long as the block lasts, on a port of the system's choice."""
    hop, loop = NextHop(fails), asyncio.new_event_loop()
    bound = socket.create_server((host, 0))
    hop.port = bound.getsockname()[1]

    sessions: list[SMTP] = []

    def session() -> SMTP:
        sessions.append(SMTP(hop, hostname="next.example", loop=loop))
        return sessions[-1]

    async def serve() -> None:
        async with await loop.create_server(session, sock=bound):
            await stopped.wait()
            # What a killed service left open would never end by itself.
            for each in sessions:
                if isinstance(each.transport, asyncio.Transport):
                    each.transport.abort()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    def run() -> None:
        loop.run_until_complete(serve())

    stopped = asyncio.Event()
    thread = threading.Thread(target=run, name="next hop")
    thread.start()
    try:
        yield hop
    finally:
        loop.call_soon_threadsafe(stopped.set)
        thread.join()
        loop.close()
