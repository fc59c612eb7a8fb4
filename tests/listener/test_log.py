"""What is refused is one line in the log, and no line holds text of a mail."""

import pytest
from sqlalchemy.engine import Engine
from structlog.testing import capture_logs

from tests.listener.test_limits import NETWORKS
from tests.listening import TANAKA, Client, listening

pytestmark = pytest.mark.anyio


async def test_a_client_that_is_not_let_in_is_logged(sqlite: Engine) -> None:
    with capture_logs() as lines:
        async with listening(sqlite, networks=NETWORKS[:2]) as (_, (address,)):
            assert await (await Client.connected(address)).closed() is False
    (line,) = [line for line in lines if line["event"] == "reject"]
    assert (line["after"], line["peer"], line["reply"][:9]) == ("CONNECT", "127.0.0.1", "554 5.7.1")


async def test_each_refusal_is_logged_with_its_addresses_and_without_the_mail(sqlite: Engine) -> None:
    with capture_logs() as lines:
        async with listening(sqlite) as (_, (address,)):
            client = await Client.to(address)
            await client.say("EHLO contractor.example")
            await client.say(f"MAIL FROM:<{TANAKA}>")
            await client.say("RCPT TO:<nobody@example.jp>")
            await client.say("DATA")
            for words in ("DATA secret words", "Subject: secret", "MAIL secret", "secret"):
                await client.say(words)
            await client.begin()
            await client.send(b"Subject: secret\n\nsecret\r\n")
            await client.hang_up()
    refused = [(line["after"], line["reply"][:9]) for line in lines if line["event"] == "reject"]
    assert refused == [
        ("RCPT", "550 5.1.1"),
        ("DATA", "503 5.5.1"),
        ("DATA", "503 5.5.1"),
        ("MAIL", "501 5.5.4"),
        ("DATA", "554 5.6.0"),
    ]
    assert {"sender": TANAKA, "address": "nobody@example.jp"}.items() <= lines[0].items()
    assert "secret" not in str(lines)
