"""Reading automatic answers and mails kept in silence, as staff do it in a browser."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from responder.desk.drafting import prepared_for
from responder.store import cases, corrections, reviews
from responder.store.engine import reading
from responder.store.inbox import Lane
from responder.store.reviews import Judgement
from tests.answered import answered, settled
from tests.desk.conftest import Look, Served


def _verdicts(pages: Served) -> dict[int, Judgement]:
    with reading(pages.engine) as connection:
        return {number: review.judgement for number, review in reviews.in_force(connection).items()}


def _audit(pages: Served) -> list[tuple[str, str, str, str]]:
    with reading(pages.engine) as connection:
        rows = connection.execute(text("SELECT who, action, object, detail FROM audit ORDER BY id"))
        return [tuple(row) for row in rows if row.action != "case.see"]


def _three(pages: Served) -> None:
    now = pages.desk.clock()
    for number, entry in enumerate(("q04", "q07", "q04"), 1):
        answered(pages.engine, entry, now=now - timedelta(hours=4 - number), subject=f"件名{number}")


def _focus(page: Page) -> str:
    found: str = page.evaluate("document.activeElement.id")
    return found


def _press(page: Page, key: str) -> None:
    with page.expect_navigation():
        page.keyboard.press(key)


def test_answers_are_judged_by_keys_and_a_wrong_one_becomes_a_case_with_a_drafted_correction(
    pages: Served, browser: Browser, sound: Look
) -> None:
    _three(pages)
    page = pages.enter(browser, pages.account("sato", name="佐藤")).new_page()
    page.goto("/answers")
    expect(page.locator(".answer h2")).to_have_text(["件名3", "件名2", "件名1"])
    page.keyboard.press("j")
    page.keyboard.press("o")
    expect(page.locator("#answer-3 details .text")).to_contain_text("受付番号：R-000003")
    _press(page, "1")
    assert _focus(page) == "answer-2"
    _press(page, "0")
    assert _focus(page) == "answer-1"
    assert _verdicts(pages) == {3: Judgement.RIGHT, 2: Judgement.WRONG}
    sound(page)
    with reading(pages.engine) as connection:
        case = cases.find(connection, 2)
        assert case is not None
        draft = prepared_for(connection, 2, pages.desk.entries(), pages.desk.letters())
    assert (case.state, case.reason) == ("open", corrections.REASON)
    assert draft is not None
    assert "No.7" in draft.text
    expect(page.locator("#answer-2 a[href='/cases/2']")).to_have_count(1)
    _press(page, "u")
    assert _verdicts(pages) == {3: Judgement.RIGHT}
    expect(page.locator(".said")).to_have_text("取り消しました。")
    assert [entry[:3] for entry in _audit(pages)] == [
        ("sato", "answer.judge", "mail:3"),
        ("sato", "answer.judge", "mail:2"),
        ("sato", "answer.take-back", "mail:2"),
    ]


COMPOSING = """() => {
    document.getElementById("answer-3").focus();
    const typed = {key: "0", bubbles: true, cancelable: true};
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {...typed, isComposing: true}));
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {...typed, keyCode: 229}));
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {...typed, repeat: true}));
}"""


def test_keys_do_nothing_while_an_input_method_composes_or_where_shortcuts_are_off(
    pages: Served, browser: Browser
) -> None:
    _three(pages)
    for shortcuts in (True, False):
        page = pages.enter(browser, pages.account(shortcuts=shortcuts)).new_page()
        page.goto("/answers")
        page.evaluate(COMPOSING)
        if not shortcuts:
            page.keyboard.press("0")
        page.goto("/answers")  # a form that had been sent would have been stored by now
    assert _verdicts(pages) == {}


def test_without_scripts_the_buttons_judge_and_the_filters_stay(pages: Served, browser: Browser) -> None:
    _three(pages)
    page = pages.enter(browser, pages.account(), java_script_enabled=False).new_page()
    page.goto("/answers")
    page.get_by_label("FAQ").select_option("q04")
    page.get_by_label("判定していないものだけ").check()
    page.get_by_role("button", name="絞り込む").click()
    expect(page.locator(".answer h2")).to_have_text(["件名3", "件名1"])
    page.locator("#answer-3").get_by_role("button", name="誤り").click()
    expect(page.locator(".answer h2")).to_have_text(["件名1"])
    page.locator(".said").get_by_role("button", name="判定を取り消す").click()
    expect(page.locator(".answer h2")).to_have_text(["件名3", "件名1"])
    assert _verdicts(pages) == {}


def test_older_answers_are_a_link_away(pages: Served) -> None:
    now = pages.desk.clock()
    for _ in range(21):
        answered(pages.engine, "q04", now=now)
    client = pages.client(pages.account())
    first = client.get("/answers").text
    assert 'id="answer-21"' in first
    assert 'id="answer-1"' not in first
    (older,) = {part.split('"')[0] for part in first.split('href="/answers?before=')[1:]}
    assert 'id="answer-1"' in client.get(f"/answers?before={older}").text


def test_a_mail_kept_in_silence_is_called_back_by_one_click(pages: Served, browser: Browser, sound: Look) -> None:
    now = pages.desk.clock()
    settled(pages.engine, Lane.SUPPRESSED, now=now, subject="不在のお知らせ", reason="auto-submitted")
    settled(pages.engine, Lane.SUPPRESSED, now=now, subject="<b>お礼</b>", reason="only thanks, in a thread of ours")
    page = pages.enter(browser, pages.account("sato")).new_page()
    page.goto("/suppressed")
    expect(page.locator(".kept-subject")).to_have_text(["<b>お礼</b>", "不在のお知らせ"])
    page.get_by_label("理由").select_option("auto-submitted")
    page.get_by_role("button", name="絞り込む").click()
    expect(page.locator(".kept-subject")).to_have_text(["不在のお知らせ"])
    assert page.locator(".kept-mail").inner_text().count("自動送信と明示されたメールです") == 1
    sound(page)
    page.get_by_role("button", name="お問い合わせに加える").click()
    page.wait_for_url("**/cases/1")
    page.goto("/suppressed")
    expect(page.locator(".kept-mail a[href='/cases/1']")).to_have_count(1)
    with reading(pages.engine) as connection:
        case = cases.find(connection, 1)
    assert case is not None
    assert case.reason == "called back"
    assert _audit(pages) == [("sato", "mail.call-back", "mail:1", "")]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/answers/judge", {"mail": "99", "verdict": "wrong"}),
        ("/answers/judge", {"mail": "1", "verdict": "maybe"}),
        ("/answers/judge", {"mail": "x", "verdict": "wrong"}),
        ("/suppressed/call-back", {"mail": "1"}),
        ("/suppressed/call-back", {}),
    ],
    ids=["no such answer", "no such verdict", "no number", "a mail that was answered", "nothing"],
)
def test_what_cannot_be_changes_nothing(pages: Served, path: str, fields: dict[str, str]) -> None:
    answered(pages.engine, "q04", now=pages.desk.clock())
    assert pages.post(pages.account(), path, **fields).status_code == 404
    assert (_verdicts(pages), _audit(pages)) == ({}, [])


def test_a_form_of_another_site_judges_nothing(pages: Served) -> None:
    answered(pages.engine, "q04", now=pages.desk.clock())
    client = pages.client(pages.account())
    assert client.post("/answers/judge", data={"mail": "1", "verdict": "wrong"}).status_code == 403
    assert _verdicts(pages) == {}
