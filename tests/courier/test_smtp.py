from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from responder.mail.delivery import Bounced, Deferred, Sent
from responder.store.outbox import Delivery

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer, Start

SHORT = timedelta(milliseconds=200)


class TestOneMail:
    async def test_it_arrives_as_it_is(self, server: NextHopServer, delivery: Delivery) -> None:
        assert await server.attempt(delivery) == [Sent("250 2.0.0 Ok: queued as 4B1")]
        (mail,) = server.mails
        assert mail.content == delivery.raw
        assert mail.rcpt_tos == [delivery.recipient]

    async def test_the_null_reverse_path_is_written_as_such(self, server: NextHopServer, delivery: Delivery) -> None:
        await server.attempt(delivery)
        (said,) = (argument for argument in server.arguments if argument.startswith("MAIL"))
        assert said == f"MAIL FROM:<> SIZE={len(delivery.raw)}"

    async def test_a_person_writes_under_an_address(self, server: NextHopServer, delivery: Delivery) -> None:
        await server.attempt(replace(delivery, sender="desk@faq.example.jp"))
        assert server.mails[0].mail_from == "desk@faq.example.jp"

    async def test_beyond_ascii_is_announced(self, server: NextHopServer, delivery: Delivery) -> None:
        raw = "Subject: x\r\n\r\n電子契約\r\n".encode()
        await server.attempt(replace(delivery, raw=raw))
        assert server.mails[0].mail_options == [f"SIZE={len(raw)}", "BODY=8BITMIME"]
        assert server.mails[0].content == raw

    @pytest.mark.parametrize("recipient", ["abc.@docomo.example.jp", "a..b@docomo.example.jp", '"a b"@x.example.jp'])
    async def test_odd_but_real_addresses_arrive(
        self, server: NextHopServer, delivery: Delivery, recipient: str
    ) -> None:
        assert isinstance((await server.attempt(replace(delivery, recipient=recipient)))[0], Sent)
        assert f"RCPT TO:<{recipient}>" in server.arguments

    @pytest.mark.parametrize(
        "address",
        [
            pytest.param('"a\r\nRCPT TO:<v@x.example>"@x.example', id="a command within a quoted local part"),
            pytest.param("a b@x.example", id="a space"),
            pytest.param("a@x.example> NOTIFY=SUCCESS", id="a parameter behind the address"),
            pytest.param("a,b@x.example", id="a comma, which a header field would be cut at"),
            pytest.param("a@x.example (v)", id="a comment"),
            pytest.param("<a@x.example>", id="brackets of its own"),
            pytest.param("a\x00b@x.example", id="a NUL"),
            pytest.param("a\udcff@x.example", id="an octet that is not UTF-8"),
        ],
    )
    @pytest.mark.parametrize("role", ["sender", "recipient"])
    async def test_an_address_that_is_no_address_bounces_and_hurts_no_other_mail(
        self, start_server: Start, delivery: Delivery, role: str, address: str
    ) -> None:
        server = await start_server(enable_SMTPUTF8=True)
        odd = replace(delivery, sender=address) if role == "sender" else replace(delivery, recipient=address)
        refused, sent = await server.attempt(odd, delivery)
        assert isinstance(refused, Bounced)
        assert isinstance(sent, Sent)
        assert [mail.rcpt_tos for mail in server.mails] == [[delivery.recipient]]

    async def test_an_address_beyond_ascii_needs_smtputf8(self, start_server: Start, delivery: Delivery) -> None:
        beyond = replace(delivery, recipient="太郎@customer.example.jp")
        old, new = await start_server(), await start_server(enable_SMTPUTF8=True)
        assert isinstance((await old.attempt(beyond))[0], Bounced)
        assert isinstance((await new.attempt(beyond))[0], Sent)
        assert new.mails[0].rcpt_tos == ["太郎@customer.example.jp"]


