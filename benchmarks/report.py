"""What was measured, for people: tables and a picture between two markers of a page."""

import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.peers import dovecot, postfix
from benchmarks.picture import Panel

BEGIN, END = "<!-- make bench: begin -->", "<!-- make bench: end -->"


@dataclass(frozen=True, slots=True)
class Part:
    """One measurement: what was done, its table (the first row is the head), and its place in the picture."""

    title: str
    words: str
    table: Sequence[Sequence[str]]
    panels: Sequence[Panel] = ()

    def text(self) -> str:
        """As it stands in the page."""
        head, *rows = ["| " + " | ".join(cells) + " |" for cells in self.table]
        return "\n".join([f"### {self.title}", "", self.words, "", head, "|---" * len(self.table[0]) + "|", *rows])


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """How many times theirs: the median of what the rounds say, each of its own neighbours in time."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def machine() -> str:
    """Cores, processor, kernel, memory and versions, in one sentence."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") >> 30
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    programs = {
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
        "aiosmtpd": version("aiosmtpd"),
        "Postfix": postfix.version(),
        "Dovecot": dovecot.version(),
    }
    versions = [f"{name} {found}" for name, found in programs.items() if found]
    return (
        f"{os.cpu_count()} cores of {_processor()}, {memory} GiB, {sys.platform.capitalize()} {platform.release()}; "
        f"{', '.join(versions)}; load of the machine before it began: {load}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def page(parts: Sequence[Part], *, command: str, machine: str, picture: str, missing: Sequence[str]) -> str:
    """All between the markers."""
    today = datetime.now(UTC)
    left_out = [f"Left out: {reason}." for reason in missing]
    texts = [
        f"`{command}`, {today.day} {today:%B %Y}: {machine}.",
        "Every figure stands beside a peer's of the same run: trust ratios before rates. Medians of the rounds.",
        *left_out,
        f"![The figures of the tables as bars]({picture})",
        *(part.text() for part in parts),
    ]
    return "\n\n".join(texts)


def put(path: Path, text: str) -> None:
    """Write between the markers of a page. Raises SystemExit where it has none."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"{path} has no line {BEGIN} with {END} below it")
    path.write_text(f"{before}{begin}\n{text}\n{end}{after}", encoding="utf-8")
