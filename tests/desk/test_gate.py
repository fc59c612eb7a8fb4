"""Getting in and out, as browsers and those who pretend to be one do it."""

import ast
import json
from collections.abc import Iterator
from csv import reader
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import httpx
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, Page, expect

from responder.desk import gate, roster
from responder.desk.gate import local
from responder.desk.rendering import translations
from responder.desk.routing import cookie_of
from responder.store import accounts, audit, sessions
from responder.store.accounts import Account, Role
from responder.store.audit import Actor
from responder.store.engine import reading
from tests.desk.conftest import Look, Served, desk_on, served

GOOD = "correct horse battery"
HASH = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(GOOD)
BY = Actor("root", "cli")

pytestmark = pytest.mark.usefixtures("quick_hashes")


def _add(pages: Served, login: str = "sato", role: Role = Role.AGENT) -> Account:
    with pages.engine.begin() as connection:
        made = roster.add(
            connection, login=login, name=f"{login}さん", role=role, password=HASH, by=BY, now=pages.desk.clock()
        )
    assert made is not None
    return made


def _log_in(pages: Served, password: str = GOOD, *, login: str = "sato", **more: str) -> httpx.Response:
    return pages.client().post("/login", data={"login": login, "password": password, **more})


def _recorded(pages: Served) -> list[tuple[str, str, str]]:
    with reading(pages.engine) as connection:
        return [(event.who, event.action, event.detail) for event in audit.export(connection)]


# --- logging in ---


def test_the_right_password_opens_the_page_that_was_asked_for(pages: Served) -> None:
    _add(pages)
    client = pages.client()
    asked = client.get("/account?said=saved")
    reply = client.get(asked.headers["location"])
    assert 'value="/account?said=saved"' in reply.text
    done = client.post("/login", data={"login": "sato", "password": GOOD, "next": "/account?said=saved"})
    assert (done.status_code, done.headers["location"]) == (303, "/account?said=saved")
    assert client.get("/account").status_code == 200
    assert client.get("/login").headers["location"] == "/"


def test_the_cookie_is_kept_from_scripts_and_other_sites_and_to_tls_where_there_is_tls(pages: Served) -> None:
    _add(pages)
    plain = _log_in(pages).headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} < {part.strip() for part in plain.split(";")}
    with served(desk_on(pages.engine, url="https://desk.example.jp")) as behind:
        strict = httpx.post(
            f"{behind.url}/login",
            data={"login": "sato", "password": GOOD},
            headers={"Host": "desk.example.jp", "Origin": "https://desk.example.jp"},
        ).headers["set-cookie"]
    assert strict.startswith("__Host-desk=")
    assert "Secure" in strict


def test_a_wrong_password_and_an_unknown_login_read_the_same(pages: Served) -> None:
    _add(pages)
    replies = [_log_in(pages, "wrong"), _log_in(pages, login="nobody")]
    assert [reply.status_code for reply in replies] == [401, 401]
    assert all("set-cookie" not in reply.headers for reply in replies)
    assert len({reply.text.replace("nobody", "sato") for reply in replies}) == 1


def test_the_right_password_waits_too_after_five_failures(pages: Served) -> None:
    _add(pages)
    for _ in range(5):
        assert _log_in(pages, "wrong").status_code == 401
    reply = _log_in(pages)
    assert reply.status_code == 429
    assert 0 < int(reply.headers["retry-after"]) <= 900
    assert "set-cookie" not in reply.headers


def test_a_session_that_somebody_planted_is_not_the_one_that_begins(pages: Served) -> None:
    _add(pages)
    planted = pages.account("mallory")
    client = pages.client("planted-by-another")
    done = client.post("/login", data={"login": "sato", "password": GOOD})
    token = done.cookies[cookie_of(pages.desk)]
    assert token not in ("planted-by-another", planted)
    pages.client(planted).post("/login", data={"login": "sato", "password": GOOD})
    with reading(pages.engine) as connection:
        assert sessions.look_up(connection, planted, now=pages.desk.clock()) is None
        assert sessions.look_up(connection, "planted-by-another", now=pages.desk.clock()) is None


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
        "/日本",
    ],
)
def test_nobody_is_sent_on_to_another_site(target: str) -> None:
    assert local(target) == "/"


