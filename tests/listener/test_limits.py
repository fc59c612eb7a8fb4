"""What one client, and all of them together, may ask for."""

import asyncio
import ipaddress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from responder.listener import Inet, Limits, Unix
from responder.listener.limits import Crowd, client_of
from tests.listening import TANAKA, US, Client, alone, kept, listening

pytestmark = pytest.mark.anyio

NETWORKS = tuple(map(ipaddress.ip_network, ("192.0.2.0/24", "2001:db8::/32", "127.0.0.1/32")))


@pytest.mark.parametrize(
    ("peer", "client", "let_in"),
    [
        (("192.0.2.9", 1), "192.0.2.9", True),
        (("192.0.3.9", 1), "192.0.3.9", False),
        (("2001:db8::1", 1, 0, 0), "2001:db8::1", True),
        (("::ffff:192.0.2.9", 1, 0, 0), "192.0.2.9", True),
        (("::1", 1, 0, 0), "::1", False),
        (("fe80::1%eth0", 1, 0, 2), "fe80::1%eth0", False),
        ("", None, True),
    ],
    ids=["inside", "outside", "IPv6", "IPv4 by way of IPv6", "IPv6 outside", "with a zone", "Unix socket"],
)
def test_a_client_is_let_in_by_its_network(peer: object, client: str | None, let_in: bool) -> None:
    assert client_of(peer) == client
    refusal = Crowd(Limits(), NETWORKS).refusal(client)
    assert (refusal is None) is let_in
    assert let_in or (refusal or "").startswith("554 5.7.1")


async def test_who_is_not_of_our_networks_is_refused_at_once_but_not_on_a_unix_socket(
    sqlite: Engine, tmp_path: Path
) -> None:
    places = (Inet("127.0.0.1", 0), Unix(str(tmp_path / "lmtp")))
    async with listening(sqlite, *places, networks=NETWORKS[:2]) as (_, (address, path)):
        client = await Client.connected(address)
        assert (await client.reply()).startswith("554 5.7.1")
        assert await client.closed()
        assert (await (await Client.connected(path)).reply()).startswith("220")


@pytest.mark.parametrize("limits", [{"connections": 3}, {"connections_per_client": 3}])
async def test_one_connection_too_many_hears_421_until_another_ends(sqlite: Engine, limits: dict[str, Any]) -> None:
    async with listening(sqlite, **limits) as (listener, (address,)):
        first, *_ = [await Client.to(address) for _ in range(3)]
        for _ in range(5):
            late = await Client.connected(address)
            assert (await late.reply()).startswith("421 4.7.0 Too many connections")
            assert await late.closed()
        await first.say("QUIT")
        while len(listener._sessions) == 3:
            await asyncio.sleep(0.01)
        assert (await (await Client.to(address)).say("NOOP")).startswith("250")


async def test_connections_of_one_address_leave_room_for_another(sqlite: Engine) -> None:
    async with listening(sqlite, connections_per_client=1) as (_, (address,)):
        await Client.to(address)
        reader, writer = await asyncio.open_connection(*address, local_addr=("127.0.0.2", 0))
        assert (await reader.readline()).startswith(b"220")
        await Client(reader, writer).hang_up()


async def test_the_hundredth_recipient_is_taken_and_not_the_next_rfc_5321_4_5_3_1_8(sqlite: Engine) -> None:
    async with listening(sqlite) as (_, (address,)):
        client = await Client.to(address)
        await client.say("EHLO contractor.example")
        await client.say(f"MAIL FROM:<{TANAKA}>")
        for _ in range(100):
            assert (await client.say(f"RCPT TO:<{US}>")).startswith("250")
        assert (await client.say(f"RCPT TO:<{US}>")).startswith("452 4.5.3")
        await client.say("DATA")
        assert (await client.send()).startswith("250")
    assert len(kept(sqlite)[0].envelope.rcpt_to) == 100


async def test_mails_of_a_session_are_counted(sqlite: Engine) -> None:
    async with listening(sqlite, mails=2) as (_, (address,)):
        client = await Client.to(address)
        for _ in range(2):
            await client.begin()
            assert (await client.send()).startswith("250")
        assert (await client.say(f"MAIL FROM:<{TANAKA}>")).startswith("421 4.7.0 Too many mails")
        assert await client.closed()
    assert len(kept(sqlite)) == 2


@pytest.mark.parametrize(
    ("command", "limits", "words"),
    [
        ("NOOP", {"commands": 20}, "421 4.7.0 Too many commands"),
        ("XYZZY", {"errors": 20}, "421 4.7.0 Too many errors"),
        ("RCPT TO:<nobody@example.jp>", {"errors": 20}, "421 4.7.0 Too many errors"),
    ],
)
async def test_commands_and_errors_of_a_session_are_counted(
    sqlite: Engine, command: str, limits: dict[str, Any], words: str
) -> None:
    async with listening(sqlite, **limits) as (_, (address,)):
        client = await Client.to(address)
        for _ in range(20):
            assert not (await client.say(command)).startswith("421")
        assert (await client.reply()).startswith(words)
        assert await client.closed()


async def test_silence_ends_with_a_word_rfc_5321_3_8(sqlite: Engine) -> None:
    async with listening(sqlite, idle=timedelta(seconds=0.3)) as (listener, (address,)):
        silent, half = await Client.to(address), await Client.to(address)
        half.writer.write(b"NOO")
        for client in (silent, half):
            assert await client.reply(3) == "421 4.4.2 Timeout, closing the connection"
            assert await client.closed()
        await client.hang_up()
        await alone(listener)


async def test_noop_for_ever_ends(sqlite: Engine) -> None:
    async with listening(sqlite, idle=timedelta(seconds=0.3), session=timedelta(seconds=0.7)) as (_, (address,)):
        client = await Client.to(address)
        replies = []
        for _ in range(100):
            replies.append((await client.say("NOOP"))[:3])
            if replies[-1] != "250":
                break
            await asyncio.sleep(0.05)
        assert replies[-1] == "421"
        assert len(replies) > 5


async def test_a_command_line_without_end_ends_the_session(sqlite: Engine) -> None:
    async with listening(sqlite) as (listener, (address,)):
        client = await Client.to(address)
        client.writer.write(b"x" * (3 << 20))
        assert (await client.reply()).startswith("421 4.7.0")
        assert await client.closed()
        await client.hang_up()
        await alone(listener)


async def test_who_does_not_read_our_replies_is_cut_off(sqlite: Engine) -> None:
    async with listening(sqlite, idle=timedelta(seconds=0.4), commands=10_000_000) as (listener, (address,)):
        reader, writer = await asyncio.open_connection(*address, limit=1)
        async with asyncio.timeout(60):
            while not listener._sessions:
                await asyncio.sleep(0.01)
            while listener._sessions:
                writer.write(b"HELP\r\n" * 20_000)
                await asyncio.sleep(0.05)
        writer.transport.abort()
        del reader
