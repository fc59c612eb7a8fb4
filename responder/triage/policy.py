"""Whether a mail is answered, put before a person, or kept in silence: the only place that decides it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum

from responder.corpus import Mode
from responder.triage.guard.suppression import Suppression
from responder.triage.language import Language
from responder.triage.verdict import Part, Recognition, Verdict


class Reason(StrEnum):
    """Why a mail took its way, as staff read it in lists."""

    RECOGNISED = "recognised"
    REPEATED = "the same mail was taken in before"
    UNREADABLE = "the mail could not be read"
    ABANDONED = "work on the mail broke off three times"
    GARBLED = "many characters could not be decoded"
    NOTHING_SAID = "the mail has no text"
    FOREIGN = "the mail is written neither in Japanese nor in English"
    IN_THREAD = "a reply to a mail of ours"
    TO_NOTICE = "a reply to a notice to staff"
    TRIPPED = "the breaker for automatic mail has tripped"
    THANKS = "only thanks, in a thread of ours"
    RETURNED = "a delivery report of ours"
    MUTED = "a mail of ours to the sender came back lately"
    TOO_MANY = "the sender had many automatic mails lately"
    TOO_MANY_THERE = "the sender's organisation had many automatic mails lately"
    SAME_ANSWER = "the sender had the same answer lately"
    WRITTEN_TO = "the sender had an automatic mail lately"
    UNDELIVERABLE = "there is no address to answer to"
    UNSURE = "no entry fits well enough"
    TWO_FIT = "two entries fit almost equally"
    PARTLY = "not every question is answered by an entry"
    NO_ENGLISH = "an entry has no English answer"
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
    unproven: frozenset[str] = frozenset()
    """Entries that may be wrong too often to be sent by a machine, whatever their mode."""


@dataclass(frozen=True, slots=True)
class Budgets:
    """How much automatic mail, answers and acknowledgements together, may leave before people write instead."""

    per_sender_hour: int = 20
    per_sender_day: int = 40
    per_organisation_hour: int = 100
    per_hour: int = 200
    """Of the whole service: at that many the breaker trips."""
    same_answer_after: timedelta = timedelta(days=7)
    acknowledge_again_after: timedelta = timedelta(hours=1)
    falls_back: bool = False
    """Whether the breaker closes by itself once fewer left in the last hour."""


@dataclass(frozen=True, slots=True)
class History:
    """What the store knows of a mail's past, as values."""

    repeated: bool = False
    in_thread: bool = False
    """It refers to a mail of ours: an answer did not help, or a person has the word already."""
    to_notice: bool = False
    """That mail of ours was a notice to staff."""
    automatic_lately: int = 0
    """To the sender, in the last hour; a tag in the address makes no other sender."""
    automatic_today: int = 0
    """To the sender, in the last 24 hours."""
    automatic_there: int = 0
    """To the sender's organisation, in the last hour."""
    automatic_at_all: int = 0
    """To anybody, in the last hour, since the breaker was last reset."""
    answered_with: frozenset[frozenset[str]] = field(default_factory=frozenset)
    """The sets of entries that the sender got within `same_answer_after`."""
    written_to: bool = False
    """The sender got an automatic mail within `acknowledge_again_after`."""
    tripped: bool = False
    """The breaker stands open."""
    thanks: bool = False
    """It says nothing but thanks for a mail of ours."""
    returned: bool = False
    """It reports what became of a mail of ours."""
    muted: bool = False
    """A mail of ours to its sender came back for good."""


NO_HISTORY = History()


@dataclass(frozen=True, slots=True)
class Answer:
    """Send these entries, in this order."""

    entries: tuple[str, ...]
    confidence: float
    reason: Reason = Reason.RECOGNISED


@dataclass(frozen=True, slots=True)
class Escalate:
    """Put it before a person. `entries` is what could be recognised, for them to look at first.

    `parts` says of each question which entry a prepared answer may hold.
    """

    reason: Reason | Suppression
    acknowledge: bool
    entries: tuple[str, ...] = ()
    confidence: float = 0.0
    rule: Suppression | None = None
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppress:
    """Keep it, send nothing."""

    reason: Reason | Suppression
    rule: Suppression | None = None


Decision = Answer | Escalate | Suppress

_BUDGETS = Budgets()

# What a reply to a letter of ours holds of it: its subject, its reference, its words. The guard asks these last, so
# that nothing else held; what their author wrote beside them was found to be thanks.
_OF_OUR_OWN = {None, Suppression.OUR_REFERENCE, Suppression.MACHINE_SUBJECT, Suppression.MACHINE_TEXT}


