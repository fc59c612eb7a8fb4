"""The staff pages over HTTP: nobody gets in without an account, what they forbid a browser, and what a probe hears."""

import re
import socket
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy.engine import Engine
from starlette.routing import Route

from responder.desk.rendering import PAGES as TEMPLATES
from responder.desk.rendering import translations
from responder.desk.site import OPEN, PAGES
from responder.desk.visit import csrf_of
from responder.store import breaker
from responder.store.accounts import Role
from responder.store.engine import open_engine, upgrade
from responder.triage.guard.suppression import Suppression
from responder.triage.policy import Reason
from tests.desk.conftest import Served, desk_on, served

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def desk(engine: Engine) -> Iterator[Served]:
    """A desk on each of the two engines."""
    with served(desk_on(engine)) as running:
        yield running


def _sample(route: Route) -> str:
    return re.sub(r"\{[^}]+\}", "1", route.path)


def test_nobody_gets_a_page_or_changes_anything_without_an_account(pages: Served) -> None:
    stranger, liar = pages.client(), pages.client("a token that nobody was given")
    for route in PAGES:
        path = _sample(route)
        (method,) = (route.methods or set()) - {"HEAD"}
        reply = stranger.request(method, path)
        assert (reply.status_code, reply.headers["location"].split("?")[0]) == (303, "/login"), route.name
        assert liar.request(method, path).status_code == 303, route.name


def test_a_form_that_does_not_come_from_our_own_page_does_nothing(pages: Served) -> None:
    token = pages.account(role=Role.ADMINISTRATOR)
    client, ours = pages.client(token), csrf_of(token)
    for route in (one for one in PAGES if "POST" in (one.methods or ())):
        for fields, sender in (
            ({}, {"Origin": pages.url}),
            ({"csrf": "0" * 64}, {"Origin": pages.url}),
            ({"csrf": ours}, {"Origin": "https://evil.example"}),
            ({"csrf": ours}, {"Origin": "null"}),
            ({"csrf": ours}, {"Sec-Fetch-Site": "same-site"}),
        ):
            reply = client.post(_sample(route), data=fields, headers=sender)
            assert reply.status_code == 403, (route.name, fields, sender)


def test_a_body_longer_than_any_form_of_ours_is_refused(pages: Served) -> None:
    token = pages.account()
    for fields, code in ((3, 303), (6, 413)):
        sent = {"title": "題", "text": "文", **{f"more{number}": "a" * 500_000 for number in range(fields)}}
        assert pages.post(token, "/snippets", **sent).status_code == code
    login = {"login": "sato", **{f"more{number}": "a" * 9_000 for number in range(400)}}
    assert pages.client().post("/login", data=login).status_code in (400, 413)


def test_a_body_that_is_no_form_of_ours_is_not_decoded(pages: Served) -> None:
    # Python's punycode takes a minute for half a megabyte, in the loop that everybody waits for.
    part = b'--B\r\nContent-Disposition: form-data; name="login"\r\n\r\n' + b"9" * 9000 + b"\r\n--B--\r\n"
    sent = {"Content-Type": "multipart/form-data; boundary=B; charset=punycode", "Origin": pages.url}
    token = pages.account()
    for client, path in ((pages.client(), "/login"), (pages.client(token), "/account/preferences")):
        assert client.post(path, content=part, headers=sent).status_code == 415


def test_a_page_that_broke_forbids_a_browser_what_the_others_do(pages: Served) -> None:
    def broken() -> tuple[str, ...]:
        raise RuntimeError

    with served(replace(pages.desk, refused=broken, url="https://desk.example.jp")) as one:
        reply = one.client(pages.account()).get("/status")
    assert reply.status_code == 500
    for name in ("Content-Security-Policy", "X-Content-Type-Options", "Strict-Transport-Security", "Cache-Control"):
        assert name in reply.headers


def test_a_proxy_may_put_another_host_before_the_pages(pages: Served) -> None:
    token, ours = pages.account(), "https://desk.example.jp"
    with served(replace(pages.desk, url=ours)) as one:
        for origin, code in ((ours, 303), ("https://evil.example", 403), ("http://[", 403)):
            sent = {"csrf": csrf_of(token), "title": "題", "text": "文"}
            reply = one.client(token).post("/snippets", data=sent, headers={"Origin": origin})
            assert reply.status_code == code, origin


def test_every_page_is_made_by_what_asks_for_an_account() -> None:
    made = {("responder.desk.routing", "endpoint")}
    assert {(route.endpoint.__module__, route.endpoint.__name__) for route in PAGES} == made
    assert not {route.path for route in PAGES} & {route.path for route in OPEN}


def test_a_page_is_shown_to_whoever_is_logged_in(pages: Served) -> None:
    reply = pages.client(pages.account()).get("/status")
    assert reply.status_code == 200
    assert '<html lang="ja">' in reply.text


def test_a_browser_is_told_to_load_only_what_is_ours_and_to_keep_nothing(pages: Served) -> None:
    for path in ("/status", "/login", "/nowhere"):
        fields = pages.client(pages.account()).get(path).headers
        policy = fields["content-security-policy"]
        for rule in ("default-src 'self'", "frame-ancestors 'none'", "form-action 'self'", "base-uri 'none'"):
            assert rule in policy.split("; ")
        assert "unsafe" not in policy
        assert fields["x-content-type-options"] == "nosniff"
        assert fields["cache-control"] == "no-store"
        assert fields["referrer-policy"] == "same-origin"


