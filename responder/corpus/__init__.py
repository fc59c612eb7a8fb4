"""What can be answered: the entries of the FAQ, and mails that are labelled with them."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from responder.corpus.entries import LEAST_PHRASINGS, English, Entry, Link, Mode, entry_in, load_entries
from responder.corpus.examples import Example, load_examples, read_examples

__all__ = [
    "LEAST_PHRASINGS",
    "Corpus",
    "English",
    "Entry",
    "Example",
    "Link",
    "Mode",
    "entry_in",
    "load_corpus",
    "load_entries",
    "read_examples",
    "with_entries",
    "with_examples",
]


@dataclass(frozen=True, slots=True)
class Corpus:
    """All entries, by number, the labelled mails, and a fingerprint of every word in them."""

    entries: tuple[Entry, ...]
    examples: tuple[Example, ...]
    fingerprint: str

    def entry(self, entry_id: str) -> Entry:
        """The entry with this id; KeyError if there is none."""
        for entry in self.entries:
            if entry.id == entry_id:
                return entry
        raise KeyError(entry_id)


def load_corpus(folder: Path) -> Corpus:
    """Read the entries of a folder, and the labelled mails in its folders `examples` and `mailbox`.

    Those of `examples` teach, whatever their mix. Those of `mailbox` teach too, and are a sample of what the address
    gets: on them it is found how sure an answer must be. Raises CorpusError.
    """
    entries = load_entries(folder)
    known = [entry.id for entry in entries]
    examples = (
        *load_examples(folder / "examples", known),
        *load_examples(folder / "mailbox", known, sampled=True),
    )
    return Corpus(entries, examples, _fingerprint(entries, examples))


def with_examples(corpus: Corpus, taught: Sequence[Example]) -> Corpus:
    """The corpus with these mails besides; of the same text, what is taught goes before what stands in a file."""
    if not taught:
        return corpus
    said = {(example.subject, example.body) for example in taught}
    kept = tuple(example for example in corpus.examples if (example.subject, example.body) not in said)
    examples = (*kept, *taught)
    return replace(corpus, examples=examples, fingerprint=_fingerprint(corpus.entries, examples))


def with_entries(corpus: Corpus, entries: Sequence[Entry]) -> Corpus:
    """The corpus with these entries, by number, in place of its own; the labelled mails stay."""
    return replace(corpus, entries=tuple(entries), fingerprint=_fingerprint(entries, corpus.examples))


def _fingerprint(entries: Sequence[Entry], examples: Sequence[Example]) -> str:
    digest = hashlib.sha256()
    for item in (*map(asdict, entries), *map(_flat, examples)):
        # The dates are the only values that JSON does not know.
        digest.update(json.dumps(item, sort_keys=True, ensure_ascii=False, default=str).encode())
        digest.update(b"\n")
    return digest.hexdigest()


def _flat(example: Example) -> dict[str, Any]:
    # As asdict, which copies every value of ten thousand mails: at each start that took most of a second.
    return {field.name: getattr(example, field.name) for field in fields(example)}
