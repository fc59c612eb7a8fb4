"""All that is compared with peers, in one run: `make bench` writes it into docs/benchmarks.md, with a picture.

    .venv/bin/python benchmarks/bench.py [--mails 1000] [--rounds 3] [--growth 100000]

Every peer is measured in the same run, in turns with ours, by the same client; a peer that is not installed is named.
"""

import argparse
import asyncio
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import accept, growth, peers
from benchmarks.bars import picture
from benchmarks.throughput import Round, Sink, load, measured
from responder import __version__
from tests.conftest import postgres_database, postgres_server
from tests.knowledge import shipped_classifier

DOCS = Path(__file__).parent.parent / "docs"
BEGIN, END = "<!-- bench begins -->", "<!-- bench ends -->"

KEPT, EACH = "connections kept", "one mail a connection"
OURS, OURS_POSTGRES = "responder, SQLite", "responder, PostgreSQL"
AIOSMTPD, POSTFIX, VACATION = "aiosmtpd, keeps nothing", "Postfix, queue on disk", "Postfix, Dovecot, vacation"


@dataclass(frozen=True, slots=True)
class Listening:
    """What `accept` measures, of a peer whose processor time is not counted."""

    port: int
    pid: int = 0

    def seconds(self) -> float:
        return 0.0


@contextmanager
def _postfix() -> Iterator[Listening]:
    with peers.postfix() as port:
        yield Listening(port)


def accepting(mails: int, rounds: int) -> dict[str, dict[str, float]]:
    """Mails a second that are taken in, for each mode and peer: the median of the rounds, which take turns."""
    servers: dict[str, Callable[[], object]] = {AIOSMTPD: accept.bare, OURS: accept.listener}
    if not peers.missing("postfix"):
        servers[POSTFIX] = _postfix
    found: dict[str, dict[str, float]] = {}
    for mode, per_session in ((KEPT, mails // 20), (EACH, 1)):
        rates: dict[str, list[float]] = {name: [] for name in servers}
        for _ in range(rounds):
            for name, start in servers.items():
                with start() as server:  # type: ignore[attr-defined]  # each of them is a context
                    rates[name].append(accept._figures(server, mails, 20, per_session)[0])
        found[mode] = {name: median(rates[name]) for name in servers}
    return found


async def _vacation(mails: int, sessions: int, pause: float) -> Round:
    sink = Sink()
    with peers.vacation(await sink.start()) as port:
        return await load(port, sink, mails, sessions, pause)


def answering(mails: int, rounds: int, sessions: int, pause: float) -> dict[str, Round]:
    """From SMTP in to SMTP out, for each store and peer: the round with the median rate."""
    found: dict[str, list[Round]] = {}

    def note(name: str, one: Round) -> None:
        found.setdefault(name, []).append(one)

    with postgres_server() as server, tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            url = f"sqlite:///{folder}/{number}.db"
            note(OURS, asyncio.run(measured(url, mails, sessions, [], pause)))
            note(OURS_POSTGRES, asyncio.run(measured(postgres_database(server), mails, sessions, [], pause)))
            if not peers.missing("postfix", "dovecot", "sievec"):
                note(VACATION, asyncio.run(_vacation(mails, sessions, pause)))
    return {name: sorted(all_of, key=lambda one: one.answered)[len(all_of) // 2] for name, all_of in found.items()}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """In Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def report(mails: int, rounds: int, size: int) -> str:
    """All sections, as Markdown; the picture is written beside."""
    rates = accepting(2 * mails, rounds)
    full, modest = answering(mails, rounds, 20, 0.0), answering(100, 1, 1, 0.1)
    bars = {f"taken in a second, {mode}": rates[mode] for mode in rates}
    bars["answers a second, from SMTP in to SMTP out"] = {name: one.answered for name, one in full.items()}
    (DOCS / "benchmarks.svg").write_text(picture(bars))
    taken = [
        [mode, name, f"{rate:,.0f}", f"{rates[mode][OURS] / rate:.2f}"]
        for mode in rates
        for name, rate in rates[mode].items()
    ]
    answers = [
        [name, f"{one.answered:,.0f}", f"{full[OURS].answered / one.answered:.2f}", f"{modest[name].median:.2f}",
         f"{modest[name].p99:.2f}", str(one.megabytes or "")]
        for name, one in full.items()
    ]  # fmt: skip
    wanting = [peers.missing("postfix"), peers.missing("dovecot", "sievec")]
    return "\n\n".join(
        [
            f"{_machine()}, responder {__version__}. {rounds} rounds in turns, medians.",
            *(f"Not measured: {words}." for words in wanting if words),
            "![what is taken in, and what is answered](benchmarks.svg)",
            table(["taking in, 20 sessions", "", "mails/s", "ours to it"], taken),
            table(["answering", "answers/s", "SQLite to it", "wait s, median", "p99", "MB"], answers),
            growth.report(sorted({0, size // 10, size}), 200),
        ]
    )


def _machine() -> str:
    known = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in known if line.startswith("model name")]
    system = f"Linux {platform.release()}, Python {platform.python_version()}"
    return f"{time.strftime('%-d %B %Y')}: {len(models)} × {models[0]}, {system}"


def main() -> None:
    """Print it, and put it into the document between its marks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("mails", 1000), ("rounds", 3), ("growth", 100_000)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    shipped_classifier()
    text = report(given.mails, given.rounds, given.growth)
    print(text)
    document = DOCS / "benchmarks.md"
    before, _, rest = document.read_text().partition(BEGIN)
    document.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{rest.partition(END)[2]}")


if __name__ == "__main__":
    main()
