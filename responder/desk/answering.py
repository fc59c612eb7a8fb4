"""A person's answer: into the outbox and the case closed, in one transaction."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.engine import Connection, Engine

from responder.desk.drafting import newest_mail
from responder.letters import Letters
from responder.mail.address import correspondent_of, valid_address
from responder.mail.message import Message, parse_message
from responder.mail.reply import Mailbox, build_reply
from responder.store import cases, outbox
from responder.store.cases import Case
from responder.store.inbox import Record, digest_of
from responder.store.outbox import DeliveryKind
from responder.triage.guard.senders import nobody_reads


class Refused(StrEnum):
    """Why an answer was not sent; nothing was changed."""

    NO_CASE = "there is no such case"
    CLOSED = "the case is closed; open it again first"
    TAKEN = "somebody else has taken the case"
    NO_ADDRESS = "the mail names no address to answer to"
    EMPTY = "the answer has no text"
    UNFINISHED = "a place of the draft is still empty"


@dataclass(frozen=True, slots=True)
class Queued:
    """The answer stands in the outbox."""

    delivery_id: int
    recipient: str


def answer_case(
    engine: Engine, letters: Letters, author: Mailbox, case_id: int, text: str, *, who: str, now: datetime
) -> Queued | Refused:
    """Send `text` to the contractor in their thread, and close the case."""
    if not text.strip():
        return Refused.EMPTY
    if letters.unfinished(text):
        return Refused.UNFINISHED
    with engine.begin() as connection:
        case = cases.find(connection, case_id, lock=True)
        refused = _refused(case, who)
        if case is None or refused is not None:
            return refused or Refused.NO_CASE
        record = newest_mail(connection, case)
        message = parse_message(record.raw)
        recipient = _recipient(record, message if isinstance(message, Message) else None, author)
        if recipient is None:
            return Refused.NO_ADDRESS
        return _queue(connection, letters, author, case, text, record, recipient, who, now)


def _refused(case: Case | None, who: str) -> Refused | None:
    match case:
        case None:
            return Refused.NO_CASE
        case Case(state="closed"):
            return Refused.CLOSED
        case Case(state="taken", taken_by=taker) if taker != who:
            return Refused.TAKEN
        case _:
            return None


def _recipient(record: Record, message: Message | None, author: Mailbox) -> str | None:
    """A person may answer where a machine must not: to From, as every mail program does.

    A form on a web page writes in our own name, or in nobody's; who filled it in stands in Reply-To.
    """
    written = message.from_address if message is not None else ""
    by_form = correspondent_of(written) == correspondent_of(author.address) or nobody_reads(written)
    asked = message.reply_to if message is not None and by_form else ()
    return next((address for address in (*asked, written, record.envelope.mail_from) if valid_address(address)), None)


def _queue(
    connection: Connection,
    letters: Letters,
    author: Mailbox,
    case: Case,
    text: str,
    record: Record,
    recipient: str,
    who: str,
    now: datetime,
) -> Queued | Refused:
    message = parse_message(record.raw)
    known = message if isinstance(message, Message) else None
    letter = letters.person(text.strip(), subject=known.subject if known else "", reference=cases.reference_of(case.id))
    turn = sum(event.event == "answered" for event in cases.events(connection, case.id)) + 1
    reply = build_reply(
        subject=letter.subject,
        body=letter.body,
        author=author,
        recipient=recipient,
        message_id=author.message_id("person", record.listing.id, digest_of(record.envelope, record.raw), turn),
        date=now,
        answers=known,
        automatic=False,
    )
    # Two people who answer at the same moment: the second finds the turn taken, whatever both had read before.
    once = f"person:{case.id}:{turn}"
    kind = DeliveryKind.PERSON
    number = outbox.enqueue(connection, reply, inquiry_id=record.listing.id, kind=kind, once=once, now=now)
    if number is None:
        return Refused.TAKEN
    cases.close_case(connection, case.id, who=who, detail="", delivery_id=number, now=now)
    return Queued(number, recipient)
