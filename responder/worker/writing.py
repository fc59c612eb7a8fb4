"""What a decision asks for, written: the answer or the acknowledgement, ready for the outbox."""

from dataclasses import dataclass
from datetime import timedelta

from responder import maillog
from responder.letters import Letter, Letters
from responder.mail.message import Message
from responder.mail.reply import Mailbox, Reply, build_reply
from responder.store import cases
from responder.store.inbox import Inquiry
from responder.triage.policy import Answer, Decision, Escalate, Reason
from responder.triage.reading import Knowledge, Reading

log = maillog.log("worker")


@dataclass(frozen=True, slots=True)
class Briefing:
    """What an answer is made of, beside the mail: swapped in whole when the files change."""

    knowledge: Knowledge
    letters: Letters
    author: Mailbox
    mute_after_bounce: timedelta = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One mail, decided and written: what is left is to put it down."""

    inquiry: Inquiry
    reading: Reading
    decision: Decision
    reply: Reply | None
    once: str


def _once(inquiry: Inquiry) -> str:
    # Two rows of the same bytes are one mail whose sender did not hear our 250: one automatic mail for both.
    return f"automatic:{inquiry.digest}"


def written(inquiry: Inquiry, found: Reading, decision: Decision, briefing: Briefing) -> Outcome:
    """Render and build what the decision asks for; what cannot be built goes to a person in silence."""
    once = _once(inquiry)
    try:
        reply = _reply(inquiry, found, decision, briefing)
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one answer, a person can still give it
        log.error("not built", inquiry=inquiry.id, reason=repr(error))
        unsent = Escalate(Reason.UNSENDABLE, acknowledge=False, entries=getattr(decision, "entries", ()))
        return Outcome(inquiry, found, unsent, None, once)
    return Outcome(inquiry, found, decision, reply, once)


def _reply(inquiry: Inquiry, found: Reading, decision: Decision, briefing: Briefing) -> Reply | None:
    message, letters = found.message, briefing.letters
    if not isinstance(message, Message):
        return None
    subject, reference = message.subject, cases.reference_of(inquiry.id)
    match decision:
        case Answer(entries):
            chosen = [briefing.knowledge.corpus.entry(entry) for entry in entries]
            letter = letters.answer(chosen, subject=subject, reference=reference, language=found.language)
            return _built(inquiry, message, letter, "answer", briefing.author)
        case Escalate(acknowledge=True):
            letter = letters.acknowledgement(subject=subject, reference=reference, language=found.language)
            return _built(inquiry, message, letter, "acknowledgement", briefing.author)
        case _:
            return None


def _built(inquiry: Inquiry, message: Message, letter: Letter, kind: str, author: Mailbox) -> Reply:
    # The Message-ID comes from the mail itself: a second attempt at the same mail gives the same (Law 3).
    return build_reply(
        subject=letter.subject,
        body=letter.body,
        author=author,
        recipient=inquiry.envelope.mail_from,
        message_id=author.message_id(kind, inquiry.id, inquiry.digest),
        date=inquiry.received_at,
        answers=message,
        automatic=True,
        language=letter.language,
    )
