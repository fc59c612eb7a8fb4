"""A store with many mails in it: copies of the rows that our service itself wrote for a few.

Each copy has numbers, ids, an author and a moment of its own. The rows are inserted and not made by the service again,
which would take it hours for a million.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from benchmarks import ours
from benchmarks.client import ROOT, Mail, deliver
from responder.mail.organisation import organisation_of
from responder.store import inbox as mails
from responder.store.engine import open_engine, reading
from responder.store.schema import case_events, cases, inbox, outbox, searchable

_EXAMPLES = sorted((ROOT / "examples").glob("*.eml"))

EXAMPLES = len(_EXAMPLES)
"""A store has so many at least."""

_BATCH = 5000
_SPREAD = timedelta(days=100)
"""Over which the copies came, until yesterday: what is counted by the hour or the day is not changed by them."""

_PEOPLE, _ORGANISATIONS = 20_000, 3_000

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Seed:
    """All rows of one mail."""

    mail: Row
    texts: Sequence[Row]
    cases: Sequence[Row]
    deliveries: Sequence[Row]
    events: Sequence[Row]


def fill(url: str, size: int) -> float:
    """Put so many mails into a new store, the first few by way of the service; the seconds that copying took."""
    asyncio.run(_answer_examples(url))
    engine = open_engine(url)
    began = time.perf_counter()
    seeds = _seeds(engine)
    for start in range(len(seeds) + 1, size + 1, _BATCH):
        with engine.begin() as connection:
            _insert(connection, seeds, range(start, min(start + _BATCH, size + 1)), size)
    took = time.perf_counter() - began
    _tidy(engine)
    engine.dispose()
    return took


async def _answer_examples(url: str) -> None:
    """The mails of examples/: some are answered, some go to people, some must not be answered."""
    raws = [path.read_bytes() for path in _EXAMPLES]
    lines = [raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for raw in raws]
    # Nobody listens on port 9: what was answered stays queued, and its copies are made to have been sent.
    with ours.service(url, 9) as server:
        await deliver(
            server.port, iter(range(len(lines))), lambda number: Mail(b"a@b.example", lines[number]), sessions=1
        )
        engine = open_engine(url)
        while _waiting(engine):
            await asyncio.sleep(0.1)
        engine.dispose()


def _waiting(engine: Engine) -> int:
    with reading(engine) as connection:
        return mails.balance(connection)["waiting"]


def _seeds(engine: Engine) -> list[_Seed]:
    with engine.begin() as connection:
        # They are sent now, so that no courier finds them later.
        sent = {"state": "sent", "next_attempt_at": None, "lease_until": None, "settled_at": datetime.now(UTC)}
        connection.execute(sa.update(outbox).values(sent))

        def rows(table: sa.Table, of: str, number: int, *but: str) -> list[Row]:
            found = connection.execute(sa.select(table).where(table.c[of] == number))
            return [{key: value for key, value in row._mapping.items() if key not in but} for row in found]

        return [
            _Seed(
                mail,
                rows(searchable, "inquiry_id", mail["id"]),
                rows(cases, "inquiry_id", mail["id"]),
                rows(outbox, "inquiry_id", mail["id"], "id"),
                rows(case_events, "case_id", mail["id"], "id"),
            )
            for mail in (dict(row._mapping) for row in connection.execute(sa.select(inbox).order_by(inbox.c.id)))
        ]


def _insert(connection: Connection, seeds: Sequence[_Seed], numbers: Sequence[int], size: int) -> None:
    tables: dict[sa.Table, list[Row]] = {table: [] for table in (inbox, searchable, cases, outbox, case_events)}
    now = datetime.now(UTC)
    for number in numbers:
        at = now - timedelta(days=1) - _SPREAD * ((size - number) / size)
        for table, row in _copies(seeds[number % len(seeds)], number, at):
            tables[table].append(row)
    # Rows of one table are alike in their columns, which is what makes one statement of them.
    for table, rows in tables.items():
        if rows:
            connection.execute(sa.insert(table), rows)


def _copies(seed: _Seed, number: int, at: datetime) -> Iterator[tuple[sa.Table, Row]]:
    domain = f"filled{number % _ORGANISATIONS}.example"
    address, digest = f"person{number % _PEOPLE}@{domain}", f"{number:064x}"
    came = {"mail_from": address, "from_address": address, "received_at": at, "settled_at": at}
    yield inbox, {**seed.mail, **came, "id": number, "digest": digest, "message_id": f"<{number}.filled@{domain}>"}
    for text in seed.texts:
        yield searchable, {**text, "inquiry_id": number, "text": f"{text['text']} {number}"}
    for case in seed.cases:
        # Nine of ten are closed, as where people do their work.
        state = "closed" if number % 10 else "open"
        yield cases, {**case, "inquiry_id": number, "opened_at": at, "changed_at": at, "state": state}
    for place, delivery in enumerate(seed.deliveries):
        yield outbox, {
            **delivery, "inquiry_id": number, "once": f"automatic:{digest}:{place}",
            "message_id": f"<{number}.{place}.filled@example.jp>", "recipient": address, "correspondent": address,
            "organisation": organisation_of(domain), "created_at": at, "queued_at": at, "settled_at": at,
        }  # fmt: skip
    for event in seed.events:
        yield case_events, {**event, "case_id": number, "inquiry_id": number, "delivery_id": None, "at": at}


def _tidy(engine: Engine) -> None:
    """What PostgreSQL would come to by itself: numbers that go on behind the copies, and statistics of them."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        last = sa.select(sa.func.max(inbox.c.id)).scalar_subquery()
        connection.execute(sa.select(sa.func.setval(sa.func.pg_get_serial_sequence("inbox", "id"), last)))
        connection.execute(sa.text("VACUUM ANALYZE"))
