"""A person's answer: into the outbox and the case closed, in one transaction; and taken back before it leaves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.engine import Connection

from responder.desk.newest import Newest, newest_number
from responder.letters import Letters
from responder.mail.address import correspondent_of, valid_address
from responder.mail.addressee import addressee_of
from responder.mail.charset import one_line
from responder.mail.message import Message, parse_message
from responder.mail.reply import Mailbox, Reply, build_reply
from responder.store import case_events, cases, casework, composing, drafts, outbox
from responder.store.case_events import CaseEvent
from responder.store.cases import Case
from responder.store.casework import Refusal
from responder.store.inbox import digest_of
from responder.store.outbox import DeliveryKind
from responder.triage.guard.senders import nobody_reads


class Refused(StrEnum):
    """Why an answer was not sent, or not taken back, besides what keeps them from the case at all."""

    NEWER_MAIL = "the case's newest mail is another by now"
    NO_ADDRESS = "the mail names no address to answer to"
    EMPTY = "the answer has no text"
    TOO_LONG = "the answer is longer than 20,000 characters"
    UNFINISHED = "a place of the draft is still empty"
    NOT_THEIRS = "the answer is not theirs"
    TOO_LATE = "the answer is on its way"


@dataclass(frozen=True, slots=True)
class Queued:
    """The answer stands in the outbox."""

    delivery_id: int
    recipient: str

    @property
    def told(self) -> str:
        """For the audit."""
        return f"delivery {self.delivery_id} to {self.recipient}"


@dataclass(frozen=True, slots=True)
class Intervened:
    """The answer was not sent, because others did something in the case that its author does not know of."""

    events: tuple[CaseEvent, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """The finished mail, read back from its bytes."""

    sender: str
    recipient: str
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a person wrote, under which salutation and with which name; "" is none."""

    text: str
    salutation: str = ""
    signature: str = ""


Kept = Refused | Refusal | Intervened
"""Why nothing was sent, and nothing changed."""


@dataclass(frozen=True, slots=True)
class _Written:
    case: Case
    inquiry: int
    turn: int
    reply: Reply


def send(
    connection: Connection,
    letters: Letters,
    author: Mailbox,
    case_id: int,
    newest: Newest,
    words: Words,
    *,
    who: str,
    now: datetime,
    seen: int | None = None,
    undo: timedelta = timedelta(0),
) -> Queued | Kept:
    """Send the words to the contractor as an answer to `newest`, in their thread, and close the case.

    `seen` is the last event of the case that its author knew: what others did since keeps the answer back. No courier
    takes it before `undo` has passed, and until one does, `take_back` can.
    """
    found = _written(connection, letters, author, case_id, newest, words, who=who, now=now, seen=seen, lock=True)
    return _queue(connection, found, words, who, now, undo) if isinstance(found, _Written) else found


def preview(
    connection: Connection,
    letters: Letters,
    author: Mailbox,
    case_id: int,
    newest: Newest,
    words: Words,
    *,
    who: str,
    now: datetime,
    seen: int | None = None,
) -> Preview | Kept:
    """What `send` would send at this moment; nothing is sent."""
    found = _written(connection, letters, author, case_id, newest, words, who=who, now=now, seen=seen, lock=False)
    if not isinstance(found, _Written):
        return found
    # It is our own, and short: it need not be read in the process for strangers' mails.
    mail = parse_message(found.reply.raw)
    if not isinstance(mail, Message):
        raise ValueError(f"the answer to case {case_id} cannot be read back: {mail.reason}")
    return Preview(f"{mail.from_name} <{mail.from_address}>", found.reply.recipient, mail.subject, mail.text)


def take_back(
    connection: Connection, case_id: int, delivery_id: int, *, who: str, now: datetime
) -> Refused | Refusal | None:
    """Take an answer back that no courier has had in hand: the case is theirs again, and the text a draft."""
    if cases.find(connection, case_id, lock=True) is None:
        return Refusal.NO_CASE
    events = case_events.of_case(connection, case_id)
    if ("answered", who, delivery_id) not in [(one.event, one.who, one.delivery_id) for one in events]:
        return Refused.NOT_THEIRS
    if not outbox.withdraw(connection, delivery_id, now=now):
        return Refused.TOO_LATE
    casework.take_back(connection, case_id, delivery_id=delivery_id, who=who, now=now)
    return None


