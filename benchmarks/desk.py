"""How long the lists and the search of the staff pages take with many cases, on SQLite and on PostgreSQL.

    .venv/bin/python benchmarks/desk.py [--cases 100000] [--rounds 15]

Makes a store of cases whose texts are mails of faq_corpus/examples, seven to a mail as where a thread is quoted below,
each with a number of its own in it and stored as a mail of 7 KB, and asks what the pages ask. PostgreSQL is started
from the installed binaries, with fsync as it comes. As a peer, the same search is made over subject and author alone
with LIKE, which is what lists without a text to search in do.
"""

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

sys.path.insert(0, str(Path(__file__).parent.parent))

from responder.corpus import load_corpus
from responder.store import queue, search
from responder.store.engine import open_engine, reading, upgrade
from responder.store.queue import Place, View
from responder.store.schema import cases, inbox, searchable
from responder.triage import text as texts
from tests.conftest import postgres_database, postgres_server

ROOT = Path(__file__).parent.parent
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
BATCH = 2000
HEADER = 20 * (
    b"Received: from mx.contractor.example by mx.example.jp with ESMTPS id 4bF7; Thu, 26 Nov 2026 10:00:00 +0900\r\n"
)
"""What servers write above a mail; the text stands below it plain, quoted and as HTML, hence three times."""


def filled(engine: Engine, count: int) -> None:
    """So many cases: nine of ten closed, of the rest half taken; and as many mails that were answered."""
    examples = load_corpus(ROOT / "faq_corpus").examples
    decision = {"questions": [{"entry": "q04", "confidence": 0.5, "candidates": [["q04", 0.5]], "terms": []}]}
    with engine.begin() as connection:
        for start in range(1, count + 1, BATCH):
            mails, found, opened = [], [], []
            for number in range(start, min(start + BATCH, count + 1)):
                example = examples[number % len(examples)]
                at = NOW - timedelta(minutes=count - number)
                address = f"person{number % 5000}@contractor{number % 700}.example"
                quoted = "\n> ".join(examples[(number * step) % len(examples)].body for step in (3, 7, 11, 13, 17, 19))
                body = f"{example.body}\n{number} ZX{number:06d}\n> {quoted}"
                written = f"{example.subject}\n{address}\n{body}"
                mails.append(
                    {
                        "id": number, "received_at": at, "mail_from": address, "rcpt_to": [], "digest": str(number),
                        "size": 1, "subject": example.subject, "from_address": address, "lane": "escalated",
                        "reason": "no entry fits well enough", "decision": decision, "settled_at": at,
                        "raw": (HEADER + body.encode() * 3)[:7000],
                    }
                )  # fmt: skip
                found.append({"inquiry_id": number, "text": texts.searchable(written)[: search.MOST_CHARACTERS]})
                state = "closed" if number % 10 else ("open", "taken")[number % 20 // 10]
                who = "sato" if state == "taken" else None
                opened.append(
                    {
                        "inquiry_id": number, "opened_at": at, "reason": "no entry fits well enough", "state": state,
                        "taken_by": who, "changed_at": at,
                    }
                )  # fmt: skip
            for table, rows in ((inbox, mails), (searchable, found), (cases, opened)):
                connection.execute(sa.insert(table), rows)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))


def questions(count: int) -> dict[str, Callable[[Connection], object]]:
    """What the pages ask."""
    deep = Place(NOW - timedelta(minutes=count // 2), count // 2)

    def page(view: View, query: str = "", after: Place | None = None) -> Callable[[Connection], object]:
        return lambda conn: queue.page(conn, view, "sato", now=NOW, words=search.words_of(query), after=after)

    def peer(word: str) -> Callable[[Connection], object]:
        like = sa.or_(inbox.c.subject.contains(word), inbox.c.from_address.contains(word))
        statement = sa.select(inbox.c.id, inbox.c.subject).where(like).order_by(inbox.c.id.desc()).limit(50)
        return lambda conn: conn.execute(statement).all()

    return {
        "the counts of all lists": lambda conn: queue.counts(conn, "sato", now=NOW),
        "first page of open": page(View.OPEN),
        "first page of closed": page(View.CLOSED),
        "a page in the middle of closed": page(View.CLOSED, after=deep),
        "search: a common word (契約)": page(View.ALL, "契約"),
        "search: two words (共有 アドレス)": page(View.ALL, "共有 アドレス"),
        f"search: one mail of {count:,}": page(View.ALL, "ZX000007"),
        "search: half-width kana (ｸﾗｳﾄﾞｻｲﾝ)": page(View.ALL, "ｸﾗｳﾄﾞｻｲﾝ"),
        "search: a word that no mail has": page(View.ALL, "存在しない語句"),
        "search in open alone: no mail": page(View.OPEN, "存在しない語句"),
        "peer: LIKE over subject and author, none": peer("存在しない語句"),
    }


def timed(engine: Engine, ask: Callable[[Connection], object], rounds: int) -> list[float]:
    """Milliseconds of each round, after one that is not counted."""
    taken = []
    for _ in range(rounds + 1):
        start = time.perf_counter()
        with reading(engine) as connection:
            ask(connection)
        taken.append((time.perf_counter() - start) * 1000)
    return taken[1:]


@contextlib.contextmanager
def stores() -> Iterator[dict[str, Engine]]:
    """One of each kind, empty."""
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server:
        engines = {
            "SQLite": open_engine(f"sqlite:///{folder}/desk.db"),
            "PostgreSQL": open_engine(postgres_database(server)),
        }
        for engine in engines.values():
            upgrade(engine)
        yield engines
        for engine in engines.values():
            engine.dispose()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=15)
    given = parser.parse_args()
    with stores() as engines:
        for engine in engines.values():
            filled(engine, given.cases)
        print("| ms | " + " | ".join(f"{name}, median | p95" for name in engines) + " |")
        print("|---|" + "---|---|" * len(engines))
        for name, ask in questions(given.cases).items():
            cells = []
            for engine in engines.values():
                taken = timed(engine, ask, given.rounds)
                cells += [f"{median(taken):.1f}", f"{quantiles(taken, n=20)[-1]:.1f}"]
            print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
