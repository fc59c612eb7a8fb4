"""Labels on both engines: taught, taught again, undone, and never gone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from responder.mail.envelope import Envelope
from responder.store import inbox, labels
from responder.store.engine import make_ready, open_engine, reading, schema_state
from responder.store.labels import Label

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store that three mails were taken into: their numbers are 1 to 3."""
    opened = open_engine(made_url)
    envelope = Envelope("tanaka@contractor.example", ("support@example.jp",))
    with opened.begin() as connection:
        inbox.accept(connection, [(envelope, str(number).encode()) for number in range(1, 4)], now=NOW)
    yield opened
    opened.dispose()


def _teach(
    engine: Engine,
    number: int = 1,
    *entries: str,
    complete: bool = True,
    who: str = "sato",
    now: datetime = NOW,
    body: str = "本文です",
) -> int | None:
    with engine.begin() as connection:
        return labels.teach(
            connection, number, subject="件名", body=body, expected=entries, complete=complete, who=who, now=now
        )


def _undo(engine: Engine, number: int = 1, *, who: str = "suzuki", now: datetime = NOW + HOUR) -> bool:
    with engine.begin() as connection:
        return labels.undo(connection, number, who=who, now=now)


def _labels(engine: Engine, *, undone: bool = False) -> list[Label]:
    with reading(engine) as connection:
        return labels.listing(connection, undone=undone)


def _stamp(engine: Engine) -> tuple[int, int]:
    with reading(engine) as connection:
        return labels.stamp(connection)


def test_a_label_keeps_the_text_the_entries_and_who_said_so(engine: Engine) -> None:
    number = _teach(engine, 2, "q04", "q07", complete=False)
    assert number is not None
    assert _labels(engine) == [
        Label(number, 2, "件名", "本文です", ("q04", "q07"), False, NOW, "sato", None, None),
    ]


def test_that_nobody_answers_it_is_a_label_too(engine: Engine) -> None:
    _teach(engine, 1)
    assert [(label.expected, label.complete) for label in _labels(engine)] == [((), True)]


def test_a_mail_that_never_came_cannot_be_taught(engine: Engine) -> None:
    assert _teach(engine, 99, "q04") is None
    assert _labels(engine, undone=True) == []


def test_an_undone_label_is_out_of_force_and_stays_on_record(engine: Engine) -> None:
    number = _teach(engine, 1, "q04")
    assert _undo(engine, 1)
    assert _labels(engine) == []
    (label,) = _labels(engine, undone=True)
    assert (label.id, label.expected, label.undone_by, label.undone_at) == (number, ("q04",), "suzuki", NOW + HOUR)


def test_what_is_not_in_force_cannot_be_undone(engine: Engine) -> None:
    assert not _undo(engine, 1)
    _teach(engine, 1, "q04")
    assert _undo(engine, 1, who="suzuki")
    assert not _undo(engine, 1, who="ito", now=NOW + 2 * HOUR)
    assert [label.undone_by for label in _labels(engine, undone=True)] == ["suzuki"]


def test_teaching_again_replaces_the_label_and_keeps_the_old_one_on_record(engine: Engine) -> None:
    _teach(engine, 1, "q04", who="sato")
    _teach(engine, 1, "q07", who="suzuki", now=NOW + HOUR)
    _teach(engine, 2, "q01")
    assert [(label.inquiry_id, label.expected) for label in _labels(engine)] == [(1, ("q07",)), (2, ("q01",))]
    first, *_ = _labels(engine, undone=True)
    assert (first.expected, first.undone_by, first.undone_at) == (("q04",), "suzuki", NOW + HOUR)


def test_the_stamp_changes_with_every_teaching_and_every_undo(engine: Engine) -> None:
    stamps = [_stamp(engine)]
    acts: list[Callable[[], object]] = [
        lambda: _teach(engine, 1, "q04"),
        lambda: _teach(engine, 2, "q04"),
        lambda: _undo(engine, 1),
        lambda: _undo(engine, 2),
        lambda: _teach(engine, 1, "q04"),
    ]
    for act in acts:
        assert _stamp(engine) == stamps[-1]
        act()
        stamps.append(_stamp(engine))
    assert len(set(stamps)) == len(stamps)
    assert not _undo(engine, 3)
    assert _stamp(engine) == stamps[-1]


