"""The listener on real sockets: what it acknowledges is on disk, and what goes wrong on our side is never for good."""

import asyncio
import re
import smtplib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.listener.intake import CongestedError, Intake
from responder.mail.envelope import Envelope
from responder.store import inbox
from responder.store.engine import open_engine, reading, upgrade
from tests.listening import MAIL, NOW, TANAKA, US, Client, alone, kept, listening, mails, without_our_line

pytestmark = pytest.mark.anyio


async def test_what_is_acknowledged_is_in_the_inbox_with_its_envelope(engine: Engine) -> None:
    async with listening(engine) as (_, (address,)):
        client = await Client.to(address)
        await client.begin(US, "FAQ@example.jp")
        reply = await client.send()
        assert re.fullmatch(r"250 2\.0\.0 Ok: queued as [0-9a-f]{12}", reply)
        (inquiry,) = kept(engine)
    assert (without_our_line(inquiry), inquiry.envelope.mail_from) == (MAIL, TANAKA)
    assert (inquiry.envelope.rcpt_to, inquiry.received_at) == ((US, "FAQ@example.jp"), NOW)
    assert f"by mx.example.jp with ESMTP id {reply.split()[-1]};".encode() in inquiry.raw


async def test_our_received_field_stands_above_the_mail_and_nothing_else_is_changed_rfc_5321_4_4(
    engine: Engine,
) -> None:
    async with listening(engine) as (_, (address,)):
        client = await Client.to(address)
        assert (await client.say("HELO a\x00b")).startswith("250")
        for command in (f"MAIL FROM:<{TANAKA}>", f"RCPT TO:<{US}>"):
            assert (await client.say(command)).startswith("250")
        await client.say("DATA")
        await client.send(b"Received: from x by y; z\r\n" + MAIL)
    (inquiry,) = kept(engine)
    lines = inquiry.raw.split(b"\r\n")
    assert lines[0] == b"Received: from unknown ([127.0.0.1])"
    assert lines[1].startswith(b"\tby mx.example.jp with SMTP id ")
    assert lines[2] == b"\tTue, 24 Nov 2026 09:00:00 +0000"
    assert b"\r\n".join(lines[3:]) == b"Received: from x by y; z\r\n" + MAIL


@pytest.mark.parametrize("again", [MAIL, b"Received: from x by y; another time\r\n" + MAIL])
async def test_the_same_mail_again_has_the_same_digest_whatever_was_added_under_way(
    engine: Engine, again: bytes
) -> None:
    async with listening(engine) as (_, (address,)):
        for raw in (MAIL, again, MAIL + b"?\r\n"):
            client = await Client.to(address)
            await client.begin()
            assert (await client.send(raw)).startswith("250")
    first, second, third = (inquiry.digest for inquiry in kept(engine))
    assert first == second != third


async def test_the_standard_librarys_client_delivers(engine: Engine) -> None:
    async with listening(engine) as (_, (address,)):

        def deliver() -> None:
            with smtplib.SMTP(address[0], address[1], timeout=10) as client:
                client.sendmail(TANAKA, [US], "Subject: 質問\r\n\r\n.共有アドレスは使えますか。\r\n".encode())

        await asyncio.to_thread(deliver)
    assert "\r\n.共有".encode() in mails(engine)[0]


async def test_the_null_reverse_path_is_kept_as_the_empty_address(engine: Engine) -> None:
    async with listening(engine) as (_, (address,)):
        client = await Client.to(address)
        await client.begin(sender="")
        assert (await client.send()).startswith("250")
    assert kept(engine)[0].envelope.mail_from == ""


async def test_trouble_with_the_store_is_temporary_says_nothing_and_passes(engine: Engine) -> None:
    async with listening(engine) as (_, (address,)):
        client = await Client.to(address)
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE inbox RENAME TO gone"))
        await client.begin()
        assert await client.send() == "451 4.3.0 Temporary trouble, please try again later"
        with engine.begin() as connection:
            connection.execute(sa.text("ALTER TABLE gone RENAME TO inbox"))
        await client.begin()
        assert (await client.send()).startswith("250")
    assert len(kept(engine)) == 1


@pytest.mark.parametrize("way", ["reset", "close", "write_eof"])
async def test_a_client_that_hangs_up_while_we_commit_has_its_mail_stored_once(tmp_path: Path, way: str) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    async with listening(engine) as (listener, (address,)):
        client = await Client.to(address)
        await client.begin()
        with engine.begin() as connection:  # holds SQLite's write lock
            connection.execute(sa.text("SELECT 1"))
            client.writer.write(MAIL + b".\r\n")
            await client.writer.drain()
            while not any(session.busy for session in listener._sessions):
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.1)
            client.reset() if way == "reset" else getattr(client.writer, way)()
            await asyncio.sleep(0.1)
        if way == "write_eof":
            assert (await client.reply()).startswith("250")
        for _ in range(100):
            with reading(engine) as connection:
                if inbox.balance(connection)["accepted"] and not listener._sessions:
                    break
            await asyncio.sleep(0.02)
        assert not listener._sessions
        assert mails(engine) == [MAIL]
    engine.dispose()


