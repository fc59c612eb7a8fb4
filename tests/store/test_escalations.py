"""What went to people is found again on both engines, with what they wrote and taught in return."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Connection, Engine

from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import cases, casework, escalations, inbox, labels, outbox
from responder.store.engine import reading
from responder.store.inbox import Lane, Settlement
from responder.store.outbox import DeliveryKind

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
UNSURE, OTHER = "no entry fits well enough", "a reply to a mail of ours"
LONG_AGO = NOW - timedelta(days=400)


def escalate(conn: Connection, text: str, *, reason: str = UNSURE, now: datetime = NOW) -> int:
    """A mail that went to people: its number."""
    inbox.accept(conn, [(Envelope("tanaka@contractor.example", ("support@example.jp",)), text.encode())], now=now)
    (one,) = inbox.claim(conn, now=now, limit=1, lease=timedelta(minutes=5))
    decision = {"questions": [{"text": text}]} if text else {"questions": []}
    settlement = Settlement(Lane.ESCALATED, reason, None, decision, "件名", "tanaka@contractor.example")
    assert inbox.settle(conn, one, settlement, now=now)
    cases.open_case(conn, one.id, reason=reason, now=now)
    return one.id


def _write(conn: Connection, inquiry: int, raw: bytes, *, now: datetime = NOW) -> int:
    reply = Reply(f"<{raw.decode()}@example.jp>", "support@example.jp", "tanaka@contractor.example", raw)
    number = outbox.enqueue(conn, reply, inquiry_id=inquiry, kind=DeliveryKind.PERSON, once=raw.decode(), now=now)
    assert number is not None
    return number


def test_mails_that_went_to_people_come_newest_first_with_what_they_asked_and_what_is_taught(engine: Engine) -> None:
    with engine.begin() as connection:
        escalate(connection, "昔", now=LONG_AGO)
        first, empty = escalate(connection, "駐車場はありますか"), escalate(connection, "")
        escalate(connection, "返信", reason=OTHER)
        spam = escalate(connection, "広告")
        assert casework.close_as_spam(connection, spam, who="sato", now=NOW) is None
        labels.teach(
            connection, first, subject="件名", body="本文", expected=["q04"], complete=True, who="sato", now=NOW
        )
    with reading(engine) as connection:
        found = escalations.listing(connection, [UNSURE], since=NOW - timedelta(days=1), limit=10)
        assert [(one.id, one.question, one.expected) for one in found] == [
            (empty, "", None),
            (first, "駐車場はありますか", ("q04",)),
        ]
        assert len(escalations.listing(connection, [UNSURE], since=LONG_AGO, limit=1)) == 1


def test_of_what_people_wrote_the_newest_counts_and_what_was_withdrawn_does_not(engine: Engine) -> None:
    with engine.begin() as connection:
        first, second = escalate(connection, "一"), escalate(connection, "二")
        for raw in (b"one", b"two"):
            _write(connection, first, raw)
        assert outbox.withdraw(connection, _write(connection, first, b"three"), now=NOW)
        _write(connection, second, b"four")
    with engine.begin() as connection:
        assert [one.raw for one in escalations.written(connection, inquiry_id=first)] == [b"two"]
        assert [one.raw for one in escalations.written(connection, limit=9)] == [b"four", b"two"]
        assert escalations.written(connection, reasons=[OTHER], limit=9) == []
        assert escalations.written(connection, since=NOW + timedelta(seconds=1), limit=9) == []
        labels.teach(connection, second, subject="", body="", expected=[], complete=True, who="sato", now=NOW)
        untaught = escalations.written(connection, reasons=[UNSURE], untaught=True, limit=9)
        assert [one.inquiry_id for one in untaught] == [first]


def test_the_stamp_changes_with_all_that_suggestions_are_made_of(engine: Engine) -> None:
    stamps = []
    for step in (
        lambda conn: escalate(conn, "一"),
        lambda conn: casework.close_as_spam(conn, 1, who="sato", now=NOW),
        lambda conn: labels.teach(conn, 1, subject="", body="", expected=[], complete=True, who="sato", now=NOW),
        lambda conn: labels.undo(conn, 1, who="sato", now=NOW),
    ):
        with engine.begin() as connection:
            step(connection)
            stamps.append(escalations.stamp(connection))
    assert len(set(stamps)) == len(stamps)
