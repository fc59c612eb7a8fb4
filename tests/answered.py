"""Mails in the store as a worker leaves them, without a worker."""

from datetime import datetime, timedelta
from email.message import EmailMessage
from functools import cache

from sqlalchemy.engine import Engine

from responder.corpus import Entry, load_entries
from responder.desk.answering import Kept, Queued, Refused, Words, send, take_back
from responder.desk.newest import newest_of
from responder.mail.envelope import Envelope
from responder.mail.message import Message, parse_message
from responder.mail.reply import build_reply
from responder.store import inbox, outbox
from responder.store.cases import reference_of
from responder.store.casework import Refusal
from responder.store.engine import reading
from responder.store.inbox import Lane, Settlement, digest_of
from responder.store.outbox import DeliveryKind
from responder.triage.language import Language
from tests.knowledge import ADDRESS, AUTHOR, ROOT, shipped_letters

TANAKA = "tanaka@contractor.example"


@cache
def _entries() -> dict[str, Entry]:
    return {entry.id: entry for entry in load_entries(ROOT / "faq_corpus")}


def mail(text: str, *, subject: str = "お尋ね", name: str = "田中 一郎") -> bytes:
    """A contractor's question."""
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = f"{name} <{TANAKA}>", ADDRESS, subject
    made.set_content(text)
    return made.as_bytes()


def settled(
    engine: Engine,
    lane: Lane,
    *,
    now: datetime,
    text: str = "質問です。",
    subject: str = "お尋ね",
    reason: str = "recognised",
    language: Language = Language.JAPANESE,
) -> int:
    """A mail that ended in a lane, and its number."""
    raw = mail(text, subject=subject)
    decision = {"questions": [{"text": text}], "language": language.value, "reason": reason}
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(TANAKA, (ADDRESS,)), raw)], now=now)
        (inquiry,) = inbox.claim(connection, now=now, limit=1, lease=timedelta(minutes=1))
        inbox.settle(connection, inquiry, Settlement(lane, reason, None, decision, subject, TANAKA), now=now)
    return inquiry.id


def answered(
    engine: Engine,
    *entries: str,
    now: datetime,
    text: str = "質問です。",
    subject: str = "お尋ね",
    language: Language = Language.JAPANESE,
) -> int:
    """A mail that a machine answered with these entries, and its number."""
    number = settled(engine, Lane.ANSWERED, now=now, text=text, subject=subject, language=language)
    known = _entries()
    sent = [known[entry] for entry in entries]
    letter = shipped_letters().answer(sent, subject=subject, reference=reference_of(number), language=language)
    envelope, raw = Envelope(TANAKA, (ADDRESS,)), mail(text, subject=subject)
    asked = parse_message(raw)
    assert isinstance(asked, Message)
    reply = build_reply(
        subject=letter.subject,
        body=letter.body,
        author=AUTHOR,
        recipient=TANAKA,
        message_id=AUTHOR.message_id("answer", number, digest_of(envelope, raw)),
        date=now,
        answers=asked,
        automatic=True,
    )
    with engine.begin() as connection:
        once, kind = f"automatic:{number}", DeliveryKind.ANSWER
        outbox.enqueue(connection, reply, inquiry_id=number, kind=kind, once=once, now=now, entries=entries)
    return number


def answer_case(
    engine: Engine,
    case: int,
    text: str,
    *,
    who: str = "sato",
    now: datetime,
    seen: int | None = None,
    salutation: str = "",
    signature: str = "",
    undo: timedelta = timedelta(0),
) -> Queued | Kept:
    """A person's answer, as the pages and the command give it."""
    with reading(engine) as connection:
        newest = newest_of(connection, case)
    if newest is None:
        return Refusal.NO_CASE
    letters, words = shipped_letters(), Words(text, salutation, signature)
    with engine.begin() as connection:
        return send(connection, letters, AUTHOR, case, newest, words, who=who, now=now, seen=seen, undo=undo)


def undo_answer(
    engine: Engine, case: int, delivery: int, *, who: str = "sato", now: datetime
) -> Refused | Refusal | None:
    """An answer that is taken back."""
    with engine.begin() as connection:
        return take_back(connection, case, delivery, who=who, now=now)