async def test_a_client_that_hangs_up_before_the_end_of_its_mail_leaves_nothing(engine: Engine) -> None:
    async with listening(engine) as (listener, (address,)):
        for way in ("reset", "hang_up"):
            client = await Client.to(address)
            await client.begin()
            client.writer.write(MAIL + b".\r")
            await client.writer.drain()
            if way == "reset":
                client.reset()
            else:
                await client.hang_up()
        await alone(listener)
    assert kept(engine) == []


async def test_all_mails_that_wait_at_one_moment_share_a_commit(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    commits = 0

    @sa.event.listens_for(engine, "commit")
    def _count(_: object) -> None:
        nonlocal commits
        commits += 1

    async with listening(engine) as (_, (address,)):
        clients = [await Client.to(address) for _ in range(20)]
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
    assert len(kept(engine)) == 20
    engine.dispose()


async def test_a_mail_that_cannot_be_stored_takes_no_neighbour_along(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    with engine.begin() as connection:
        # x'626164' is b"bad".
        when = "BEFORE INSERT ON inbox WHEN instr(NEW.raw, x'626164')"
        trigger = f"CREATE TRIGGER t {when} BEGIN SELECT RAISE(ABORT, 'bad'); END"
        connection.execute(sa.text(trigger))
    async with listening(engine) as (_, (address,)):
        clients = [await Client.to(address) for _ in range(6)]
        for client in clients:
            await client.begin()
        with engine.begin() as connection:
            connection.execute(sa.text("SELECT 1"))
            raws = [b"bad\r\n" if number == 3 else MAIL for number in range(6)]
            replies = [asyncio.create_task(client.send(raw)) for client, raw in zip(clients, raws, strict=True)]
            await asyncio.sleep(0.2)
        codes = [reply[:3] for reply in await asyncio.gather(*replies)]
    assert codes == ["250", "250", "250", "451", "250", "250"]
    assert len(kept(engine)) == 5
    engine.dispose()


async def test_stopping_finishes_the_mail_in_hand_and_tells_the_idle(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    async with listening(engine) as (listener, (address,)):
        busy, idle = await Client.to(address), await Client.to(address)
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
            await Client.to(address)
    assert len(kept(engine)) == 1
    engine.dispose()


@pytest.fixture
def hasty(tmp_path: Path) -> Engine:
    """A store that waits for its lock one second, where the service waits for thirty."""
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)

    @sa.event.listens_for(engine, "connect")
    def _(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA busy_timeout = 1000")

    engine.dispose()
    return engine


async def test_mails_that_wait_for_a_store_that_is_away_are_told_together(hasty: Engine) -> None:
    """One by one they would wait for one another, each as long as the store lets it."""
    async with listening(hasty) as (_, (address,)):
        clients = [await Client.to(address) for _ in range(8)]
        for client in clients:
            await client.begin()
        with hasty.begin():  # holds SQLite's write lock
            began = asyncio.get_running_loop().time()
            replies = await asyncio.gather(*(client.send() for client in clients))
            took = asyncio.get_running_loop().time() - began
        assert {reply[:3] for reply in replies} == {"451"}
        assert took < 5
        await clients[0].begin()
        assert (await clients[0].send()).startswith("250")
    assert len(kept(hasty)) == 1


async def test_what_waits_for_the_store_is_bounded_though_its_clients_have_gone(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    intake = Intake(engine, lambda: NOW, most=2 * len(MAIL))
    envelope = Envelope(TANAKA, (US,))
    waiting = [asyncio.create_task(intake.take(envelope, MAIL)) for _ in range(3)]
    await asyncio.sleep(0)
    waiting[0].cancel()  # its client has gone, and the mail is still there
    with pytest.raises(CongestedError):
        await waiting[2]
    committer = asyncio.create_task(intake.run())
    await waiting[1]
    await intake.take(envelope, MAIL)
    committer.cancel()
    assert len(kept(engine)) == 3


async def test_a_listener_that_can_store_nothing_any_more_says_so(engine: Engine) -> None:
    async with listening(engine) as (listener, _):
        broken = asyncio.create_task(listener.broken())
        await asyncio.sleep(0)
        listener._intake._waiting.put_nowait(None)  # type: ignore[arg-type]  # what no mail can bring about
        with pytest.raises(TypeError):
            await asyncio.wait_for(broken, 5)
