"""The listener on real sockets: what it acknowledges is on disk, and what goes wrong on our side is never for good."""

import asyncio
import smtplib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.listener import Acceptance, Inet, Listener, Unix
from responder.store import inbox
from responder.store.engine import open_engine, reading, upgrade

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
US, TANAKA = "support@example.jp", "tanaka@contractor.example"
ACCEPTANCE = Acceptance("mx.example.jp", frozenset({US, "faq@example.jp"}), 100_000, timedelta(seconds=30))
MAIL = b"Subject: question\r\n\r\nMay we share a mailbox?\r\n"


@asynccontextmanager
async def _listening(engine: Engine, *places: Inet | Unix, **changed: Any) -> AsyncIterator[tuple[Listener, list[Any]]]:
    acceptance = Acceptance(
        ACCEPTANCE.hostname, ACCEPTANCE.recipients, changed.get("most", 100_000), ACCEPTANCE.timeout
    )
    listener = Listener(engine, acceptance, lambda: NOW)
    bound = await listener.start(places or (Inet("127.0.0.1", 0),))
    try:
        yield listener, bound
    finally:
        await listener.stop(timedelta(seconds=2))
        await _Client.hang_up_all()


class _Client:
    """A client that says exactly what it is told to, and hangs up when it is told to."""

    opened: ClassVar[list["_Client"]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self.writer = reader, writer
        self.opened.append(self)

    @classmethod
    async def hang_up_all(cls) -> None:
        while cls.opened:
            writer = cls.opened.pop().writer
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    @classmethod
    async def to(cls, address: Any) -> "_Client":
        opened = (
            asyncio.open_connection(*address[:2])
            if isinstance(address, tuple)
            else asyncio.open_unix_connection(address)
        )
        client = cls(*await opened)
        assert (await client.reply()).startswith("220")
        return client

    async def reply(self) -> str:
        lines: list[str] = []
        while not lines or lines[-1][3:4] == "-":
            lines.append((await asyncio.wait_for(self._reader.readline(), 10)).decode().rstrip("\r\n"))
        return "\n".join(lines)

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
        return await self.say(raw + b".")


def _kept(engine: Engine) -> list[inbox.Inquiry]:
    with engine.begin() as connection:
        return inbox.claim(connection, now=NOW, limit=1000, lease=timedelta(minutes=1))


async def test_what_is_acknowledged_is_in_the_inbox_with_its_envelope(engine: Engine) -> None:
    async with _listening(engine) as (_, (address,)):
        client = await _Client.to(address)
        await client.begin(US, "FAQ@example.jp")
        assert await client.send() == "250 2.0.0 Ok: queued"
        (kept,) = _kept(engine)
    assert (kept.raw, kept.envelope.mail_from) == (MAIL, TANAKA)
    assert (kept.envelope.rcpt_to, kept.received_at) == ((US, "FAQ@example.jp"), NOW)


async def test_the_standard_librarys_client_delivers(engine: Engine) -> None:
    async with _listening(engine) as (_, (address,)):

        def deliver() -> None:
            with smtplib.SMTP(address[0], address[1], timeout=10) as client:
                client.sendmail(TANAKA, [US], "Subject: 質問\r\n\r\n.共有アドレスは使えますか。\r\n".encode())

        await asyncio.to_thread(deliver)
    assert "\r\n.共有".encode() in _kept(engine)[0].raw


async def test_the_null_reverse_path_is_kept_as_the_empty_address(engine: Engine) -> None:
    async with _listening(engine) as (_, (address,)):
        client = await _Client.to(address)
        await client.begin(sender="")
        assert (await client.send()).startswith("250")
    assert _kept(engine)[0].envelope.mail_from == ""


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("RCPT TO:<nobody@example.jp>", "550 5.1.1"),
        ("RCPT TO:<support@example.com>", "550 5.1.1"),
        ("RCPT TO:<=?utf-8?Q?support=40example.jp?=>", "5"),
        ("MAIL FROM:<=?utf-8?Q?a=0D=0ARCPT_TO:=3Cv=40x=3E?=@x.example>", "553"),
        ('MAIL FROM:<"a b"@contractor.example>', "553"),
        ("MAIL FROM:<tanaka>", "553"),
    ],
)
async def test_an_address_that_is_not_ours_or_not_harmless_is_refused(engine: Engine, command: str, code: str) -> None:
    async with _listening(engine) as (_, (address,)):
        client = await _Client.to(address)
        await client.say("EHLO contractor.example")
        if command.startswith("RCPT"):
            await client.say(f"MAIL FROM:<{TANAKA}>")
        assert (await client.say(command)).startswith(code)
    assert _kept(engine) == []


async def test_a_mail_over_the_limit_is_refused_and_the_session_goes_on(engine: Engine) -> None:
    async with _listening(engine) as (_, (address,)):
        client = await _Client.to(address)
        await client.begin()
        assert (await client.send(b"x" * 70 + b"\r\n" + b"y" * 110_000 + b"\r\n")).startswith("552")
        await client.begin()
        assert (await client.send()).startswith("250")
    assert len(_kept(engine)) == 1


