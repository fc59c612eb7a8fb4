"""How many mails a second are answered from SMTP in to SMTP out, and how long one waits for its answer.

    .venv/bin/python -m benchmarks.throughput [--mails 3000] [--sessions 20] [--rounds 3] [--only sqlite]

A whole `responder serve` takes mails in, reads, decides, writes, stores and delivers them to a next hop here that says
250 to everything. Every mail is a question that the shipped FAQ answers, from a sender of its own, so that no budget
stands in its way. The peer is Postfix that delivers to Dovecot, where a Sieve script answers everybody with one text
through the same Postfix. *answers/s* is from the first connection to the last answer; *wait* from the end of DATA to
the answer at the next hop. Words that are not listed here follow `serve`: `--workers 2`.
"""

import argparse
import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.answering import PEERS, VACATION, Answering, answering
from benchmarks.client import deliver, question
from benchmarks.picture import Bar, Panel, figure
from benchmarks.report import Part, ratio
from benchmarks.sink import Sink
from tests.knowledge import shipped_classifier


@dataclass(frozen=True, slots=True)
class Answered:
    """One round."""

    taken: float
    """Mails a second."""
    answers: float
    """Likewise."""
    waits: list[float]
    """Seconds."""
    twice: int
    processor: float
    """Milliseconds for one mail."""
    idle: float
    """Megabytes before the first mail."""
    busy: float
    """Megabytes when the last was answered."""


Figures = dict[str, list[Answered]]
"""By server, each round."""


def measured(server: Answering, *, mails: int, sessions: int = 20, first: int = 0) -> Answered:
    """One round; on a store that had some before, `first` is a number that was not sent yet.

    Raises SystemExit where answers do not come.
    """
    return asyncio.run(_measured(server, range(first, first + mails), sessions))


async def _measured(starting: Answering, numbers: range, sessions: int) -> Answered:
    mails = len(numbers)
    sink = Sink()
    with starting(await sink.start()) as server:
        idle, used = server.megabytes(), server.seconds()
        sent = await deliver(server.port, iter(numbers), question, sessions=sessions)
        await sink.wait(mails, patience=30)
        if len(sink.came) < mails:
            raise SystemExit(f"{len(sink.came)} of {mails} answers came")
        took = max(sink.came.values()) - sent.began
        return Answered(
            taken=sent.per_second(),
            answers=mails / took,
            waits=[sink.came[number] - sent.ended[number] for number in numbers],
            twice=sink.twice,
            processor=(server.seconds() - used) / mails * 1000,
            idle=idle,
            busy=server.megabytes(),
        )


def rounds(servers: dict[str, Answering], *, mails: int, sessions: int, count: int) -> Iterator[tuple[str, Answered]]:
    """In turns, as they come: what disturbs the machine for a while disturbs all."""
    for _ in range(count):
        for name, server in servers.items():
            yield name, measured(server, mails=mails, sessions=sessions)


def part(found: Figures) -> Part:
    """The table, and what of it is drawn."""
    head = ["server", "taken in/s", "answers/s", "times vacation", "wait s, median", "p99", "ms of processor a mail"]
    rows = [_row(found, name) for name in found]
    words = (
        "Twenty sessions send questions as quickly as they can, and all that was taken is answered through a next hop "
        "that says 250 to everything. Ours reads each mail, recognises the question, and answers or calls a person; "
        "the peer sends everybody the same text; *one at a time* it also holds to answering nobody twice. A wait here "
        "is mostly for those before it. The processor time is that of all processes of a server, PostgreSQL's included."
    )
    bars = [Bar(name, median(one.answers for one in of), name not in PEERS) for name, of in found.items()]
    return Part("Answering", words, [head, *rows], [Panel("Mails answered a second, SMTP in to SMTP out", bars)])


def _row(found: Figures, name: str) -> list[str]:
    of = found[name]
    answers = [one.answers for one in of]
    times = f"{ratio(answers, [one.answers for one in found[VACATION]]):.2f}" if VACATION in found else ""
    waits = [figure(median(quantiles(one.waits, n=100)[place] for one in of)) for place in (49, 98)]
    taken, processor = median(one.taken for one in of), median(one.processor for one in of)
    return [name, figure(taken), figure(median(answers)), times, *waits, figure(processor)]


def memory(found: Figures) -> Part:
    """The table of what they hold."""
    head = ["server", "MB before the first mail", "MB when the last was answered"]
    rows = [
        [name, *(figure(median(getattr(one, at) for one in of)) for at in ("idle", "busy"))]
        for name, of in found.items()
    ]
    words = (
        "All processes of each server in the runs above; what several share is counted once. PostgreSQL is among them."
    )
    return Part("Memory", words, [head, *rows])


def main() -> None:
    """Print each round."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("mails", 3000), ("sessions", 20), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", choices=("SQLite", "PostgreSQL"), type=lambda word: _KINDS.get(word.lower(), word))
    given, words = parser.parse_known_args()
    shipped_classifier()
    missing: dict[str, str] = {}
    print("| server | taken in/s | answers/s | wait s, median | p99 | twice | ms | MB |")
    print("|---" * 8 + "|")
    kinds = (given.only,) if given.only else tuple(_KINDS.values())
    with answering(missing, kinds=kinds, peer=not given.only, words=words) as servers:
        for name, one in rounds(servers, mails=given.mails, sessions=given.sessions, count=given.rounds):
            waits = quantiles(one.waits, n=100)
            cells = (name, one.taken, one.answers, waits[49], waits[98], one.twice, one.processor, one.busy)
            print("| {} | {:,.0f} | {:,.0f} | {:.2f} | {:.2f} | {} | {:.2f} | {:.0f} |".format(*cells), flush=True)
    print(*missing.values(), sep="\n", end="")


_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


if __name__ == "__main__":
    main()
