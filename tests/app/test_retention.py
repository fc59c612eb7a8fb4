"""What is kept for so many days: erased after them, and never while somebody works with it."""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.app.retention import sweep
from responder.store import audit, cases, casework, drafts, erasure, inbox, labels, laws, outbox
from responder.store.audit import Actor
from responder.store.engine import erasing, give_back, open_engine, reading, upgrade
from responder.store.inbox import Lane
from tests.answered import TANAKA, answered, settled
from tests.knowledge import cold_corpus
from tests.service import running

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
ALL = dict.fromkeys(Lane, 30 * DAY)


def _sweep(engine: Engine, *, after: timedelta, kept: Any = None) -> int:
    return sweep(engine, ALL if kept is None else kept, now=NOW + after, go_on=lambda: True)


def _deliver(engine: Engine) -> None:
    with engine.begin() as connection:
        for delivery in outbox.claim(connection, now=NOW, limit=9, lease=DAY):
            assert outbox.settle_sent(connection, delivery, reply=f"250 to {delivery.recipient}", now=NOW)


def _holding(engine: Engine, words: str) -> list[str]:
    """The tables that have these words anywhere."""
    found = []
    with engine.connect() as connection:
        for table in sa.inspect(connection).get_table_names():
            rows = connection.execute(sa.text(f"SELECT * FROM {table}")).all()  # noqa: S608 - our own names
            if any(words in _text(cell) for row in rows for cell in row):
                found.append(table)
    return found


def _text(cell: object) -> str:
    return bytes(cell).decode("utf-8", "replace") if isinstance(cell, bytes | memoryview) else str(cell)