@pytest.mark.parametrize("target", ["/", "/cases/1?q=%E5%A5%91#a", "/audit?who=a&since=2026-01-01", "/a//b"])
def test_everybody_is_sent_on_to_a_page_of_ours(target: str) -> None:
    assert local(target) == target


def test_nobody_is_logged_in_by_the_form_of_another_site(pages: Served) -> None:
    _add(pages)
    for path in ("/login", "/welcome/x"):
        for sender in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
            reply = pages.client().post(path, data={"login": "sato", "password": GOOD}, headers=sender)
            assert reply.status_code == 403, (path, sender)
            assert "set-cookie" not in reply.headers


def test_a_login_of_any_bytes_is_answered(pages: Served) -> None:
    for body in (b"login=%00%FF&password=%ED%A0%80", b"login=" + b"a" * 9_000, b"\xff\xfe", b"a&" * 10):
        fields = {"Content-Type": "application/x-www-form-urlencoded"}
        assert pages.client().post("/login", content=body, headers=fields).status_code in (400, 401)
    assert pages.client().post("/login", content=b"login=" + b"a" * 12_000, headers=fields).status_code == 400
    assert pages.client().post("/login", content=b"&" * 20_000, headers=fields).status_code == 413
    assert pages.client().post("/login", data={"login": "a\ud800".encode("utf-8", "replace")}).status_code == 401


def test_logging_out_ends_the_session_for_good(pages: Served) -> None:
    token = pages.account()
    reply = pages.post(token, "/logout")
    assert reply.headers["location"] == "/login"
    assert 'desk=""' in reply.headers["set-cookie"]
    assert pages.client(token).get("/account").status_code == 303
    assert _recorded(pages)[-1] == ("sato", "logout", "")


# --- one-time links ---


def test_the_first_administrator_comes_in_by_a_link_and_no_second_one_does(pages: Served) -> None:
    with pages.engine.begin() as connection:
        token = roster.invite_first(connection, now=pages.desk.clock())
    fields = {"login": "Sato", "name": "佐藤", "password": GOOD, "repeated": GOOD}
    client = pages.client()
    assert "最初の管理者" in client.get(f"/welcome/{token}").text
    assert client.post(f"/welcome/{token}", data={**fields, "repeated": "another"}).status_code == 422
    done = client.post(f"/welcome/{token}", data=fields)
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert client.get("/accounts").status_code == 200
    assert pages.client().get(f"/welcome/{token}").status_code == 404
    assert pages.client().post(f"/welcome/{token}", data={**fields, "login": "mallory"}).status_code == 404
    with reading(pages.engine) as connection:
        assert [(one.login, one.role) for one in accounts.listing(connection)] == [("sato", Role.ADMINISTRATOR)]


def test_a_link_sets_the_password_of_its_own_account_and_of_no_other(pages: Served) -> None:
    sato, _ = _add(pages), _add(pages, "suzuki", Role.ADMINISTRATOR)
    with pages.engine.begin() as connection:
        token = roster.invite(connection, sato, by=BY, now=pages.desk.clock())
    new = "another horse battery"
    fields = {"login": "suzuki", "username": "suzuki", "role": "administrator", "password": new, "repeated": new}
    assert pages.client().post(f"/welcome/{token}", data={**fields, "name": "佐藤 次郎"}).status_code == 303
    assert _log_in(pages, new).status_code == 303
    assert _log_in(pages).status_code == 401
    assert _log_in(pages, login="suzuki").status_code == 303
    with reading(pages.engine) as connection:
        found = accounts.find(connection, sato.id)
    assert found is not None
    assert (found.role, found.name) == (Role.AGENT, "佐藤 次郎")


# --- one's own account ---


