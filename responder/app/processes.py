"""Workers in processes of their own: forked from a parent that has read everything once, and that keeps them alive.

Triage is arithmetic, and Python does one piece of arithmetic at a time in a process. The parent runs no agent: it has
no thread and no connection, so that it can fork whenever a worker has died.
"""

import asyncio
import gc
import os
import signal
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from responder import maillog
from responder.app.pieces import ready_store
from responder.app.renewal import Current
from responder.app.serving import GRACE, Wakeups, serve
from responder.config import Config

_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=30)
_MOST_BY_ITSELF = 4
_SOUND_AFTER = timedelta(minutes=1)
"""A worker that lived as long did not die of how it began."""

_HEARD = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD}

log = maillog.log("app")


def workers_of(config: Config) -> int:
    """How many processes do triage: as the settings say, else one for each processor but that of the other agents."""
    if config.triage.workers is not None:
        return config.triage.workers
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores - 1, _MOST_BY_ITSELF)


def run(config: Config, path: Path | None, agents: Sequence[str], *, workers: int) -> None:
    """Run these agents until SIGTERM or SIGINT, triage in so many processes beside the others; 0 is in the same.

    Raises OperatorError before anything listens.
    """
    if "worker" not in agents or not workers:
        asyncio.run(serve(config, path, agents, Wakeups()))
        return
    current = asyncio.run(_read(config, path))
    rest = tuple(agent for agent in agents if agent != "worker")
    parts = [*([rest] if rest else []), *[("worker",)] * workers]
    wakeups, parent = Wakeups(), _Parent(parts)
    own = parent.part()
    if own is not None:
        asyncio.run(serve(config, path, own, wakeups, current, stale=parent.started_again))


async def _read(config: Config, path: Path | None) -> Current:
    """What all processes need, read once: they share its memory until one of them reads something newer."""
    engine = ready_store(config)
    current = Current(engine, config, path)
    try:
        await current.begin()
    finally:
        engine.dispose()  # a connection belongs to one process
    return current


@dataclass(slots=True)
class _Child:
    """A process and what it runs."""

    agents: tuple[str, ...]
    began: float
    """On the monotonic clock."""
    pause: timedelta
    """How long the next one waits where this one dies."""


class _Parent:
    """Forks, waits, passes signals on."""

    def __init__(self, parts: Sequence[tuple[str, ...]]) -> None:
        self._parts = parts
        self._children: dict[int, _Child] = {}
        self._due: list[tuple[float, _Child]] = []
        """Workers to be started again, and when."""
        self._stopping: float | None = None
        self._code = 0
        self.started_again = False
        """In a child: whether it stands in for one that died, long after what it knows was read."""
        self._ours, self._theirs = os.pipe()

    def part(self) -> tuple[str, ...] | None:
        """In a child: the agents that it is to run. In the parent: None, once all have ended.

        Raises SystemExit there where they did not end well.
        """
        # Waited for and not handled: between two lines of this loop nothing can happen that it does not see.
        signal.pthread_sigmask(signal.SIG_BLOCK, _HEARD)
        # What stands in memory now is no garbage: to look at it would copy its pages into every child.
        gc.collect()
        gc.freeze()
        for agents in self._parts:
            if self._forked(_Child(agents, time.monotonic(), _FIRST_PAUSE)):
                return agents
        while self._children or self._due:
            again = self._next()
            if again is not None and self._forked(again):
                self.started_again = True
                return again.agents
        if self._code:
            raise SystemExit(self._code)
        return None

    def _forked(self, child: _Child) -> bool:
        """Whether this is the child."""
        pid = os.fork()
        if pid:
            self._children[pid] = child
            return False
        os.close(self._theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HEARD)
        threading.Thread(target=_end_with_parent, args=[self._ours], daemon=True).start()
        return True

    def _next(self) -> _Child | None:
        """Wait for the next thing to happen, and see to it; a worker that is to be started now."""
        self._wait(min((moment for moment, _ in self._due), default=None))
        self._reap()
        now = time.monotonic()
        if self._stopping is not None:
            self._due.clear()
            if now > self._stopping:
                self._tell(signal.SIGKILL)
        for due in self._due:
            if due[0] <= now:
                self._due.remove(due)
                return _Child(due[1].agents, now, due[1].pause)
        return None

    def _wait(self, until: float | None) -> None:
        moments = [moment for moment in (until, self._stopping) if moment is not None]
        if moments:
            found = signal.sigtimedwait(_HEARD, max(min(moments) - time.monotonic(), 0.05))
            number = None if found is None else found.si_signo
        else:
            number = signal.sigwait(_HEARD)
        if number == signal.SIGHUP:
            self._tell(signal.SIGHUP)
        elif number in (signal.SIGTERM, signal.SIGINT):
            self._stop()

    def _stop(self) -> None:
        # They have their own grace, and end before this is over unless they hang.
        self._stopping = self._stopping or time.monotonic() + 1.5 * GRACE.total_seconds()
        self._tell(signal.SIGTERM)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._children:
            os.kill(pid, number)

    def _reap(self) -> None:
        # What a child left behind may be ours to reap as well, where we are the first process of a container.
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                self._ended(child, pid, os.waitstatus_to_exitcode(status))

    def _ended(self, child: _Child, pid: int, code: int) -> None:
        if self._stopping is not None:
            self._code = self._code or abs(code)
        elif child.agents == ("worker",):
            sound = time.monotonic() - child.began > _SOUND_AFTER.total_seconds()
            pause = _FIRST_PAUSE if sound else child.pause
            log.error("worker ended", pid=pid, code=code, again_in=pause.total_seconds())
            child.pause = min(2 * pause, _LONGEST_PAUSE)
            self._due.append((time.monotonic() + pause.total_seconds(), child))
        else:
            # Nobody takes mail in: whoever started us must hear of it.
            log.error("ended", agents=",".join(child.agents), pid=pid, code=code)
            self._code = abs(code) or 1
            self._stop()


def _end_with_parent(pipe: int) -> None:
    """A parent that was killed can tell nobody, but its end of the pipe closes."""
    os.read(pipe, 1)
    os._exit(1)
