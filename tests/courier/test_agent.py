from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from responder.courier.maildir import Maildir
from responder.courier.smtp import SmtpNextHop
from responder.store import muted, outbox
from responder.store.outbox import DeliveryKind

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer, Store

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=20)
SECOND = timedelta(seconds=1)


class TestOneStep:
    async def test_what_is_queued_is_sent(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop, logged: list[Any]
    ) -> None:
        number = store.queue()
        assert await store.deliver(next_hop) == 1
        row = store.row(number)
        assert (row.state, row.reply, row.attempts) == ("sent", "250 2.0.0 Ok: queued as 4B1", 1)
        assert [mail.mail_from for mail in server.mails] == ["<>"]
        (line,) = logged
        assert line == {
            "log_level": "info",
            "event": "sent",
            "agent": "courier",
            "delivery": number,
            "to": "taro@customer.example.jp",
            "reply": "250 2.0.0 Ok: queued as 4B1",
            "attempts": 1,
        }

    async def test_an_empty_outbox_is_no_work(self, store: Store, next_hop: SmtpNextHop) -> None:
        assert await store.deliver(next_hop) == 0

    async def test_what_was_sent_is_not_sent_again(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        store.queue()
        assert await store.deliver(next_hop) == 1
        assert await store.deliver(next_hop, now=NOW + timedelta(days=1)) == 0
        assert len(server.mails) == 1

    async def test_at_most_so_many_are_taken(self, store: Store, server: NextHopServer, next_hop: SmtpNextHop) -> None:
        for _ in range(5):
            store.queue()
        assert [await store.deliver(next_hop, limit=3) for _ in range(3)] == [3, 2, 0]
        assert len(server.mails) == 5

    async def test_what_is_deferred_waits_for_its_time(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop, logged: list[Any]
    ) -> None:
        number = store.queue()
        server.moods["RCPT"] = ["450 4.2.0 greylisted"] * 2
        assert await store.deliver(next_hop) == 1
        row = store.row(number)
        assert (row.state, row.reply, row.attempts) == ("queued", "450 4.2.0 greylisted", 1)
        assert row.next_attempt_at is not None
        assert timedelta(0) <= row.next_attempt_at - (NOW + timedelta(minutes=1)) < 10 * SECOND

        assert await store.deliver(next_hop, now=NOW + timedelta(seconds=59)) == 0
        assert await store.deliver(next_hop, now=row.next_attempt_at) == 1
        again = store.row(number)
        assert again.next_attempt_at is not None
        assert timedelta(0) <= again.next_attempt_at - (row.next_attempt_at + timedelta(minutes=2)) < 10 * SECOND

        assert await store.deliver(next_hop, now=again.next_attempt_at) == 1
        assert (store.row(number).state, store.row(number).attempts) == ("sent", 3)
        assert [line["event"] for line in logged] == ["deferred", "deferred", "sent"]
        assert not store.opened()

    async def test_the_wait_is_stretched_by_what_is_drawn(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        server.moods["RCPT"] = ["450 4.2.0 greylisted"]
        await store.deliver(next_hop, draw=lambda: 0.5)
        due = store.row(number).next_attempt_at
        assert due is not None
        assert due >= NOW + timedelta(seconds=66)

    async def test_the_wait_begins_when_the_attempt_ends(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        server.before_accepting = lambda: asyncio.sleep(0.2)
        server.moods["DOT"] = ["451 4.3.0 later"]
        await store.deliver(next_hop)
        due = store.row(number).next_attempt_at
        assert due is not None
        assert due >= NOW + timedelta(seconds=60.2)

    @pytest.mark.parametrize(("reply", "mutes"), [("550 5.1.1 no such user", True), ("554 5.7.1 not from you", False)])
    async def test_an_address_that_is_not_there_is_muted_and_one_that_refuses_us_is_not(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop, reply: str, mutes: bool
    ) -> None:
        number = store.queue()
        server.moods["RCPT"] = [reply]
        await store.deliver(next_hop, mute_after_bounce=timedelta(days=30))
        address = store.row(number).recipient
        with store.engine.connect() as conn:
            for day, held in ((29, mutes), (31, False)):
                assert muted.is_muted(conn, address, now=NOW + timedelta(days=day)) is held

    @pytest.mark.parametrize("kind", [DeliveryKind.ANSWER, DeliveryKind.ACKNOWLEDGEMENT, DeliveryKind.PERSON])
    async def test_what_bounces_goes_before_people(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop, kind: DeliveryKind
    ) -> None:
        number = store.queue(kind=kind)
        server.moods["RCPT"] = ["550 5.1.1 no such user"]
        await store.deliver(next_hop)
        row = store.row(number)
        assert (row.state, row.reply) == ("bounced", "550 5.1.1 no such user")
        assert store.opened() == [(row.inquiry_id, f"{kind.value} bounced: 550 5.1.1 no such user")]
        assert await store.deliver(next_hop, now=NOW + timedelta(days=1)) == 0

    async def test_what_expires_goes_before_people(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        server.moods["RCPT"] = ["450 4.2.2 mailbox full"]
        await store.deliver(next_hop, now=NOW + timedelta(days=2))
        row = store.row(number)
        assert (row.state, row.reply) == ("expired", "450 4.2.2 mailbox full")
        assert store.opened() == [(row.inquiry_id, "answer expired: 450 4.2.2 mailbox full")]

    async def test_the_last_attempt_may_still_succeed(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        await store.deliver(next_hop, now=NOW + timedelta(days=9))
        assert store.row(number).state == "sent"
        assert not store.opened()

    async def test_a_bounce_and_its_case_are_one_transaction(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        server.moods["RCPT"] = ["550 5.1.1 no such user"]
        store.hide("cases")
        # The lease is so short that the outcome is given up at the first failure to write it down.
        await store.deliver(next_hop, lease=SECOND)
        store.show("cases")
        assert store.row(number).state == "queued"
        await store.deliver(next_hop, now=NOW + timedelta(minutes=1))
        assert store.row(number).state == "sent"

    async def test_each_is_settled_as_soon_as_it_is_known(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        slow, quick = store.queue(), store.queue()
        server.moods["DOT"] = ["hang"]
        step = asyncio.create_task(store.deliver(next_hop))
        await store.until(lambda: {store.row(slow).state, store.row(quick).state} == {"queued", "sent"})
        assert not step.done()
        step.cancel()
        await asyncio.wait([step])

    async def test_an_outcome_that_cannot_be_written_down_at_once_is_not_forgotten(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop, logged: list[Any]
    ) -> None:
        number = store.queue()
        server.before_accepting = lambda: asyncio.to_thread(store.hide, "outbox")
        step = asyncio.create_task(store.deliver(next_hop))
        await store.until(lambda: any(line["event"] == "not settled" for line in logged))
        store.show("outbox")
        await step
        assert store.row(number).state == "sent"
        assert len(server.mails) == 1
        assert "UPDATE" not in str(logged)

    async def test_a_fault_of_ours_costs_one_attempt_only(self, store: Store, logged: list[Any]) -> None:
        number = store.queue()
        assert await store.deliver(Maildir(None)) == 1  # type: ignore[arg-type]  # the fault
        row = store.row(number)
        assert (row.state, row.reply) == ("queued", "a fault of the courier: TypeError")
        assert [line["event"] for line in logged] == ["fault", "deferred"]
        assert logged[0]["at"].rpartition(":")[0].endswith("maildir.py")


class TestLeases:
    async def test_an_attempt_ends_before_its_lease_does(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        server.moods["DOT"] = ["hang"]
        await store.deliver(next_hop, lease=SECOND)
        assert store.row(number).reply == "no outcome within 1 s"

    async def test_what_is_in_a_couriers_hand_is_left_alone(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        store.queue()
        server.moods["DOT"] = ["hang"]
        step = asyncio.create_task(store.deliver(next_hop))
        await server.until(lambda: "DOT" in server.verbs)
        assert await store.deliver(next_hop, now=NOW + LEASE - SECOND) == 0
        step.cancel()
        await asyncio.wait([step])

    async def test_what_a_dead_courier_had_in_hand_is_sent_under_the_same_message_id(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        server.moods["DOT"] = ["hang"]
        step = asyncio.create_task(store.deliver(next_hop))
        await server.until(lambda: "DOT" in server.verbs)
        step.cancel()
        await asyncio.wait([step])
        assert store.row(number).state == "queued"
        assert await store.deliver(next_hop, now=NOW + LEASE) == 1
        assert (store.row(number).state, store.row(number).attempts) == ("sent", 2)
        assert len({mail.content for mail in server.mails}) == 1

    async def test_a_courier_that_lost_its_lease_changes_nothing(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop, logged: list[Any]
    ) -> None:
        number = store.queue()
        server.moods["DOT"] = ["554 5.7.1 no"]

        async def another_takes_it() -> None:
            server.before_accepting = None
            assert await asyncio.to_thread(_claim_later) == 1

        def _claim_later() -> int:
            with store.engine.begin() as conn:
                return len(outbox.claim(conn, now=NOW + LEASE, limit=9, lease=LEASE))

        server.before_accepting = another_takes_it
        await store.deliver(next_hop)
        assert (store.row(number).state, store.row(number).reply) == ("queued", None)
        assert not store.opened()
        assert [line["event"] for line in logged] == ["lease lost"]
