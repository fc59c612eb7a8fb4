"""A listener on the loopback, and a client that says exactly what it is told to."""

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from sqlalchemy.engine import Engine

from responder.listener import Acceptance, Encryption, Inet, Limits, Listener, Unix
from responder.store import inbox

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
US, ALSO_US, TANAKA = "support@example.jp", "faq@example.jp", "tanaka@contractor.example"
MAIL = b"Subject: question\r\n\r\nMay we share a mailbox?\r\n"
ACCEPTANCE = Acceptance("mx.example.jp", frozenset({US, ALSO_US}), "postmaster@example.jp", Limits(100_000))


@asynccontextmanager
async def listening(
    engine: Engine,
    *places: Inet | Unix,
    networks: Any = ACCEPTANCE.networks,
    encryption: Encryption | None = None,
    **limits: Any,
) -> AsyncIterator[tuple[Listener, list[Any]]]:
    """A listener and the addresses it is at; `limits` are those that differ from the usual ones."""
    acceptance = replace(ACCEPTANCE, networks=networks, limits=replace(ACCEPTANCE.limits, **limits))
    listener = Listener(engine, acceptance, lambda: NOW, encryption)
    bound = await listener.start(places or (Inet("127.0.0.1", 0),))
    try:
        yield listener, bound
    finally:
        await listener.stop(timedelta(seconds=2))
        await Client.hang_up_all()


async def alone(listener: Listener) -> None:
    """Return once nobody is connected."""
    async with asyncio.timeout(5):
        while listener._sessions:
            await asyncio.sleep(0.01)


class Client:
    """Speaks SMTP or LMTP by hand, and hangs up when it is told to."""

    opened: ClassVar[list["Client"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self.opened.append(self)

    @classmethod
    async def hang_up_all(cls) -> None:
        while cls.opened:
            await cls.opened.pop().hang_up()

    @classmethod
    async def connected(cls, address: Any) -> "Client":
        """A client that has not yet read the greeting."""
        if isinstance(address, tuple):
            return cls(*await asyncio.open_connection(*address[:2]))
        return cls(*await asyncio.open_unix_connection(address))

    @classmethod
    async def to(cls, address: Any) -> "Client":
        client = await cls.connected(address)
        assert (await client.reply()).startswith("220")
        return client

    async def hang_up(self) -> None:
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()

    def reset(self) -> None:
        """End the connection as a crash does, so that the other side gets an error and no end."""
        linger = struct.pack("ii", 1, 0)
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def reply(self, seconds: float = 10) -> str:
        """The next reply, its lines joined; "" once the other side has closed."""
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            lines.append((await asyncio.wait_for(self.reader.readline(), seconds)).decode().rstrip("\r\n"))
        return "\n".join(lines)

    async def replies(self, count: int) -> list[str]:
        return [await self.reply() for _ in range(count)]

    async def closed(self) -> bool:
        """Whether the other side has closed, all it said having been read."""
        with suppress(ConnectionResetError):
            return await asyncio.wait_for(self.reader.read(1), 10) == b""
        return True

    async def say(self, line: str | bytes) -> str:
        self.writer.write((line if isinstance(line, bytes) else line.encode()) + b"\r\n")
        return await self.reply()

    async def begin(self, *recipients: str, sender: str = TANAKA, hello: str = "EHLO") -> None:
        assert (await self.say(f"{hello} contractor.example")).startswith("250")
        assert (await self.say(f"MAIL FROM:<{sender}>")).startswith("250")
        for recipient in recipients or (US,):
            assert (await self.say(f"RCPT TO:<{recipient}>")).startswith("250")
        assert (await self.say("DATA")).startswith("354")

    async def send(self, raw: bytes = MAIL) -> str:
        """The mail with its end, and the reply to it."""
        return await self.say(raw + b".")

    async def encrypt(self, context: ssl.SSLContext) -> None:
        """What follows the reply to STARTTLS."""
        await self.writer.start_tls(context, server_hostname="mx.example.jp")


def kept(engine: Engine) -> list[inbox.Inquiry]:
    with engine.begin() as connection:
        return inbox.claim(connection, now=NOW, limit=1000, lease=timedelta(minutes=1))


def without_our_line(inquiry: inbox.Inquiry) -> bytes:
    """The mail as the client sent it."""
    field, _, rest = inquiry.raw.partition(b" +0000\r\n")
    assert field.startswith(b"Received: from ")
    return rest


def mails(engine: Engine) -> list[bytes]:
    """What was taken in, as the clients sent it."""
    return [without_our_line(inquiry) for inquiry in kept(engine)]