def salutation_of(letters: Letters, newest: Newest, author: Mailbox) -> str:
    """How a letter to whoever wrote this mail may begin."""
    message = newest.message
    called = "" if message is None or _by_form(message, author) else addressee_of(message.from_name)
    return letters.salutation(called, newest.language)


def recipient_of(newest: Newest, author: Mailbox) -> str | None:
    """Whom an answer to this mail goes to; None: it names nobody.

    A person may answer where a machine must not: to From, as every mail program does. A form on a web page writes in
    our own name, or in nobody's; who filled it in stands in Reply-To.
    """
    message, mail_from = newest.message, newest.record.envelope.mail_from
    written = message.from_address if message is not None else ""
    asked = message.reply_to if message is not None and _by_form(message, author) else ()
    return next((address for address in (*asked, written, mail_from) if valid_address(address)), None)


def _by_form(message: Message, author: Mailbox) -> bool:
    written = message.from_address
    return correspondent_of(written) == correspondent_of(author.address) or nobody_reads(written)


def _written(
    connection: Connection,
    letters: Letters,
    author: Mailbox,
    case_id: int,
    newest: Newest,
    words: Words,
    *,
    who: str,
    now: datetime,
    seen: int | None,
    lock: bool,
) -> _Written | Kept:
    if not words.text.strip():
        return Refused.EMPTY
    if letters.unfinished(words.text):
        return Refused.UNFINISHED
    case = cases.find(connection, case_id, lock=lock)
    if seen is not None:
        since = case_events.of_case(connection, case_id, since=seen)
        others = tuple(event for event in since if event.who != who)
        if others:
            return Intervened(others)
    if case is None:
        return Refusal.NO_CASE
    refusal = casework.free(case, who)
    if refusal is not None:
        return refusal
    if newest_number(connection, case) != newest.number:
        return Refused.NEWER_MAIL
    turn = case_events.newest(connection, case_id)
    reply = _reply(letters, author, case, newest, words, turn, now)
    return Refused.NO_ADDRESS if reply is None else _Written(case, newest.number, turn, reply)


def _reply(
    letters: Letters, author: Mailbox, case: Case, newest: Newest, words: Words, turn: int, now: datetime
) -> Reply | None:
    """The finished mail; None where there is nobody to send it to."""
    recipient = recipient_of(newest, author)
    if recipient is None:
        return None
    letter = letters.person(
        words.text.strip(),
        subject=newest.subject,
        reference=cases.reference_of(case.id),
        salutation=one_line(words.salutation),
        signature=one_line(words.signature),
        language=newest.language,
    )
    digest = digest_of(newest.record.envelope, newest.record.raw)
    return build_reply(
        subject=letter.subject,
        body=letter.body,
        author=author,
        recipient=recipient,
        message_id=author.message_id("person", newest.number, digest, turn),
        date=now,
        answers=newest.message,
        automatic=False,
    )


def _queue(
    connection: Connection, written: _Written, words: Words, who: str, now: datetime, undo: timedelta
) -> Queued | Refusal:
    # Of two people who answer at the same moment the second finds the turn taken, whatever both had read before. A
    # turn is the number of the case's last event, so the turn of an answer that was withdrawn never comes again.
    case_id, once = written.case.id, f"person:{written.case.id}:{written.turn}"
    kind = DeliveryKind.PERSON
    number = outbox.enqueue(
        connection, written.reply, inquiry_id=written.inquiry, kind=kind, once=once, now=now, not_before=now + undo
    )
    if number is None:
        return Refusal.TAKEN
    casework.close_answered(connection, case_id, delivery_id=number, who=who, now=now)
    drafts.save(connection, case_id, who=who, salutation=words.salutation, text=words.text, seen=written.turn, now=now)
    composing.leave(connection, case_id, who=who)
    return Queued(number, written.reply.recipient)
