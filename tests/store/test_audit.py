"""The audit on both engines: only ever added to, found again, read whole."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from responder.store import audit
from responder.store.audit import Filters
from responder.store.engine import reading

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Five things that people did, an hour apart."""
    did = [
        ("sato", "login", "account:sato"),
        ("sato", "case.take", "case:1"),
        ("suzuki", "case.take", "case:10"),
        ("suzuki", "case.answer", "case:1"),
        ("responder", "case.open", "case:11"),
    ]
    with engine.begin() as connection:
        for hour, (who, action, what) in enumerate(did):
            now = NOW + hour * HOUR
            audit.write(connection, audit.Actor(who, "192.0.2.1"), action, what, "a\0b", now=now)
    return engine


def test_what_is_asked_for_is_shown_newest_first_and_exported_oldest_first(filled: Engine) -> None:
    span = Filters(since=NOW + HOUR, until=NOW + 3 * HOUR)
    with reading(filled) as connection:
        for filters, found in (
            (Filters(), [5, 4, 3, 2, 1]),
            (Filters(who="sato"), [2, 1]),
            (Filters(action="case.take"), [3, 2]),
            (Filters(object="case:1"), [4, 2]),
            (span, [3, 2]),
            (Filters(who="suzuki", object="case:1"), [4]),
            (Filters(who="su%"), []),
        ):
            assert [event.id for event in audit.listing(connection, filters)] == found, filters
            assert [event.id for event in audit.export(connection, filters)] == found[::-1], filters


def test_a_page_begins_behind_the_one_before(filled: Engine) -> None:
    with reading(filled) as connection:
        first = audit.listing(connection, limit=2)
        assert [event.id for event in audit.listing(connection, before=first[-1].id, limit=2)] == [3, 2]


def test_an_export_reads_page_after_page(filled: Engine) -> None:
    with reading(filled) as connection:
        assert [event.id for event in audit.export(connection, page=2)] == [1, 2, 3, 4, 5]


def test_every_action_that_occurs_is_named_once(filled: Engine) -> None:
    with reading(filled) as connection:
        assert audit.actions(connection) == ["case.answer", "case.open", "case.take", "login"]


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
def test_nothing_is_changed_or_taken_away(filled: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match="only ever added to"), filled.begin() as connection:
        connection.execute(sa.text(statement))
    with reading(filled) as connection:
        assert len(audit.listing(connection)) == 5
