"""One mail, from its bytes to its decision, step by step. The worker, `decide` and `explain` all walk this way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from responder.corpus import Corpus, Mode
from responder.mail.address import valid_address
from responder.mail.envelope import Envelope
from responder.mail.message import Message, Unreadable
from responder.triage.calibration import Threshold
from responder.triage.contents import Contents, contents_of
from responder.triage.guard.arrival import Arrival
from responder.triage.guard.rules import Look, held_in, looks_at
from responder.triage.guard.suppression import Suppression
from responder.triage.language import Language, language_of
from responder.triage.policy import Budgets, Decision, History, Reason, Thresholds, decide
from responder.triage.questions import Questions
from responder.triage.trial import Standing
from responder.triage.verdict import Classifier, Recognition

MOST_REPLACED = 0.02
"""Share of characters that could not be decoded above which a machine must not trust what it reads."""


@dataclass(frozen=True, slots=True)
class Knowledge:
    """What triage knows: fitted once, swapped in whole."""

    corpus: Corpus
    classifier: Classifier
    thresholds: Thresholds
    own_addresses: frozenset[str]
    """Normalised."""
    basis: str = ""
    """Where the floor comes from, in a sentence for operators."""
    promise: Threshold | None = None
    """What the floor was found for; None where it was set by hand, or nothing was learned."""
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """How each entry did in the trial, with what people judged since; none where there was neither."""
    judged: Mapping[str, Standing] = field(default_factory=dict)
    """What people judged, of entries of the corpus."""
    bounces: frozenset[str] = frozenset()
    """Those of our addresses to which only machines write, normalised."""
    off: frozenset[Suppression] = frozenset()
    """Rules of the guard that are switched off."""
    authserv_id: str = ""
    """The server whose word on senders we take; "" is none."""
    budgets: Budgets = field(default_factory=Budgets)

    @property
    def modes(self) -> Mapping[str, Mode]:
        """The mode of each entry."""
        return {entry.id: entry.mode for entry in self.corpus.entries}

    @property
    def english(self) -> frozenset[str]:
        """The entries that can be sent in English."""
        return frozenset(entry.id for entry in self.corpus.entries if entry.english is not None)


@dataclass(frozen=True, slots=True)
class Reading:
    """What was found in one mail, before its history is known."""

    message: Message | Unreadable
    trouble: Reason | None
    looks: tuple[Look, ...]
    """What the guard looked at, up to the rule that held."""
    questions: Questions | None
    recognition: Recognition | None
    """None where the mail could not be read, or says nothing."""
    language: Language | None = None
    """None likewise."""

    @property
    def suppression(self) -> Suppression | None:
        """The rule of the guard that held."""
        return held_in(self.looks)


def read_mail(envelope: Envelope, raw: bytes, knowledge: Knowledge) -> Reading:
    """Parse, guard, find the questions, classify. Never raises on what a mail holds."""
    return read_contents(envelope, contents_of(raw), knowledge)


def read_file(raw: bytes, knowledge: Knowledge) -> tuple[Envelope, Reading]:
    """As `read_mail`, for a mail whose envelope was not kept: MAIL FROM is its Return-Path, else its From."""
    contents = contents_of(raw)
    envelope = envelope_of(contents if isinstance(contents, Unreadable) else contents.message)
    return envelope, read_contents(envelope, contents, knowledge)


def envelope_of(message: Message | Unreadable) -> Envelope:
    """The envelope that a mail on file most likely had."""
    if isinstance(message, Unreadable):
        return Envelope(_NOBODY, ())
    sender = message.from_address or _NOBODY if message.return_path is None else message.return_path
    return Envelope(sender, message.recipients)


# No address, and yet not the null reverse-path: nobody said that the mail is a bounce.
_NOBODY = "unknown"


def read_contents(envelope: Envelope, contents: Contents | Unreadable, knowledge: Knowledge) -> Reading:
    """Guard and classify a mail whose octets were read, by whichever process."""
    if isinstance(contents, Unreadable):
        return Reading(contents, Reason.UNREADABLE, (), None, None)
    message, questions = contents.message, contents.questions
    arrival = Arrival(envelope, message, knowledge.own_addresses, knowledge.authserv_id, knowledge.bounces)
    recognition = knowledge.classifier.classify(questions) if questions.whole.text else None
    trouble = _trouble(envelope, message)
    looks = tuple(looks_at(arrival, knowledge.off))
    return Reading(message, trouble, looks, questions, recognition, language_of(questions))


def _trouble(envelope: Envelope, message: Message) -> Reason | None:
    if not valid_address(envelope.mail_from):
        return Reason.UNDELIVERABLE
    if message.replaced > MOST_REPLACED * max(len(message.text), 1):
        return Reason.GARBLED
    return None


def decision_on(reading: Reading, history: History, knowledge: Knowledge) -> Decision:
    """The outcome for a mail that was read, given its past."""
    return decide(
        reading.suppression,
        reading.recognition,
        history,
        trouble=reading.trouble,
        language=reading.language,
        english=knowledge.english,
        modes=knowledge.modes,
        thresholds=knowledge.thresholds,
        budgets=knowledge.budgets,
    )
