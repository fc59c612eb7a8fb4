"""How many answers never arrive where the next hop is away while the mails come.

    .venv/bin/python -m benchmarks.lost [--mails 100] [--away 5]

All mails are taken in while the next hop refuses connections; after some seconds it is back, and whatever still comes
is waited for. The peer is measured in both ways it is set up: with its own Postfix before the next hop, which queues
what it cannot deliver, and with the next hop as Dovecot's `submission_host`, as where the mail store has no queue of
its own, or where the one it has refuses.
"""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from benchmarks.answering import ONE_AT_A_TIME, VACATION, Answering, answering
from benchmarks.client import deliver, question
from benchmarks.peers.dovecot import vacation
from benchmarks.report import Part
from benchmarks.sink import Sink
from tests.knowledge import shipped_classifier

_PATIENCE = 12.0
"""Seconds without an answer after which none is waited for: three times the longest pause between two attempts."""


_BEFORE = 5
"""Mails that are answered before the next hop goes away."""


@dataclass(frozen=True, slots=True)
class Outage:
    """What became of the mails that were taken in meanwhile."""

    taken: int
    answered: int
    twice: int

    @property
    def lost(self) -> int:
        """Taken in with a 250, and never answered."""
        return self.taken - self.answered


def measured(server: Answering, *, mails: int, away: float) -> Outage:
    """One outage, on an empty store."""
    return asyncio.run(_measured(server, mails, away))


async def _measured(starting: Answering, mails: int, away: float) -> Outage:
    sink = Sink()
    with starting(await sink.start()) as server:
        # That it answers at all is seen first: one that does not would look as if it lost everything.
        await deliver(server.port, iter(range(mails, mails + _BEFORE)), question)
        await sink.wait(_BEFORE, patience=_PATIENCE)
        if len(sink.came) < _BEFORE:
            raise SystemExit(f"{len(sink.came)} of {_BEFORE} answers came")
        await sink.stop()
        sent = await deliver(server.port, iter(range(mails)), question)
        await asyncio.sleep(away)
        await sink.start()
        await sink.wait(_BEFORE + mails, patience=_PATIENCE)
    return Outage(len(sent.taken), len(sink.came) - _BEFORE, sink.twice)


def with_direct(servers: Mapping[str, Answering]) -> dict[str, Answering]:
    """The same, and the peer without a queue before the next hop."""
    if VACATION not in servers:
        return dict(servers)
    some = {name: server for name, server in servers.items() if name != ONE_AT_A_TIME}
    return {**some, f"{VACATION}, no queue behind it": partial(vacation, directly=True)}


def part(found: Mapping[str, Outage], *, away: float) -> Part:
    """The table."""
    head = ["server", "taken in", "answered", "never answered", "answered twice"]
    rows = [[name, *map(str, (one.taken, one.answered, one.lost, one.twice))] for name, one in found.items()]
    words = (
        f"The next hop refuses connections while the mails come and for {away:g} seconds after. *No queue behind it*: "
        "Dovecot hands its answers to the next hop itself. It keeps the mail, logs that it could not answer, and does "
        "not try again; the sender is answered when he writes once more."
    )
    return Part("A next hop that is away", words, [head, *rows])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=100)
    parser.add_argument("--away", type=float, default=5)
    given, words = parser.parse_known_args()
    shipped_classifier()
    missing: dict[str, str] = {}
    with answering(missing, words=words) as servers:
        found = {
            name: measured(server, mails=given.mails, away=given.away) for name, server in with_direct(servers).items()
        }
    print(part(found, away=given.away).text(), *missing.values(), sep="\n")


if __name__ == "__main__":
    main()
