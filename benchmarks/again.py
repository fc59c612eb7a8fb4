"""How many people are answered once more when they write again at once.

    .venv/bin/python -m benchmarks.again [--mails 200]

Every author sends two mails with the same question, the second when the first was answered. Ours gives the same answer
again after seven days and calls a person until then; the peer's script is told the same (`:days 7`).
"""

import argparse
import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.answering import Answering, answering
from benchmarks.client import Mail, deliver, question
from benchmarks.report import Part
from benchmarks.sink import Sink
from tests.knowledge import shipped_classifier

_APART = 1_000_000
"""The number of a second mail is that of the first and this."""

_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Twice:
    """What became of authors who wrote twice."""

    authors: int
    first: int
    """First mails that were answered."""
    second: int
    """Second mails that were."""


def measured(server: Answering, *, mails: int) -> Twice:
    """One run on an empty store."""
    return asyncio.run(_measured(server, mails))


async def _measured(starting: Answering, mails: int) -> Twice:
    sink = Sink()
    with starting(await sink.start()) as server:
        await deliver(server.port, iter(range(mails)), question)
        await sink.wait(mails, patience=_PATIENCE)
        first = len(sink.came)
        await deliver(server.port, iter(range(_APART, _APART + mails)), _second)
        await sink.wait(first + mails, patience=_PATIENCE)
    return Twice(mails, first, len(sink.came) - first)


def _second(number: int) -> Mail:
    mail = question(number - _APART)
    return Mail(mail.sender, mail.raw.replace(b"<n%d." % (number - _APART), b"<n%d." % number, 1))


def part(found: Mapping[str, Twice]) -> Part:
    """The table."""
    head = ["server", "authors", "first mail answered", "second mail answered too"]
    rows = [[name, *map(str, (one.authors, one.first, one.second))] for name, one in found.items()]
    words = (
        "Every author asks once more within the seven days in which the same answer is not to be given again; twenty "
        "sessions send as quickly as they can."
    )
    return Part("Writing again", words, [head, *rows])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=200)
    given, words = parser.parse_known_args()
    shipped_classifier()
    missing: dict[str, str] = {}
    with answering(missing, words=words) as servers:
        found = {name: measured(server, mails=given.mails) for name, server in servers.items()}
    print(part(found).text(), *missing.values(), sep="\n")


if __name__ == "__main__":
    main()
