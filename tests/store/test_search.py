"""Finding mails by what people type, however the mail has it written."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.mail.message import Message, parse_message
from responder.store import erasure, inbox, queue, search
from responder.store.engine import reading
from responder.store.inbox import Lane, Settlement
from responder.store.queue import View
from responder.store.schema import unsearchable
from responder.triage.text import searchable
from responder.worker.catching_up import catch_up
from tests.knowledge import reader

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def _mail(subject: str, body: str, author: str) -> bytes:
    return f"From: {author}\nSubject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{body}\n".encode()


MAILS = [
    _mail(
        "サーバーの設定",
        "クラウドサインの電子\n契約について、キヤノン株式会社です。",
        "田中 一郎 <tanaka@contractor.example>",
    ),
    _mail("ＡＢＣ商事", "ｸﾗｳﾄﾞｻｲﾝで同意できません。100%・メ−ルが届かない", "suzuki@other.example"),
    _mail("Contract", "The signatory is on leave_of absence.", "smith@foreign.example"),
]


def _settle(engine: Engine, *, searchable_too: bool = True) -> None:
    envelope = Envelope("someone@contractor.example", ("support@example.jp",))
    with engine.begin() as connection:
        inbox.accept(connection, [(envelope, raw) for raw in MAILS], now=NOW)
        for inquiry in inbox.claim(connection, now=NOW, limit=9, lease=timedelta(minutes=1)):
            message = parse_message(inquiry.raw)
            assert isinstance(message, Message)
            settlement = Settlement(Lane.ESCALATED, "reason", None, {}, message.subject, message.from_address)
            inbox.settle(connection, inquiry, settlement, now=NOW)
            if searchable_too:
                search.add(connection, {inquiry.id: search.text_of(message)})
            else:
                connection.execute(sa.insert(unsearchable).values(inquiry_id=inquiry.id))


def _found(engine: Engine, query: str) -> list[int]:
    with reading(engine) as connection:
        page = queue.page(connection, View.ALL, "sato", now=NOW, words=search.words_of(query))
    return sorted(row.id for row in page.rows)


FINDS = [
    ("クラウドサイン", [1, 2]),
    ("ｸﾗｳﾄﾞｻｲﾝ", [1, 2]),
    ("くらうどさいん", [1, 2]),
    ("電子契約", [1]),
    ("サーバ", [1]),
    ("キャノン", [1]),
    ("契約", [1]),
    ("田中", [1]),
    ("田中 一郎", [1]),
    ("田中　電子契約", [1]),
    ("田中 同意", []),
    ("abc", [2]),
    ("ABC商事", [2]),
    ("メール", [2]),
    ("100%", [2]),
    ("%", [2]),
    ("_", [3]),
    ("LEAVE", [3]),
    ("other.example", [2]),
    ("R-000002", [2]),
    ("r-3", [3]),
    ("3", [3]),
    ("２", [2]),
    ("振込", []),
    ("'; DROP TABLE inbox; --", []),
    ("\0", [1, 2, 3]),
    ("", [1, 2, 3]),
    ("9" * 30, []),
]


@pytest.mark.parametrize(("query", "numbers"), FINDS, ids=[repr(query) for query, _ in FINDS])
def test_a_mail_is_found_however_it_is_written(engine: Engine, query: str, numbers: list[int]) -> None:
    _settle(engine)
    assert _found(engine, query) == numbers


def test_what_an_older_version_settled_is_found_once_the_worker_has_caught_up(engine: Engine) -> None:
    _settle(engine, searchable_too=False)
    assert _found(engine, "契約") == []
    assert catch_up(engine, reader(), limit=2)
    assert catch_up(engine, reader(), limit=2)
    assert not catch_up(engine, reader(), limit=2)
    assert _found(engine, "契約") == [1]
    assert _found(engine, "クラウドサイン") == [1, 2]


def test_what_is_erased_while_it_is_read_is_not_found_afterwards(engine: Engine) -> None:
    _settle(engine, searchable_too=False)
    with engine.begin() as connection:
        erasure.erase(connection, [1], examples=False, now=NOW)
    with engine.begin() as connection:
        search.add_missing(connection, {1: "read before", 2: "read before"})
    assert _found(engine, "read before") == [2]
    assert catch_up(engine, reader(), limit=9)
    assert not catch_up(engine, reader(), limit=9)
    assert _found(engine, "read before") == [2]


def test_two_workers_that_catch_up_on_the_same_mails_add_each_once(engine: Engine) -> None:
    _settle(engine, searchable_too=False)
    for word in ("first", "second"):
        with engine.begin() as connection:
            search.add_missing(connection, dict.fromkeys((1, 2), word))
    assert _found(engine, "first") == [1, 2]
    assert _found(engine, "second") == []


def test_a_mail_of_megabytes_is_found_by_its_beginning(tmp_path: Path) -> None:
    message = parse_message(_mail("長い", "はじめ\n" + "あ" * 2_000_000 + "おわり", "a@b.example"))
    assert isinstance(message, Message)
    text = search.text_of(message)
    assert len(text) <= search.MOST_CHARACTERS
    assert searchable("はじめ") in text
