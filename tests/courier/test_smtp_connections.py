from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from responder.courier.smtp import SmtpNextHop
from responder.mail.delivery import Deferred, Sent
from responder.store.outbox import Delivery

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer, Start

SHORT = timedelta(milliseconds=200)


class TestLostConnections:
    async def test_nobody_listening_defers(self, server: NextHopServer, delivery: Delivery) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, but not listening: nobody else can take the port meanwhile
            (outcome,) = await server.attempt(delivery, port=taken.getsockname()[1])
        assert isinstance(outcome, Deferred)
        assert "Connect call failed" in outcome.reply

    async def test_a_name_that_does_not_resolve_defers(self, server: NextHopServer, delivery: Delivery) -> None:
        (outcome,) = await server.attempt(delivery, host="no-such-host.invalid")
        assert isinstance(outcome, Deferred)
        assert server.connections == 0

    @pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
    async def test_a_cut_connection_defers(self, server: NextHopServer, delivery: Delivery, verb: str) -> None:
        server.moods[verb] = ["drop"]
        (outcome,) = await server.attempt(delivery)
        assert isinstance(outcome, Deferred)
        assert server.connections == 1

    async def test_a_connection_cut_after_the_dot_is_not_tried_again_at_once(
        self, server: NextHopServer, delivery: Delivery
    ) -> None:
        server.moods["DOT"] = ["drop"]
        next_hop = SmtpNextHop(server.smarthost())
        assert isinstance(await next_hop.attempt(delivery), Deferred)
        assert len(server.mails) == 1
        await next_hop.close()

    @pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT"])
    async def test_silence_defers_after_the_timeout(self, server: NextHopServer, delivery: Delivery, verb: str) -> None:
        server.moods[verb] = ["hang"]
        (outcome,) = await server.attempt(delivery, timeout=SHORT)
        assert isinstance(outcome, Deferred)
        assert "imed out" in outcome.reply

    async def test_the_final_dot_has_a_timeout_of_its_own(self, server: NextHopServer, delivery: Delivery) -> None:
        # The server answers late only once the ordinary timeout has certainly passed.
        server.before_accepting = lambda: asyncio.sleep(0.5)
        assert isinstance((await server.attempt(delivery, timeout=SHORT, final_timeout=timedelta(seconds=10)))[0], Sent)

    async def test_silence_after_the_dot_defers(self, server: NextHopServer, delivery: Delivery) -> None:
        server.moods["DOT"] = ["hang"]
        outcomes = await server.attempt(delivery, final_timeout=SHORT)
        assert outcomes == [Deferred("Timed out waiting for server response; the next hop may have it")]

    async def test_an_attempt_that_is_cancelled_leaves_no_open_connection(
        self, server: NextHopServer, delivery: Delivery
    ) -> None:
        server.moods["DOT"] = ["hang"]
        next_hop = SmtpNextHop(server.smarthost())
        attempt = asyncio.create_task(next_hop.attempt(delivery))
        await server.until(lambda: "DOT" in server.verbs)
        attempt.cancel()
        await asyncio.wait([attempt])
        await server.until(lambda: server.open == 0)
        assert isinstance(await next_hop.attempt(delivery), Sent)
        await next_hop.close()


class TestKeptConnections:
    async def test_mails_one_after_another_share_a_connection(self, server: NextHopServer, delivery: Delivery) -> None:
        outcomes = await server.attempt(*[delivery] * 5)
        assert [type(outcome) for outcome in outcomes] == [Sent] * 5
        assert (server.connections, server.told("EHLO"), server.told("QUIT")) == (1, 1, 1)

    async def test_mails_at_once_share_as_many_as_allowed(self, server: NextHopServer, delivery: Delivery) -> None:
        next_hop = SmtpNextHop(server.smarthost(connections=3))
        together = asyncio.Barrier(3)
        server.before_accepting = together.wait  # nobody is answered before three are at their dot
        outcomes = await asyncio.gather(*(next_hop.attempt(delivery) for _ in range(12)))
        assert [type(outcome) for outcome in outcomes] == [Sent] * 12
        assert (server.connections, server.most_open) == (3, 3)
        await next_hop.close()

    @pytest.mark.parametrize("farewell", ["drop", "421 4.7.0 too many mails"])
    async def test_one_that_dies_before_it_answers_is_replaced_at_once(
        self, server: NextHopServer, delivery: Delivery, farewell: str
    ) -> None:
        next_hop = SmtpNextHop(server.smarthost())
        assert isinstance(await next_hop.attempt(delivery), Sent)
        server.moods["MAIL"] = [farewell]
        assert isinstance(await next_hop.attempt(delivery), Sent)
        assert (server.connections, len(server.mails)) == (2, 2)
        await next_hop.close()

    @pytest.mark.parametrize("verb", ["RCPT", "DATA", "DOT"])
    @pytest.mark.parametrize("farewell", ["drop", "421 4.3.2 closing"])
    async def test_one_that_dies_later_is_not_replaced_lest_the_mail_goes_twice(
        self, server: NextHopServer, delivery: Delivery, verb: str, farewell: str
    ) -> None:
        next_hop = SmtpNextHop(server.smarthost())
        assert isinstance(await next_hop.attempt(delivery), Sent)
        server.moods[verb] = [farewell]
        assert isinstance(await next_hop.attempt(delivery), Deferred)
        assert len(server.mails) == (2 if verb == "DOT" else 1)
        await next_hop.close()

    async def test_it_is_replaced_once_only(self, server: NextHopServer, delivery: Delivery) -> None:
        next_hop = SmtpNextHop(server.smarthost())
        await next_hop.attempt(delivery)
        server.moods["MAIL"] = ["drop", "421 4.3.2 closing"]
        assert await next_hop.attempt(delivery) == Deferred("421 4.3.2 closing")
        assert server.connections == 2
        await next_hop.close()

    async def test_one_that_the_server_closed_meanwhile_is_not_even_tried(
        self, start_server: Start, delivery: Delivery
    ) -> None:
        # Its extensions are forgotten with it: an address beyond ASCII would bounce for want of SMTPUTF8.
        server = await start_server(enable_SMTPUTF8=True, timeout=0.2)
        next_hop = SmtpNextHop(server.smarthost())
        beyond = replace(delivery, recipient="太郎@customer.example.jp")
        assert isinstance(await next_hop.attempt(beyond), Sent)
        await server.until(lambda: server.open == 0)
        await asyncio.sleep(0.05)  # for our side to see it, too
        assert isinstance(await next_hop.attempt(beyond), Sent)
        assert server.connections == 2
        await next_hop.close()

    async def test_an_idle_one_says_quit(self, server: NextHopServer, delivery: Delivery) -> None:
        next_hop = SmtpNextHop(server.smarthost(idle=SHORT))
        await next_hop.attempt(delivery)
        await server.until(lambda: server.open == 0)
        assert server.told("QUIT") == 1
        assert isinstance(await next_hop.attempt(delivery), Sent)
        await next_hop.close()

    async def test_closing_survives_a_server_that_is_gone(self, server: NextHopServer, delivery: Delivery) -> None:
        server.moods["QUIT"] = ["drop"]
        next_hop = SmtpNextHop(server.smarthost())
        await next_hop.attempt(delivery)
        await next_hop.close()
        await server.until(lambda: server.open == 0)
