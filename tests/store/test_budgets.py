"""What budgets are counted by, and the breaker, on both engines."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from sqlalchemy.engine import Connection, Engine

from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import automatic, breaker, case_events, cases, inbox, muted, outbox
from responder.store.engine import _alembic_config, open_engine, reading, upgrade
from responder.store.inbox import Lane
from responder.store.outbox import DeliveryKind

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TANAKA = "tanaka@contractor.example"


@pytest.fixture(autouse=True)
def _taken_in(request: pytest.FixtureRequest) -> None:
    """Every mail that leaves belongs to one that came in."""
    if "engine" in request.fixturenames:
        with request.getfixturevalue("engine").begin() as connection:
            inbox.accept(connection, [(Envelope(TANAKA, ("support@example.jp",)), b"mail")], now=NOW)


def test_what_a_sender_had_is_told_with_its_entries(engine: Engine) -> None:
    reply = Reply("<a@example.jp>", "", TANAKA, b"raw")
    with engine.begin() as connection:
        outbox.enqueue(
            connection,
            reply,
            inquiry_id=1,
            kind=DeliveryKind.ANSWER,
            once="a",
            now=NOW,
            entries=("q07", "q04"),
        )
    with reading(engine) as connection:
        (had,) = automatic.to(connection, TANAKA, since=NOW - MINUTE)
    assert had == automatic.Automatic(NOW, DeliveryKind.ANSWER, frozenset({"q04", "q07"}))


def test_an_address_is_muted_whatever_its_tag_and_its_case(engine: Engine) -> None:
    with engine.begin() as connection:
        muted.mute(connection, TANAKA, reason="550 5.1.1", until=NOW + MINUTE, now=NOW)
        assert muted.is_muted(connection, "TANAKA+x@contractor.example", now=NOW)
        assert not muted.is_muted(connection, TANAKA, now=NOW + MINUTE)
        assert not muted.is_muted(connection, "suzuki@contractor.example", now=NOW)


@pytest.mark.parametrize(
    ("ask", "index"),
    [
        (lambda c: automatic.to(c, TANAKA, since=NOW), "ix_outbox_correspondent_created_at"),
        (lambda c: automatic.there(c, TANAKA, since=NOW), "ix_outbox_organisation_created_at"),
        (lambda c: automatic.at_all(c, since=NOW), "ix_outbox_created_at"),
    ],
    ids=["of a sender", "of an organisation", "of the service"],
)
def test_a_budget_is_counted_by_an_index(tmp_path: Path, ask: Callable[[Connection], object], index: str) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/plan.db")
    upgrade(engine)
    plans: list[str] = []
    with reading(engine) as connection:

        def explained(conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            plan = conn.connection.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            plans.extend(row[3] for row in plan)

        sa.event.listen(engine, "before_cursor_execute", explained)
        ask(connection)
    engine.dispose()
    searches = [plan for plan in plans if "outbox" in plan]
    assert searches
    assert all("SEARCH" in plan and index in plan for plan in searches)


def test_the_breaker_trips_once_and_is_reset_by_somebody(engine: Engine) -> None:
    with engine.begin() as connection:
        assert breaker.in_force(connection) is None
        assert breaker.last_reset_at(connection) is None
        assert not breaker.reset(connection, who="sato", now=NOW)
        assert breaker.trip(connection, sent=200, now=NOW)
        assert not breaker.trip(connection, sent=300, now=NOW + MINUTE)
        tripped = breaker.in_force(connection)
        assert tripped is not None
        assert (tripped.tripped_at, tripped.sent, tripped.reset_at) == (NOW, 200, None)
        assert breaker.reset(connection, who="sato", now=NOW + MINUTE)
        assert breaker.in_force(connection) is None
        assert breaker.last_reset_at(connection) == NOW + MINUTE
        assert breaker.trip(connection, sent=201, now=NOW + 2 * MINUTE)
        assert [(trip.sent, trip.reset_by) for trip in breaker.listing(connection)] == [(201, None), (200, "sato")]


def _settled(connection: Connection, lane: Lane) -> None:
    (inquiry,) = inbox.claim(connection, now=NOW, limit=1, lease=MINUTE)
    inbox.settle(connection, inquiry, inbox.Settlement(lane, "own address", None, {}, "", ""), now=NOW)


def test_a_mail_that_was_kept_in_silence_is_called_back_once_and_keeps_its_lane(engine: Engine) -> None:
    with engine.begin() as connection:
        assert not cases.call_back(connection, 1, who="sato", now=NOW)
        _settled(connection, Lane.SUPPRESSED)
        assert cases.call_back(connection, 1, who="sato", now=NOW)
        assert not cases.call_back(connection, 1, who="sato", now=NOW)
        assert not cases.call_back(connection, 99, who="sato", now=NOW)
        (case,) = cases.listing(connection)
        assert (case.id, case.state, case.reason) == (1, "open", "called back")
        assert [(event.event, event.who) for event in case_events.of_case(connection, 1)] == [("opened", "sato")]
        record = inbox.find(connection, 1)
        assert record is not None
        assert record.listing.lane == "suppressed"


def test_a_mail_that_was_answered_is_not_called_back(engine: Engine) -> None:
    with engine.begin() as connection:
        _settled(connection, Lane.ANSWERED)
        assert not cases.call_back(connection, 1, who="sato", now=NOW)


def test_who_had_mail_before_the_upgrade_is_known_after_it(store_url: str) -> None:
    opened = open_engine(store_url)
    with opened.begin() as connection:
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        taken_in = (
            "INSERT INTO inbox (id, received_at, mail_from, rcpt_to, digest, size, raw)"
            " VALUES (1, :now, '', '[]', '', 0, :raw)"
        )
        values = {"now": "2026-11-24 09:00:00", "raw": b""}
        connection.execute(sa.text(taken_in), values)
        written = (
            "INSERT INTO outbox (inquiry_id, kind, once, message_id, sender, recipient, created_at, queued_at, raw)"
            " VALUES (1, 'answer', 'a', 'a', '', 'T+x@Mail.Himawari.co.jp', :now, :now, :raw)"
        )
        connection.execute(sa.text(written), values)
    upgrade(opened)
    with reading(opened) as connection:
        assert len(automatic.to(connection, "t@mail.himawari.co.jp", since=NOW - MINUTE)) == 1
        assert automatic.there(connection, "s@himawari.co.jp", since=NOW - MINUTE) == 1
    opened.dispose()