def decide(
    suppression: Suppression | None,
    recognition: Recognition | None,
    history: History,
    *,
    trouble: Reason | None,
    modes: Mapping[str, Mode],
    thresholds: Thresholds,
    budgets: Budgets = _BUDGETS,
    language: Language | None = Language.JAPANESE,
    english: Collection[str] = (),
) -> Decision:
    """The outcome of triage. `trouble` is what reading the mail ran into, `english` are the entries that can be sent
    in English. No recognition and no language: the mail has no text.
    """
    if suppression is not None and not suppression.needs_person:
        return Suppress(Reason.RETURNED if history.returned else suppression, suppression)
    if history.repeated:
        return Suppress(Reason.REPEATED)
    if history.thanks and suppression in _OF_OUR_OWN and trouble is None:
        return Suppress(Reason.THANKS)
    verdicts = _verdicts(recognition)
    entries, confidence = (
        _suggested(recognition, verdicts),
        min((v.confidence for v in verdicts), default=0.0),
    )
    parts = _prepared(recognition, verdicts, modes, thresholds)
    if silent := _silent_reason(suppression, history, trouble, budgets):
        return Escalate(
            silent, acknowledge=False, entries=entries, confidence=confidence, rule=suppression, parts=parts
        )
    foreign = Reason.FOREIGN if language is Language.OTHER else None
    doubt = trouble or foreign or _doubt(recognition, verdicts, modes, thresholds)
    answer = Answer(_in_order(verdicts), confidence)
    if doubt is None and language is Language.ENGLISH and not set(answer.entries) <= set(english):
        doubt = Reason.NO_ENGLISH
    if spent := _spent(answer, doubt, history):
        return Escalate(spent, acknowledge=False, entries=entries, confidence=confidence, parts=parts)
    if doubt is not None:
        return Escalate(doubt, acknowledge=True, entries=entries, confidence=confidence, parts=parts)
    return answer


def _spent(answer: Answer, doubt: Reason | None, history: History) -> Reason | None:
    """Why the very mail that would be sent now is not: the sender has it already (RFC 3834 §2, RFC 5230 §4.2)."""
    if doubt is None:
        return Reason.SAME_ANSWER if frozenset(answer.entries) in history.answered_with else None
    return Reason.WRITTEN_TO if history.written_to else None


def _verdicts(recognition: Recognition | None) -> tuple[Verdict, ...]:
    """One verdict per thing that must be answered."""
    return () if recognition is None else recognition.units or (recognition.whole,)


def _in_order(verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """The entries in the order of the questions, each once."""
    return tuple(dict.fromkeys(verdict.entry for verdict in verdicts))


def _suggested(recognition: Recognition | None, verdicts: Sequence[Verdict]) -> tuple[str, ...]:
    """What a person should look at first: what the mail as a whole is like, then its questions."""
    if recognition is None:
        return ()
    covering = (part.entry for part in recognition.parts if part.entry is not None)
    return tuple(dict.fromkeys([*_in_order([recognition.whole, *verdicts]), *covering]))


def _prepared(
    recognition: Recognition | None, verdicts: Sequence[Verdict], modes: Mapping[str, Mode], thresholds: Thresholds
) -> tuple[Part, ...]:
    """Each question with the entry that a person may find prepared: one that is sure, in review too, but not off."""
    if recognition is not None and recognition.parts:
        off = {entry for entry, mode in modes.items() if mode is Mode.OFF}
        return tuple(replace(part, entry=None) if part.entry in off else part for part in recognition.parts)
    return tuple(
        Part(one.question, one.entry if _doubt_of(one, modes, thresholds) in _SURE else None, one.confidence)
        for one in verdicts
    )


def _silent_reason(
    suppression: Suppression | None, history: History, trouble: Reason | None, budgets: Budgets
) -> Reason | Suppression | None:
    """Why a person gets the mail without the sender hearing so: any automatic mail might be one too many."""
    if history.in_thread:
        # Before the guard's rules that ask a person: a reply quotes our subject and words, and belongs to its case.
        return Reason.TO_NOTICE if history.to_notice else Reason.IN_THREAD
    if suppression is not None:
        return suppression
    if trouble in {Reason.UNREADABLE, Reason.UNDELIVERABLE, Reason.ABANDONED}:
        return trouble
    if history.muted:
        return Reason.MUTED
    if history.tripped or history.automatic_at_all >= budgets.per_hour:
        return Reason.TRIPPED
    if history.automatic_lately >= budgets.per_sender_hour or history.automatic_today >= budgets.per_sender_day:
        return Reason.TOO_MANY
    return Reason.TOO_MANY_THERE if history.automatic_there >= budgets.per_organisation_hour else None


_SURE = {None, Reason.REVIEW}


def _doubt(
    recognition: Recognition | None, verdicts: Sequence[Verdict], modes: Mapping[str, Mode], thresholds: Thresholds
) -> Reason | None:
    """Why the entries may not be sent by themselves; None where they may."""
    doubts = [_doubt_of(verdict, modes, thresholds) for verdict in verdicts]
    if not doubts:
        return Reason.NOTHING_SAID
    serious = next((doubt for doubt in doubts if doubt is not None), None)
    asked = () if recognition is None else recognition.parts
    if serious is None:
        # Sure of what it is, and yet not all of it: a partial answer is a wrong one.
        sent = _in_order(verdicts)
        return Reason.PARTLY if any(part.entry not in sent for part in asked) else None
    covered = {part.entry is not None for part in asked}
    return Reason.PARTLY if None in doubts or len(covered) > 1 else serious


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
