"""Agents that tell each other of work: nobody waits for the next look, and nobody needs the call."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy.engine import Engine

from responder.courier import agent as courier
from responder.courier.maildir import Maildir
from responder.listener import Acceptance, Inet, Listener
from responder.mail.delivery import Schedule
from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.reader import Reader
from responder.store import inbox, outbox
from responder.store.engine import reading
from responder.store.outbox import DeliveryKind
from responder.wakeup import Wakeup, pause
from responder.worker import agent as worker
from tests.knowledge import ROOT, briefing, example
from tests.service import author_of

NEVER = timedelta(days=1)
NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


@pytest.fixture
def wakeup() -> Iterator[Wakeup]:
    made = Wakeup()
    yield made
    made.close()


@pytest.fixture
def stop() -> asyncio.Event:
    return asyncio.Event()


async def test_all_who_wait_in_a_process_are_woken(wakeup: Wakeup, stop: asyncio.Event) -> None:
    waiting = [asyncio.create_task(pause(stop, NEVER, wakeup)) for _ in range(4)]
    await asyncio.sleep(0.01)
    wakeup.call()
    async with asyncio.timeout(10):
        await asyncio.gather(*waiting)


async def test_a_call_that_comes_while_nobody_waits_is_heard_by_who_waits_next(
    wakeup: Wakeup, stop: asyncio.Event
) -> None:
    async with asyncio.timeout(10):
        wakeup.call()
        await pause(stop, NEVER, wakeup)
    # It was heard, and wakes nobody a second time.
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await pause(stop, NEVER, wakeup)
    async with asyncio.timeout(10):
        wakeup.call()
        await pause(stop, NEVER, wakeup)


async def test_who_is_told_to_stop_or_waited_long_enough_goes_on_without_a_call(
    wakeup: Wakeup, stop: asyncio.Event
) -> None:
    async with asyncio.timeout(10):
        await pause(stop, timedelta(milliseconds=10), wakeup)
        asyncio.get_running_loop().call_later(0.01, stop.set)
        await pause(stop, NEVER, wakeup)


def test_calls_that_nobody_hears_hold_up_nobody(wakeup: Wakeup) -> None:
    for _ in range(100_000):
        wakeup.call()


# In an interpreter of its own: one that runs tests has threads, and is not to be forked.
FORKED = """
import asyncio, os, sys
from datetime import timedelta
from responder.wakeup import Wakeup, pause

wakeup = Wakeup()
if os.fork() == 0:
    wakeup.call()
    os._exit(0)
os.wait()
if os.fork() == 0:
    asyncio.run(pause(asyncio.Event(), timedelta(days=1), wakeup))
    os._exit(7)
sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))
"""


def test_what_one_process_says_another_hears_while_a_third_is_busy() -> None:
    assert subprocess.run([sys.executable, "-c", FORKED], cwd=ROOT, timeout=30).returncode == 7


async def test_a_mail_that_was_taken_in_is_told_of(engine: Engine, wakeup: Wakeup, stop: asyncio.Event) -> None:
    address = "support@example.jp"
    acceptance = Acceptance("mx.example.jp", frozenset({address}), f"postmaster@{address}")
    listener = Listener(engine, acceptance, lambda: NOW, kept=wakeup.call)
    ((host, port),) = await listener.start([Inet("127.0.0.1", 0)])
    heard = asyncio.create_task(pause(stop, NEVER, wakeup))
    try:
        reader, writer = await asyncio.open_connection(host, port)
        said = (b"EHLO x", b"MAIL FROM:<a@b.example>", f"RCPT TO:<{address}>".encode(), b"DATA", b"Subject: x\r\n\r\n.")
        for words in said:
            await reader.readline()
            writer.write(words + b"\r\n")
        async with asyncio.timeout(10):
            await heard
        writer.close()
    finally:
        await listener.stop()
    with reading(engine) as connection:
        assert len(inbox.listing(connection)) == 1


async def test_a_worker_that_is_told_of_a_mail_looks_at_once_and_tells_of_its_reply(
    engine: Engine, wakeup: Wakeup, stop: asyncio.Event
) -> None:
    knows, reader, queued = briefing(), Reader(), asyncio.Event()
    agent = asyncio.create_task(
        worker.run(
            engine,
            lambda: knows,
            reader,
            stop=stop,
            clock=lambda: datetime.now(UTC),
            limit=5,
            lease=timedelta(minutes=5),
            poll=NEVER,
            work=wakeup,
            queued=queued.set,
        )
    )
    await asyncio.sleep(0.5)  # it has looked, and found nothing
    raw = example("shared-mailbox")
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(author_of(raw), ("support@example.jp",)), raw)], now=NOW)
    wakeup.call()
    async with asyncio.timeout(30):
        await queued.wait()
    stop.set()
    await agent
    reader.close()


async def test_a_courier_that_is_told_of_a_reply_sends_it_at_once(
    engine: Engine, wakeup: Wakeup, stop: asyncio.Event, tmp_path: Any
) -> None:
    agent = asyncio.create_task(
        courier.run(
            engine,
            Maildir(tmp_path / "sent"),
            Schedule(),
            stop=stop,
            clock=lambda: NOW,
            draw=lambda: 0.0,
            poll=NEVER,
            work=wakeup,
        )
    )
    await asyncio.sleep(0.5)
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope("a@b.example", ("support@example.jp",)), b"x")], now=NOW)
        reply = Reply("<1@example.jp>", "", "a@b.example", b"Subject: x\r\n\r\n")
        outbox.enqueue(connection, reply, inquiry_id=1, kind=DeliveryKind.ANSWER, once="1", now=NOW)
    wakeup.call()
    async with asyncio.timeout(30):
        while not list((tmp_path / "sent").glob("new/*")):
            await asyncio.sleep(0.02)
    stop.set()
    await agent
