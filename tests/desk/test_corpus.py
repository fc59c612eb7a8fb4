"""The pages of the FAQ on the real service: a change is tried first, and made only by who answers for it."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy.engine import Engine

from responder.store import audit, labels
from responder.store.accounts import Role
from responder.store.engine import open_engine, reading
from tests.desk.conftest import Look
from tests.knowledge import ADDRESS, cold_corpus
from tests.service import ALL, Service, running

LUNCH = "社員食堂の献立表はどちらに掲示されていますか。"
MENU = ("社員食堂の献立表", "献立表の掲示", "社員食堂の献立表はどちらですか", "食堂の献立表はどちらに掲示されますか")
SHARED = "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return cold_corpus(tmp_path)


@pytest.fixture
def service(tmp_path: Path, corpus: Path) -> Iterator[Service]:
    """A service that looks every second, and answers by likeness alone; a mail of each sort has come in."""
    settings = {
        "RESPONDER_SERVICE__CORPUS": str(corpus),
        "RESPONDER_SERVICE__STATE": str(tmp_path / "state"),
        "RESPONDER_TRIAGE__RELEARN": "1s",
        "RESPONDER_TRIAGE__FLOOR": "0.26",
    }
    with running(tmp_path, f"sqlite:///{tmp_path}/responder.db", ALL, **settings) as started:
        for number, text in enumerate((LUNCH, SHARED), 1):
            started.mail(_mail(text, number), sender=f"user{number}@contractor.example")
        started.wait_for(lambda: _settled(tmp_path) == 2)
        yield started


def _settled(folder: Path) -> int:
    with sqlite3.connect(folder / "responder.db") as connection:
        count: int = connection.execute("SELECT count(*) FROM inbox WHERE lane IS NOT NULL").fetchone()[0]
    connection.close()
    return count


def _mail(text: str, number: int) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = f"user{number}@contractor.example", ADDRESS, "お尋ね"
    mail["Message-ID"] = f"<{number}@contractor.example>"
    mail.set_content(text)
    return mail.as_bytes()


@pytest.fixture
def engine(service: Service) -> Iterator[Engine]:
    opened = open_engine(service.environ["RESPONDER_STORE__URL"])
    yield opened
    opened.dispose()


def _enter(service: Service, browser: Browser, role: Role = Role.EDITOR, **options: object) -> BrowserContext:
    context = browser.new_context(base_url=service.url, locale="ja-JP", **options)  # type: ignore[arg-type]  # playwright's own
    context.set_default_timeout(20_000)
    cookie = {"name": "desk", "value": service.session(role.value, role), "url": service.url}
    context.add_cookies([cookie])  # type: ignore[list-item]  # a TypedDict of its own
    return context


def _until_tried(page: Page) -> None:
    expect(page.get_by_role("heading", name="これまでに届いたメールへの影響")).to_be_visible(timeout=60_000)


def test_an_editor_sees_what_a_change_does_makes_it_and_sees_it_in_force(
    service: Service, engine: Engine, corpus: Path, browser: Browser, sound: Look
) -> None:
    page = _enter(service, browser).new_page()
    page.goto("/corpus")
    sound(page)
    page.get_by_role("link", name="共有メールアドレスの利用").click()
    expect(page.locator(".in-force")).to_be_visible()
    sound(page)
    page.get_by_role("link", name="編集する").click()
    phrasings = page.get_by_label("質問文の例")
    lines = phrasings.input_value().split("\n")
    phrasings.fill("\n".join([*lines[:6], LUNCH, *MENU]))
    page.get_by_label("変更の理由").fill("食堂の案内を追加")
    page.get_by_role("button", name="メールをプレビューする").click()
    expect(page.locator(".preview")).to_contain_text("■ 回答")
    sound(page)
    page.get_by_role("button", name="変更の影響を確認する").click()
    _until_tried(page)
    expect(page.get_by_role("table", name="新たに自動で回答するメール")).to_contain_text("R-000001")
    sound(page)
    before = (corpus / "q04.toml").read_text("utf-8")
    assert LUNCH not in before
    page.get_by_role("button", name="変更を反映する").click()
    expect(page.get_by_text("この変更は反映されました。")).to_be_visible()
    expect(page.locator(".in-force")).to_be_visible(timeout=30_000)
    sound(page)
    assert LUNCH in (corpus / "q04.toml").read_text("utf-8")
    with reading(engine) as connection:
        (event,) = audit.listing(connection, audit.Filters(action="entry.publish"))
    assert (event.who, event.object) == ("editor", "entry:q04")
    service.mail(_mail(LUNCH, 3), sender="user3@contractor.example")
    service.wait_for(lambda: [mail for mail in service.delivered() if mail["To"] == "user3@contractor.example"])

    page.get_by_role("link", name="FAQの詳細へ").click()
    page.get_by_role("link", name="最初に記録された内容").click()
    page.get_by_role("button", name="この内容に戻す").click()
    _until_tried(page)
    page.get_by_role("button", name="変更を反映する").click()
    expect(page.get_by_text("この変更は反映されました。")).to_be_visible()
    assert (corpus / "q04.toml").read_text("utf-8") == before


def test_a_change_against_what_people_said_needs_somebody_who_takes_responsibility(
    service: Service, engine: Engine, corpus: Path, browser: Browser, sound: Look
) -> None:
    with engine.begin() as connection:
        label = {"subject": "お尋ね", "body": SHARED, "who": "sato"}
        labels.teach(connection, 2, expected=["q04"], complete=True, now=datetime.now(UTC), **label)
    page = _enter(service, browser, java_script_enabled=False).new_page()
    page.goto("/corpus/q04/edit")
    page.get_by_label("停止（設定による）").check()
    page.get_by_role("button", name="変更の影響を確認する").click()
    # Without a script the page asks again by itself, every five seconds.
    expect(page.get_by_role("button", name="変更を反映する")).to_be_visible(timeout=90_000)
    expect(page.get_by_role("table", name="担当者の判断と食い違うメール")).to_contain_text("R-000002")
    # A browser asks for the reason by itself; one that does not is told by the service.
    page.goto(page.url)
    path = page.url
    page.get_by_label("私の責任で反映します").check()
    page.get_by_label("食い違いがあっても反映する理由").fill("  ")
    page.get_by_role("button", name="変更を反映する").click()
    expect(page.get_by_role("alert")).to_contain_text("食い違うメールがあります")
    assert 'mode = "automatic"' in (corpus / "q04.toml").read_text("utf-8")
    page.goto(path)
    page.get_by_label("私の責任で反映します").check()
    page.get_by_label("食い違いがあっても反映する理由").fill("制度の改定までの措置です。")
    page.get_by_role("button", name="変更を反映する").click()
    expect(page.get_by_text("この変更は反映されました。")).to_be_visible()
    assert 'mode = "off"' in (corpus / "q04.toml").read_text("utf-8")
    with reading(engine) as connection:
        (event,) = audit.listing(connection, audit.Filters(action="entry.publish"))
    assert "mails 2" in event.detail
    assert "制度の改定までの措置です。" in event.detail
