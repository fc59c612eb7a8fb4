"""The staff pages over HTTP: what they show, what they forbid a browser to do, and what a probe hears."""

import asyncio
import json
import re
import socket
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from responder.desk.site import serve, site
from responder.mail.envelope import Envelope
from responder.store import breaker, cases, inbox
from responder.store.engine import open_engine, upgrade
from responder.store.inbox import Lane, Settlement

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NAME = "電子契約<サポート>窓口"


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    fields: dict[str, str]
    body: str


@asynccontextmanager
async def _served(engine: Engine) -> AsyncIterator[tuple[str, int]]:
    bound = socket.create_server(("127.0.0.1", 0))
    address = bound.getsockname()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(site(engine, NAME), bound, stop=stop))
    try:
        yield address
    finally:
        stop.set()
        async with asyncio.timeout(10):
            await serving
        bound.close()


async def _get(address: tuple[str, int], path: str, *, method: str = "GET") -> _Reply:
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(*address)
        writer.write(f"{method} {path} HTTP/1.1\r\nHost: desk.example\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        writer.close()
        await writer.wait_closed()
    first, *lines = head.decode().split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return _Reply(int(first.split()[1]), fields, body.decode())


@pytest.fixture
def books(engine: Engine) -> Engine:
    """Seven mails: one answered, two escalated, three suppressed, one waiting; a case taken and another closed."""
    lanes = [Lane.ANSWERED, *[Lane.ESCALATED] * 2, *[Lane.SUPPRESSED] * 3]
    envelope = Envelope("tanaka@contractor.example", ("support@example.jp",))
    with engine.begin() as connection:
        inbox.accept(connection, [(envelope, str(number).encode()) for number in range(7)], now=NOW)
        claimed = inbox.claim(connection, now=NOW, limit=6, lease=timedelta(minutes=1))
        for inquiry, lane in zip(claimed, lanes, strict=True):
            inbox.settle(connection, inquiry, Settlement(lane, "reason", None, {}, "", ""), now=NOW)
        for number in (2, 3, 4):
            cases.open_case(connection, number, reason="reason", now=NOW)
        cases.take(connection, 2, who="sato", now=NOW)
        cases.close_case(connection, 3, who="sato", detail="", now=NOW)
    return engine


def _table(page: str) -> dict[str, int]:
    cells = re.findall(r'<th scope="row">(.+?)</th><td>(\d+)</td>', page)
    return {name: int(value) for name, value in cells}


async def test_the_first_page_shows_the_balance_and_what_people_have_to_do(books: Engine) -> None:
    async with _served(books) as address:
        page = await _get(address, "/")
    assert page.status == 200
    assert _table(page.body) == {
        "自動で回答したもの": 1,
        "担当者に引き継いだもの": 2,
        "自動返信を控えたもの": 3,
        "処理を待っているもの": 1,
        "合計": 7,
        "未対応": 1,
        "対応中": 1,
        "対応済み": 1,
    }


async def test_the_page_of_an_empty_store_says_nought_everywhere(engine: Engine) -> None:
    async with _served(engine) as address:
        page = await _get(address, "/")
    assert set(_table(page.body).values()) == {0}
    assert len(_table(page.body)) == 8


async def test_the_page_is_japanese_html_and_escapes_the_services_name(engine: Engine) -> None:
    async with _served(engine) as address:
        page = await _get(address, "/")
    assert page.fields["content-type"] == "text/html; charset=utf-8"
    assert '<html lang="ja">' in page.body
    assert "電子契約&lt;サポート&gt;窓口の状況" in page.body
    assert "<サポート>" not in page.body


async def test_a_browser_may_load_nothing_and_show_the_page_in_no_frame(engine: Engine) -> None:
    async with _served(engine) as address:
        first, second = await _get(address, "/"), await _get(address, "/")
    policy = first.fields["content-security-policy"]
    (nonce,) = set(re.findall(r'nonce="([^"]+)"', first.body))
    assert policy == f"default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'"
    assert nonce not in second.body
    assert first.fields["x-content-type-options"] == "nosniff"
    assert first.fields["referrer-policy"] == "no-referrer"
    assert first.fields["cache-control"] == "no-store"
    assert "style=" not in first.body
    assert "<script" not in first.body
    assert not re.findall(r"https?://", first.body)


async def test_both_probes_say_ok_while_all_is_well(engine: Engine) -> None:
    async with _served(engine) as address:
        for path in ("/healthz", "/readyz"):
            reply = await _get(address, path)
            assert (reply.status, json.loads(reply.body)) == (200, {"status": "ok"})
            assert reply.fields["content-type"] == "application/json"


async def test_a_process_whose_store_is_gone_lives_and_is_not_ready(tmp_path: Path) -> None:
    path = tmp_path / "responder.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    async with _served(engine) as address:
        assert (await _get(address, "/readyz")).status == 200
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE inbox")
        connection.close()
        ready, alive = await _get(address, "/readyz"), await _get(address, "/healthz")
    engine.dispose()
    assert (ready.status, json.loads(ready.body)) == (503, {"status": "store not available"})
    assert alive.status == 200


async def test_a_store_that_was_never_there_is_not_ready() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:1/none")
    async with _served(engine) as address:
        reply = await _get(address, "/readyz")
    engine.dispose()
    assert reply.status == 503


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/cases", 404), ("GET", "/../responder.db", 404), ("POST", "/", 405), ("HEAD", "/readyz", 200)],
)
async def test_there_is_nothing_else(engine: Engine, method: str, path: str, status: int) -> None:
    async with _served(engine) as address:
        assert (await _get(address, path, method=method)).status == status


async def test_many_readers_at_once_are_served(engine: Engine) -> None:
    async with _served(engine) as address:
        replies = await asyncio.gather(*(_get(address, "/readyz") for _ in range(30)))
    assert {reply.status for reply in replies} == {200}


async def test_stopping_frees_the_port(engine: Engine) -> None:
    async with _served(engine) as address:
        assert (await _get(address, "/healthz")).status == 200
    with pytest.raises(ConnectionRefusedError):
        await _get(address, "/healthz")


async def test_a_reader_who_stays_connected_does_not_hold_up_the_stop(engine: Engine) -> None:
    async with asyncio.timeout(8), _served(engine) as address:
        _, writer = await asyncio.open_connection(*address)
        await _get(address, "/healthz")
    writer.close()


async def test_a_tripped_breaker_is_told_on_the_first_page_and_to_probes(engine: Engine) -> None:
    async with _served(engine) as address:
        assert "breaker" not in (await _get(address, "/")).body
        with engine.begin() as connection:
            breaker.trip(connection, sent=200, now=NOW)
        page, probe = await _get(address, "/"), await _get(address, "/readyz")
    assert "自動返信を停止しています" in page.body
    assert (probe.status, json.loads(probe.body)["breaker"]) == (200, f"tripped at {NOW.isoformat()}")
