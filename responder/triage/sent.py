"""Which entries an answer is made of, whoever wrote it: what was sent says what the mail asked."""

from collections.abc import Iterable

from responder.corpus import Entry
from responder.triage.quotation import Answers
from responder.triage.text import normalised

WHOLE = 0.8
"""Share of an entry's answer that must stand in what was sent: a date filled in or a sentence dropped is no other."""

MOST_CHARACTERS = 100_000
"""What is sent is read no further."""


def entries_sent(text: str, entries: Iterable[Entry]) -> tuple[str, ...]:
    """The entries whose answer, in Japanese or English, stands nearly whole in a text; the wholest first."""
    answers = [(entry.id, answer) for entry in entries for answer in _answers(entry)]
    shares = Answers(answer for _, answer in answers).each_repeated_in(normalised(text[:MOST_CHARACTERS]))
    found = [(share, name) for (name, _), (share, _) in zip(answers, shares, strict=True) if share >= WHOLE]
    # Sorting is stable: of equal ones the corpus's order says which is first.
    return tuple(dict.fromkeys(name for _, name in sorted(found, key=lambda one: -one[0])))


def _answers(entry: Entry) -> list[str]:
    return [entry.answer] if entry.english is None else [entry.answer, entry.english.answer]
