"""Programs of the machine that a peer is made of, and what they say of themselves."""

import os
import shutil
import subprocess
from pathlib import Path


def found(program: str) -> str | None:
    """Where it is, also where only root looks; None where it is not installed."""
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def said_by(program: str, *words: str) -> str:
    """The line that it prints; nothing where it is not installed."""
    place = found(program)
    if place is None:
        return ""
    return subprocess.run([place, *words], capture_output=True, text=True).stdout.strip()  # noqa: S603 - the machine's own


def last_words(folder: Path) -> str:
    """The end of a peer's log, in one line."""
    log = folder / "log"
    return " ".join(log.read_text(errors="replace").split()[-60:]) if log.exists() else "no log"
