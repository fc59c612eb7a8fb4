"""A process of our own that works beside us, and ends with us."""

import asyncio
import os
import sys
import threading
from asyncio.subprocess import PIPE, Process


async def started(module: str, *words: str, answers: bool = False) -> Process:
    """A module of ours as a process with its standard input open; its output is read where it `answers`."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, *words),
        stdin=PIPE,
        stdout=PIPE if answers else None,
        # It finds what we found, wherever it is started; and Ctrl+C in a terminal is ours to act on.
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    )


def end_with_parent() -> None:
    """Called in the child, once it has read what it was asked: a parent that was killed can tell nobody, but its end
    of the pipe closes."""
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    # Read past Python's buffer, whose lock this thread would hold when the others are done.
    os.read(sys.stdin.fileno(), 1)
    os._exit(1)
