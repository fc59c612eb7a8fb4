"""The parent's side: one child, used for many mails, killed when it is late, and replaced when it dies."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from responder import maillog
from responder.mail.message import Unreadable
from responder.reader.asking import CONTENTS, Question, Told
from responder.reader.child import READY
from responder.reader.wire import MOST_OCTETS, BrokenOff, get, put, told_in
from responder.triage.contents import Contents

TRIES = 2
"""The first death may be an accident of the machine; the second is the mail's."""

# A start takes 0.2 s; a machine that is starting everything at once may take long.
_START = timedelta(seconds=60)
# The child reads what a stranger wrote, and is given nothing that he could want: no password, no token.
_ENVIRONMENT = ("LANG", "LC_ALL", "LD_LIBRARY_PATH")

log = maillog.log("reader")


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one mail may cost, and how long one child lives."""

    wall: timedelta = timedelta(seconds=15)
    """By the clock, enforced by the parent: long enough for an honest mail of 25 MiB on a machine that is very busy."""
    processor: int = 5
    """Seconds of a processor, enforced by the kernel."""
    memory: int = 1024**3
    """Octets of address space: an honest mail takes thirteen times its size at most, beside 45 MB of the child."""
    mails: int = 1000
    octets: int = 64 * 1024**2
    """After so many mails or octets a child is replaced, and whatever memory it did not give back comes back."""


class ReaderUnavailable(Exception):  # noqa: N818 - it says what the matter is, as `Unreadable` does for a mail
    """No child can be started, which is no mail's fault: to be tried again later."""


class _Child:
    def __init__(self, process: subprocess.Popen[bytes], channel: socket.socket) -> None:
        self.process, self.channel = process, channel
        self.mails = self.octets = 0

    def end(self) -> None:
        # First the process, so that a thread that waits for its word hears the end, and then the socket.
        self.process.kill()
        self.process.wait()
        self.channel.close()


class Reader:
    """Reads mails in a child process, which is started at the first mail. For one thread at a time; `close` for any."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self._bounds = bounds or Bounds()
        self._child: _Child | None = None
        self._closed = False

    @property
    def pid(self) -> int | None:
        """Of the child, where there is one."""
        child = self._child
        return child.process.pid if child is not None else None

    def read(self, raws: Sequence[bytes], *, within: timedelta) -> list[Contents | Unreadable]:
        """What the mails say, one by one; of as many as the time allows, and always of the first.

        Raises ReaderUnavailable where not even the first can be tried.
        """
        found: list[Contents | Unreadable] = []
        # The last one begun may take all of its tries; where the time is too short for that, most mails still do not.
        until = time.monotonic() + max(within - TRIES * self._bounds.wall, within / 4).total_seconds()
        for raw in raws:
            if found and time.monotonic() > until:
                break
            try:
                told = self.ask(CONTENTS, raw)
            except ReaderUnavailable:
                if not found:
                    raise
                break
            found.append(told)
        return found

    def ask(self, question: Question[Told], raw: bytes, place: int = 0) -> Told | Unreadable:
        """What a mail says to one question. Raises ReaderUnavailable where no child can be started."""
        reason = ""
        for _ in range(TRIES):
            child = self._running()
            try:
                return self._asked(child, question, raw, place)
            except BrokenOff as error:
                reason = str(error)
                self._replace()
                if self._closed:
                    raise ReaderUnavailable("it was closed") from error
                log.error("broke off", question=question.name, octets=len(raw), reason=reason)
        return Unreadable(f"reading it broke off twice: {reason}")

    def close(self) -> None:
        """End the child, also in the middle of a mail; nothing is read any more."""
        self._closed = True
        self._replace()

    def _asked(self, child: _Child, question: Question[Told], raw: bytes, place: int) -> Told | Unreadable:
        until = time.monotonic() + self._bounds.wall.total_seconds()
        put(child.channel, f"{question.name} {place}".encode(), until=until)
        put(child.channel, raw, until=until)
        # An attachment may be nearly all of the mail, and takes four thirds of its octets on the way.
        found = told_in(question, get(child.channel, until=until, most=MOST_OCTETS + 2 * len(raw)))
        child.mails += 1
        child.octets += len(raw)
        if child.mails >= self._bounds.mails or child.octets >= self._bounds.octets:
            self._replace()
        return found

    def _running(self) -> _Child:
        if self._child is not None and self._child.process.poll() is not None:
            # It ended between two mails, and so at none of them.
            self._replace()
        if self._child is None and not self._closed:
            self._child = _started(self._bounds)
        child = self._child
        if child is None or self._closed:
            self._replace()
            raise ReaderUnavailable("it was closed")
        return child

    def _replace(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.end()


def _started(bounds: Bounds) -> _Child:
    ours, theirs = socket.socketpair()
    try:
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter on our own module
                _command(bounds),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                # A traceback may quote the mail, and the log never does.
                stderr=subprocess.DEVNULL,
                env=_environment(),
                # Ctrl+C in a terminal is the parent's to act on.
                start_new_session=True,
            )
    except OSError as error:
        ours.close()
        raise ReaderUnavailable(f"no process for reading could be started: {error}") from error
    child = _Child(process, ours)
    try:
        greeting = get(ours, until=time.monotonic() + _START.total_seconds(), most=len(READY))
    except BrokenOff as error:
        child.end()
        raise ReaderUnavailable(f"the process for reading did not start: {error}") from error
    if greeting != READY:
        child.end()
        raise ReaderUnavailable("the process for reading is of another version")
    return child


def _command(bounds: Bounds) -> list[str]:
    return [sys.executable, "-P", "-m", "responder.reader.child", str(bounds.memory), str(bounds.processor)]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    # It finds what we found, wherever it is started.
    return {**kept, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
