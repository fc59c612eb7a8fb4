"""DATA on real sockets: what is refused, and that the session is right afterwards."""

import asyncio
import socket
import time
from datetime import timedelta

import pytest
from sqlalchemy.engine import Engine

from tests.listener.test_text import BARE_ENDS
from tests.listening import MAIL, TANAKA, Client, alone, kept, listening, mails

pytestmark = pytest.mark.anyio

SMUGGLED = b"\r\nMAIL FROM:<evil@x.example>\r\nRCPT TO:<support@example.jp>\r\nDATA\r\nSubject: smuggled\r\n\r\n"


@pytest.mark.parametrize("end", BARE_ENDS.values(), ids=BARE_ENDS)
async def test_no_false_end_lets_a_second_mail_in_rfc_5321_2_3_8(sqlite: Engine, end: bytes) -> None:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()
        # Where the false end is the last thing on its line, the text goes on behind it.
        client.writer.write(MAIL + end + SMUGGLED + b".\r\nNOOP\r\n")
        assert await client.reply() == (
            "554 5.6.0 A CR or LF stands alone in this mail; every line has to end with both (RFC 5321 2.3.8)"
        )
        assert (await client.reply()).startswith("250 2.0.0")
        assert (await client.say(f"MAIL FROM:<{TANAKA}>")).startswith("250")
    assert kept(sqlite) == []


async def test_a_client_that_takes_cr_crlf_dot_for_the_end_hears_why_when_it_has_waited(sqlite: Engine) -> None:
    async with listening(sqlite, idle=timedelta(seconds=0.3)) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()
        client.writer.write(b"x\r\r\n.\r\n")
        assert (await client.reply()).startswith("554 5.6.0")
        assert await client.closed()


@pytest.mark.parametrize("body", [b"x" * 70 + b"\r\n" + b"y" * 110_000 + b"\r\n", b"\r\n" * 60_000])
async def test_a_mail_over_the_limit_is_read_to_its_end_and_the_session_goes_on(sqlite: Engine, body: bytes) -> None:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()
        assert (await client.send(body)).startswith("552 5.3.4")
        await client.begin()
        assert (await client.send()).startswith("250")
    assert mails(sqlite) == [MAIL]


async def test_beyond_four_times_the_limit_the_client_is_cut_off(sqlite: Engine) -> None:
    async with listening(sqlite) as (listener, (address,)):
        client = await Client.to(address)
        await client.begin()
        client.writer.write(b"x" * 600_000)
        assert (await client.reply()).startswith("552 5.3.4")
        assert await client.closed()
        await client.hang_up()
        await alone(listener)
    assert kept(sqlite) == []


async def test_the_reason_reaches_a_client_that_reads_only_after_it_has_written_all(sqlite: Engine) -> None:
    def write_then_read(address: tuple[str, int]) -> bytes:
        said = f"EHLO x\r\nMAIL FROM:<{TANAKA}>\r\nRCPT TO:<support@example.jp>\r\nDATA\r\n".encode()
        with socket.create_connection(address, timeout=10) as client:
            client.sendall(said + b"x" * 900_000)
            time.sleep(0.2)
            heard = b""
            while piece := client.recv(65536):
                heard += piece
            return heard

    async with listening(sqlite) as (_, (address,)):
        heard = await asyncio.to_thread(write_then_read, address)
    assert b"\r\n552 5.3.4 " in heard


async def test_the_largest_mail_there_may_be_is_taken(sqlite: Engine) -> None:
    raw = b"x" * 99_998 + b"\r\n"
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()
        assert (await client.send(raw)).startswith("250")
    assert mails(sqlite) == [raw]


async def test_lines_as_long_as_real_mail_has_them_dots_and_any_octets_are_kept(sqlite: Engine) -> None:
    raw = b"Subject: x\r\n\r\n" + b"<td>" * 20_000 + b"\r\n.\r\n\0\xff\x1b$B\r\n"
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()
        assert (await client.send(raw.replace(b"\r\n.", b"\r\n.."))).startswith("250")
    assert mails(sqlite) == [raw]


@pytest.mark.parametrize(("count", "code"), [(100, "250"), (101, "554 5.4.6")])
async def test_a_mail_that_goes_round_in_circles_is_refused_rfc_5321_6_3(sqlite: Engine, count: int, code: str) -> None:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()
        assert (await client.send(b"Received: from x\r\n" * count + MAIL)).startswith(code)
        await client.begin()
        assert (await client.send()).startswith("250")


async def test_what_all_sessions_hold_is_bounded_and_being_over_it_passes(sqlite: Engine) -> None:
    async with listening(sqlite, memory=150_000) as (_, (address,)):
        first, second = await Client.to(address), await Client.to(address)
        for client in (first, second):
            await client.begin()
        first.writer.write(b"x" * 90_000)
        await first.writer.drain()
        await asyncio.sleep(0.1)
        assert (await second.send(b"y" * 90_000 + b"\r\n")).startswith("452 4.3.1")
        assert (await first.send(b"\r\n")).startswith("250")
        await second.begin()
        assert (await second.send(b"y" * 90_000 + b"\r\n")).startswith("250")
    assert len(kept(sqlite)) == 2


async def test_slow_data_ends_at_its_deadline_however_busy_it_is(sqlite: Engine) -> None:
    async with listening(sqlite, data=timedelta(seconds=0.5)) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()

        async def drip() -> None:
            while True:
                client.writer.write(b"x")
                await asyncio.sleep(0.05)

        dripping = asyncio.create_task(drip())
        assert await client.reply(3) == "421 4.4.2 Timeout, closing the connection"
        dripping.cancel()
    assert kept(sqlite) == []


async def test_silence_inside_data_ends_as_silence_does(sqlite: Engine) -> None:
    async with listening(sqlite, idle=timedelta(seconds=0.3)) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()
        client.writer.write(b"x")
        assert await client.reply(3) == "421 4.4.2 Timeout, closing the connection"
        assert await client.closed()


async def test_no_timer_touches_a_mail_that_is_being_stored(sqlite: Engine) -> None:
    short = timedelta(seconds=0.2)
    async with listening(sqlite, idle=short, data=short, session=timedelta(seconds=0.4)) as (_, (address,)):
        client = await Client.to(address)
        await client.begin()
        with sqlite.begin():  # holds SQLite's write lock
            client.writer.write(MAIL + b".\r\n")
            await client.writer.drain()
            await asyncio.sleep(1)
        assert (await client.reply()).startswith("250")
        assert (await client.reply()).startswith("421")
    assert mails(sqlite) == [MAIL]
