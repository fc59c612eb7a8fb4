"""Whether a mail is answered, put before a person, or kept in silence: the only place that decides it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from responder.corpus import Mode
from responder.triage.guard import Suppression
from responder.triage.verdict import Recognition, Verdict


class Reason(StrEnum):
    """Why a mail took its way, as staff read it in lists."""

    RECOGNISED = "recognised"
    REPEATED = "the same mail was taken in before"
    UNREADABLE = "the mail could not be read"
    ABANDONED = "work on the mail broke off three times"
    GARBLED = "many characters could not be decoded"
    NOTHING_SAID = "the mail has no text"
    FOREIGN = "the mail is not written in Japanese"
    IN_THREAD = "a reply to a mail of ours"
    TOO_MANY = "the sender had many automatic mails lately"
    UNDELIVERABLE = "there is no address to answer to"
    UNSURE = "no entry fits well enough"
    TWO_FIT = "two entries fit almost equally"
    PARTLY = "not every question is answered by an entry"
    REVIEW = "the entry is set to review"
    OFF = "the entry is switched off"
    UNPROVEN = "too little is known of how often the entry is right"
    UNSENDABLE = "the answer could not be built"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a verdict must reach before a machine answers."""

    floor: float | None
    """On the scale of `Verdict.confidence`; None: nothing is sure enough."""
    margin: float
    """On the scale of `Verdict.margin`."""
    automatic_per_sender: int
    """Automatic mails that one address may have had in the last hour."""
    unproven: frozenset[str] = frozenset()
    """Entries that may be wrong too often to be sent by a machine, whatever their mode."""


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of a mail's past, as values."""

    repeated: bool = False
    in_thread: bool = False
    """It refers to a mail of ours: an answer did not help, or a person has the word already."""
    automatic_lately: int = 0


NO_HISTORY = History()


@dataclass(frozen=True, slots=True)
class Answer:
    """Send these entries, in this order."""

    entries: tuple[str, ...]
    confidence: float
    reason: Reason = Reason.RECOGNISED


@dataclass(frozen=True, slots=True)
class Escalate:
    """Put it before a person. `entries` is what could be recognised, for them to look at first."""

    reason: Reason | Suppression
    acknowledge: bool
    entries: tuple[str, ...] = ()
    confidence: float = 0.0
    rule: Suppression | None = None


@dataclass(frozen=True, slots=True)
class Suppress:
    """Keep it, send nothing."""

    reason: Reason | Suppression
    rule: Suppression | None = None


Decision = Answer | Escalate | Suppress


def decide(
    suppression: Suppression | None,
    recognition: Recognition | None,
    history: History,
    *,
    trouble: Reason | None,
    modes: Mapping[str, Mode],
    thresholds: Thresholds,
) -> Decision:
    """The outcome of triage. `trouble` is what reading the mail ran into; no recognition: the mail has no text."""
    if suppression is not None and not suppression.needs_person:
        return Suppress(suppression, suppression)
    if history.repeated:
        return Suppress(Reason.REPEATED)
    verdicts = _verdicts(recognition)
    entries, confidence = (
        _suggested(recognition, verdicts),
        min((v.confidence for v in verdicts), default=0.0),
    )
    if silent := _silent_reason(suppression, history, trouble, thresholds):
        return Escalate(silent, acknowledge=False, entries=entries, confidence=confidence, rule=suppression)
    doubt = trouble or _doubt(verdicts, modes, thresholds)
    if doubt is not None:
        return Escalate(doubt, acknowledge=True, entries=entries, confidence=confidence)
    return Answer(_in_order(verdicts), confidence)


def _verdicts(recognition: Recognition | None) -> tuple[Verdict, ...]:
    """One verdict per thing that must be answered."""
    return () if recognition is None else recognition.units or (recognition.whole,)


def _in_order(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """The entries in the order of the questions, each once."""
    return tuple(dict.fromkeys(verdict.entry for verdict in verdicts))


def _suggested(recognition: Recognition | None, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """What a person should look at first: what the mail as a whole is like, then its questions."""
    return () if recognition is None else _in_order([recognition.whole, *verdicts])


def _silent_reason(
    suppression: Suppression | None, history: History, trouble: Reason | None, thresholds: Thresholds
) -> Reason | Suppression | None:
    """Why a person gets the mail without the sender hearing so: any automatic mail might be one too many."""
    if suppression is not None:
        return suppression
    if trouble in {Reason.UNREADABLE, Reason.UNDELIVERABLE, Reason.ABANDONED}:
        return trouble
    if history.in_thread:
        return Reason.IN_THREAD
    if history.automatic_lately >= thresholds.automatic_per_sender:
        return Reason.TOO_MANY
    return None


def _doubt(verdicts: Sequence[Verdict], modes: Mapping[str, Mode], thresholds: Thresholds) -> Reason | None:
    """Why the entries may not be sent by themselves; None where they may."""
    doubts = [_doubt_of(verdict, modes, thresholds) for verdict in verdicts]
    if not doubts:
        return Reason.NOTHING_SAID
    serious = next((doubt for doubt in doubts if doubt is not None), None)
    if serious is not None and any(doubt is None for doubt in doubts):
        return Reason.PARTLY
    return serious


def _doubt_of(verdict: Verdict, modes: Mapping[str, Mode], thresholds: Thresholds) -> Reason | None:
    if thresholds.floor is None or verdict.confidence < thresholds.floor:
        return Reason.UNSURE
    if verdict.margin < thresholds.margin:
        return Reason.TWO_FIT
    match modes[verdict.entry]:
        case Mode.AUTOMATIC:
            return Reason.UNPROVEN if verdict.entry in thresholds.unproven else None
        case Mode.REVIEW:
            return Reason.REVIEW
        case Mode.OFF:
            return Reason.OFF