def test_everybody_chooses_language_shortcuts_and_signature(pages: Served) -> None:
    token = pages.account()
    assert "data-shortcuts" in pages.client(token).get("/account").text
    pages.post(token, "/account/preferences", language="en", signature="  Sato \n Taro ")
    page = pages.client(token).get("/account").text
    assert '<html lang="en">' in page
    assert "data-shortcuts" not in page
    assert 'value="Sato Taro"' in page


def test_a_new_password_needs_the_one_of_now_and_ends_the_other_sessions(pages: Served) -> None:
    _add(pages)
    mine, other = (_log_in(pages).cookies[cookie_of(pages.desk)] for _ in range(2))
    new = {"new": "another horse battery", "repeated": "another horse battery"}
    assert pages.post(mine, "/account/password", current="wrong", **new).status_code == 422
    assert pages.post(mine, "/account/password", current=GOOD, new="short", repeated="short").status_code == 422
    assert pages.post(mine, "/account/password", current=GOOD, **{**new, "repeated": "x"}).status_code == 422
    assert pages.client(other).get("/account").status_code == 200
    assert pages.post(mine, "/account/password", current=GOOD, **new).status_code == 303
    assert pages.client(mine).get("/account").status_code == 200
    assert pages.client(other).get("/account").status_code == 303
    assert _log_in(pages, "another horse battery").status_code == 303


def test_whoever_finds_an_open_browser_cannot_try_passwords_out(pages: Served) -> None:
    _add(pages)
    token = _log_in(pages).cookies[cookie_of(pages.desk)]
    new = {"new": "another horse battery", "repeated": "another horse battery"}
    for _ in range(5):
        pages.post(token, "/account/password", current="wrong", **new)
    assert "15分" in pages.post(token, "/account/password", current=GOOD, **new).text
    assert _log_in(pages).status_code == 429


def test_one_ends_ones_own_sessions_and_nobody_elses(pages: Served) -> None:
    mine, lost, others = pages.account(), pages.account(), pages.account("suzuki")
    assert pages.post(mine, "/account/sessions/end", session=sessions.digest_of(others)).status_code == 404
    assert pages.client(others).get("/account").status_code == 200
    assert pages.post(mine, "/account/sessions/end", session=sessions.digest_of(lost)).status_code == 303
    assert pages.client(lost).get("/account").status_code == 303
    again = pages.account()
    assert pages.post(mine, "/account/sessions/end").status_code == 303
    assert pages.client(again).get("/account").status_code == 303
    assert pages.client(mine).get("/account").status_code == 200


# --- all accounts ---


@pytest.mark.parametrize("role", [Role.AGENT, Role.EDITOR])
def test_accounts_and_audit_are_for_administrators_alone(pages: Served, role: Role) -> None:
    token, victim = pages.account(role=role), _add(pages, "suzuki")
    for path in ("/accounts", f"/accounts/{victim.id}", "/audit", "/audit/export.csv"):
        assert pages.client(token).get(path).status_code == 403
    for action in ("add", *(f"{victim.id}/{verb}" for verb in ("role", "disable", "enable", "link", "logout"))):
        assert pages.post(token, f"/accounts/{action}", login="x", role="administrator").status_code == 403
    with reading(pages.engine) as connection:
        assert accounts.find(connection, victim.id) == victim
        assert accounts.by_login(connection, "x") is None


def test_a_role_that_is_taken_away_is_gone_with_the_next_page(pages: Served) -> None:
    boss, token = pages.account("boss", role=Role.ADMINISTRATOR), pages.account(role=Role.ADMINISTRATOR)
    with pages.engine.begin() as connection:
        for account in accounts.listing(connection):
            accounts.set_password(connection, account.id, HASH)
        sato = accounts.by_login(connection, "sato")
    assert sato is not None
    assert pages.client(token).get("/accounts").status_code == 200
    pages.post(boss, f"/accounts/{sato.id}/role", role="agent")
    assert pages.client(token).get("/accounts").status_code == 403
    pages.post(boss, f"/accounts/{sato.id}/disable")
    assert pages.client(token).get("/account").status_code == 303


