"""Who sends: the same for every server that is measured."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECIPIENT = b"support@example.jp"

_QUESTION = (ROOT / "examples" / "shared-mailbox.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
_SMALL = b"Subject: question\r\nFrom: tanaka@contractor.example\r\n\r\n" + b"May we share a mailbox?\r\n" * 20


@dataclass(frozen=True, slots=True)
class Mail:
    """An envelope's sender, and what is sent."""

    sender: bytes
    raw: bytes


def small(_: int) -> Mail:
    """One that only has to be taken in."""
    return Mail(b"tanaka@contractor.example", _SMALL)


def question(number: int) -> Mail:
    """One that the shipped FAQ answers, and that nobody has asked yet: no budget stands in its way."""
    asked = _QUESTION.replace(b"Message-ID: <", b"Message-ID: <n%d." % number, 1)
    raw = asked.replace(b"contractor.example", b"contractor%d.example" % number)
    return Mail(b"user%d@contractor%d.example" % (number, number), raw)


@dataclass(slots=True)
class Sent:
    """What became of the mails, by their numbers; moments of the monotonic clock, in seconds."""

    began: float = field(default_factory=time.perf_counter)
    ended: dict[int, float] = field(default_factory=dict)
    """When the last line of DATA was written."""
    taken: dict[int, float] = field(default_factory=dict)
    """When the 250 to it came."""

    def per_second(self) -> float:
        """Mails taken, from before the first connection to the last 250."""
        return len(self.taken) / (max(self.taken.values()) - self.began)


async def deliver(
    port: int, numbers: Iterator[int], make: Callable[[int], Mail], *, sessions: int = 20, per_session: int = 0
) -> Sent:
    """Send while there are numbers, each session one mail after the other; after `per_session`, if any, it ends."""
    sent = Sent()

    async def one_after_another() -> None:
        for first in numbers:
            more = islice(numbers, per_session - 1) if per_session else numbers
            await _session(port, chain([first], more), make, sent)

    await asyncio.gather(*(one_after_another() for _ in range(sessions)))
    return sent


async def pace(port: int, numbers: Sequence[int], make: Callable[[int], Mail], *, per_second: float) -> Sent:
    """Send so many a second, each in a session of its own, however long the ones before it take."""
    sent, sessions = Sent(), []
    for place, number in enumerate(numbers):
        # Counted from the beginning: what one pause is too long does not add up.
        await asyncio.sleep(sent.began + place / per_second - time.perf_counter())
        sessions.append(asyncio.create_task(_session(port, iter([number]), make, sent)))
    await asyncio.gather(*sessions)
    return sent


async def _session(port: int, numbers: Iterator[int], make: Callable[[int], Mail], sent: Sent) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def say(text: bytes, code: bytes) -> None:
        writer.write(text)
        while (line := await reader.readline())[3:4] == b"-":
            pass
        if not line.startswith(code):
            raise SystemExit(f"{text[:40]!r}: {line!r}")

    await say(b"", b"220")
    await say(b"EHLO contractor.example\r\n", b"250")
    for number in numbers:
        mail = make(number)
        await say(b"MAIL FROM:<%s>\r\n" % mail.sender, b"250")
        await say(b"RCPT TO:<%s>\r\n" % RECIPIENT, b"250")
        await say(b"DATA\r\n", b"354")
        sent.ended[number] = time.perf_counter()
        await say(mail.raw + b".\r\n", b"250")
        sent.taken[number] = time.perf_counter()
    await say(b"QUIT\r\n", b"221")
    writer.close()
