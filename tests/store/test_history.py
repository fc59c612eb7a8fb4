"""What else a sender has written, newest first."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.store import cases, history, inbox
from responder.store.engine import reading
from responder.store.inbox import Lane, Settlement

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def test_a_senders_other_mails_are_found_with_what_became_of_them(engine: Engine) -> None:
    envelope = Envelope("tanaka@contractor.example", ("support@example.jp",))
    with engine.begin() as connection:
        inbox.accept(connection, [(envelope, str(number).encode()) for number in range(5)], now=NOW)
        for inquiry in inbox.claim(connection, now=NOW, limit=4, lease=timedelta(minutes=1)):
            address = "suzuki@other.example" if inquiry.id == 2 else "tanaka@contractor.example"
            settlement = Settlement(Lane.ESCALATED, "reason", None, {}, f"subject {inquiry.id}", address)
            inbox.settle(connection, inquiry, settlement, now=NOW)
        cases.open_case(connection, 3, reason="reason", now=NOW)
    with reading(engine) as connection:
        found = history.of_sender(connection, "tanaka@contractor.example", but=[4])
        assert [(past.id, past.subject, past.case_state) for past in found] == [
            (3, "subject 3", "open"),
            (1, "subject 1", None),
        ]
        assert history.of_sender(connection, "tanaka@contractor.example", but=[], limit=1)[0].id == 4
        assert history.of_sender(connection, "", but=[]) == []
