"""What a mail costs where many came before it: the same measurements on a new store and on one with many mails.

    .venv/bin/python -m benchmarks.growth [--size 100000] [--mails 300] [--rounds 3]

Two stores of each kind are measured in turns, one with the few mails of examples/ and one with so many. *Answering* is
as in `benchmarks.throughput`: accept, triage and deliver. Below it stands what twenty mails ask of the store, in one
transaction that is taken back each time.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from benchmarks import ours
from benchmarks.answering import ONE_AT_A_TIME, Answering, answering
from benchmarks.client import question
from benchmarks.filling import EXAMPLES, fill
from benchmarks.peers.dovecot import vacation
from benchmarks.picture import figure
from benchmarks.report import Part, ratio
from benchmarks.stores import Stores, stores
from benchmarks.throughput import Answered, measured
from responder.mail.envelope import Envelope
from responder.mail.message import parse_message
from responder.mail.reply import Reply
from responder.store import inbox, outbox, queue
from responder.store.engine import open_engine
from responder.store.inbox import Lane, Settlement
from responder.store.outbox import DeliveryKind
from responder.store.past import past_of
from responder.triage.policy import Budgets
from responder.triage.reading import Reading
from responder.worker.tally import tally_of
from tests.knowledge import shipped_classifier

_TOGETHER = 20
"""Mails of one transaction: what a worker takes at once."""

_ROUNDS_OF_STATEMENTS = 15

_MOST_NOTED = 100_000
"""Authors of one week, for the peer: with more it would be measured for an hour."""

_US, _LEASE = "support@example.jp", timedelta(minutes=1)


class _TakenBack(Exception):  # noqa: N818 - it ends a transaction, and is no error
    """A transaction that leaves nothing."""


@dataclass(slots=True)
class Store:
    """One that is measured."""

    server: Answering
    """What answers on it."""
    size: int
    url: str = ""
    """Of the peer there is none."""
    filled_in: float = 0
    """Seconds."""
    megabytes: float = 0
    answered: list[Answered] = field(default_factory=list)
    statements: dict[str, list[float]] = field(default_factory=dict)
    """Milliseconds of each round."""


Figures = dict[str, tuple[Store, Store]]
"""By kind, the new store and the one with many mails."""


def filled(url: str, size: int) -> Store:
    """A store with so many mails."""
    took = fill(url, size)
    engine = open_engine(url)
    with engine.connect() as connection:
        megabytes = _bytes(connection) / 1e6
    engine.dispose()
    return Store(partial(ours.service, url), size, url, took, megabytes)


def _bytes(connection: Connection) -> int:
    if connection.dialect.name == "postgresql":
        size: int = connection.execute(sa.select(sa.func.pg_database_size(sa.func.current_database()))).scalar_one()
        return size
    file = Path(str(connection.engine.url.database))
    return sum(part.stat().st_size for part in file.parent.glob(f"{file.name}*"))


def answer(few: Store, many: Store, *, mails: int, rounds: int) -> None:
    """Measure answering, in turns."""
    for number in range(rounds):
        for store in (few, many):
            # No number twice: the second mail would be a repetition of the first.
            first = 10_000_000 + number * mails
            store.answered.append(measured(store.server, mails=mails, first=first))


def ask(few: Store, many: Store) -> None:
    """Measure the statements, in turns."""
    engines = [open_engine(store.url) for store in (few, many)]
    for number in range(_ROUNDS_OF_STATEMENTS + 1):
        for store, engine in zip((few, many), engines, strict=True):
            for name, took in _statements(engine).items():
                if number:  # the first builds the statements
                    store.statements.setdefault(name, []).append(took)
    for engine in engines:
        engine.dispose()


def _statements(engine: Engine) -> dict[str, float]:
    took: dict[str, float] = {}

    @contextmanager
    def lap(name: str) -> Iterator[None]:
        began = time.perf_counter()
        yield
        took[name] = (time.perf_counter() - began) * 1000

    with suppress(_TakenBack), engine.begin() as connection:
        _batch(connection, lap, datetime.now(UTC))
        raise _TakenBack
    return took


def _batch(conn: Connection, lap: Callable[[str], AbstractContextManager[None]], now: datetime) -> None:
    """What twenty mails ask of the store on their way, in its order."""
    sent = [question(20_000_000 + place) for place in range(_TOGETHER)]
    with lap("take in"):
        inbox.accept(conn, [(Envelope(mail.sender.decode(), (_US,)), mail.raw) for mail in sent], now=now)
    with lap("claim"):
        claimed = inbox.claim(conn, now=now, limit=_TOGETHER, lease=_LEASE)
    readings = [Reading(parse_message(mail.raw), None, (), None, None) for mail in claimed]
    with lap("hold, and count what left"):
        inbox.hold(conn, claimed)
        tally_of(conn, Budgets(), now=now)
    with lap("look into the past"):
        for mail, found in zip(claimed, readings, strict=True):
            past_of(conn, mail, found, b"growth", bounces=frozenset(), budgets=Budgets(), now=now)
    with lap("queue the answers"):
        for mail in claimed:
            reply = Reply(f"<{mail.id}@growth.example>", "", mail.envelope.mail_from, mail.raw)
            once = f"growth:{mail.id}"
            outbox.enqueue(conn, reply, inquiry_id=mail.id, kind=DeliveryKind.ANSWER, once=once, now=now)
    with lap("settle"):
        for mail in claimed:
            inbox.settle(conn, mail, Settlement(Lane.ANSWERED, "recognised", None, {}, "", ""), now=now)
    with lap("claim the answers"):
        deliveries = outbox.claim(conn, now=now, limit=_TOGETHER, lease=_LEASE)
    with lap("settle the answers"):
        for delivery in deliveries:
            outbox.settle_sent(conn, delivery, reply="250 taken", now=now)
    with lap("count all lanes"):
        inbox.balance(conn)
    with lap("count the staff's lists"):
        queue.counts(conn, "sato", now=now)


def parts(found: Figures) -> list[Part]:
    """Both tables."""
    head = ["server", "mails there", "MB", "copied in s", "answers/s", "times the new", "ms of processor a mail"]
    rows = [row for kind, (few, many) in found.items() for row in (_row(kind, few, few), _row(kind, many, few))]
    words = (
        "Accept, triage and deliver as above, in turns on a new store and on one with many mails. The many are copies "
        "of the rows that the service wrote for the mails of `examples/`, spread over 100 days. Of the peer they are "
        "the authors that it has answered in the last seven days, which it keeps in one file and reads and writes for "
        "each mail; 100,000 at most are tried."
    )
    asked = (
        f"Milliseconds for {_TOGETHER} mails in one transaction that is taken back, without its flush, in turns on the "
        "same stores. The two counts at the end are made for people, and not for mails."
    )
    return [
        Part("Growth", words, [head, *rows]),
        Part("Growth, statement by statement", asked, _statement_rows(found)),
    ]


def _row(kind: str, store: Store, new: Store) -> list[str]:
    rates, before = ([one.answers for one in of.answered] for of in (store, new))
    processor = median(one.processor for one in store.answered)
    copied = [figure(store.megabytes), figure(store.filled_in)] if store.url else ["", ""]
    cells = [f"{store.size:,}", *copied, figure(median(rates))]
    return [kind, *cells, f"{ratio(rates, before):.2f}", figure(processor)]


def _statement_rows(found: Figures) -> list[list[str]]:
    measured = [(kind, store) for kind, both in found.items() for store in both if store.statements]
    names = list(measured[0][1].statements) if measured else []
    rows = [[name, *(f"{median(store.statements[name]):.2f}" for _, store in measured)] for name in names]
    return [["ms", *(f"{kind.removeprefix('ours on ')}, {store.size:,}" for kind, store in measured)], *rows]


def measure(kinds: Stores, *, size: int, mails: int, rounds: int, peer: bool) -> Figures:
    """All kinds, one after the other, and the peer."""
    found = {}
    for kind, url in kinds.items():
        few, many = filled(url(), EXAMPLES), filled(url(), size)
        answer(few, many, mails=mails, rounds=rounds)
        ask(few, many)
        found[f"ours on {kind}"] = (few, many)
    if peer:
        few, many = (_noted(authors) for authors in (0, min(size, _MOST_NOTED)))
        # It takes a fifth of a second for each.
        answer(few, many, mails=min(mails, 60), rounds=rounds)
        found[ONE_AT_A_TIME] = (few, many)
    return found


def _noted(authors: int) -> Store:
    return Store(partial(vacation, one_at_a_time=True, authors=authors), authors)


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("size", 100_000), ("mails", 300), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given, missing = parser.parse_args(), dict[str, str]()
    shipped_classifier()
    with stores(missing) as kinds, answering(missing, kinds=()) as peers:
        found = measure(kinds, size=given.size, mails=given.mails, rounds=given.rounds, peer=bool(peers))
    print(*(part.text() for part in parts(found)), *missing.values(), sep="\n\n")


if __name__ == "__main__":
    main()
