"""Copies of a store, as an operator makes them: while mail comes in, whole, and never a second answer from one."""

import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.store import cases, inbox, outbox
from responder.store.backup import RESTORED
from responder.store.engine import open_engine, reading
from tests.answered import answered
from tests.cli.conftest import run
from tests.knowledge import ADDRESS

NOW = datetime.now(UTC)


def _accept(engine: Engine, raw: bytes) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope("a@contractor.example", (ADDRESS,)), raw)], now=NOW)


@pytest.fixture
def restored(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A store that was copied with one answer on its way and one mail waiting, and put back elsewhere."""
    answered(engine, "q04", now=NOW)
    _accept(engine, b"Subject: waits\r\n\r\nx")
    assert run("db", "backup", tmp_path / "copy.db")[0] == 0
    monkeypatch.setenv("RESPONDER_STORE__URL", f"sqlite:///{tmp_path / 'other.db'}")
    code, said = run("db", "restore", tmp_path / "copy.db")
    assert (code, said.splitlines()[0][:42]) == (0, "1 mails that were on their way are held: `")
    opened = open_engine(f"sqlite:///{tmp_path / 'other.db'}")
    yield opened
    opened.dispose()


def test_nothing_leaves_by_itself_from_a_store_that_was_put_back(restored: Engine) -> None:
    with reading(restored) as connection:
        assert [row.state for row in outbox.listing(connection)] == ["held"]
        (case,) = cases.listing(connection)
        assert (case.id, case.reason) == (2, RESTORED)
        assert inbox.balance(connection)["waiting"] == 0
    assert run("doctor")[0] == 0


def test_a_copy_is_of_one_moment_while_mail_comes_in(engine: Engine, tmp_path: Path) -> None:
    stop = threading.Event()

    def take_in() -> None:
        number = 0
        while not stop.is_set():
            # Two at once: a copy between them would have an odd number.
            with engine.begin() as connection:
                mails = [(Envelope("a@contractor.example", (ADDRESS,)), b"%d %d" % (number, each)) for each in (0, 1)]
                inbox.accept(connection, mails, now=NOW)
            number += 1

    writer = threading.Thread(target=take_in)
    writer.start()
    try:
        for each in range(5):
            assert run("db", "backup", tmp_path / f"{each}.db")[0] == 0
    finally:
        stop.set()
        writer.join()
    for each in range(5):
        copy = tmp_path / f"{each}.db"
        assert run("db", "verify", copy) == (0, f"{copy} is whole.\n")
        with sqlite3.connect(copy) as connection:
            count = connection.execute("SELECT count(*) FROM inbox").fetchone()[0]
        connection.close()
        assert count % 2 == 0
        assert copy.stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob("*.part"))


def test_nothing_that_is_there_is_written_over(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"something")
    code, said = run("db", "backup", tmp_path / "copy.db")
    assert (code, "Name a file that is not there yet" in said) == (1, True)
    assert (tmp_path / "copy.db").read_bytes() == b"something"
    (tmp_path / "copy.db").unlink()
    assert run("db", "backup", tmp_path / "copy.db")[0] == 0
    code, said = run("db", "restore", tmp_path / "copy.db")  # the store of now is still there
    assert (code, "cannot be made" in said) == (1, True)


@pytest.mark.parametrize("harm", ["cut", "noise", "not there", "a law"])
def test_what_is_wrong_with_a_copy_is_told_and_it_is_not_restored(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: str
) -> None:
    answered(engine, "q04", now=NOW)
    copy = tmp_path / "copy.db"
    run("db", "backup", copy)
    whole = copy.read_bytes()
    match harm:
        case "cut":
            copy.write_bytes(whole[: len(whole) // 2])
        case "noise":
            copy.write_bytes(whole[:8192] + b"\xaa" * 8192 + whole[16384:])
        case "not there":
            copy.unlink()
        case _:
            with sqlite3.connect(copy) as connection:
                connection.execute("DELETE FROM outbox")
            connection.close()
    assert run("db", "verify", copy)[0] == 1
    monkeypatch.setenv("RESPONDER_STORE__URL", f"sqlite:///{tmp_path / 'other.db'}")
    assert run("db", "restore", copy)[0] == 1
    assert not (tmp_path / "other.db").exists()


def test_postgresql_has_tools_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RESPONDER_STORE__URL", "postgresql://nobody@127.0.0.1:1/none")
    code, said = run("db", "backup", tmp_path / "copy.db")
    assert (code, "pg_dump" in said) == (1, True)
