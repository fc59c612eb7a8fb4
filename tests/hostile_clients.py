"""Clients that want to hurt the listener, and what they cost it.

    make hostile

starts the service as a process of its own, with the default limits but for the deadlines, lets each kind of client at
it in full size, and prints the peak of its memory, how long the attack went on, and how long a mail by somebody else
took in the middle of it. The tests run the same in small.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.knowledge import ADDRESS, ROOT
from tests.service import Service, running

MIB = 1 << 20
HELLO = b"EHLO x.example\r\nMAIL FROM:<x@x.example>\r\nRCPT TO:<%s>\r\nDATA\r\n" % ADDRESS.encode()
Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much of each."""

    data: int
    """Octets that are sent at once."""
    connections: int
    hoarders: int
    """Sessions that each bring most of a mail and no end."""
    hoard: int


FULL = Sizes(128 * MIB, 1000, 45, 20 * MIB)
DEADLINES = {"RESPONDER_LISTENER__DATA_TIMEOUT": "5s", "RESPONDER_LISTENER__SESSION_TIMEOUT": "8s"}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one attack did to the service."""

    words: str
    before: int
    peak: int
    """Octets of resident memory."""
    seconds: float
    mail_seconds: float
    """Of a mail by somebody else meanwhile."""


@asynccontextmanager
async def _connected(address: Address) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*address)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _last_words(reader: asyncio.StreamReader) -> str:
    """The last reply, once the other side has closed or said nothing for long."""
    said = b""
    with suppress(ConnectionError, TimeoutError):
        async with asyncio.timeout(60):
            while piece := await reader.read(MIB):
                said = (said + piece)[-2000:]
    return said.decode().strip().split("\r\n")[-1]


async def _pour(address: Address, before: bytes, piece: bytes, count: int, after: bytes = b"") -> str:
    async with _connected(address) as (reader, writer):
        listening = asyncio.create_task(_last_words(reader))
        with suppress(ConnectionError):
            writer.write(before)
            for _ in range(count):
                writer.write(piece)
                await writer.drain()
            writer.write(after)
            await writer.drain()
            if after:
                writer.write_eof()
        return await listening


async def endless_line(address: Address, sizes: Sizes) -> str:
    """A mail of one line that never ends."""
    return await _pour(address, HELLO, b"x" * 65536, sizes.data // 65536)


async def endless_command(address: Address, sizes: Sizes) -> str:
    """A command that never ends."""
    return await _pour(address, b"", b"x" * 65536, sizes.data // 65536)


async def empty_lines(address: Address, sizes: Sizes) -> str:
    """A mail of nothing but line ends; a sixteenth of the others, so that it is taken."""
    size = sizes.data // 16
    return await _pour(address, HELLO, b"\r\n" * 32768, size // 65536, b".\r\nQUIT\r\n")


async def many_connections(address: Address, sizes: Sizes) -> str:
    """Connections that say nothing."""
    counts = {"220": 0, "421": 0}
    async with asyncio.timeout(60):
        opened = [await asyncio.open_connection(*address) for _ in range(sizes.connections)]
        for reader, _ in opened:
            with suppress(ConnectionError):
                counts[(await reader.readline())[:3].decode()] += 1
        for _, writer in opened:
            writer.transport.abort()
    return f"{counts['220']} let in, {counts['421']} heard 421"


async def hoarders(address: Address, sizes: Sizes) -> str:
    """Many mails at once, each nearly as large as allowed, none with an end."""
    count = sizes.hoard // 65536
    line = b"y" * 65534 + b"\r\n"
    said = await asyncio.gather(*(_pour(address, HELLO, line, count) for _ in range(sizes.hoarders)))
    counts = {code: sum(words.startswith(code) for words in said) for code in ("421", "452")}
    return f"{counts['421']} heard 421, {counts['452']} heard 452"


async def slow_data(address: Address, sizes: Sizes) -> str:
    """A mail that comes an octet at a time."""
    async with _connected(address) as (reader, writer):
        listening = asyncio.create_task(_last_words(reader))
        writer.write(HELLO)
        while not listening.done():
            with suppress(ConnectionError):
                writer.write(b"z")
            await asyncio.sleep(0.05)
        return await listening


async def noop_for_ever(address: Address, sizes: Sizes) -> str:
    """A client that keeps itself alive."""
    async with _connected(address) as (reader, writer):
        listening = asyncio.create_task(_last_words(reader))
        while not listening.done():
            with suppress(ConnectionError):
                writer.write(b"NOOP\r\n")
            await asyncio.sleep(0.05)
        return await listening


Attack = Callable[[Address, Sizes], Awaitable[str]]
ATTACKS: tuple[Attack, ...] = (
    endless_line,
    endless_command,
    empty_lines,
    many_connections,
    hoarders,
    slow_data,
    noop_for_ever,
)


def _memory(service: Service, name: str) -> int:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith(name))


async def suffered(service: Service, attack: Attack, sizes: Sizes) -> Cost:
    """Let one attack happen, with a mail by somebody else in the middle of it."""
    Path(f"/proc/{service.process.pid}/clear_refs").write_text("5")  # the peak begins anew
    before, began = _memory(service, "VmRSS"), time.monotonic()
    attacking = asyncio.ensure_future(attack(service.at("smtp"), sizes))
    await asyncio.sleep(0.05)
    sent = time.monotonic()
    mail = b"Subject: question\r\n\r\nMay we share a mailbox?\r\n.\r\nQUIT\r\n"
    other = ("127.0.0.1", service.at("lmtp")[1])
    if "250 2.0.0 Ok: queued" not in await _delivered(other, HELLO.replace(b"EHLO", b"LHLO") + mail):
        raise AssertionError("a mail by somebody else was not taken")
    mail_seconds = time.monotonic() - sent
    words = await attacking
    seconds = time.monotonic() - began
    await asyncio.sleep(0.3)
    return Cost(words, before, _memory(service, "VmHWM"), seconds, mail_seconds)


async def _delivered(address: Address, commands: bytes) -> str:
    # From another address of the loopback: the attacker has used up all connections of his own.
    reader, writer = await asyncio.open_connection(*address, local_addr=("127.0.0.2", 0))
    writer.write(commands)
    async with asyncio.timeout(60):
        said = await reader.read()
        while piece := await reader.read():
            said += piece
    writer.close()
    return said.decode()


@asynccontextmanager
async def service(folder: Path, **settings: str) -> AsyncIterator[Service]:
    """A listener alone, in a process of its own."""
    corpus = {"RESPONDER_SERVICE__CORPUS": str(ROOT / "faq_corpus")}
    with running(
        folder, f"sqlite:///{folder}/responder.db", "listener", **{**DEADLINES, **corpus, **settings}
    ) as started:
        yield started


async def _main() -> None:
    argparse.ArgumentParser(description=__doc__.partition("\n")[0]).parse_args()
    with tempfile.TemporaryDirectory() as name:
        async with service(Path(name)) as started:
            print(f"{'attack':18}{'before':>9}{'peak':>9}{'lasted':>9}{'a mail':>9}  last words")  # noqa: T201
            for attack in ATTACKS:
                cost = await suffered(started, attack, FULL)
                memory = f"{cost.before / MIB:5.0f} MiB{cost.peak / MIB:5.0f} MiB"
                seconds = f"{cost.seconds:7.1f} s{cost.mail_seconds:7.2f} s"
                print(f"{attack.__name__:18}{memory}{seconds}  {cost.words}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(_main())