def test_text_with_a_nul_in_it_can_be_taught(engine: Engine) -> None:
    _teach(engine, 1, "q04", body="前\0後")
    assert _labels(engine)[0].body == "前 後"


def test_of_people_who_teach_a_mail_at_once_one_label_is_in_force_and_all_are_on_record(engine: Engine) -> None:
    names = ["sato", "suzuki", "tanaka", "ito"]
    barrier = Barrier(len(names))

    def teach(who: str) -> None:
        barrier.wait(timeout=30)
        assert _teach(engine, 1, "q04", who=who)

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(teach, names))
    assert len(_labels(engine)) == 1
    assert {label.taught_by for label in _labels(engine, undone=True)} == set(names)


@pytest.mark.parametrize(
    "broken",
    ["UPDATE labels SET undone_by = 'sato'", "UPDATE labels SET undone_at = NULL, undone_by = NULL"],
    ids=["an undo by somebody at no time", "two labels in force on one mail"],
)
def test_the_database_itself_refuses_a_label_that_cannot_be(engine: Engine, broken: str) -> None:
    _teach(engine, 1, "q04")
    _teach(engine, 1, "q07")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql(broken)


def test_a_mail_with_a_label_cannot_be_deleted_under_it(engine: Engine) -> None:
    _teach(engine, 1, "q04")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM inbox WHERE id = 1")


def test_a_store_of_the_first_version_gets_its_labels_and_keeps_its_mails(store_url: str) -> None:
    from alembic import command

    from responder.store.engine import _alembic_config

    old = open_engine(store_url)
    with old.begin() as connection:
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with old.begin() as connection:
        inbox.accept(connection, [(Envelope("tanaka@contractor.example", ("a@example.jp",)), b"mail")], now=NOW)
        assert not sa.inspect(connection).has_table("labels")
    make_ready(old)
    assert schema_state(old)[0] >= "0002"  # type: ignore[operator]  # it has one now
    assert _teach(old, 1, "q04") == 1
    old.dispose()


def test_the_newest_labels_come_first_page_by_page_as_the_filters_ask(engine: Engine) -> None:
    numbers = [_teach(engine, 1, "q04"), _teach(engine, 2, "q04", "q05", who="suzuki"), _teach(engine, 3)]
    _undo(engine, 3)
    with reading(engine) as connection:

        def listed(
            filters: labels.Filters = labels.EVERYTHING, before: int | None = None, limit: int = 50
        ) -> list[int]:
            return [label.id for label in labels.newest(connection, filters, before=before, limit=limit)]

        first, second, third = (number or 0 for number in numbers)
        assert listed() == [second, first]
        assert listed(labels.Filters(undone=True)) == [third, second, first]
        assert listed(limit=1) == [second]
        assert listed(before=second) == [first]
        assert listed(labels.Filters(entry="q04")) == [second, first]
        assert listed(labels.Filters(entry="q05")) == [second]
        assert listed(labels.Filters(entry="q0_")) == []
        assert listed(labels.Filters(entry="", undone=True)) == [third]
        assert listed(labels.Filters(who="suzuki")) == [second]
        assert labels.teachers(connection) == ["sato", "suzuki"]


def test_a_label_is_taken_back_only_while_it_is_the_one_that_was_looked_at(engine: Engine) -> None:
    first, second = _teach(engine, 1, "q04"), _teach(engine, 1, "q05")
    with engine.begin() as connection:
        assert not labels.undo(connection, 1, who="sato", now=NOW, label=first)
        found = labels.in_force(connection, 1)
        assert found is not None
        assert (found.id, found.expected) == (second, ("q05",))
        assert labels.undo(connection, 1, who="sato", now=NOW, label=second)
        assert labels.in_force(connection, 1) is None
