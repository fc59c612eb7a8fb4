"""faq_corpus/examples/*.jsonl → mails that somebody has said which entries answer."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from responder.errors import CorpusError, Fault, shown


@dataclass(frozen=True, slots=True)
class Example:
    """A mail with its label. A line of a file is one, with the keys named here; others are left alone."""

    author: str
    """The file it stands in: mails of one hand are alike, and are kept together when the model tests itself."""
    subject: str
    body: str
    expected: tuple[str, ...]
    """The entries that answer it, all of which must be sent; none: a person must."""
    acceptable: tuple[str, ...] = ()
    """Entries of which one alone would do too."""
    complete: bool = True
    """False where it asks something else besides, so that a person must answer all of it."""
    kind: str = ""
    """What sort of mail it is, for tables; recognition does not look at it."""
    name: str = ""
    """What to call it by."""
    sampled: bool = False
    """Whether it belongs to a sample of the mailbox, in which each sort of mail is as frequent as it is there."""

    @property
    def answerable(self) -> bool:
        """Whether entries alone answer it."""
        return bool(self.expected) and self.complete

    def allows(self, entries: Iterable[str]) -> bool:
        """Whether sending these entries, and no others, is right."""
        sent = set(entries)
        sole = len(sent) == 1 and sent <= set(self.acceptable)
        return self.answerable and (sent == set(self.expected) or sole)


def load_examples(folder: Path, known: Iterable[str], *, sampled: bool = False) -> tuple[Example, ...]:
    """Read every *.jsonl of a folder, in the order of names and lines. `known` are the entries there are.

    No folder, no examples. Raises CorpusError with all that is wrong.
    """
    faults: list[Fault] = []
    examples: list[Example] = []
    entries = frozenset(known)
    for path in sorted(folder.glob("*.jsonl")):
        examples.extend(read_examples(path, entries, faults))
    if faults:
        raise CorpusError(faults)
    return tuple(replace(example, sampled=sampled) for example in examples)


def read_examples(path: Path, known: frozenset[str], faults: list[Fault]) -> list[Example]:
    """The examples of one file; what is wrong with a line is added to `faults`, and the line left out."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(Fault(shown(path), "", f"cannot be read ({error})", "Save it as UTF-8, one JSON object a line"))
        return []
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_example(path.stem, json.loads(line), known))
        except (ValueError, TypeError) as error:
            remedy = 'Write {"subject": "…", "body": "…", "expected": ["q01"]}'
            faults.append(Fault(shown(path), "", str(error), remedy, number))
    return found


def _example(author: str, values: Any, known: frozenset[str]) -> Example:
    if not isinstance(values, dict):
        raise TypeError("the line is no JSON object")
    expected, acceptable = (_labels(values, key, known) for key in ("expected", "acceptable"))
    return Example(
        author=author,
        subject=_text(values, "subject"),
        body=_text(values, "body"),
        expected=expected,
        acceptable=acceptable,
        kind=_text(values, "kind"),
        name=_text(values, "id"),
        complete=bool(values.get("complete", True)) and "plus one unanswerable" not in str(values.get("note", "")),
    )


def _text(values: dict[str, Any], key: str) -> str:
    value = values.get(key, "")
    if not isinstance(value, str):
        raise TypeError(f"{key} is not text")
    return value


def _labels(values: dict[str, Any], key: str, known: frozenset[str]) -> tuple[str, ...]:
    labels = values.get(key, [] if key == "acceptable" else None)
    if not isinstance(labels, list):
        raise TypeError(f"{key} is no list of entries")
    unknown = [str(label) for label in labels if label not in known]
    if unknown:
        raise ValueError(f"{key} names {', '.join(unknown)}, which is no entry")
    return tuple(labels)