def test_the_last_administrator_cannot_be_lost(pages: Served) -> None:
    _add(pages, "boss", Role.ADMINISTRATOR)
    token = _log_in(pages, login="boss").cookies[cookie_of(pages.desk)]
    for action, fields in (("disable", {}), ("role", {"role": "agent"})):
        reply = pages.post(token, f"/accounts/1/{action}", **fields)
        assert reply.status_code == 409
        assert "先に、ほかの管理者を登録してください" in reply.text
    assert pages.client(token).get("/accounts").status_code == 200


def test_an_account_that_does_not_exist_is_missing(pages: Served) -> None:
    token = pages.account(role=Role.ADMINISTRATOR)
    for number in ("0", "99", "x", "9" * 30, "-1", "%00"):
        assert pages.client(token).get(f"/accounts/{number}").status_code == 404
        assert pages.post(token, f"/accounts/{number}/disable").status_code == 404


# --- the audit ---


@pytest.fixture
def recorded(pages: Served) -> tuple[Served, str]:
    """A desk with a long audit, and an administrator's session."""
    token = pages.account("boss", role=Role.ADMINISTRATOR)
    with pages.engine.begin() as connection:
        for number in range(120):
            now = datetime(2026, 11, 24, 14, 58, tzinfo=UTC) + timedelta(minutes=number)
            audit.write(connection, Actor("sato", "192.0.2.1"), "case.take", f"case:{number}", "=1+1 <b>", now=now)
    return pages, token


