"""The lists of cases, as staff see and work them in the browser."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import Browser, Page, expect

from responder.store import casework
from tests.desk.conftest import Look, Served
from tests.desk.mails import PAYMENT, SEAL, SHARED, mail


def _rows(page: Page) -> list[str]:
    return page.locator(".row-subject").all_inner_texts()


def test_a_mail_appears_in_the_open_list_by_itself_with_all_that_a_glance_needs(
    pages: Served, browser: Browser, sound: Look
) -> None:
    page = pages.enter(browser, pages.account()).new_page()
    page.goto("/")
    expect(page.get_by_text("この一覧には、お問い合わせはありません。")).to_be_visible()
    pages.take_in(PAYMENT)
    row = page.locator(".row")
    expect(row).to_have_count(1)
    for words in ("お支払日について", "田中 一郎", "tanaka@contractor.example", "R-000001", "候補：No.", "期限"):
        assert words in row.inner_text()
    expect(page.locator("#view-open .count")).to_have_text("1")
    sound(page)


def test_a_list_that_is_the_same_is_left_alone_so_that_focus_stays(pages: Served, browser: Browser) -> None:
    pages.take_in(PAYMENT)
    page = pages.enter(browser, pages.account()).new_page()
    page.goto("/cases")
    page.locator("#case-1").focus()
    with page.expect_response(lambda reply: "have=" in reply.url) as asked:
        pass
    assert asked.value.status == 204
    pages.take_in(SEAL)
    expect(page.locator(".row")).to_have_count(2)
    assert page.evaluate("document.activeElement.id") == "case-1"


def test_the_keyboard_walks_the_rows_and_an_input_method_at_work_triggers_nothing(
    pages: Served, browser: Browser
) -> None:
    pages.take_in(PAYMENT, SEAL)
    page = pages.enter(browser, pages.account()).new_page()
    page.goto("/cases")
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") == "case-2"
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.id") == "case-1"
    for composing in ("isComposing: true", "keyCode: 229"):
        press = f"new KeyboardEvent('keydown', {{key: 'j', bubbles: true, {composing}}})"
        page.evaluate(f"document.activeElement.dispatchEvent({press})")
        assert page.evaluate("document.activeElement.id") == "case-1"
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "q"
    page.keyboard.type("j")
    expect(page.locator("#q")).to_have_value("j")


def test_whoever_turned_shortcuts_off_has_none(pages: Served, browser: Browser) -> None:
    pages.take_in(PAYMENT)
    page = pages.enter(browser, pages.account(shortcuts=False)).new_page()
    page.goto("/cases")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.id") != "case-1"


def test_a_search_finds_what_was_written_another_way_and_stands_in_the_address(pages: Served, browser: Browser) -> None:
    pages.take_in(PAYMENT, SEAL, SHARED)
    page = pages.enter(browser, pages.account()).new_page()
    page.goto("/cases")
    for query, subjects in (
        ("ﾒｰﾙｱﾄﾞﾚｽ", ["共有アドレスの利用について"]),
        ("たなか", []),
        ("田中", ["お支払日について"]),
        ("R-000002", ["印鑑証明書の提出について"]),
    ):
        page.get_by_role("searchbox").fill(query)
        page.keyboard.press("Enter")
        page.wait_for_url("**/cases?q=*")
        expect(page.get_by_text(f"「{query}」の検索結果（すべて）")).to_be_visible()
        assert _rows(page) == subjects, query
        page.reload()
        assert _rows(page) == subjects


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without"])
def test_each_list_holds_what_its_name_says(pages: Served, browser: Browser, scripts: bool) -> None:
    numbers = pages.take_in(*(mail(f"件{n}", "印鑑の届出を変更したいのですが。", number=n) for n in range(1, 6)))
    token, now = pages.account("sato"), pages.desk.clock()
    pages.account("suzuki")
    table = sa.table("cases", sa.column("inquiry_id"), sa.column("held_until"), sa.column("hold_reason"))
    with pages.engine.begin() as connection:
        casework.take(connection, numbers[1], who="sato", now=now)
        casework.take(connection, numbers[2], who="suzuki", now=now)
        held = {"held_until": (now + timedelta(days=2)).replace(tzinfo=None), "hold_reason": "資料を待っています"}
        connection.execute(sa.update(table).where(table.c.inquiry_id == numbers[3]).values(held))
        casework.close(connection, numbers[4], who="sato", reason="済み", now=now)
    context = pages.enter(browser, token, java_script_enabled=scripts)
    page = context.new_page()
    page.goto("/cases")
    for view, subjects in (
        ("open", ["件1"]),
        ("mine", ["件2"]),
        ("taken", ["件2", "件3"]),
        ("held", ["件4"]),
        ("closed", ["件5"]),
    ):
        page.locator(f"#view-{view}").click()
        page.wait_for_url(f"**view={view}")
        assert _rows(page) == subjects
        expect(page.locator(f"#view-{view} .count")).to_have_text(str(len(subjects)))
    context.close()


def test_a_phone_shows_the_rows_in_one_column(pages: Served, browser: Browser, sound: Look) -> None:
    pages.take_in(PAYMENT, SEAL)
    page = pages.enter(browser, pages.account(), viewport={"width": 360, "height": 740}).new_page()
    page.goto("/cases")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert len({box["x"] for box in (one.bounding_box() for one in page.locator(".row > *").all()) if box}) == 1
    sound(page)


@pytest.mark.parametrize(
    "query",
    [
        "view=nothing",
        "after=x",
        "after=9.9",
        "after=99999999999999999999.1",
        "after=1.0",
        "view=open&q=%00",
        "have=x&view=all",
        "q=" + "あ" * 5000,
    ],
)
def test_an_address_that_somebody_made_up_shows_a_list(pages: Served, query: str) -> None:
    assert pages.client(pages.account()).get(f"/cases?{query}").status_code == 200


def test_long_lists_go_on_without_losing_or_repeating_a_row(pages: Served) -> None:
    numbers = pages.take_in(*(mail(f"件{n}", "印鑑の届出を変更したいのですが。", number=n) for n in range(1, 108)))
    client, seen, path = pages.client(pages.account()), [], "/cases?view=open"
    import re

    while path:
        page = client.get(path).text
        seen += [int(number) for number in re.findall(r'id="case-(\d+)"', page)]
        found = re.search(r'href="([^"]+)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else ""
    assert seen == numbers
