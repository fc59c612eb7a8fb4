"""Group commit: what is wanted at one moment is one transaction, and nobody pays for another's fault."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from responder.courier.together import Together
from responder.store import outbox
from responder.store.outbox import Delivery

if TYPE_CHECKING:
    from responder.courier.smtp import SmtpNextHop
    from tests.courier.conftest import NextHopServer, Store

NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=20)
SECOND = timedelta(seconds=1)

_METADATA = sa.MetaData()
_THINGS = sa.Table("things", _METADATA, sa.Column("name", sa.Text, primary_key=True))


def _adds(name: str) -> Callable[[Connection], str]:
    def change(conn: Connection) -> str:
        conn.execute(sa.insert(_THINGS).values(name=name))
        return name

    return change


@pytest.fixture
def made(engine: Engine) -> Engine:
    _METADATA.create_all(engine)
    return engine


@pytest.fixture
def commits(made: Engine) -> list[object]:
    """One for each commit."""
    seen: list[object] = []
    sa.event.listen(made, "commit", seen.append)
    return seen


def _names(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return sorted(connection.execute(sa.select(_THINGS.c.name)).scalars())


async def test_what_is_wanted_at_one_moment_is_one_transaction(made: Engine, commits: list[object]) -> None:
    together = Together(made)
    names = [f"{number:02}" for number in range(20)]
    assert await asyncio.gather(*(together.write(_adds(name)) for name in names)) == names
    assert _names(made) == names
    # What comes before the first one begins goes with it; at most one that came while it was being written.
    assert len(commits) <= 2


async def test_a_change_that_breaks_takes_none_along_and_none_is_done_twice(made: Engine) -> None:
    together = Together(made)
    await together.write(_adds("b"))
    wanted = [together.write(_adds(name)) for name in ("a", "b", "c")]
    done = await asyncio.gather(*wanted, return_exceptions=True)
    assert (done[0], done[2]) == ("a", "c")
    assert isinstance(done[1], IntegrityError)
    assert _names(made) == ["a", "b", "c"]


async def test_where_the_store_is_away_everybody_hears_it_and_the_next_is_served(engine: Engine) -> None:
    together = Together(engine)
    done = await asyncio.gather(*(together.write(_adds(name)) for name in "ab"), return_exceptions=True)
    assert [isinstance(one, DBAPIError) for one in done] == [True, True]  # there is no such table yet
    _METADATA.create_all(engine)
    assert await together.write(_adds("c")) == "c"


async def test_what_was_begun_is_written_though_nobody_waits_for_it(made: Engine) -> None:
    together = Together(made)
    waiting = asyncio.create_task(together.write(_adds("a")))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await together.close()
    assert _names(made) == ["a"]


async def test_one_claim_serves_all_hands_and_each_gets_another_mail(store: Store, made: Engine) -> None:
    queued = [store.queue() for _ in range(3)]
    together, asked = Together(made), []

    def claim(conn: Connection, limit: int) -> list[Delivery]:
        asked.append(limit)
        return outbox.claim(conn, now=NOW, limit=limit, lease=LEASE)

    # The first is written by itself; the others come while that goes on.
    hands = await asyncio.gather(*(together.write_and_claim(_adds(name), claim) for name in "abcd"))
    assert [done for done, _ in hands] == ["a", "b", "c", "d"]
    assert [one and one.id for _, one in hands] == [*queued, None]
    assert sum(asked) == 4
    assert len(asked) <= 2


async def test_a_hand_whose_change_breaks_is_given_no_mail_and_takes_none_away(store: Store, made: Engine) -> None:
    queued = [store.queue() for _ in range(2)]
    together = Together(made)
    await together.write(_adds("b"))

    def claim(conn: Connection, limit: int) -> list[Delivery]:
        return outbox.claim(conn, now=NOW, limit=limit, lease=LEASE)

    wanted = [together.write_and_claim(_adds(name), claim) for name in ("a", "b", "c")]
    first, broken, last = await asyncio.gather(*wanted, return_exceptions=True)
    assert isinstance(broken, IntegrityError)
    assert not isinstance(first, BaseException)
    assert not isinstance(last, BaseException)
    assert [one and one.id for _, one in (first, last)] == queued


async def test_a_mail_that_was_claimed_by_a_clock_that_runs_ahead_is_held_no_longer_than_a_lease(
    store: Store, made: Engine, server: NextHopServer, next_hop: SmtpNextHop
) -> None:
    sent, mine, dealt = (store.queue() for _ in range(3))
    together, free = Together(made), threading.Event()
    others: list[asyncio.Task[Any]] = []

    def ahead(conn: Connection, limit: int) -> list[Delivery]:
        later, held = NOW + timedelta(hours=1), tuple(together.in_hand)
        return outbox.claim(conn, now=later, limit=limit, lease=SECOND, but=held)

    async def another_hand_is_first() -> None:
        server.before_accepting = None
        others.append(asyncio.create_task(together.write(lambda _: free.wait(10))))
        await asyncio.sleep(0.05)
        others.append(asyncio.create_task(together.write_and_claim(lambda _: None, ahead)))
        asyncio.get_running_loop().call_later(0.5, free.set)

    server.before_accepting = another_hand_is_first
    server.moods["DOT"] = ["late", "hang"]
    async with asyncio.timeout(10):
        await store.deliver(next_hop, limit=1, lease=SECOND, together=together, go_on=lambda: True)
    _, (_, claimed) = await asyncio.gather(*others)
    assert (claimed and claimed.id, store.row(sent).state) == (mine, "sent")
    assert (store.row(dealt).standing, store.row(dealt).reply) == ("deferred", "no outcome within 1 s")
