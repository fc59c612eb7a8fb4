"""A server that is measured: where it listens, and what its processes use."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

_TICKS = os.sysconf("SC_CLK_TCK")


class UnavailableError(Exception):
    """What is compared with cannot run here; the words say why, for the table."""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that takes mail in, and all that it started."""

    port: int
    pids: tuple[int, ...]
    """Of the processes at the top of their trees."""

    def seconds(self) -> float:
        """Processor time used so far, that of children that have ended included; 0 where there is no /proc."""
        return sum(_ticks(pid) for pid in self._all()) / _TICKS

    def megabytes(self) -> float:
        """Memory of all of them: what several share is counted once; 0 where there is no /proc."""
        return sum(_shared_kilobytes(pid) for pid in self._all()) / 1024

    def _all(self) -> list[int]:
        return [pid for top in self.pids for pid in (top, *_below(top))]


def _below(parent: int) -> Iterator[int]:
    for file in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, file.read_text().split()):
                yield child
                yield from _below(child)


def _ticks(pid: int) -> int:
    # A process may end between being found and being asked; its parent tells of it from then on.
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15]))
    return 0


def _shared_kilobytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def free_port() -> int:
    """For a program that cannot choose one itself and say which."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port: int = bound.getsockname()[1]
        return port


def wait_for(holds: Callable[[], bool], trouble: Callable[[], str], seconds: float = 30) -> None:
    """Raises UnavailableError, with what `trouble` gives, where it does not come to hold."""
    end = monotonic() + seconds
    while not holds():
        if monotonic() > end:
            raise UnavailableError(trouble())
        sleep(0.05)


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