class TestRefusals:
    @pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
    @pytest.mark.parametrize("reply", ["421 4.3.2 closing", "450 4.2.0 greylisted", "452 4.3.1 full"])
    async def test_4xx_defers_wherever_it_is_said(
        self, server: NextHopServer, delivery: Delivery, verb: str, reply: str
    ) -> None:
        server.moods[verb] = [reply]
        assert await server.attempt(delivery) == [Deferred(reply)]
        assert not server.mails or verb == "DOT"

    @pytest.mark.parametrize(
        ("verb", "reply"),
        [
            ("MAIL", "550 5.7.1 not you"),
            ("MAIL", "552 5.3.4 too big"),
            ("RCPT", "550 5.1.1 no such user"),
            ("RCPT", "551 5.1.6 moved"),
            ("DATA", "554 5.5.1 no valid recipients"),
            ("DOT", "554 5.7.1 looks like spam"),
        ],
    )
    async def test_5xx_about_the_mail_bounces_it(
        self, server: NextHopServer, delivery: Delivery, verb: str, reply: str
    ) -> None:
        server.moods[verb] = [reply]
        assert await server.attempt(delivery) == [Bounced(reply)]

    @pytest.mark.parametrize(
        ("verb", "reply"),
        [
            ("GREETING", "554 5.7.1 go away"),
            ("EHLO", "550 5.7.1 your name is wrong"),
            ("MAIL", "530 5.7.0 authentication required"),
            ("MAIL", "530 5.7.0 must issue STARTTLS first"),
            ("MAIL", "535 5.7.8 who are you"),
            ("MAIL", "538 5.7.11 encryption required"),
            ("RCPT", "530 5.7.0 authentication required"),
        ],
    )
    async def test_5xx_about_us_defers(self, server: NextHopServer, delivery: Delivery, verb: str, reply: str) -> None:
        server.moods[verb] = [reply]
        assert await server.attempt(delivery) == [Deferred(reply)]

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
    async def test_after_a_refusal_the_connection_serves_the_next_mail(
        self, server: NextHopServer, delivery: Delivery, verb: str
    ) -> None:
        server.moods[verb] = ["550 5.7.1 no"]
        refused, sent = await server.attempt(delivery, replace(delivery, recipient="b@x.jp"))
        assert (refused, type(sent)) == (Bounced("550 5.7.1 no"), Sent)
        assert server.mails[-1].rcpt_tos == ["b@x.jp"]
        assert (server.connections, server.told("RSET")) == (1, 1)

    @pytest.mark.parametrize("trouble", ["drop", "450 4.3.0 no", "421 4.3.2 closing"])
    async def test_trouble_while_resetting_changes_no_outcome(
        self, server: NextHopServer, delivery: Delivery, trouble: str
    ) -> None:
        server.moods |= {"RCPT": ["550 5.1.1 no such user"], "RSET": [trouble]}
        refused, sent = await server.attempt(delivery, delivery)
        assert (refused, type(sent)) == (Bounced("550 5.1.1 no such user"), Sent)
        assert server.connections == 2

    @pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
    @pytest.mark.parametrize("reply", ["hello?", "999 what", "250"], ids=["no code", "no known code", "wrong code"])
    async def test_after_gibberish_the_connection_is_not_used_again(
        self, server: NextHopServer, delivery: Delivery, verb: str, reply: str
    ) -> None:
        if reply == "250" and verb != "DATA":
            reply = "354 go on"
        server.moods[verb] = [reply]
        first, second = await server.attempt(delivery, delivery)
        assert (type(first), type(second)) == (Deferred, Sent)
        assert server.connections == 2

    async def test_a_reply_is_one_printable_line_of_bounded_length(
        self, server: NextHopServer, delivery: Delivery
    ) -> None:
        server.moods["RCPT"] = ["550-5.1.1 no\x00such\udcff\r\n550-" + "x" * 3000 + "\r\n550 end"]
        (outcome,) = await server.attempt(delivery)
        assert isinstance(outcome, Bounced)
        assert outcome.reply.startswith("550 5.1.1 no such xxx")
        assert len(outcome.reply) == 500
        assert outcome.reply.encode()

    async def test_an_endless_reply_is_not_kept_in_memory(self, server: NextHopServer, delivery: Delivery) -> None:
        server.moods["MAIL"] = ["250-" + "x" * 3_000_000]
        assert isinstance((await server.attempt(delivery))[0], Deferred)
