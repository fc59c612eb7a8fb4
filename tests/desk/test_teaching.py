"""What an answer teaches, and what keeps being asked: from the case's page to the lists."""

import pytest
from playwright.sync_api import Browser, Page, expect

from responder.corpus import load_entries
from responder.desk.answering import Queued
from responder.store import audit, casework, labels
from responder.store.accounts import Role
from responder.store.engine import reading
from responder.store.labels import Label
from tests.answered import answer_case
from tests.desk.conftest import Look, Served
from tests.desk.mails import PAYMENT, SEAL, mail
from tests.knowledge import ROOT
from tests.triage.test_grouping import PARKING

MAILS = [
    mail("駐車場について", text, author=f"竹内 <takeuchi{number}@fourth.example>", number=10 + number)
    for number, text in enumerate(PARKING)
]


def _answer(pages: Served, case: int, text: str) -> None:
    done = answer_case(pages.engine, case, text, now=pages.desk.clock())
    assert isinstance(done, Queued)


def _shared_answer() -> str:
    return next(entry.answer for entry in load_entries(ROOT / "faq_corpus") if entry.id == "q04")


def _in_force(pages: Served, inquiry: int = 1) -> Label | None:
    with reading(pages.engine) as connection:
        return labels.in_force(connection, inquiry)


def _audit(pages: Served, noun: str) -> list[tuple[str, str, str, str]]:
    with reading(pages.engine) as connection:
        events = [event for event in audit.listing(connection) if event.action.startswith(f"{noun}.")]
    return [(event.who, event.action, event.object, event.detail) for event in events]


def _no_wider_than_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_entry_that_was_sent_is_taught_with_one_click_and_taken_back_with_another(
    pages: Served, browser: Browser, sound: Look
) -> None:
    token = pages.account(name="佐藤 花子")
    pages.take_in(PAYMENT)
    _answer(pages, 1, _shared_answer())
    page = pages.enter(browser, token, java_script_enabled=False).new_page()
    page.goto("/cases/1")
    panel = page.locator(".teach")
    assert panel.locator("input[name=entry]:checked").evaluate_all("boxes => boxes.map(box => box.value)") == ["q04"]
    panel.get_by_role("button", name="このFAQの質問として学習させる").click()
    expect(panel.locator(".taught")).to_contain_text("No.4")
    expect(panel).to_contain_text("佐藤 花子")
    label = _in_force(pages)
    assert label is not None
    assert (label.subject, label.expected, label.complete, label.taught_by) == (
        "お支払日について",
        ("q04",),
        True,
        "sato",
    )
    assert "請求書のお支払日" in label.body
    panel.get_by_role("button", name="学習を取り消す").click()
    expect(page.get_by_role("status")).to_have_text("取り消しました。")
    assert _in_force(pages) is None
    assert _audit(pages, "label") == [("sato", "label.undo", "mail:1", ""), ("sato", "label.teach", "mail:1", "q04")]
    lively = pages.enter(browser, token).new_page()
    lively.goto("/cases/1")
    sound(lively)
    _no_wider_than_a_phone(lively)


def test_an_answer_in_own_words_offers_that_no_entry_fits(pages: Served, browser: Browser) -> None:
    token = pages.account()
    pages.take_in(PAYMENT)
    _answer(pages, 1, "お支払いは翌月末でございます。")
    page = pages.enter(browser, token).new_page()
    page.goto("/cases/1")
    expect(page.locator(".teach input[name=entry]:checked")).to_have_count(0)
    expect(page.locator(".teach button.main")).to_have_text("どのFAQにも該当しないものとして学習させる")
    page.locator(".teach button.main").click()
    expect(page.locator(".taught")).to_contain_text("どのFAQにも該当しない")
    label = _in_force(pages)
    assert label is not None
    assert (label.expected, label.complete) == ((), True)


def test_a_form_without_an_entry_teaches_nothing_and_says_what_to_do(pages: Served) -> None:
    token = pages.account()
    pages.take_in(PAYMENT)
    reply = pages.post(token, "/cases/1/teach", inquiry="1", answer="entries")
    assert reply.headers["location"] == "/cases/1?teach=choose"
    assert "FAQが選択されていません" in pages.client(token).get("/cases/1?teach=choose").text
    reply = pages.post(token, "/cases/1/teach", inquiry="1", answer="entries", entry="no-such-entry")
    assert reply.headers["location"] == "/cases/1?teach=choose"
    assert _in_force(pages) is None


def test_only_a_mail_of_the_case_is_taught(pages: Served) -> None:
    token = pages.account()
    pages.take_in(PAYMENT, SEAL)
    for inquiry in ("2", "99", "", "x", str(2**80)):
        assert pages.post(token, "/cases/1/teach", inquiry=inquiry, answer="nobody").status_code == 404
    assert (_in_force(pages, 1), _in_force(pages, 2)) == (None, None)


