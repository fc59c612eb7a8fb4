"""What a mail asks of the store costs as much where many came before it: counted in the database's own steps."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.client import question
from benchmarks.filling import fill
from responder.courier.agent import deliver_next
from responder.courier.maildir import Maildir
from responder.mail.delivery import Schedule
from responder.mail.envelope import Envelope
from responder.store import inbox
from responder.store.engine import make_ready, open_engine
from responder.worker import triage_next
from responder.worker.catching_up import catch_up
from tests.knowledge import ADDRESS, briefing, reader

MAILS = 10
MINUTE = timedelta(minutes=1)


def _steps(url: str, run: Callable[[sa.Engine], None]) -> Counter[str]:
    """How many instructions SQLite's machine takes for each statement."""
    engine, steps, running = open_engine(url), Counter[str](), [""]

    def count() -> int:
        steps[running[0]] += 1
        return 0

    def begin(conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        running[0] = statement

    sa.event.listen(engine, "connect", lambda driver, _: driver.set_progress_handler(count, 1))
    sa.event.listen(engine, "before_cursor_execute", begin)
    run(engine)
    engine.dispose()
    return steps


def _work(engine: sa.Engine, folder: Path) -> None:
    """A worker begins; mails come in, are answered, and leave."""
    now = datetime.now(UTC)
    mails = [question(1_000_000 + number) for number in range(MAILS)]
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(one.sender.decode(), (ADDRESS,)), one.raw) for one in mails], now=now)
    assert triage_next(engine, briefing(), reader(), now=now, limit=MAILS, lease=MINUTE) == MAILS
    assert not catch_up(engine, reader(), limit=MAILS)
    schedule = Schedule(MINUTE, MINUTE, 2 * MINUTE)
    sent = deliver_next(engine, Maildir(folder), schedule, now=now, draw=lambda: 0.5, limit=MAILS, lease=MINUTE)
    assert asyncio.run(sent) == MAILS
    assert len(list((folder / "new").iterdir())) == MAILS


def test_no_statement_of_a_mail_on_its_way_costs_more_where_many_came_before(tmp_path: Path) -> None:
    new, old = f"sqlite:///{tmp_path}/new.db", f"sqlite:///{tmp_path}/old.db"
    make_ready(open_engine(new))
    fill(old, 2000)
    before = _steps(new, lambda engine: _work(engine, tmp_path / "new"))
    after = _steps(old, lambda engine: _work(engine, tmp_path / "old"))
    assert len(after) > 10
    # A tree that is a floor higher, and no more.
    grown = {
        statement: (before[statement], steps) for statement, steps in after.items() if _more(before[statement], steps)
    }
    assert grown == {}


def _more(before: int, after: int) -> bool:
    return after > 1.3 * before + 10 * MAILS
