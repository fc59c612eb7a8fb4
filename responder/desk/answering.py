"""A person's answer: into the outbox and the case closed, in one transaction; and taken back before it leaves."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy.engine import Connection, Engine

from responder.desk.drafting import newest_mail
from responder.letters import Letters
from responder.mail.address import correspondent_of, valid_address
from responder.mail.addressee import addressee_of
from responder.mail.charset import one_line
from responder.mail.message import Message, parse_message
from responder.mail.reply import Mailbox, Reply, build_reply
from responder.store import case_events, cases, casework, composing, drafts, outbox
from responder.store.case_events import CaseEvent
from responder.store.cases import Case
from responder.store.inbox import Record, digest_of
from responder.store.outbox import DeliveryKind
from responder.triage.guard.senders import nobody_reads


class Refused(StrEnum):
    """Why an answer was not sent, or not taken back; nothing was changed."""

    NO_CASE = "there is no such case"
    MERGED = "the case was merged into another"
    CLOSED = "the case is closed; open it again first"
    TAKEN = "somebody else has taken the case"
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


@dataclass(frozen=True, slots=True)
class _Written:
    case: Case
    inquiry: int
    turn: int
    reply: Reply


def answer_case(
    engine: Engine,
    letters: Letters,
    author: Mailbox,
    case_id: int,
    text: str,
    *,
    who: str,
    now: datetime,
    seen: int | None = None,
    salutation: str = "",
    signature: str = "",
    undo: timedelta = timedelta(0),
) -> Queued | Refused | Intervened:
    """Send `text` to the contractor in their thread, and close the case.

    `seen` is the last event of the case that its author knew: what others did since keeps the answer back. No courier
    takes it before `undo` has passed, and until one does, `undo_answer` takes it back.
    """
    words = Words(text, salutation, signature)
    with engine.begin() as connection:
        return send(connection, letters, author, case_id, words, who=who, now=now, seen=seen, undo=undo)


def send(
    connection: Connection,
    letters: Letters,
    author: Mailbox,
    case_id: int,
    words: Words,
    *,
    who: str,
    now: datetime,
    seen: int | None,
    undo: timedelta,
) -> Queued | Refused | Intervened:
    """As `answer_case`, in the caller's transaction."""
    found = _written(connection, letters, author, case_id, words, who=who, now=now, seen=seen, lock=True)
    return _queue(connection, found, words, who, now, undo) if isinstance(found, _Written) else found


def preview(
    connection: Connection,
    letters: Letters,
    author: Mailbox,
    case_id: int,
    words: Words,
    *,
    who: str,
    now: datetime,
    seen: int | None = None,
) -> Preview | Refused | Intervened:
    """What `answer_case` would send at this moment; nothing is sent."""
    found = _written(connection, letters, author, case_id, words, who=who, now=now, seen=seen, lock=False)
    if not isinstance(found, _Written):
        return found
    mail = parse_message(found.reply.raw)
    if not isinstance(mail, Message):
        raise ValueError(f"the answer to case {case_id} cannot be read back: {mail.reason}")
    return Preview(f"{mail.from_name} <{mail.from_address}>", found.reply.recipient, mail.subject, mail.text)


def undo_answer(engine: Engine, case_id: int, delivery_id: int, *, who: str, now: datetime) -> Refused | None:
    """Take an answer back that no courier has had in hand: the case is theirs again, and the text a draft."""
    with engine.begin() as connection:
        return take_back(connection, case_id, delivery_id, who=who, now=now)


def take_back(connection: Connection, case_id: int, delivery_id: int, *, who: str, now: datetime) -> Refused | None:
    """As `undo_answer`, in the caller's transaction."""
    if cases.find(connection, case_id, lock=True) is None:
        return Refused.NO_CASE
    events = case_events.of_case(connection, case_id)
    if ("answered", who, delivery_id) not in [(one.event, one.who, one.delivery_id) for one in events]:
        return Refused.NOT_THEIRS
    if not outbox.withdraw(connection, delivery_id, now=now):
        return Refused.TOO_LATE
    casework.take_back(connection, case_id, delivery_id=delivery_id, who=who, now=now)
    return None


