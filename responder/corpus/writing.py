"""An edit → the text of an entry's file, with the comments and the order that it had; and that text onto the disk."""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from datetime import date
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import Array, Item

from responder.corpus.entries import English, Entry, Link, Mode
from responder.errors import CorpusError, Fault, shown


@dataclass(frozen=True, slots=True)
class Edit:
    """What an entry is to say: all of it but what names it."""

    title: str
    question: str
    phrasings: tuple[str, ...]
    counterexamples: tuple[str, ...]
    answer: str
    mode: Mode
    links: tuple[Link, ...]
    note: str
    english: English | None


def edit_of(entry: Entry) -> Edit:
    """The edit that changes nothing."""
    return Edit(**{field.name: getattr(entry, field.name) for field in fields(Edit)})


def edited(source: str, entry: Entry, edit: Edit, *, today: date) -> str:
    """The source of an entry's file after an edit; only what differs is touched. `entry` is what the source says.

    The revision is counted up, and `revised` is today, where another text would be sent: the question, the answer or
    its links, in Japanese or in English. Titles, phrasings, counterexamples, mode and note are in no letter.
    """
    document = tomlkit.parse(source)
    before = edit_of(entry)
    for field in fields(Edit):
        old, new = getattr(before, field.name), getattr(edit, field.name)
        if old != new:
            _put(document, field.name, old, new)
    if _sent(before) != _sent(edit):
        document["revision"] = entry.revision + 1
        document["revised"] = today
    return tomlkit.dumps(document)


def written(entry_id: str, number: int, edit: Edit, *, today: date) -> str:
    """The source of a new entry's file."""
    document = tomlkit.document()
    document["number"] = number
    document["id"] = entry_id
    tables = {"links", "english"}
    plain = [field.name for field in fields(Edit) if field.name not in tables]
    for name in plain:
        if (value := getattr(edit, name)) not in ("", ()):
            _put(document, name, None, value)
        if name == "mode":
            document["revision"], document["revised"] = 1, today
    for name in ("links", "english"):
        if value := getattr(edit, name):
            _put(document, name, None, value)
    return tomlkit.dumps(document)


def _sent(edit: Edit) -> tuple[Any, ...]:
    english = edit.english and (edit.english.question, edit.english.answer, edit.english.links)
    return edit.question, edit.answer, edit.links, english


def _put(table: Any, key: str, old: Any, new: Any) -> None:
    """Make the key say `new`; what is empty goes, and comes back where it stood before tables."""
    match new:
        case None | () | "" if key not in ("phrasings", "title", "question", "answer"):
            table.pop(key, None)
        case English():
            _put_english(table, old, new)
        case (Link(), *_):
            table[key] = _links(new)
        case tuple() if isinstance(table.get(key), Array):
            _mend(table[key], new)
        case tuple():
            table[key] = _array(new)
        case _:
            table[key] = _text(str(new), block=key == "answer")


def _put_english(document: Any, old: English | None, new: English) -> None:
    if old is None:
        document["english"] = tomlkit.table()
    table = document["english"]
    for field in fields(English):
        before, after = old and getattr(old, field.name), getattr(new, field.name)
        if before != after:
            _put(table, field.name, before, after)


def _links(links: Sequence[Link]) -> Item:
    tables = tomlkit.aot()
    for link in links:
        table = tomlkit.table()
        table["label"], table["url"] = link.label, link.url
        tables.append(table)
    return tables


def _array(texts: Sequence[str]) -> Array:
    array = tomlkit.array()
    array.multiline(True)
    array.extend(texts)
    return array


def _mend(array: Array, texts: Sequence[str]) -> None:
    """Take out and put in what differs, from the end, so that the comments of the others stay beside them."""
    old = [str(item).strip() for item in array]
    for tag, begin, end, first, last in reversed(SequenceMatcher(None, old, texts, autojunk=False).get_opcodes()):
        if tag == "equal":
            continue
        for place in reversed(range(begin, end)):
            del array[place]
        for place, text in enumerate(texts[first:last], begin):
            array.insert(place, text)


def _text(text: str, *, block: bool) -> Item:
    """Text in quotes; an answer is a block of lines, as people write it."""
    if block or "\n" in text:
        return tomlkit.string(f"\n{text}\n", multiline=True)
    return tomlkit.string(text)


def source_of(folder: Path, entry_id: str) -> str | None:
    """What an entry's file says now; None where there is none. Raises CorpusError."""
    path = folder / f"{entry_id}.toml"
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _fault(path, f"cannot be read ({error})", "See to its permissions, and save it as UTF-8") from error


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait until nobody else changes entries of the folder, and keep others from it until the end."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise _fault(folder, f"cannot be opened ({error.strerror})", "See to its permissions") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def put(folder: Path, entry_id: str, content: str, *, was: str | None) -> None:
    """Put the content into the entry's file, whole or not at all, with the permissions that it had.

    `was` is what the file said when it was edited, None for a new one: where it says something else by now, nothing is
    written. Raises CorpusError.
    """
    path = folder / f"{entry_id}.toml"
    if source_of(folder, entry_id) != was:
        raise _fault(path, "has changed since it was read", "Open the entry again, and make the change anew")
    try:
        _replace(path, content.encode("utf-8"), new=was is None)
    except FileExistsError as error:
        raise _fault(path, "has come into being meanwhile", "Open the entry, and change it there") from error
    except OSError as error:
        remedy = "Let the service write to the folder of service.corpus"
        raise _fault(path, f"cannot be written ({error.strerror})", remedy) from error


def _replace(path: Path, content: bytes, *, new: bool) -> None:
    pattern = next(iter(sorted(path.parent.glob("*.toml"))), None) if new else path
    # Not *.toml, so that nobody reads it before it is whole.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
            _permit(descriptor, pattern)
            stream.flush()
            os.fsync(descriptor)
        if new:
            # A link, unlike a rename, never takes the place of a file that somebody made meanwhile.
            os.link(name, path)
        else:
            Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    _flush(path.parent)


def _permit(descriptor: int, pattern: Path | None) -> None:
    if pattern is None:
        return
    found = pattern.stat()
    os.fchmod(descriptor, found.st_mode & 0o777)
    with suppress(PermissionError):  # only root may give files away
        os.fchown(descriptor, found.st_uid, found.st_gid)


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fault(path: Path, problem: str, remedy: str) -> CorpusError:
    return CorpusError([Fault(shown(path), "", problem, remedy)])