def test_an_answered_mail_is_erased_after_its_days_and_its_row_stays(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    _deliver(engine)
    with engine.begin() as connection:
        audit.write(connection, Actor("sato", "desk"), "mail.download", "mail:1", f"{TANAKA}.pdf", now=NOW)
    with reading(engine) as connection:
        balance = inbox.balance(connection)
    assert _holding(engine, TANAKA)
    assert _sweep(engine, after=29 * DAY) == 0
    assert _sweep(engine, after=31 * DAY) == 1
    assert _holding(engine, TANAKA) == []
    with reading(engine) as connection:
        assert inbox.balance(connection) == balance
        assert laws.breaches(connection, now=NOW + 31 * DAY) == []
        record = inbox.find(connection, 1)
        (event,) = audit.export(connection)
    assert record is not None
    assert (record.raw, record.listing.lane, record.listing.mail_from) == (b"", "answered", "")
    assert (event.who, event.action, event.object, event.detail) == ("sato", "mail.download", "mail:1", "")
    assert _sweep(engine, after=32 * DAY) == 0


def test_a_case_is_kept_until_it_was_closed_for_as_long(engine: Engine) -> None:
    settled(engine, Lane.ESCALATED, now=NOW)
    with engine.begin() as connection:
        cases.open_case(connection, 1, reason="unsure", now=NOW)
        drafts.save(connection, 1, who="sato", salutation="", text="書きかけ", seen=1, now=NOW)
        casework.note(connection, 1, text="電話番号", who="sato", now=NOW)
    assert _sweep(engine, after=400 * DAY) == 0
    with engine.begin() as connection:
        casework.close(connection, 1, reason="called", who="sato", now=NOW + 400 * DAY)
    assert _sweep(engine, after=429 * DAY) == 0
    assert _sweep(engine, after=431 * DAY) == 1
    assert (_holding(engine, "書きかけ"), _holding(engine, "電話番号"), _holding(engine, TANAKA)) == ([], [], [])
    with reading(engine) as connection:
        case = cases.find(connection, 1)
    assert case is not None
    assert (case.state, case.reason) == ("closed", erasure.GONE)


def test_a_mail_whose_answer_has_not_left_is_kept(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    assert _sweep(engine, after=400 * DAY) == 0
    _deliver(engine)
    assert _sweep(engine, after=400 * DAY) == 1


def test_each_lane_has_its_own_days_and_one_without_is_kept_for_ever(engine: Engine) -> None:
    settled(engine, Lane.SUPPRESSED, now=NOW)
    answered(engine, "q04", now=NOW)
    _deliver(engine)
    assert _sweep(engine, after=1000 * DAY, kept={Lane.SUPPRESSED: DAY}) == 1
    with reading(engine) as connection:
        assert [row.mail_from for row in inbox.listing(connection)] == [TANAKA, ""]


def test_what_was_taught_stays_until_somebody_asks(engine: Engine) -> None:
    settled(engine, Lane.ESCALATED, now=NOW)
    with engine.begin() as connection:
        labels.teach(connection, 1, subject="件名", body="本文", expected=["q04"], complete=True, who="sato", now=NOW)
    assert _sweep(engine, after=31 * DAY) == 1
    with engine.begin() as connection:
        assert [label.body for label in labels.listing(connection)] == ["本文"]
        erasure.erase(connection, [1], examples=True, now=NOW)
        assert labels.listing(connection) == []
    assert _holding(engine, "本文") == []


def test_the_audit_lets_go_of_nothing_else(engine: Engine) -> None:
    with engine.begin() as connection:
        audit.write(connection, Actor("sato", "desk"), "mail.see", "mail:1", "x", now=NOW)
    for change in ("who = 'nobody'", "detail = 'y'", "object = 'mail:2'", "action = ''"):
        with pytest.raises(sa.exc.DBAPIError, match="only ever added to"), engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE audit SET {change}"))  # noqa: S608 - our own words


def test_a_running_service_erases_by_itself_and_shows_that_it_did(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'responder.db'}"
    engine = open_engine(url)
    upgrade(engine)
    number = settled(engine, Lane.SUPPRESSED, now=datetime.now(UTC) - 3 * DAY, subject="内緒の件名")
    settled(engine, Lane.SUPPRESSED, now=datetime.now(UTC), subject="新しい件名")
    engine.dispose()
    settings = {"RESPONDER_RETENTION__SUPPRESSED_DAYS": "1", "RESPONDER_SERVICE__CORPUS": str(cold_corpus(tmp_path))}
    with running(tmp_path, url, "courier,desk", **settings) as service:
        (event,) = service.wait_for(lambda: service.events("erased"))
        assert event["mails"] == 1
        page = service.page(f"/mails/{number}")
        assert "内容を消去しました" in page
        assert "元のメールを保存" not in page
        assert "内緒の件名" not in service.page("/suppressed")
        assert service.stop() == 0


def test_the_pages_show_what_was_erased_as_such(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'responder.db'}"
    engine = open_engine(url)
    upgrade(engine)
    answered(engine, "q04", now=NOW)
    _deliver(engine)
    settled(engine, Lane.ESCALATED, now=NOW)
    with engine.begin() as connection:
        cases.open_case(connection, 2, reason="unsure", now=NOW)
        casework.close(connection, 2, reason="called", who="sato", now=NOW)
        erasure.erase(connection, [1, 2], examples=True, now=NOW)
    engine.dispose()
    with running(tmp_path, url, "desk", RESPONDER_SERVICE__CORPUS=str(cold_corpus(tmp_path))) as service:
        for path in ("/cases/2", "/mails/1"):
            assert "内容を消去しました" in service.page(path), path
        assert "R-000001" not in service.page("/answers")
        for path in ("/status", "/teaching", "/suggestions"):
            service.page(path)
        assert service.command("cases", "show", "2")
        assert service.command("inbox", "show", "1")
        assert service.stop() == 0


def test_nobody_waits_for_the_room_that_is_given_back_while_somebody_reads(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'responder.db'}")
    upgrade(engine)
    with reading(engine) as reader:
        reader.execute(sa.text("SELECT count(*) FROM inbox")).scalar_one()
        settled(engine, Lane.SUPPRESSED, now=NOW)  # newer than what is being read
        begun = time.monotonic()
        give_back(engine)
        assert time.monotonic() - begun < 5  # of the 30 that a writer would wait for its turn
    engine.dispose()


def test_sqlite_keeps_nothing_of_it_in_its_file_and_gives_its_room_back(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'responder.db'}")
    upgrade(engine)
    for _ in range(120):  # more than are erased at once
        settled(engine, Lane.SUPPRESSED, now=NOW, text="質問です。" * 1000)
    with engine.connect() as connection:
        connection.connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    file = tmp_path / "responder.db"
    before = file.stat().st_size
    assert TANAKA.encode() in file.read_bytes()
    assert _sweep(engine, after=31 * DAY) == 120
    assert TANAKA.encode() not in file.read_bytes()
    assert TANAKA.encode() not in Path(f"{file}-wal").read_bytes()
    assert file.stat().st_size < before / 2
    engine.dispose()


def test_room_is_given_back_as_long_as_the_service_goes_on(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path / 'responder.db'}")
    upgrade(engine)
    numbers = [settled(engine, Lane.SUPPRESSED, now=NOW, text="質問です。" * 20_000) for _ in range(20)]
    with erasing(engine) as connection:
        erasure.erase(connection, numbers, examples=False, now=NOW)
    give_back(engine, go_on=lambda: False)
    assert _free_pages(engine) > 500
    asked = iter([True, False])
    give_back(engine, go_on=lambda: next(asked))
    left = _free_pages(engine)
    assert left > 0
    give_back(engine)
    assert _free_pages(engine) == 0
    engine.dispose()


def _free_pages(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
