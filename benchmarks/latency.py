"""How long a contractor waits for an answer when little comes: from the end of DATA to the answer at the next hop.

    .venv/bin/python -m benchmarks.latency [--mails 300] [--per-second 10]

Each mail comes in a session of its own, at its own moment, whatever became of those before it.
"""

import argparse
import asyncio
from dataclasses import dataclass
from statistics import quantiles

from benchmarks.answering import PEERS, VACATION, Answering, answering
from benchmarks.client import pace, question
from benchmarks.picture import Bar, Panel, figure
from benchmarks.report import Part
from benchmarks.sink import Sink
from tests.knowledge import shipped_classifier

_WARM = 20
"""Mails that come before those that count: programs load what they need at the first ones."""


@dataclass(frozen=True, slots=True)
class Waits:
    """Milliseconds of each mail: from the end of DATA to our 250, and to the answer."""

    taken: list[float]
    answered: list[float]


def measured(server: Answering, *, mails: int, per_second: float) -> Waits:
    """One run on an empty store. Raises SystemExit where answers do not come."""
    return asyncio.run(_measured(server, mails, per_second))


async def _measured(starting: Answering, mails: int, per_second: float) -> Waits:
    sink = Sink()
    with starting(await sink.start()) as server:
        sent = await pace(server.port, range(_WARM + mails), question, per_second=per_second)
        await sink.wait(_WARM + mails, patience=30)
    if len(sink.came) < _WARM + mails:
        raise SystemExit(f"{len(sink.came)} of {_WARM + mails} answers came")
    counted = range(_WARM, _WARM + mails)
    return Waits(
        [(sent.taken[number] - sent.ended[number]) * 1000 for number in counted],
        [(sink.came[number] - sent.ended[number]) * 1000 for number in counted],
    )


def part(found: dict[str, Waits], *, per_second: float) -> Part:
    """The table, and what of it is drawn."""
    head = ["server", "ms to the 250, p50", "p99", "ms to the answer, p50", "p99", "times vacation, p50", "p99"]
    rows = []
    for name, waits in found.items():
        taken, answered = _middle_and_end(waits.taken), _middle_and_end(waits.answered)
        peer = _middle_and_end(found[VACATION].answered) if VACATION in found else ()
        times = [f"{one / other:.2f}" for one, other in zip(answered, peer, strict=False)] or ["", ""]
        rows.append([name, *map(figure, taken), *map(figure, answered), *times])
    words = (
        f"{per_second:g} mails a second, each in a session of its own: from the end of DATA to the 250, and to "
        "the answer at the next hop."
    )
    panels = [
        Panel(
            f"Milliseconds to the answer at {per_second:g} mails a second, {word}",
            [Bar(name, _middle_and_end(waits.answered)[at], name not in PEERS) for name, waits in found.items()],
        )
        for at, word in enumerate(("p50", "p99"))
    ]
    return Part("Waiting for an answer", words, [head, *rows], panels)


def _middle_and_end(waits: list[float]) -> tuple[float, float]:
    points = quantiles(waits, n=100)
    return points[49], points[98]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=300)
    parser.add_argument("--per-second", type=float, default=10)
    given, words = parser.parse_known_args()
    shipped_classifier()
    missing: dict[str, str] = {}
    with answering(missing, words=words) as servers:
        found = {
            name: measured(server, mails=given.mails, per_second=given.per_second) for name, server in servers.items()
        }
    print(part(found, per_second=given.per_second).text(), *missing.values(), sep="\n")


if __name__ == "__main__":
    main()
