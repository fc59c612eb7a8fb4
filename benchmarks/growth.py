"""What a mail costs in a store that is empty, and in one with a year of mails behind it.

    .venv/bin/python benchmarks/growth.py [--sizes 0,10000,100000,1000000] [--mails 200] [--only sqlite]

A store is filled with mails of one kilobyte as a year leaves them: settled, two of three answered, each with a reply
that was sent, the others with a case that is closed. Then new mails are accepted, decided and delivered (to nobody: the
store's part of it alone), and each step is timed, in milliseconds a mail.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.engine import Engine

sys.path.insert(0, str(Path(__file__).parent.parent))

from responder.mail.envelope import Envelope
from responder.store import inbox, outbox
from responder.store.engine import open_engine, upgrade
from responder.store.schema import cases, searchable
from responder.store.schema import inbox as mails_table
from responder.store.schema import outbox as deliveries_table
from responder.triage.policy import Budgets
from responder.worker import Briefing, triage_next
from tests.conftest import postgres_database, postgres_server
from tests.knowledge import ROOT, briefing, reader, shipped_classifier

QUESTION = (ROOT / "examples" / "shared-mailbox.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
NOW = datetime.now(UTC)
_CHUNK = 10_000
_LEASE = timedelta(minutes=5)


def _rows(first: int, last: int, size: int) -> Iterator[dict[str, dict[str, Any] | None]]:
    """Mails of a year, each with its reply, what it is found by, and its case where it has one."""
    for number in range(first, last):
        at = NOW - timedelta(days=365) * (1 - number / size) - timedelta(days=1)
        answered = number % 3 > 0
        there = f"contractor{number % 5000}.example"
        sender = f"user{number % 40_000}@{there}"
        mail = {
            "received_at": at, "mail_from": sender, "rcpt_to": ["support@example.jp"], "digest": f"{number:064x}",
            "size": 1024, "subject": f"お問い合わせ {number}", "from_address": sender, "from_name": "田中",
            "message_id": f"<old{number}@{there}>", "lane": "answered" if answered else "escalated",
            "reason": "answered", "decision": {}, "settled_at": at, "raw": b"x" * 1024,
        }  # fmt: skip
        reply = {
            "kind": "answer" if answered else "acknowledgement", "once": f"automatic:{number:064x}",
            "message_id": f"<ours{number}@example.jp>", "sender": "", "recipient": sender, "created_at": at,
            "queued_at": at, "state": "sent", "attempts": 1, "settled_at": at, "raw": b"y" * 1024, "reply": "250 Ok",
            "correspondent": sender, "organisation": there, "entries": "q04" if answered else None,
        }  # fmt: skip
        case = None if answered else {"opened_at": at, "reason": "no entry", "state": "closed", "changed_at": at}
        yield {"mail": mail, "reply": reply, "case": case}


def fill(engine: Engine, first: int, last: int) -> None:
    """Put the mails from `first` to before `last` into the store."""
    for start in range(first, last, _CHUNK):
        rows = list(_rows(start, min(start + _CHUNK, last), last))
        with engine.begin() as connection:
            connection.execute(sa.insert(mails_table), [row["mail"] or {} for row in rows])
            newest = connection.execute(sa.select(sa.func.max(mails_table.c.id))).scalar_one()
            numbers = range(newest - len(rows) + 1, newest + 1)
            known = [{"inquiry_id": number} for number in numbers]
            connection.execute(sa.insert(deliveries_table), [_of(row["reply"], one) for row, one in zip(rows, known)])  # noqa: B905
            connection.execute(sa.insert(searchable), [{**one, "text": "おといあわせ 田中"} for one in known])
            closed = [_of(row["case"], one) for row, one in zip(rows, known, strict=True) if row["case"]]
            if closed:
                connection.execute(sa.insert(cases), closed)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("ANALYZE"))


def _of(row: dict[str, Any] | None, number: dict[str, int]) -> dict[str, Any]:
    return {**(row or {}), **number}


def measured(engine: Engine, mails: int, tag: int) -> dict[str, float]:
    """Milliseconds a mail of accepting, deciding, and of claiming and settling its delivery."""
    fresh = []
    for number in range(mails):
        raw = QUESTION.replace(b"Message-ID: <", b"Message-ID: <n%d-%d." % (tag, number), 1)
        raw = raw.replace(b"contractor.example", b"fresh%d.example" % number)
        fresh.append((Envelope(f"new{tag}-{number}@fresh{number}.example", ("support@example.jp",)), raw))
    spent: dict[str, float] = {}
    with _timed(spent, "accept", mails):
        for start in range(0, mails, 20):
            with engine.begin() as connection:
                inbox.accept(connection, fresh[start : start + 20], now=datetime.now(UTC))
    with _timed(spent, "decide", mails):
        while triage_next(engine, _unlimited(), reader(), now=datetime.now(UTC), limit=20, lease=_LEASE):
            pass
    with _timed(spent, "deliver", mails):
        _deliver(engine)
    return spent


def _unlimited() -> Briefing:
    usual = briefing()
    return replace(usual, knowledge=replace(usual.knowledge, budgets=Budgets(per_hour=1_000_000)))


def _deliver(engine: Engine) -> None:
    while True:
        now = datetime.now(UTC)
        with engine.begin() as connection:
            claimed = outbox.claim(connection, now=now, limit=4, lease=_LEASE)
        if not claimed:
            return
        with engine.begin() as connection:
            for delivery in claimed:
                outbox.settle_sent(connection, delivery, reply="250 Ok", now=now)


class _timed:  # noqa: N801 - it reads as a word in a with statement
    def __init__(self, spent: dict[str, float], name: str, mails: int) -> None:
        self._spent, self._name, self._mails = spent, name, mails

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self._spent[self._name] = (time.perf_counter() - self._began) * 1000 / self._mails


def report(sizes: Sequence[int], mails: int, stores: Sequence[str] = ("sqlite", "postgresql")) -> str:
    """A table in Markdown, with a row for each store and size."""
    lines = ["| store | mails in it | accept ms | decide ms | deliver ms |", "|---|---|---|---|---|"]
    running = postgres_server() if "postgresql" in stores else nullcontext("")
    with running as server, tempfile.TemporaryDirectory() as folder:
        for store in stores:
            engine = open_engine(f"sqlite:///{folder}/r.db" if store == "sqlite" else postgres_database(server))
            upgrade(engine)
            measured(engine, 40, -1)  # whatever is read for the first time
            there = 0
            for size in sizes:
                fill(engine, there, size)
                there = size
                spent = measured(engine, mails, size)
                cells = " | ".join(f"{spent[name]:.2f}" for name in ("accept", "decide", "deliver"))
                lines.append(f"| {store} | {size:,} | {cells} |")
            engine.dispose()
    return "\n".join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="0,10000,100000")
    parser.add_argument("--mails", type=int, default=200)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    given = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    shipped_classifier()
    stores = [given.only] if given.only else ["sqlite", "postgresql"]
    print(report([int(size) for size in given.sizes.split(",")], given.mails, stores))


if __name__ == "__main__":
    main()
