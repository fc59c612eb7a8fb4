"""One mail, from its bytes to its decision, step by step. The worker, `decide` and `explain` all walk this way."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from responder.corpus import Corpus, Mode
from responder.mail.address import valid_address
from responder.mail.envelope import Envelope
from responder.mail.message import Message, Unreadable, parse_message
from responder.triage.guard import Suppression, suppression_of
from responder.triage.language import Language, language_of
from responder.triage.policy import Decision, History, Reason, Thresholds, decide
from responder.triage.questions import Questions, questions_of
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
    standings: Mapping[str, Standing] = field(default_factory=dict)
    """How each entry did in the trial; none where there was none."""
    bounces: frozenset[str] = frozenset()
    """Those of our addresses to which only machines write, normalised."""

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
    suppression: Suppression | None
    questions: Questions | None
    recognition: Recognition | None
    """None where the mail could not be read, or says nothing."""
    language: Language | None = None
    """None likewise."""


def read_mail(envelope: Envelope, raw: bytes, knowledge: Knowledge) -> Reading:
    """Parse, guard, find the questions, classify. Never raises on what a mail holds."""
    return read_message(envelope, parse_message(raw), knowledge)


def read_file(raw: bytes, knowledge: Knowledge) -> tuple[Envelope, Reading]:
    """As `read_mail`, for a mail whose envelope was not kept: MAIL FROM is its Return-Path, else its From."""
    message = parse_message(raw)
    envelope = envelope_of(message)
    return envelope, read_message(envelope, message, knowledge)


def envelope_of(message: Message | Unreadable) -> Envelope:
    """The envelope that a mail on file most likely had."""
    if isinstance(message, Unreadable):
        return Envelope(_NOBODY, ())
    sender = message.from_address or _NOBODY if message.return_path is None else message.return_path
    return Envelope(sender, message.recipients)


# No address, and yet not the null reverse-path: nobody said that the mail is a bounce.
_NOBODY = "unknown"


def read_message(envelope: Envelope, message: Message | Unreadable, knowledge: Knowledge) -> Reading:
    """Guard, find the questions, classify."""
    if isinstance(message, Unreadable):
        return Reading(message, Reason.UNREADABLE, None, None, None)
    suppression = suppression_of(envelope, message, knowledge.own_addresses, knowledge.bounces)
    questions = questions_of(message.subject, message.text)
    recognition = knowledge.classifier.classify(questions) if questions.whole.text else None
    trouble = _trouble(envelope, message)
    return Reading(message, trouble, suppression, questions, recognition, language_of(questions))


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
    )
