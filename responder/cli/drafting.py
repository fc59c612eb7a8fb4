"""The text of an answer: given, read from a file, or prepared; and opened in an editor."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from responder.cli.opened import Opened
from responder.cli.output import fail, warn
from responder.errors import OperatorError

if TYPE_CHECKING:
    from responder.desk.drafting import Draft


def prepared(place: Opened, number: int) -> "Draft | None":
    """The prepared answer of a case. Where FAQ or letters are broken there is none, and staff still see the case."""
    from responder.corpus import load_entries
    from responder.desk.drafting import prepared_for
    from responder.store.engine import reading

    try:
        entries, letters = load_entries(place.config.service.corpus), place.letters()
    except OperatorError as error:
        warn(f"No answer can be prepared: {error.faults[0]}")
        return None
    with reading(place.engine) as connection:
        return prepared_for(connection, number, entries, letters)


def words_of(place: Opened, number: int, text: str | None, file: Path | None, *, draft: bool) -> str:
    """The answer's text, from exactly one of its sources; else the command ends."""
    if (text is not None) + (file is not None) + draft != 1:
        fail("Give the answer with --text, or --file PATH (- for standard input), or --draft; one of them.")
    if text is not None:
        return text
    if file is not None:
        try:
            return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"{file} cannot be read: {error}.")
    found = prepared(place, number)
    if found is None:
        fail(f"No answer is prepared for case {number}: give one with --text or --file.")
    return found.text


def edited(text: str) -> str:
    """What comes back from the editor; the command ends where it fails."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    path = kept(text)
    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603 - the user's own editor
    except (OSError, ValueError) as error:
        fail(f"The editor {editor!r} cannot be started: {error}. Set $EDITOR.")
    if done.returncode:
        fail(f"The editor {editor!r} ended with {done.returncode}: nothing was sent. Your text is in {path}.")
    words = path.read_text(encoding="utf-8", errors="replace")
    path.unlink()
    return words


def kept(text: str) -> Path:
    """A file with the text, for its owner's eyes only."""
    handle, name = tempfile.mkstemp(prefix="answer-", suffix=".txt")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    return Path(name)