def test_a_label_that_somebody_replaced_meanwhile_is_not_taken_back(pages: Served) -> None:
    token = pages.account()
    pages.take_in(PAYMENT)
    pages.post(token, "/cases/1/teach", inquiry="1", answer="entries", entry=["q04", "q05"], partly="1")
    first = _in_force(pages)
    pages.post(token, "/cases/1/teach", inquiry="1", answer="nobody")
    second = _in_force(pages)
    assert first is not None
    assert second is not None
    assert (first.expected, first.complete, second.expected) == (("q04", "q05"), False, ())
    reply = pages.post(token, "/cases/1/unteach", inquiry="1", label=str(first.id))
    assert reply.headers["location"] == "/cases/1?said=too-late"
    assert _in_force(pages) == second


def test_the_list_offers_what_was_answered_and_shows_what_was_taught(
    pages: Served, browser: Browser, sound: Look
) -> None:
    token = pages.account(name="佐藤 花子")
    pages.take_in(PAYMENT, SEAL)
    _answer(pages, 1, _shared_answer())
    _answer(pages, 2, "印鑑証明書は必要ございません。")
    page = pages.enter(browser, token).new_page()
    page.goto("/teaching")
    offers = page.locator(".offers > li")
    expect(offers).to_have_count(2)
    sound(page)
    offers.filter(has_text="お支払日").get_by_role("button", name="このFAQの質問として学習させる").click()
    expect(offers).to_have_count(1)
    offers.get_by_role("button", name="どのFAQにも該当しないものとして学習させる").click()
    expect(page.locator("tbody tr")).to_have_count(2)
    sound(page)
    _no_wider_than_a_phone(page)
    page.get_by_label("FAQ", exact=True).select_option("q04")
    page.get_by_role("button", name="絞り込む").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_role("button", name="取り消す").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("取り消したものも表示する").check()
    page.get_by_role("button", name="絞り込む").click()
    expect(page.locator("tbody")).to_contain_text("佐藤 花子が取り消し")


def test_what_is_asked_again_and_again_becomes_a_phrasing_an_entry_or_nothing(
    pages: Served, browser: Browser, sound: Look
) -> None:
    pages.take_in(*MAILS, PAYMENT)
    page = pages.enter(browser, pages.account("editor", role=Role.EDITOR)).new_page()
    page.goto("/teaching")
    page.get_by_role("link", name="FAQの改善候補").click()
    group = page.locator(".repeat")
    expect(group).to_have_count(1)
    expect(group.locator("h2")).to_contain_text("新しいFAQ 3件")
    expect(group.locator(".words")).to_contain_text("駐車場")
    href = group.get_by_role("link", name="新しいFAQを作成").get_attribute("href") or ""
    assert href.startswith("/corpus/entries/new?question=%E")
    href = group.get_by_role("link", name="の「質問文の例」に追加").get_attribute("href") or ""
    assert href.startswith("/corpus/q")
    group.get_by_text("お問い合わせを見る").click()
    sound(page)
    _no_wider_than_a_phone(page)
    group.get_by_role("button", name="30日間表示しない").click()
    expect(group).to_have_count(0)
    assert _audit(pages, "suggestion") == [("editor", "suggestion.hide", "mail:3", "3,2,1")]
    page.get_by_text("表示していない候補（1件）").click()
    page.get_by_role("button", name="再び表示する").click()
    expect(group).to_have_count(1)
    group.get_by_role("link", name="の「質問文の例」に追加").click()
    assert "駐車場" in page.locator("[name=phrasings]").input_value().splitlines()[-1]
    page.go_back()
    group.get_by_role("link", name="新しいFAQを作成").click()
    assert "駐車場" in page.locator("[name=question]").input_value()


def test_what_people_answered_with_is_suggested_and_spam_is_not_counted(pages: Served) -> None:
    token = pages.account("editor", role=Role.EDITOR)
    pages.take_in(*MAILS)
    _answer(pages, 1, _shared_answer())
    text = pages.client(token).get("/suggestions").text
    assert "担当者がこのFAQで回答したもの: 1件" in text
    assert "/corpus/q04/edit?phrasing=" in text
    with pages.engine.begin() as connection:
        assert casework.close_as_spam(connection, 2, who="editor", now=pages.desk.clock()) is None
    assert "内容の近いお問い合わせは、まだ見つかっていません" in pages.client(token).get("/suggestions").text


@pytest.mark.parametrize("language", ["ja", "en"])
def test_suggestions_are_for_editors(pages: Served, language: str) -> None:
    agent = pages.account("agent", language=language)
    assert pages.client(agent).get("/suggestions").status_code == 403
    assert pages.post(agent, "/suggestions/hide", mails="1").status_code == 403
    assert "/suggestions" not in pages.client(agent).get("/teaching").text
    editor = pages.account("editor", role=Role.EDITOR, language=language)
    assert pages.client(editor).get("/suggestions").status_code == 200
    assert pages.post(editor, "/suggestions/hide", mails="x,,0").status_code == 404
