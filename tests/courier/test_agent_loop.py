from __future__ import annotations

import asyncio
import mailbox
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.engine import Engine

from responder.courier.agent import NextHop, run
from responder.courier.maildir import Maildir
from responder.courier.smtp import SmtpNextHop
from responder.mail.delivery import Schedule

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer, Store

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=20)
SECOND = timedelta(seconds=1)


@dataclass
class _Running:
    stop: asyncio.Event
    task: asyncio.Task[None]


@asynccontextmanager
async def _running(engine: Engine, next_hop: NextHop, **changes: Any) -> AsyncIterator[_Running]:
    stop = asyncio.Event()
    settings: dict[str, Any] = {"clock": lambda: NOW, "draw": lambda: 0.0, "poll": timedelta(milliseconds=10)}
    task = asyncio.create_task(run(engine, next_hop, Schedule(), stop=stop, **(settings | changes)))
    try:
        yield _Running(stop, task)
    finally:
        stop.set()
        await task


class TestTheLoop:
    async def test_it_sends_what_comes_and_ends_when_told(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        async with _running(store.engine, next_hop) as running:
            numbers = [store.queue() for _ in range(3)]
            await store.until(lambda: all(store.row(number).state == "sent" for number in numbers))
            assert not running.task.done()
        assert running.task.done()

    async def test_an_attempt_in_hand_is_finished_before_it_ends(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        at_the_dot, go_on = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            at_the_dot.set()
            await go_on.wait()

        server.before_accepting = wait
        async with _running(store.engine, next_hop) as running:
            await asyncio.wait_for(at_the_dot.wait(), 10)
            running.stop.set()
            await asyncio.sleep(0.05)
            assert not running.task.done()
            go_on.set()
        assert store.row(number).state == "sent"

    async def test_one_that_takes_too_long_is_left_to_its_lease(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        number = store.queue()
        server.moods["DOT"] = ["hang"]
        async with _running(store.engine, next_hop, grace=timedelta(milliseconds=50)):
            await server.until(lambda: "DOT" in server.verbs)
        assert store.row(number).state == "queued"
        await server.until(lambda: server.open == 0)
        assert await store.deliver(next_hop, now=NOW + LEASE) == 1
        assert store.row(number).state == "sent"

    async def test_a_slow_mail_holds_up_no_other(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        numbers = [store.queue() for _ in range(10)]
        server.moods["DOT"] = ["hang"]
        async with _running(store.engine, next_hop, hands=2, grace=timedelta(0)):
            await store.until(lambda: sum(store.row(number).state == "sent" for number in numbers) == 9)

    async def test_f9_a_clock_put_forward_gives_a_mail_in_hand_to_no_other_hand(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop
    ) -> None:
        now, number = NOW, store.queue()
        at_the_dot, go_on = asyncio.Event(), asyncio.Event()

        async def wait() -> None:
            at_the_dot.set()
            await go_on.wait()

        server.before_accepting = wait
        async with _running(store.engine, next_hop, hands=3, clock=lambda: now):
            await asyncio.wait_for(at_the_dot.wait(), 10)
            now += timedelta(days=1)
            await asyncio.sleep(0.3)  # the other hands ask every 10 ms
            go_on.set()
            await store.until(lambda: store.row(number).state == "sent")
        assert len(server.mails) == 1

    async def test_two_couriers_on_one_store_send_each_mail_once(self, store: Store, tmp_path: Path) -> None:
        numbers = [store.queue() for _ in range(40)]
        ours, theirs = Maildir(tmp_path / "ours"), Maildir(tmp_path / "theirs")
        async with _running(store.engine, ours), _running(store.engine, theirs):
            await store.until(lambda: all(store.row(number).state == "sent" for number in numbers))
        saved = [mail["Message-ID"] for hop in (ours, theirs) for mail in mailbox.Maildir(hop.folder)]
        assert sorted(saved) == sorted(store.row(number).message_id for number in numbers)

    async def test_trouble_with_the_database_is_waited_out(
        self, store: Store, server: NextHopServer, next_hop: SmtpNextHop, logged: list[Any]
    ) -> None:
        number = store.queue()
        store.hide("outbox")
        async with _running(store.engine, next_hop, hands=1) as running:
            await store.until(lambda: bool(logged))
            assert not running.task.done()
            store.show("outbox")
            await store.until(lambda: store.row(number).state == "sent")
        assert [line["event"] for line in logged] == ["store unavailable", "sent"]

    async def test_any_other_fault_is_raised(self, store: Store, next_hop: SmtpNextHop) -> None:
        def broken_clock() -> datetime:
            raise RuntimeError("no clock")

        loop = run(store.engine, next_hop, Schedule(), stop=asyncio.Event(), clock=broken_clock, draw=lambda: 0.0)
        with pytest.raises(RuntimeError, match="no clock"):
            await asyncio.wait_for(loop, 10)
