"""LMTP: one reply for every recipient, whatever it is (RFC 2033 §4.2)."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.listener import Inet, Unix
from tests.listener.test_commands import BrokenIntake
from tests.listening import ALSO_US, MAIL, TANAKA, US, Client, kept, listening

pytestmark = pytest.mark.anyio

LMTP = Inet("127.0.0.1", 0, lmtp=True)


async def test_it_is_spoken_on_both_kinds_of_sockets(sqlite: Engine, tmp_path: Path) -> None:
    async with listening(sqlite, LMTP, Unix(str(tmp_path / "lmtp"))) as (_, places):
        for place in places:
            client = await Client.connected(place)
            assert await client.reply() == "220 mx.example.jp LMTP"
            assert (await client.say("EHLO x")).startswith("500 5.5.1")
            assert (await client.say("HELO x")).startswith("500 5.5.1")
            await client.begin(US, ALSO_US, hello="LHLO")
            client.writer.write(MAIL + b".\r\n")
            assert [reply[:9] for reply in await client.replies(2)] == ["250 2.0.0"] * 2
    by_port, by_path = kept(sqlite)
    assert b" with LMTP id " in by_port.raw
    assert by_path.raw.startswith(b"Received: from contractor.example (unix)\r\n")


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        pytest.param(b"x" * 110_000 + b"\r\n", "552 5.3.4", id="too large"),
        pytest.param(b"a\nb\r\n", "554 5.6.0", id="bare LF"),
        pytest.param(b"Received: x\r\n" * 101 + MAIL, "554 5.4.6", id="too many hops"),
        pytest.param(MAIL, "451 4.3.0", id="trouble of ours"),
    ],
)
async def test_a_refusal_is_said_once_for_every_recipient_and_the_session_goes_on(
    sqlite: Engine, raw: bytes, code: str
) -> None:
    with sqlite.begin() as connection:
        connection.execute(sa.text("ALTER TABLE inbox RENAME TO gone"))
    async with listening(sqlite, LMTP) as (_, (address,)):
        client = await Client.to(address)
        await client.begin(US, ALSO_US, US, hello="LHLO")
        client.writer.write(raw + b".\r\n")
        assert [reply[:9] for reply in await client.replies(3)] == [code] * 3
        assert (await client.say(f"MAIL FROM:<{TANAKA}>")).startswith("250 2.1.0")


async def test_so_is_trouble_of_every_kind(sqlite: Engine) -> None:
    async with listening(sqlite, LMTP) as (listener, (address,)):
        listener._reception._intake = BrokenIntake(asyncio.CancelledError())  # type: ignore[assignment]  # nothing real breaks so
        client = await Client.to(address)
        await client.begin(US, ALSO_US, hello="LHLO")
        client.writer.write(MAIL + b".\r\n")
        assert [reply[:9] for reply in await client.replies(2)] == ["451 4.3.0"] * 2


async def test_so_is_what_ends_the_session(sqlite: Engine) -> None:
    async with listening(sqlite, LMTP, idle=timedelta(seconds=0.3)) as (_, (address,)):
        for raw, code in ((b"x" * 500_000, "552"), (b"x", "421")):
            client = await Client.to(address)
            await client.begin(US, ALSO_US, hello="LHLO")
            client.writer.write(raw)
            assert [reply[:3] for reply in await client.replies(2)] == [code] * 2
            assert await client.closed()
