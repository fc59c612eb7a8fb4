"""All measurements of the whole service beside its peers: `make bench`.

    .venv/bin/python -m benchmarks.bench [--growth 100000] [--rounds 3] [--print]

Takes some seven minutes on two cores, and a quarter of an hour with a growth of 1,000,000. Writes its tables between
two markers of docs/benchmarks.md, and a picture beside it; with `--print` they are printed only. A peer that cannot run
here is left out, with the reason.
"""

import argparse
import signal
import sys
from collections.abc import Iterator

from benchmarks import accept, again, growth, latency, lost, throughput
from benchmarks.answering import ONE_AT_A_TIME, Answering, answering
from benchmarks.client import ROOT
from benchmarks.picture import drawn
from benchmarks.report import Part, machine, page, put
from benchmarks.stores import stores
from tests.knowledge import shipped_classifier

PAGE, PICTURE = ROOT / "docs" / "benchmarks.md", ROOT / "docs" / "benchmarks.svg"

_PER_SECOND, _AWAY = 10.0, 5.0


def measured(missing: dict[str, str], *, size: int, rounds: int) -> Iterator[Part]:
    """Each measurement as soon as it is made; why something is left out is put into `missing`."""
    _say("taking mail in")
    yield accept.part(accept.measured(missing, mails=600, rounds=rounds))
    with answering(missing) as servers:
        yield from _answering(servers, rounds)
        _say(f"growth to {size:,} mails")
        with stores({}) as kinds:
            peer = ONE_AT_A_TIME in servers
            found = growth.measure(kinds, size=size, mails=150, rounds=max(2, rounds - 1), peer=peer)
        yield from growth.parts(found)


def _answering(servers: dict[str, Answering], rounds: int) -> Iterator[Part]:
    _say("answering")
    found: throughput.Figures = {}
    for name, one in throughput.rounds(servers, mails=300, sessions=20, count=rounds):
        found.setdefault(name, []).append(one)
    yield throughput.part(found)
    _say("waiting for an answer")
    # One at a time is no other than many at a time where they come one at a time.
    some = {name: server for name, server in servers.items() if name != ONE_AT_A_TIME}
    waits = {name: latency.measured(one, mails=200, per_second=_PER_SECOND) for name, one in some.items()}
    yield latency.part(waits, per_second=_PER_SECOND)
    _say("a next hop that is away")
    kept = {name: lost.measured(one, mails=40, away=_AWAY) for name, one in lost.with_direct(servers).items()}
    yield lost.part(kept, away=_AWAY)
    _say("writing again")
    yield again.part({name: again.measured(one, mails=100) for name, one in servers.items()})
    yield throughput.memory(found)


def _say(what: str) -> None:
    print(f"measuring: {what}", file=sys.stderr, flush=True)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--growth", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--print", action="store_true", dest="only_print")
    given, missing, parts = parser.parse_args(), dict[str, str](), list[Part]()
    # Servers that put themselves into the background are stopped however this ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    of = machine()  # with the load before ours
    _say("nothing yet: the shipped corpus is learned where that was not done")
    shipped_classifier()
    for part in measured(missing, size=given.growth, rounds=given.rounds):
        print(part.text(), end="\n\n", flush=True)
        parts.append(part)
    reasons = [f"{name} ({reason})" for name, reason in missing.items()]
    print(*reasons, sep="\n")
    if given.only_print:
        return
    command = "make bench" if given.growth == parser.get_default("growth") else f"make bench GROWTH={given.growth}"
    PICTURE.write_text(drawn([panel for part in parts for panel in part.panels]), encoding="utf-8")
    put(PAGE, page(parts, command=command, machine=of, picture=PICTURE.name, missing=reasons))


if __name__ == "__main__":
    main()