async def test_a_line_longer_than_smtp_allows_is_taken_as_real_mail_has_it(engine: Engine) -> None:
    raw = b"Subject: x\r\n\r\n" + b"<td>" * 20_000 + b"\r\n"
    async with _listening(engine) as (_, (address,)):
        client = await _Client.to(address)
        await client.begin()
        assert (await client.send(raw)).startswith("250")
    assert _kept(engine)[0].raw == raw


async def test_trouble_with_the_store_is_temporary_says_nothing_and_passes(engine: Engine) -> None:
    async with _listening(engine) as (_, (address,)):
        client = await _Client.to(address)
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE inbox RENAME TO gone"))
        await client.begin()
        assert await client.send() == "451 4.3.0 Temporary trouble, please try again later"
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE gone RENAME TO inbox"))
        await client.begin()
        assert (await client.send()).startswith("250")
    assert len(_kept(engine)) == 1


async def test_a_client_that_hangs_up_while_we_commit_has_its_mail_stored_once(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    async with _listening(engine) as (listener, (address,)):
        client = await _Client.to(address)
        await client.begin()
        with engine.begin() as connection:  # holds SQLite's write lock
            connection.execute(sa.text("SELECT 1"))
            client.writer.write(MAIL + b".\r\n")
            await client.writer.drain()
            while not any(session.busy for session in listener._sessions):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            client.writer.close()
            await asyncio.sleep(0.2)
            assert not listener._sessions
        for _ in range(100):
            with reading(engine) as connection:
                if inbox.balance(connection)["accepted"]:
                    break
            await asyncio.sleep(0.02)
        assert [kept.raw for kept in _kept(engine)] == [MAIL]
    engine.dispose()


async def test_all_mails_that_wait_at_one_moment_share_a_commit(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    commits = 0

    @sa.event.listens_for(engine, "commit")
    def _count(_: object) -> None:
        nonlocal commits
        commits += 1

    async with _listening(engine) as (_, (address,)):
        clients = [await _Client.to(address) for _ in range(20)]
        for client in clients:
            await client.begin()
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT 1"))
            replies = [asyncio.create_task(client.send()) for client in clients]
            await asyncio.sleep(0.3)
        before = commits
        assert {reply[:3] for reply in await asyncio.gather(*replies)} == {"250"}
    # The first mail is on its way when the others come; those wait together.
    assert commits - before <= 3
    assert len(_kept(engine)) == 20
    engine.dispose()


async def test_a_mail_that_cannot_be_stored_takes_no_neighbour_along(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    with engine.begin() as connection:
        trigger = "CREATE TRIGGER t BEFORE INSERT ON inbox WHEN NEW.size = 5 BEGIN SELECT RAISE(ABORT, 'bad'); END"
        connection.execute(sa.text(trigger))
    async with _listening(engine) as (_, (address,)):
        clients = [await _Client.to(address) for _ in range(6)]
        for client in clients:
            await client.begin()
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT 1"))
            raws = [b"bad\r\n" if number == 3 else MAIL for number in range(6)]
            replies = [asyncio.create_task(client.send(raw)) for client, raw in zip(clients, raws, strict=True)]
            await asyncio.sleep(0.2)
        codes = [reply[:3] for reply in await asyncio.gather(*replies)]
    assert codes == ["250", "250", "250", "451", "250", "250"]
    assert len(_kept(engine)) == 5
    engine.dispose()


async def test_lmtp_answers_once_for_every_recipient(engine: Engine, tmp_path: Path) -> None:
    socket = str(tmp_path / "lmtp")
    async with _listening(engine, Inet("127.0.0.1", 0, lmtp=True), Unix(socket)) as (_, (address, _unix)):
        for place in (address, socket):
            client = await _Client.to(place)
            await client.begin(US, "faq@example.jp", hello="LHLO")
            assert (await client.send()).startswith("250")
            assert (await client.reply()).startswith("250")
            assert (await client.say("EHLO x")).startswith("500")
    assert len(_kept(engine)) == 2


async def test_stopping_finishes_the_mail_in_hand_and_tells_the_idle(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    async with _listening(engine) as (listener, (address,)):
        busy, idle = await _Client.to(address), await _Client.to(address)
        await busy.begin()
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT 1"))
            busy.writer.write(MAIL + b".\r\n")
            await busy.writer.drain()
            while not any(session.busy for session in listener._sessions):
                await asyncio.sleep(0.01)
            stopping = asyncio.create_task(listener.stop(timedelta(seconds=5)))
            assert (await idle.reply()).startswith("421")
        assert (await busy.reply()).startswith("250")
        assert (await busy.reply()).startswith("421")
        await stopping
        with pytest.raises(OSError, match=r"refused|failed"):
            await _Client.to(address)
    assert len(_kept(engine)) == 1
    engine.dispose()


async def test_a_fault_inside_a_session_is_temporary_and_says_nothing(engine: Engine) -> None:
    async with _listening(engine) as (listener, (address,)):
        client = await _Client.to(address)
        await client.say("EHLO contractor.example")
        for session in listener._sessions:
            session.event_handler._acceptance = None  # a fault of ours, as any other
        await client.say(f"MAIL FROM:<{TANAKA}>")
        assert await client.say(f"RCPT TO:<{US}>") == "451 4.3.0 Temporary trouble, please try again later"
