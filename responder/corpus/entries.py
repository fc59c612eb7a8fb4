"""faq_corpus/*.toml → entries. Every file that is wrong is named with its key, line and remedy, all at once."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import takewhile
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, with_config

from responder.errors import CorpusError, Fault, shown

LEAST_PHRASINGS = 8
"""Coverage still rises at six phrasings an entry (measured on 300 mails), so a file with fewer gets a warning."""

Text = Annotated[str, StringConstraints(strict=True, strip_whitespace=True, min_length=1)]
EntryId = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
Url = Annotated[str, StringConstraints(strict=True, pattern=r"^https?://[^\s/]+\S*$")]


class Mode(StrEnum):
    """Whether an entry may be sent without a person having looked."""

    AUTOMATIC = "automatic"
    REVIEW = "review"
    OFF = "off"


_AS_WRITTEN = ConfigDict(extra="forbid")


@with_config(_AS_WRITTEN)
@dataclass(frozen=True, slots=True)
class Link:
    """Where a contractor can read on."""

    label: Text
    url: Url


@with_config(_AS_WRITTEN)
@dataclass(frozen=True, slots=True)
class English:
    """An entry for readers of English."""

    title: Text
    question: Text
    answer: Text
    links: tuple[Link, ...] = ()
    """None: those of the entry."""


@with_config(_AS_WRITTEN)
@dataclass(frozen=True, slots=True)
class Entry:
    """One question of the FAQ with its answer."""

    id: EntryId
    number: Annotated[int, Field(strict=True, ge=1)]
    title: Text
    question: Text
    phrasings: tuple[Text, ...]
    answer: Text
    mode: Mode
    revision: Annotated[int, Field(strict=True, ge=1)]
    revised: date
    links: tuple[Link, ...] = ()
    note: Annotated[str, StringConstraints(strict=True, strip_whitespace=True)] = ""
    """For staff: what they should know before they send it."""
    counterexamples: tuple[Text, ...] = ()
    """Questions in this entry's words that no entry answers."""
    english: English | None = None
    """None: a person answers mails in English."""


_ENTRY = TypeAdapter(Entry)

_AS_ON_DISK: Mapping[str, str] = MappingProxyType({})

_REMEDIES = {
    "missing": "Add it",
    "unexpected_keyword_argument": "Remove it, or mend its name",
    "extra_forbidden": "Remove it, or mend its name",
    "enum": "Write automatic, review or off",
    "date_type": "Write a date: revised = 2026-11-24",
    "date_from_datetime_parsing": "Write a date: revised = 2026-11-24",
    "date_parsing": "Write a date: revised = 2026-11-24",
    "dataclass_type": "Write a table: [english]",
    "tuple_type": "Write a list: [ … ]",
    "string_type": 'Write text in quotes: "…"',
    "int_type": "Write a whole number",
    "string_too_short": "Write something in it",
    "string_pattern_mismatch": "An id is lower-case letters and digits (q04); an address begins with https://",
}


def load_entries(folder: Path, instead: Mapping[str, str] = _AS_ON_DISK) -> tuple[Entry, ...]:
    """Read every *.toml of a folder, by number. Raises CorpusError with all that is wrong.

    `instead` are sources by the name of their file, which stand for what is on disk, or are not there yet.
    """
    faults: list[Fault] = []
    if not folder.is_dir():
        raise CorpusError([Fault(shown(folder), "", "no such folder", "Name the folder in service.corpus")])
    paths = sorted({*folder.glob("*.toml"), *(folder / name for name in instead)})
    read = [(path, _read_entry(path, instead.get(path.name), faults)) for path in paths]
    entries = [(path, entry) for path, entry in read if entry is not None]
    if not read:
        faults.append(Fault(shown(folder), "", "holds no entry", "Put one .toml file per question into it"))
    faults.extend(_collisions(entries))
    if faults:
        raise CorpusError(faults)
    return tuple(sorted((entry for _, entry in entries), key=lambda entry: entry.number))


def entry_in(path: Path, source: str) -> Entry:
    """The entry that a file of this name would be with this source. Raises CorpusError with all that is wrong."""
    faults: list[Fault] = []
    entry = _read_entry(path, source, faults)
    if entry is None:
        raise CorpusError(faults)
    return entry


def _read_entry(path: Path, given: str | None, faults: list[Fault]) -> Entry | None:
    try:
        source = path.read_text(encoding="utf-8") if given is None else given
        entry = _ENTRY.validate_python(tomllib.loads(source))
    except OSError as error:
        faults.append(Fault(shown(path), "", f"cannot be read ({error.strerror})", "See to its permissions"))
    except UnicodeDecodeError as error:
        faults.append(Fault(shown(path), "", f"is not UTF-8 at byte {error.start}", "Save it as UTF-8"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        remedy = "Mend the TOML at that place: quotes, commas, brackets"
        faults.append(Fault(shown(path), "", str(error), remedy, int(line[1]) if line else None))
    except ValidationError as error:
        faults.extend(_fault(path, source, detail) for detail in error.errors())
    else:
        if entry.id == path.stem:
            return entry
        remedy = f"Write id = {path.stem!r}, or rename the file"
        faults.append(Fault(shown(path), "id", f"{entry.id!r} is not the file's name", remedy, _line(source, "id")))
    return None


def _fault(path: Path, source: str, detail: Any) -> Fault:
    key = ".".join(str(part + 1) if isinstance(part, int) else str(part) for part in detail["loc"])
    problem = str(detail["msg"])
    missing = detail["type"] == "missing" or "required" in problem.lower()
    remedy = _REMEDIES["missing"] if missing else _REMEDIES.get(detail["type"], "See CONTRIBUTING.md for the format")
    # A list is as far as lines are told apart, and what is missing is shown by the table that it is missing from.
    parts = list(takewhile(lambda part: isinstance(part, str), detail["loc"]))
    return Fault(shown(path), key, problem, remedy, _line(source, *(parts[:-1] if missing else parts)))


def _line(source: str, *keys: str) -> int | None:
    """The line of the last key, looked for inside the table that those before it name; None without a key."""
    place = None
    for key in keys:
        pattern = re.compile(rf"^\s*(?:\[+\s*)?(?:\w+\.)*{re.escape(key)}\s*[=.\]]", re.MULTILINE)
        match = pattern.search(source, place.start() if place else 0)
        place = match or place
    return source.count("\n", 0, place.end()) + 1 if place else None


def _collisions(entries: Sequence[tuple[Path, Entry]]) -> list[Fault]:
    """Numbers and phrasings that two entries claim."""
    faults: list[Fault] = []
    numbers: dict[int, Path] = {}
    phrasings: dict[str, Path] = {}
    for path, entry in entries:
        other = numbers.setdefault(entry.number, path)
        if other != path:
            faults.append(Fault(shown(path), "number", f"{entry.number} is also in {shown(other)}", "Give it its own"))
        for phrasing in entry.phrasings:
            other = phrasings.setdefault(phrasing, path)
            if other != path:
                problem = f"{phrasing!r} also stands in {shown(other)}"
                faults.append(Fault(shown(path), "phrasings", problem, "Leave it where it is answered"))
    for path, entry in entries:
        for text in entry.counterexamples:
            if text in phrasings:
                problem = f"{text!r} is a phrasing in {shown(phrasings[text])}"
                faults.append(Fault(shown(path), "counterexamples", problem, "Leave it where it belongs"))
    return faults
