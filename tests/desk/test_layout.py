"""What all pages have in common, in a real browser."""

import pytest
from playwright.sync_api import Browser, expect

from tests.desk.conftest import Served


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_page_breaks_no_rule_of_its_own_policy(pages: Served, browser: Browser, language: str) -> None:
    page = pages.enter(browser, pages.account(language=language)).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/status")
    assert page.evaluate("typeof htmx") == "object"
    expect(page.locator("h1")).to_have_text({"ja": "状況", "en": "Status"}[language])
    assert complaints == []


def test_a_phone_need_not_scroll_sideways_and_the_keyboard_reaches_the_content_first(
    pages: Served, browser: Browser
) -> None:
    page = pages.enter(browser, pages.account(), viewport={"width": 360, "height": 740}).new_page()
    page.goto("/status")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