def test_pages_hold_nothing_that_the_policy_forbids() -> None:
    for template in TEMPLATES.glob("*.html"):
        source = template.read_text(encoding="utf-8")
        assert not re.search(r"\s(?:style|on[a-z]+)=", source), template.name
        assert not re.search(r"<script(?![^>]*\ssrc=)", source), template.name
        assert "<style" not in source, template.name
        assert "| safe" not in source, template.name


def test_a_link_in_a_mail_gets_the_strict_cookie_with_one_more_step(pages: Served) -> None:
    reply = pages.client().get("/status?day=1", headers={"Sec-Fetch-Site": "cross-site"})
    assert reply.status_code == 200
    assert 'content="0; url=/status?day=1"' in reply.text


def test_the_service_name_is_escaped(engine: Engine) -> None:
    from dataclasses import replace

    made = desk_on(engine)
    with served(replace(made, author=replace(made.author, name="窓口<script>"))) as running:
        page = running.client(running.account()).get("/status").text
    assert "窓口&lt;script&gt;" in page
    assert "窓口<script>" not in page


def _texts() -> Iterator[tuple[str, str]]:
    from jinja2 import Environment

    environment = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - nothing is rendered
    for template in sorted(TEMPLATES.glob("*.html")):
        for _, function, message in environment.extract_translations(template.read_text(encoding="utf-8")):  # type: ignore[attr-defined]
            for text in (message,) if isinstance(message, str) else message[1:]:
                if text:
                    assert function
                    yield template.name, text


def test_every_text_of_the_pages_has_its_english_and_none_is_left_over() -> None:
    said = {text for _, text in _texts()}
    english = translations()["english"]
    assert sorted(said - set(english)) == []
    assert sorted(set(english) - said) == []


def test_japanese_outside_of_what_is_translated_stands_in_no_page() -> None:
    """Whatever is not in `_( )` would be shown to readers of English too."""
    for template in TEMPLATES.glob("*.html"):
        source = re.sub(r"\{#.*?#\}", "", template.read_text(encoding="utf-8"), flags=re.DOTALL)
        source = re.sub(r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", "", source, flags=re.DOTALL)
        source = re.sub(r'_\("[^"]*"', "", source)
        assert not re.findall(r"[ぁ-ゖァ-ヺ一-鿿]+", source), template.name


@pytest.mark.parametrize("word", [*Reason, *Suppression], ids=str)
def test_every_reason_has_its_words_in_japanese(word: str) -> None:
    assert re.search(r"[ぁ-ヿ一-鿿]", translations()["japanese"].get(str(word), "")), str(word)


def test_both_probes_say_ok_while_all_is_well(desk: Served) -> None:
    for path in ("/healthz", "/readyz"):
        reply = desk.client().get(path)
        assert (reply.status_code, reply.json()) == (200, {"status": "ok"})


def test_a_process_whose_store_is_gone_lives_and_is_not_ready(tmp_path: Path) -> None:
    path = tmp_path / "responder.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    with served(desk_on(engine)) as running:
        assert running.client().get("/readyz").status_code == 200
        with sqlite3.connect(path) as connection:
            connection.execute("DROP TABLE inbox")
        connection.close()
        ready, alive = running.client().get("/readyz"), running.client().get("/healthz")
    engine.dispose()
    assert (ready.status_code, ready.json()) == (503, {"status": "store not available"})
    assert alive.status_code == 200


def test_a_store_that_was_never_there_is_not_ready() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:1/none")
    with served(desk_on(engine)) as running:
        assert running.client().get("/readyz").status_code == 503
    engine.dispose()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/assets/../site.py", 404),
        ("DELETE", "/status", 405),
        ("HEAD", "/readyz", 200),
    ],
)
def test_there_is_nothing_else(pages: Served, method: str, path: str, status: int) -> None:
    assert pages.client().request(method, path).status_code == status


def test_many_readers_at_once_are_served(pages: Served) -> None:
    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda _: pages.client().get("/readyz").status_code, range(30)))
    assert set(replies) == {200}


def test_stopping_frees_the_port_though_a_reader_stays_connected(pages: Served, engine: Engine) -> None:
    with served(desk_on(engine)) as running:
        host, port = running.url.removeprefix("http://").split(":")
        waiting = socket.create_connection((host, int(port)))
        assert running.client().get("/healthz").status_code == 200
    waiting.close()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.url}/healthz")


def test_a_tripped_breaker_is_told_to_staff_and_to_probes(desk: Served) -> None:
    token = desk.account()
    assert "自動送信を停止しています" not in desk.client(token).get("/status").text
    with desk.engine.begin() as connection:
        breaker.trip(connection, sent=200, now=NOW)
    page, probe = desk.client(token).get("/status"), desk.client().get("/readyz")
    assert "自動送信を停止しています" in page.text
    assert (probe.status_code, probe.json()["breaker"]) == (200, f"tripped at {NOW.isoformat()}")
