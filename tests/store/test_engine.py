"""The engine: both databases, migrations, and what an operator reads when it cannot be opened."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.errors import StoreError
from responder.store.engine import open_engine, reading, schema_state, upgrade, words_of
from responder.store.schema import inbox, metadata, outbox


def _shape(engine: Engine) -> dict[str, object]:
    """Everything that two equal schemas have in common: columns, keys, constraints, indexes."""
    inspector = sa.inspect(engine)
    shape: dict[str, object] = {}
    for table in inspector.get_table_names():
        if table == "alembic_version":
            continue
        columns = [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(table)]
        checks = sorted((str(c["name"]), c["sqltext"]) for c in inspector.get_check_constraints(table))
        uniques = sorted((str(u["name"]), u["column_names"]) for u in inspector.get_unique_constraints(table))
        indexes = sorted((str(i["name"]), i["column_names"], _where(i)) for i in inspector.get_indexes(table))
        # By their columns: SQLAlchemy does not find the name of a key that SQLite was given together with its column.
        keys = sorted((k["constrained_columns"], str(k["referred_table"])) for k in inspector.get_foreign_keys(table))
        shape[table] = (columns, checks, uniques, indexes, keys, inspector.get_pk_constraint(table))
    return shape


def _where(index: Any) -> str:
    options = index.get("dialect_options", {})
    return str(options.get("sqlite_where", options.get("postgresql_where", "")))


def test_a_migrated_schema_is_the_schema_of_the_code(engine: Engine) -> None:
    migrated = _shape(engine)
    with engine.begin() as connection:
        metadata.drop_all(connection)
        metadata.create_all(connection)
    assert migrated == _shape(engine)
    assert {"inbox", "outbox", "cases", "case_events", "labels"} <= set(migrated)


def test_upgrading_twice_changes_nothing(engine: Engine) -> None:
    before = _shape(engine)
    upgrade(engine)
    assert _shape(engine) == before
    assert len(set(schema_state(engine))) == 1


def test_processes_that_start_together_upgrade_once(store_url: str) -> None:
    engines = [open_engine(store_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(upgrade, engines))
    current, head = schema_state(engines[0])
    assert current == head
    for engine in engines:
        engine.dispose()


def test_an_empty_database_has_no_revision(store_url: str) -> None:
    engine = open_engine(store_url)
    assert schema_state(engine)[0] is None
    engine.dispose()


def test_an_upgrade_lets_mails_in_the_outbox_be_withdrawn(engine: Engine) -> None:
    """The constraints of a table that is in use were changed in place, and still refuse what nobody knows."""
    with engine.begin() as connection:
        _insert_mail(connection, "withdrawn")
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        _insert_mail(connection, "forgotten")


def _insert_mail(connection: sa.Connection, state: str) -> None:
    now = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
    mail = {"received_at": now, "mail_from": "a@example.jp", "rcpt_to": [], "digest": "d", "size": 1, "raw": b""}
    number = connection.execute(sa.insert(inbox).values(mail).returning(inbox.c.id)).scalar_one()
    reply = {
        "kind": "notice",
        "once": str(number),
        "message_id": str(number),
        "sender": "",
        "recipient": "a@example.jp",
    }
    moments = {"created_at": now, "queued_at": now}
    connection.execute(sa.insert(outbox).values(inquiry_id=number, state=state, raw=b"", **reply, **moments))


@pytest.mark.parametrize("change", ["UPDATE audit SET who = 'nobody'", "DELETE FROM audit"])
@pytest.mark.parametrize("made", ["migrated", "created"])
def test_the_database_refuses_to_change_the_audit(engine: Engine, change: str, made: str) -> None:
    with engine.begin() as connection:
        if made == "created":
            metadata.drop_all(connection)
            metadata.create_all(connection)
        connection.exec_driver_sql(
            "INSERT INTO audit (at, who, action, object, detail, client)"
            " VALUES ('2026-11-24 09:00:00', 'sato', 'saw', 'case 1', '', '')"
        )
    with pytest.raises(sa.exc.DBAPIError, match="only ever added to"), engine.begin() as connection:
        connection.exec_driver_sql(change)


def test_sqlite_flushes_at_every_commit(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    with reading(engine) as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()


def test_what_sqlite_writes_is_for_our_eyes_only(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/state/responder.db")
    upgrade(engine)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state").iterdir()}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o700
    engine.dispose()


def test_a_reader_on_sqlite_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    upgrade(engine)
    with engine.begin(), reading(engine) as reader:
        assert reader.exec_driver_sql("SELECT count(*) FROM inbox").scalar_one() == 0
    engine.dispose()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://localhost/responder", "no support for mysql"),
        ("nonsense", "not a database URL"),
        ("sqlite://", "without a file"),
        ("sqlite:////proc/nowhere/responder.db", "file cannot be made"),
    ],
)
def test_a_url_that_cannot_be_is_named_with_its_remedy(url: str, words: str) -> None:
    with pytest.raises(StoreError, match=words) as caught:
        open_engine(url)
    assert caught.value.faults[0].key == "store.url"
    assert caught.value.faults[0].remedy


def test_a_server_that_is_away_is_a_fault_without_the_password(tmp_path: Path) -> None:
    engine = open_engine(f"postgresql://responder:geheim@/nowhere?host={tmp_path}")
    with pytest.raises(StoreError, match="cannot be opened") as caught:
        upgrade(engine)
    assert "geheim" not in str(caught.value)
    engine.dispose()


def test_what_a_database_said_is_told_without_the_values_it_was_given(engine: Engine) -> None:
    with pytest.raises(sa.exc.DBAPIError) as caught, engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO nowhere (subject) VALUES (:subject)"), {"subject": "a secret"})
    assert "a secret" in str(caught.value)
    assert "nowhere" in words_of(caught.value)
    assert "a secret" not in words_of(caught.value)
    assert "\n" not in words_of(caught.value)
