"""What is kept of a decision: enough to say later what was known, and by which corpus (Law 4)."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from responder.mail.message import Message, Unreadable
from responder.triage.policy import Answer, Decision, Escalate, Suppress
from responder.triage.reading import Knowledge, Reading
from responder.triage.verdict import Term, Verdict


def action_of(decision: Decision) -> str:
    """answer, escalate or suppress."""
    match decision:
        case Answer():
            return "answer"
        case Escalate():
            return "escalate"
        case Suppress():
            return "suppress"


def record_of(reading: Reading, decision: Decision, knowledge: Knowledge) -> dict[str, Any]:
    """A decision with its evidence, as JSON values."""
    entries = getattr(decision, "entries", ())
    thresholds = knowledge.thresholds
    return {
        "action": action_of(decision),
        "reason": decision.reason.value,
        "rule": getattr(decision, "rule", None),
        "entries": list(entries),
        "revisions": {entry: knowledge.corpus.entry(entry).revision for entry in entries},
        "confidence": getattr(decision, "confidence", None),
        "questions": _questions(reading),
        "parts": [asdict(part) for part in getattr(decision, "parts", ())],
        "language": reading.language,
        **_decoding(reading.message),
        "thresholds": {
            "floor": thresholds.floor,
            "margin": thresholds.margin,
            "unproven": sorted(thresholds.unproven),
        },
        "corpus": knowledge.corpus.fingerprint,
        "classifier": knowledge.classifier.fingerprint,
    }


def _decoding(message: Message | Unreadable) -> dict[str, Any]:
    """What was done to the octets: a person who sees strange characters must be able to say where they came from."""
    if isinstance(message, Unreadable):
        return {"unreadable": message.reason, "declared": None, "charset": None, "replaced": None}
    declared, charset, replaced = message.declared, message.charset, message.replaced
    return {"unreadable": None, "declared": declared, "charset": charset, "replaced": replaced}


def _questions(reading: Reading) -> list[dict[str, Any]]:
    """The mail as a whole, then its units where they were told apart."""
    if reading.recognition is None:
        return []
    return [_question(verdict) for verdict in (reading.recognition.whole, *reading.recognition.units)]


def _question(verdict: Verdict) -> dict[str, Any]:
    return {
        "text": verdict.question,
        "entry": verdict.entry,
        "confidence": verdict.confidence,
        "margin": verdict.margin,
        "candidates": [[candidate.entry, candidate.score] for candidate in verdict.candidates],
        "terms": _terms(verdict.terms),
        "evidence": {
            candidate.entry: {"for": _terms(candidate.terms), "against": _terms(candidate.against)}
            for candidate in verdict.candidates
        },
    }


def _terms(terms: Sequence[Term]) -> list[list[Any]]:
    return [[term.text, term.weight] for term in terms]
