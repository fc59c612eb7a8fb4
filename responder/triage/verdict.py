"""What recognition says, whichever classifier says it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from responder.triage.questions import Questions

SHOWN_TERMS = 8


@dataclass(frozen=True, slots=True)
class Term:
    """A piece of text that spoke for an entry, and its share of the score."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entry, and how much speaks for it."""

    entry: str
    score: float
    terms: tuple[Term, ...] = ()
    """What spoke for it, most first."""
    against: tuple[Term, ...] = ()
    """What spoke against it, most first, by weights under zero; a classifier that only compares has none."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one question was recognised as."""

    question: str
    """The text that it is about."""
    entry: str
    confidence: float
    """0..1, comparable with the floor of the classifier that gave it."""
    margin: float
    """Distance to the next entry, in scores."""
    candidates: tuple[Candidate, ...]
    """The best three, best first."""
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One of the questions of a mail, and the entry that covers it."""

    question: str
    entry: str | None
    """None: none does."""
    confidence: float


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a mail was recognised as."""

    whole: Verdict
    units: tuple[Verdict, ...]
    """One verdict per entry that must be sent, where there are several; else none: then the mail asks one thing."""
    parts: tuple[Part, ...] = ()
    """Every question of the mail in its order, covered or not, where the classifier tells them apart; else none.

    While one of them has no entry, or one that is not sent, no machine answers.
    """


class Classifier(Protocol):
    """Fitted on a corpus; the same corpus and questions give the same recognition (Law 4)."""

    @property
    def fingerprint(self) -> str:
        """Of all that the numbers come from."""

    def classify(self, questions: Questions) -> Recognition:
        """What a mail asks, as a whole and in its units."""


def readable(terms: Iterable[Term]) -> tuple[Term, ...]:
    """The first few terms of at least two characters, none of which contains another."""
    chosen: list[Term] = []
    texts: list[str] = []
    for term in terms:
        text = term.text
        # Looked for in all at once: no token holds a line end.
        if len(text) > 1 and text not in "\n".join(texts) and not any(map(text.__contains__, texts)):
            chosen.append(Term(text, round(term.weight, 6)))
            texts.append(text)
        if len(chosen) == SHOWN_TERMS:
            break
    return tuple(chosen)