def test_the_audit_is_turned_page_by_page(recorded: tuple[Served, str]) -> None:
    pages, token = recorded
    client, seen, path = pages.client(token), [], "/audit?who=sato"
    for _ in range(3):
        page = client.get(path).text
        seen += [number for number in range(120) if f"<td>case:{number}</td>" in page]
        path = page.partition('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    assert sorted(seen) == list(range(120))
    assert 'rel="next"' not in page
    assert "=1+1 &lt;b&gt;" in page


def test_a_day_of_the_audit_is_one_where_the_staff_live(recorded: tuple[Served, str]) -> None:
    pages, token = recorded
    page = pages.client(token).get("/audit?since=2026-11-24&until=2026-11-24").text
    assert [number for number in range(120) if f"<td>case:{number}</td>" in page] == [0, 1]
    for odd in ("since=0001-01-01", "until=9999-12-31", "since=x", "before=x", "who=%00", "action=%27"):
        assert pages.client(token).get(f"/audit?{odd}").status_code == 200


def test_the_audit_is_taken_along_as_a_file_and_that_is_recorded(recorded: tuple[Served, str]) -> None:
    pages, token = recorded
    csv = pages.client(token).get("/audit/export.csv?object=case:7")
    assert csv.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert csv.content.startswith(b"\xef\xbb\xbfid,at,who")
    rows = list(reader(StringIO(csv.content.decode("utf-8-sig"))))
    assert [row[4:6] for row in rows[1:]] == [["case:7", "'=1+1 <b>"]]
    lines = pages.client(token).get("/audit/export.jsonl").text.splitlines()
    assert [json.loads(line)["object"] for line in lines[:120]] == [f"case:{number}" for number in range(120)]
    assert _recorded(pages)[-1][:2] == ("boss", "audit.export")
    assert pages.client(token).get("/audit/export.exe").status_code == 404


# --- in a browser ---


def _fill(page: Page, **fields: str) -> None:
    for field, text in fields.items():
        page.fill(f"#{field}", text)
    page.keyboard.press("Enter")


def test_an_administrator_lets_a_colleague_in_and_out_again(pages: Served, browser: Browser, sound: Look) -> None:
    with pages.engine.begin() as connection:
        first = roster.invite_first(connection, now=pages.desk.clock())
    boss = pages.enter(browser).new_page()
    boss.goto(f"/welcome/{first}")
    sound(boss)
    _fill(boss, login="boss", name="管理 花子", password="short", repeated="short")  # noqa: S106  # it is refused
    assert boss.url.endswith(f"/welcome/{first}")
    _fill(boss, password="boss and his horses", repeated="boss and his horses")  # noqa: S106  # it is refused
    expect(boss.locator("#password-fault")).to_have_text("ログインIDを含まないパスワードにしてください。")
    sound(boss)
    _fill(boss, password=GOOD, repeated=GOOD)
    boss.wait_for_selector("header.top")
    boss.goto("/accounts")
    sound(boss)
    _fill(boss, login="sato", name="佐藤 太郎")
    boss.wait_for_selector("code.link")
    sound(boss)
    link = boss.locator("code.link").inner_text()

    sato = pages.enter(browser, viewport={"width": 360, "height": 740}).new_page()
    sato.goto(link)
    _fill(sato, password=GOOD + "!", repeated=GOOD + "!")
    sato.wait_for_selector("header.top")
    sato.goto("/account")
    sound(sato)
    assert sato.evaluate("document.documentElement.scrollWidth") <= 360
    assert sato.goto("/accounts").status == 403  # type: ignore[union-attr]  # a page was loaded

    boss.goto("/accounts")
    boss.get_by_role("link", name="sato").click()
    sound(boss)
    boss.get_by_role("button", name="利用を停止する").click()
    expect(boss.locator(".facts")).to_contain_text("停止中")
    sato.goto("/account")
    expect(sato.locator("h1")).to_have_text("ログイン")
    boss.goto("/audit?who=boss")
    sound(boss)
    expect(boss.locator("tbody tr").first).to_contain_text("アカウントの停止")


def test_a_wrong_password_is_told_and_a_lost_session_is_ended_from_another_place(
    pages: Served, browser: Browser, sound: Look
) -> None:
    _add(pages)
    here, there = (pages.enter(browser).new_page() for _ in range(2))
    here.goto("/account")
    sound(here)
    _fill(here, login="sato", password="wrong")  # noqa: S106  # it is refused
    expect(here.get_by_role("alert")).to_have_text("ログインIDまたはパスワードが正しくありません。")
    _fill(here, password=GOOD)
    expect(here.locator("h1")).to_have_text("アカウントの設定")
    there.goto("/login?language=en&next=/account")
    _fill(there, login="sato", password=GOOD)
    expect(there.locator("h1")).to_have_text("アカウントの設定")
    here.reload()
    here.get_by_role("button", name="127.0.0.1をログアウトさせる").click()
    expect(here.get_by_role("status")).to_have_text("保存しました。")
    there.goto("/account")
    expect(there.locator("h1")).to_have_text("ログイン")
    here.get_by_role("button", name="ログアウト", exact=True).click()
    expect(here.locator("h1")).to_have_text("ログイン")


def test_a_form_on_another_origin_changes_nothing(pages: Served, browser: Browser) -> None:
    token = pages.account()
    context = pages.enter(browser, token)
    page = context.new_page()
    form = f'<form method="post" action="{pages.url}/account/preferences"><input name="language" value="en"></form>'
    page.route("https://evil.example/", lambda route: route.fulfill(body=form, content_type="text/html"))
    page.goto("https://evil.example/")
    with page.expect_navigation():
        page.evaluate("document.forms[0].submit()")
    with reading(pages.engine) as connection:
        found = accounts.by_login(connection, "sato")
    assert found is not None
    assert found.language == "ja"
    page.goto(f"{pages.url}/account")
    expect(page.locator("html")).to_have_attribute("lang", "ja")


def _literals(place: Path, *names: str) -> Iterator[str]:
    """The actions that the code of a folder writes into the audit, where it writes them out."""
    for path in sorted(place.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in names:
                given = [word.value for word in node.keywords if word.arg == "action"] or node.args[1:3]
                texts = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
                yield from texts[:1]


def test_what_the_audit_records_has_its_words_in_japanese() -> None:
    actions = set(_literals(Path(gate.__file__).parent, "noted", "_record", "write"))
    assert {"login", "login.fail", "account.password", "audit.export", "case.see"} <= actions
    assert sorted(actions - set(translations()["japanese"])) == []
