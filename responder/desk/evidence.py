"""What was kept of a decision, as a person reads it: the best answers, what spoke for and against each, and what is
left unanswered."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from responder.corpus import Entry


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An answer that a person may send."""

    entry: Entry
    score: float
    """0..1 in the main: how much spoke for it, by the classifier's own scale."""
    words: tuple[str, ...]
    """What spoke for it, most first."""
    against: tuple[str, ...]
    revised: bool
    """Whether the entry's wording is another since the decision."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One of several questions of a mail."""

    question: str
    entry: Entry | None
    """What covers it; None: nothing does."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a mail took its way."""

    reason: str
    rule: str | None
    confidence: float | None
    """That the entries recognised are the right and whole answer."""
    floor: float | None
    """What it would have had to reach; None: nothing is answered by itself."""
    suggestions: tuple[Suggestion, ...]
    """The best three of all questions, best first."""
    asked: tuple[Asked, ...]
    """All questions, where there are several."""


MOST_SUGGESTIONS = 3
MOST_WORDS = 6


def evidence_of(decision: Mapping[str, Any], entries: Iterable[Entry]) -> Evidence:
    """Read a stored decision; entries that the corpus no longer has are left out."""
    known = {entry.id: entry for entry in entries}
    parts = decision.get("parts", ())
    return Evidence(
        reason=decision.get("reason", ""),
        rule=decision.get("rule"),
        confidence=_confidence(decision),
        floor=decision.get("thresholds", {}).get("floor"),
        suggestions=_suggestions(decision, known),
        asked=tuple(Asked(part["question"], known.get(part["entry"])) for part in parts) if len(parts) > 1 else (),
    )


def _confidence(decision: Mapping[str, Any]) -> float | None:
    questions = decision.get("questions", ())
    return questions[0]["confidence"] if questions else None


def _suggestions(decision: Mapping[str, Any], known: Mapping[str, Entry]) -> tuple[Suggestion, ...]:
    found: dict[str, Suggestion] = {}
    for question in decision.get("questions", ()):
        for name, score in question.get("candidates", ()):
            entry = known.get(name)
            if entry is not None and (name not in found or score > found[name].score):
                found[name] = _suggestion(entry, score, question, decision)
    ordered = sorted(found.values(), key=lambda one: (-one.score, one.entry.number))
    return tuple(ordered[:MOST_SUGGESTIONS])


def _suggestion(entry: Entry, score: float, question: Mapping[str, Any], decision: Mapping[str, Any]) -> Suggestion:
    # Decisions of older versions have the words of the first alone.
    own = question["terms"] if question["entry"] == entry.id else []
    kept = question.get("evidence", {}).get(entry.id, {"for": own, "against": []})
    revision = decision.get("revisions", {}).get(entry.id)
    return Suggestion(
        entry=entry,
        score=score,
        words=tuple(text for text, _ in kept["for"][:MOST_WORDS]),
        against=tuple(text for text, _ in kept["against"][:MOST_WORDS]),
        revised=revision is not None and revision != entry.revision,
    )
