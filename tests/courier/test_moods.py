"""A next hop in every bad mood: what each means for a mail, and what hours of them come to."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from responder.courier.smtp import SmtpNextHop
from responder.mail.delivery import Bounced, Deferred, Sent
from responder.store.outbox import Delivery

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer, Store

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
SHORT = timedelta(milliseconds=100)
MAY_HAVE_IT = "the next hop may have it"

BEFORE_THE_MAIL = ("GREETING", "EHLO", "MAIL", "RCPT", "DATA")
LATER = [
    *(pytest.param(verb, "drop", id=f"cut off at {verb}") for verb in BEFORE_THE_MAIL),
    *(pytest.param(verb, "cut", id=f"half a reply to {verb}") for verb in BEFORE_THE_MAIL),
    *(pytest.param(verb, "hang", id=f"silence at {verb}") for verb in BEFORE_THE_MAIL),
    *(pytest.param(verb, "drip", id=f"a reply without end to {verb}") for verb in BEFORE_THE_MAIL),
    *(pytest.param(verb, "421 4.3.2 closing", id=f"421 at {verb}") for verb in (*BEFORE_THE_MAIL, "DOT")),
    *(pytest.param(verb, "451 4.3.0 later", id=f"451 at {verb}") for verb in (*BEFORE_THE_MAIL, "DOT")),
    pytest.param("GREETING", "554 5.3.2 no service", id="554 at GREETING, RFC 5321 §3.1"),
    pytest.param("EHLO", "502 5.5.1 what", id="502 at EHLO"),
    pytest.param("MAIL", "\x00\xff\x80", id="garbage"),
    pytest.param("DATA", "250 2.0.0 Ok", id="250 to DATA, where 354 is meant"),
]


async def _attempt(server: NextHopServer, *deliveries: Delivery, **settings: Any) -> list[Any]:
    return list(await server.attempt(*deliveries, **({"timeout": SHORT * 3, "final_timeout": SHORT * 3} | settings)))


@pytest.mark.parametrize(("verb", "mood"), LATER)
async def test_a_mail_that_did_not_leave_waits_and_nobody_is_told_that_it_might_have(
    server: NextHopServer, delivery: Delivery, verb: str, mood: str
) -> None:
    server.moods[verb] = [mood]
    (outcome,) = await _attempt(server, delivery)
    assert isinstance(outcome, Deferred)
    assert MAY_HAVE_IT not in outcome.reply


@pytest.mark.parametrize("mood", ["drop", "cut", "hang", "drip", "354 go on", "hello?"])
async def test_rfc_1047_without_a_word_on_the_whole_mail_the_next_hop_may_have_it(
    server: NextHopServer, delivery: Delivery, mood: str
) -> None:
    server.moods["DOT"] = [mood]
    (outcome,) = await _attempt(server, delivery)
    assert isinstance(outcome, Deferred)
    assert outcome.reply.endswith(f"; {MAY_HAVE_IT}")
    assert server.mails[0].content == delivery.raw


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_5xx_inside_an_answer_of_many_lines_is_seen(server: NextHopServer, delivery: Delivery, verb: str) -> None:
    server.moods[verb] = ["550-5.7.1 see\r\n550-5.7.1 our rules\r\n550 5.7.1 there"]
    (outcome,) = await _attempt(server, delivery)
    assert isinstance(outcome, Bounced)
    assert outcome.reply.startswith("550 5.7.1 see")


@pytest.mark.parametrize("verb", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
async def test_a_slow_one_is_waited_for(server: NextHopServer, delivery: Delivery, verb: str) -> None:
    server.moods[verb] = ["late"]
    (outcome,) = await _attempt(server, delivery, timeout=timedelta(seconds=5), final_timeout=timedelta(seconds=5))
    assert isinstance(outcome, Sent)


@pytest.mark.parametrize(
    ("verb", "first"),
    [("GREETING", "220 hop"), ("EHLO", "250 hop"), ("MAIL", "250 ok"), ("RCPT", "250 ok"), ("DATA", "354 go on")],
)
async def test_what_is_said_out_of_turn_does_not_pass_for_the_answer_to_the_next_word(
    server: NextHopServer, delivery: Delivery, verb: str, first: str
) -> None:
    said = ["220 hop", "250 hop", "250 2.1.0 ok", "250 2.1.5 ok", "354 go on", "250 2.0.0 Ok: queued as FORGED"]
    server.moods[verb] = ["\r\n".join([first, *said[BEFORE_THE_MAIL.index(verb) + 1 :]])]
    (outcome,) = await _attempt(server, delivery)
    assert not server.mails
    assert outcome == Deferred("the server said more than it was asked")


async def test_tls_that_breaks_in_the_handshake_defers(server: NextHopServer, delivery: Delivery) -> None:
    server.offers = ["STARTTLS"]
    server.moods["STARTTLS"] = ["220 2.0.0 go ahead"]
    (outcome,) = await _attempt(server, delivery, tls="starttls")
    assert isinstance(outcome, Deferred)
    assert not server.mails


@pytest.mark.parametrize("raw", [b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r\n", b"Subject: x\r\n\r\n."])
async def test_rfc_5321_4_5_2_no_dot_of_a_mail_ends_it(server: NextHopServer, delivery: Delivery, raw: bytes) -> None:
    first, second = await _attempt(server, replace(delivery, raw=raw), delivery)
    assert (type(first), type(second)) == (Sent, Sent)
    assert [mail.content for mail in server.mails] == [raw if raw.endswith(b"\r\n") else raw + b"\r\n", delivery.raw]


class TestReports:
    async def test_rule_21_rfc_3834_3_3_none_is_asked_for_on_automatic_mail(
        self, server: NextHopServer, delivery: Delivery
    ) -> None:
        server.offers = ["DSN"]
        assert [type(outcome) for outcome in await _attempt(server, delivery)] == [Sent]
        assert f"RCPT TO:<{delivery.recipient}> NOTIFY=NEVER" in server.arguments

    async def test_a_person_gets_them(self, server: NextHopServer, delivery: Delivery) -> None:
        server.offers = ["DSN"]
        await _attempt(server, replace(delivery, sender="desk@faq.example.jp"))
        assert f"RCPT TO:<{delivery.recipient}>" in server.arguments

    async def test_rfc_3461_4_nothing_is_said_of_them_where_they_are_not_offered(
        self, server: NextHopServer, delivery: Delivery
    ) -> None:
        await _attempt(server, delivery)
        assert f"RCPT TO:<{delivery.recipient}>" in server.arguments


class TestAnEnvelopeSenderOfItsOwn:
    async def test_it_stands_in_for_the_null_one(self, server: NextHopServer, delivery: Delivery) -> None:
        person = replace(delivery, sender="desk@faq.example.jp")
        await _attempt(server, delivery, person, null_sender="bounces@faq.example.jp")
        assert [mail.mail_from for mail in server.mails] == ["bounces@faq.example.jp", "desk@faq.example.jp"]

    async def test_the_probe_names_it(self, server: NextHopServer) -> None:
        server.moods["MAIL"] = ["550 5.1.8 no such sender"]
        problem = await SmtpNextHop(server.smarthost(null_sender="bounces@faq.example.jp")).probe()
        assert problem == "it refuses bounces@faq.example.jp: 550 5.1.8 no such sender"


def _moods(seed: int) -> list[tuple[str, str]]:
    """Every mood in which a next hop can be and the mail waits, in an order of its own."""
    quick = [(str(each.values[0]), str(each.values[1])) for each in LATER]
    # Silence and the like cost the time-out in real time: a few of them are enough among the many.
    chosen = [mood for mood in quick if mood[1] not in ("hang", "drip")] + [("RCPT", "hang"), ("DOT", "drop")]
    random.Random(seed).shuffle(chosen)  # noqa: S311 - an order, not a secret
    return chosen


class TestHours:
    """Simulated: each attempt is made at the moment for which the one before scheduled it."""

    async def _wait(self, store: Store, server: NextHopServer, number: int, seed: int) -> list[datetime]:
        """Attempts under one bad mood after the other until the mail waits no more; when they were made."""
        draw, moods = random.Random(seed).random, _moods(seed)  # noqa: S311
        now, made = NOW, list[datetime]()
        while store.row(number).state == "queued":
            verb, mood = moods[len(made) % len(moods)]
            server.moods.clear()
            server.moods[verb] = [mood] * 2
            made.append(now)
            now = await self._try(store, server, number, now, draw)
        return made

    async def _try(
        self, store: Store, server: NextHopServer, number: int, now: datetime, draw: Callable[[], float] = lambda: 0.0
    ) -> datetime:
        """One attempt, over a connection of its own as after a minute's pause; when the next one is due."""
        next_hop = SmtpNextHop(server.smarthost(timeout=SHORT * 3, final_timeout=SHORT * 3))
        assert await store.deliver(next_hop, now=now, draw=draw) == 1
        await next_hop.close()
        return store.row(number).next_attempt_at or now

    @pytest.mark.parametrize("seed", [1, 2])
    async def test_f5_a_mail_waits_ever_longer_for_two_days_and_then_goes_before_people(
        self, store: Store, server: NextHopServer, seed: int
    ) -> None:
        number = store.queue()
        made = await self._wait(store, server, number, seed)
        row = store.row(number)
        assert (row.state, row.attempts) == ("expired", len(made))
        assert made[-1] == NOW + timedelta(days=2)
        waits = [(after - before).total_seconds() for before, after in pairwise(made)]
        for turn, wait in enumerate(waits[:-1]):
            base = min(60 * 2**turn, 3600)
            assert base <= wait <= base * 1.2 + 5  # and the time that the attempt took
        assert len({round(wait) for wait in waits[7:-1]}) > len(waits) // 3
        assert store.opened() == [(row.inquiry_id, f"answer expired: {row.reply}")]

    async def test_f5_two_mails_deferred_together_do_not_come_back_together(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        numbers = [store.queue() for _ in range(8)]
        server.moods["RCPT"] = ["450 4.2.0 greylisted"] * 8
        await store.deliver(next_hop, draw=random.Random(3).random)  # noqa: S311
        due = [store.row(number).next_attempt_at for number in numbers]
        assert len(set(due)) == len(due)

    @pytest.mark.parametrize(
        ("reply", "state"), [("250", "sent"), ("550 5.1.1 no such user", "bounced")], ids=["it recovers", "it refuses"]
    )
    async def test_f5_after_hours_of_trouble_one_word_settles_it(
        self, store: Store, server: NextHopServer, reply: str, state: str
    ) -> None:
        number, now = store.queue(), NOW
        for verb in (*BEFORE_THE_MAIL, "DOT") * 2:
            server.moods[verb] = ["451 4.3.0 later"]
            now = await self._try(store, server, number, now)
        server.moods["RCPT"] = [] if reply == "250" else [reply]
        await self._try(store, server, number, now)
        row = store.row(number)
        assert (row.state, row.attempts) == (state, 13)
        assert store.opened() == ([] if state == "sent" else [(row.inquiry_id, f"answer bounced: {reply}")])
        unused = SmtpNextHop(server.smarthost())
        assert await store.deliver(unused, now=now + timedelta(days=30)) == 0

    async def test_people_read_that_an_expired_mail_may_have_arrived(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        store.queue()
        server.moods["DOT"] = ["drop"]
        await store.deliver(next_hop, now=NOW + timedelta(days=2))
        ((_, reason),) = store.opened()
        assert reason.startswith("answer expired: ")
        assert reason.endswith(MAY_HAVE_IT)
