"""The doctor: silent on a store that the service made, and it names whatever somebody breaks in it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.store import inbox
from responder.store.engine import open_engine, reading
from responder.store.laws import Breach, breaches
from responder.worker import triage_next
from tests.answered import answer_case
from tests.knowledge import ADDRESS, briefing, example, reader
from tests.service import author_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """Mail 1 was answered by a machine, 2 by a person, and 3 was kept in silence."""
    opened = open_engine(made_url)
    raws = [example(name) for name in ("shared-mailbox", "payment-date", "out-of-office")]
    with opened.begin() as connection:
        inbox.accept(connection, [(Envelope(author_of(raw), (ADDRESS,)), raw) for raw in raws], now=NOW)
    triage_next(opened, briefing(), reader(), now=NOW, limit=3, lease=timedelta(minutes=5))
    answer_case(opened, 2, "翌月末でございます。", now=NOW)
    yield opened
    opened.dispose()


def _found(engine: Engine, *, now: datetime = NOW + timedelta(hours=2)) -> list[tuple[int, str, int]]:
    with reading(engine) as connection:
        return [(one.law, one.what, one.number) for one in breaches(connection, now=now)]


def test_a_store_that_the_service_made_breaks_no_law(engine: Engine) -> None:
    assert _found(engine, now=NOW + timedelta(days=400)) == []


@pytest.mark.parametrize(
    ("statement", "breach"),
    [
        ("UPDATE inbox SET lane = NULL, reason = NULL, settled_at = NULL WHERE id = 3", (2, "mail", 3)),
        ("DELETE FROM outbox WHERE kind = 'answer'", (2, "mail", 1)),
        ("UPDATE inbox SET lane = 'escalated' WHERE id = 3", (2, "mail", 3)),
        ("UPDATE cases SET merged_into = 2, state = 'open'", (2, "case", 2)),
        ("UPDATE outbox SET inquiry_id = 1, kind = 'answer' WHERE kind = 'acknowledgement'", (3, "mail", 1)),
        ("UPDATE outbox SET sender = 'support@example.jp' WHERE kind = 'answer'", (5, "delivery", 1)),
        ("UPDATE outbox SET recipient = 'somebody@else.example' WHERE kind = 'answer'", (5, "delivery", 1)),
        ("UPDATE inbox SET lane = 'suppressed' WHERE id = 2", (6, "mail", 2)),
        ("UPDATE outbox SET next_attempt_at = NULL WHERE id = 1", (6, "delivery", 1)),
    ],
)
def test_what_somebody_breaks_is_named(engine: Engine, statement: str, breach: tuple[int, str, int]) -> None:
    with engine.begin() as connection:
        assert connection.execute(sa.text(statement)).rowcount == 1
    assert breach in _found(engine, now=NOW + timedelta(days=2))


def test_a_mail_that_has_just_come_waits_for_its_turn(engine: Engine) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope("a@contractor.example", (ADDRESS,)), b"x")], now=NOW)
    assert _found(engine) == []
    with reading(engine) as connection:
        (late,) = breaches(connection, now=NOW + timedelta(days=2))
    assert late == Breach(2, "mail", 4, "has waited for a day and is in no lane")
