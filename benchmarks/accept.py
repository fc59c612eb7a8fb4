"""How many small mails a second are taken in, by ours and by servers that do nothing else.

    .venv/bin/python -m benchmarks.accept [--mails 2000] [--sessions 20] [--rounds 3]

All serve in turns, each from processes of its own, and the same client sends. aiosmtpd keeps nothing. Postfix says 250
when the mail is on disk in its queue, and leaves it there; the listener when it is committed and flushed, to an SQLite
file in the folder for temporary files or to a PostgreSQL beside it. A second mode gives every mail a session. Beside
the rate stands the processor time of the server for one mail, that of its database included, which other work on the
machine disturbs less.
"""

import argparse
import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from statistics import median

from benchmarks import ours
from benchmarks.client import deliver, small
from benchmarks.peers import postfix
from benchmarks.peers.bare import bare
from benchmarks.peers.processes import Server, UnavailableError
from benchmarks.picture import Bar, Panel, figure
from benchmarks.report import Part, ratio
from benchmarks.stores import stores

MODES = {"many mails a session": 0, "one mail a session": 1}
POSTFIX, NOTHING = "Postfix, to its queue", "aiosmtpd, keeping nothing"


@dataclass(frozen=True, slots=True)
class Accepted:
    """One round: mails a second, and milliseconds of the server's processor for one."""

    rate: float
    processor: float


Figures = dict[tuple[str, str], list[Accepted]]
"""By mode and server, each round."""


def measured(missing: dict[str, str], *, mails: int = 1000, sessions: int = 20, rounds: int = 3) -> Figures:
    """All that can run here; why others cannot is put into `missing`."""
    found: Figures = {}
    with _servers(missing) as servers:
        for mode, per_session in MODES.items():
            for number in range(-1, rounds):
                for name, server in servers.items():
                    one = _round(server, mails, sessions, per_session)
                    if number >= 0:  # the one before warms up: Postfix starts its processes when they are needed
                        found.setdefault((mode, name), []).append(one)
    return found


@contextmanager
def _servers(missing: dict[str, str]) -> Iterator[dict[str, Server]]:
    with ExitStack() as stack:
        makers: dict[str, Callable[[], AbstractContextManager[Server]]] = {NOTHING: bare, POSTFIX: postfix.holding}
        for kind, url in stack.enter_context(stores(missing)).items():
            # No courier runs, so that port 9 is never asked.
            makers[f"ours on {kind}"] = partial(ours.service, url(), 9, only="listener")
        found = {}
        for name, make in makers.items():
            try:
                found[name] = stack.enter_context(make())
            except UnavailableError as error:
                missing[name] = str(error)
        yield found


def _round(server: Server, mails: int, sessions: int, per_session: int) -> Accepted:
    used = server.seconds()
    sent = asyncio.run(deliver(server.port, iter(range(mails)), small, sessions=sessions, per_session=per_session))
    return Accepted(sent.per_second(), (server.seconds() - used) / mails * 1000)


def part(found: Figures) -> Part:
    """The table, and what of it is drawn."""
    peers = [name for name in (NOTHING, POSTFIX) if any(name == server for _, server in found)]
    head = ["server", "", "mails/s", "ms of processor a mail", *(f"times {name.partition(',')[0]}" for name in peers)]
    rows = []
    for (mode, name), rounds in found.items():
        rates = [one.rate for one in rounds]
        times = [f"{ratio(rates, [one.rate for one in found[mode, peer]]):.2f}" for peer in peers]
        rows.append([name, mode, figure(median(rates)), f"{median(one.processor for one in rounds):.2f}", *times])
    words = (
        "Twenty sessions send small mails as quickly as they can. *Ours* and Postfix say 250 when a mail is on disk, "
        "aiosmtpd keeps none. The processor time is that of all processes of a server, PostgreSQL's included."
    )
    return Part("Taking mail in", words, [head, *rows], [_panel(found, mode) for mode in MODES])


def _panel(found: Figures, mode: str) -> Panel:
    bars = [
        Bar(name, median(one.rate for one in rounds), name.startswith("ours"))
        for (of, name), rounds in found.items()
        if of == mode
    ]
    return Panel(f"Mails taken in a second, {mode}", bars)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("mails", 2000), ("sessions", 20), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given, missing = parser.parse_args(), dict[str, str]()
    found = measured(missing, mails=given.mails, sessions=given.sessions, rounds=given.rounds)
    print(part(found).text(), *missing.values(), sep="\n")


if __name__ == "__main__":
    main()
