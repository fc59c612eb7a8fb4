"""Group commit: what is wanted at one moment is one transaction, and nobody pays for another's fault."""

import asyncio
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import DBAPIError, IntegrityError

from responder.courier.together import Together

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
