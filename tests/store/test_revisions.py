"""The history of entries: what was written by whom, and what was found on disk."""

from datetime import UTC, datetime, timedelta

from sqlalchemy.engine import Engine

from responder.store import revisions
from responder.store.engine import reading
from responder.store.revisions import BY_HAND

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def test_what_stands_on_disk_is_recorded_once_and_again_after_a_change_by_hand(engine: Engine) -> None:
    with engine.begin() as connection:
        assert revisions.see(connection, "q04", 1, "first", now=NOW)
        assert not revisions.see(connection, "q04", 1, "first", now=NOW + HOUR)
        revisions.record(connection, "q04", 2, "second", who="sato", note="clearer", now=NOW + HOUR)
        assert not revisions.see(connection, "q04", 2, "second", now=NOW + 2 * HOUR)
        assert revisions.see(connection, "q04", 2, "by hand", now=NOW + 3 * HOUR)
        assert revisions.see(connection, "q05", 1, "first", now=NOW)
    with reading(engine) as connection:
        found = revisions.listing(connection, "q04")
    assert [(one.content, one.written_by, one.note) for one in found] == [
        ("by hand", BY_HAND, ""),
        ("second", "sato", "clearer"),
        ("first", BY_HAND, ""),
    ]


def test_a_revision_is_found_by_number_by_moment_and_by_what_came_after(engine: Engine) -> None:
    with engine.begin() as connection:
        first = revisions.record(connection, "q04", 1, "first", who="sato", now=NOW)
        revisions.record(connection, "q05", 1, "another entry", who="sato", now=NOW)
        second = revisions.record(connection, "q04", 2, "second", who="sato", now=NOW + HOUR)
    with reading(engine) as connection:
        newest = revisions.find(connection, second)
        assert newest is not None
        assert newest == revisions.newest(connection, "q04")
        oldest = revisions.before(connection, newest)
        assert oldest is not None
        assert oldest.id == first
        assert revisions.before(connection, oldest) is None
        assert revisions.newest(connection, "q04", until=NOW + HOUR / 2) == oldest
        assert revisions.newest(connection, "q04", until=NOW - HOUR) is None
        assert revisions.find(connection, 99) is None