def salutation_of(letters: Letters, record: Record, author: Mailbox) -> str:
    """How a letter to whoever wrote this mail may begin."""
    message = parse_message(record.raw)
    named = isinstance(message, Message) and not _by_form(message, author)
    return letters.salutation(addressee_of(message.from_name) if named and isinstance(message, Message) else "")


def recipient_of(record: Record, author: Mailbox) -> str | None:
    """Whom an answer to this mail goes to; None: it names nobody."""
    message = parse_message(record.raw)
    return _recipient(record, message if isinstance(message, Message) else None, author)


def _written(
    connection: Connection,
    letters: Letters,
    author: Mailbox,
    case_id: int,
    words: Words,
    *,
    who: str,
    now: datetime,
    seen: int | None,
    lock: bool,
) -> _Written | Refused | Intervened:
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
    refused = _refused(case, who)
    if case is None or refused is not None:
        return refused or Refused.NO_CASE
    record, turn = newest_mail(connection, case), case_events.newest(connection, case_id)
    reply = _reply(letters, author, case, record, words, turn, now)
    return Refused.NO_ADDRESS if reply is None else _Written(case, record.listing.id, turn, reply)


def _refused(case: Case | None, who: str) -> Refused | None:
    match case:
        case None:
            return Refused.NO_CASE
        case Case(merged_into=int()):
            return Refused.MERGED
        case Case(state="closed"):
            return Refused.CLOSED
        case Case(state="taken", taken_by=taker) if taker != who:
            return Refused.TAKEN
        case _:
            return None


def _reply(
    letters: Letters, author: Mailbox, case: Case, record: Record, words: Words, turn: int, now: datetime
) -> Reply | None:
    """The finished mail; None where there is nobody to send it to."""
    message = parse_message(record.raw)
    known = message if isinstance(message, Message) else None
    recipient = _recipient(record, known, author)
    if recipient is None:
        return None
    letter = letters.person(
        words.text.strip(),
        subject=known.subject if known else "",
        reference=cases.reference_of(case.id),
        salutation=one_line(words.salutation),
        signature=one_line(words.signature),
    )
    return build_reply(
        subject=letter.subject,
        body=letter.body,
        author=author,
        recipient=recipient,
        message_id=author.message_id("person", record.listing.id, digest_of(record.envelope, record.raw), turn),
        date=now,
        answers=known,
        automatic=False,
    )


def _recipient(record: Record, message: Message | None, author: Mailbox) -> str | None:
    """A person may answer where a machine must not: to From, as every mail program does.

    A form on a web page writes in our own name, or in nobody's; who filled it in stands in Reply-To.
    """
    written = message.from_address if message is not None else ""
    asked = message.reply_to if message is not None and _by_form(message, author) else ()
    return next((address for address in (*asked, written, record.envelope.mail_from) if valid_address(address)), None)


def _by_form(message: Message, author: Mailbox) -> bool:
    written = message.from_address
    return correspondent_of(written) == correspondent_of(author.address) or nobody_reads(written)


def _queue(
    connection: Connection, written: _Written, words: Words, who: str, now: datetime, undo: timedelta
) -> Queued | Refused:
    # Of two people who answer at the same moment the second finds the turn taken, whatever both had read before. A
    # turn is the number of the case's last event, so the turn of an answer that was withdrawn never comes again.
    case_id, once = written.case.id, f"person:{written.case.id}:{written.turn}"
    kind = DeliveryKind.PERSON
    number = outbox.enqueue(
        connection, written.reply, inquiry_id=written.inquiry, kind=kind, once=once, now=now, not_before=now + undo
    )
    if number is None:
        return Refused.TAKEN
    casework.close_answered(connection, case_id, delivery_id=number, who=who, now=now)
    drafts.save(connection, case_id, who=who, salutation=words.salutation, text=words.text, seen=written.turn, now=now)
    composing.leave(connection, case_id, who=who)
    return Queued(number, written.reply.recipient)
