"""The page of figures, in a browser: it adds up, says what is wrong, and lets an administrator go on."""

import re
from datetime import timedelta

from playwright.sync_api import Browser, expect
from sqlalchemy import text

from responder.corpus import load_corpus
from responder.store import breaker, cases, casework
from responder.store.accounts import Role
from responder.store.engine import reading
from responder.store.inbox import Lane
from responder.triage.calibration import Threshold
from responder.triage.cold import fit_cold
from responder.triage.policy import Thresholds
from responder.triage.reading import Knowledge
from responder.triage.trial import Standing
from tests.answered import answered, settled
from tests.desk.conftest import Look, Served, desk_on, served
from tests.knowledge import ROOT


def _fill(pages: Served) -> None:
    now = pages.desk.clock()
    answered(pages.engine, "q04", now=now)
    for lane in (Lane.ESCALATED, Lane.ESCALATED, Lane.SUPPRESSED):
        settled(pages.engine, lane, now=now - timedelta(days=1))
    with pages.engine.begin() as connection:
        cases.open_case(connection, 2, reason="no entry fits well enough", now=now - timedelta(days=1))
        cases.open_case(connection, 3, reason="no entry fits well enough", now=now - timedelta(hours=5))
        casework.close_answered(connection, 3, who="sato", now=now, delivery_id=1)


def _knowledge() -> Knowledge:
    corpus = load_corpus(ROOT / "faq_corpus")
    return Knowledge(
        corpus,
        fit_cold(corpus),
        Thresholds(0.7512, 0.0, frozenset({"q07"})),
        frozenset(),
        promise=Threshold(0.7512, 0.01, 0.05, 1680, 1098, 9),
        standings={"q04": Standing(70, 1), "q07": Standing(20, 9)},
        judged={"q07": Standing(9, 8)},
    )


def test_the_figures_are_there_in_both_languages_for_everybody_to_read(
    pages: Served, browser: Browser, sound: Look
) -> None:
    _fill(pages)
    with served(desk_on(pages.engine, knowledge=_knowledge, refused=lambda: ["q01.toml: id: is missing"])) as running:
        for language in ("ja", "en"):
            page = running.enter(browser, running.account(language=language)).new_page()
            page.goto("/status")
            said = page.locator("main").inner_text()
            assert "33.3%" in said
            assert "0.751" in said
            assert "1,680" in said
            assert "q01.toml: id: is missing" in said
            figures = page.locator("table.short").first.locator("td").all_inner_texts()
            assert figures == ["1", "2", "1", "0", "4"]
            expect(page.locator("svg[role=img] rect")).to_have_count(3)
            if language == "ja":
                sound(page)
            stopped = page.locator("tr", has=page.locator("strong"))
            assert re.findall(r"No\.\d+", stopped.inner_text()) == ["No.7"]
        assert re.findall("[ぁ-んァ-ン一-龥]", said) == []  # the last was in English


def test_wide_tables_scroll_in_their_own_place_on_a_phone(pages: Served, browser: Browser) -> None:
    _fill(pages)
    with served(desk_on(pages.engine, knowledge=_knowledge)) as running:
        page = running.enter(browser, running.account(), viewport={"width": 360, "height": 740}).new_page()
        for path in ("/status", "/answers", "/suppressed"):
            page.goto(path)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_an_administrator_looks_and_lets_automatic_mail_leave_again(
    pages: Served, browser: Browser, sound: Look
) -> None:
    with pages.engine.begin() as connection:
        breaker.trip(connection, sent=200, now=pages.desk.clock())
    page = pages.enter(browser, pages.account("root", role=Role.ADMINISTRATOR)).new_page()
    page.goto("/status")
    page.get_by_role("link", name="確認して再開する").click()
    expect(page.locator(".warning")).to_contain_text("自動メールを200通")
    sound(page)
    page.get_by_role("button", name="自動送信を再開する").click()
    page.wait_for_url("**/status?said=resumed")
    expect(page.locator(".said")).to_have_text("自動送信を再開しました。")
    with reading(pages.engine) as connection:
        assert breaker.in_force(connection) is None
        (trip,) = breaker.listing(connection)
        (noted,) = connection.execute(text("SELECT who, action, object FROM audit"))
    assert trip.reset_by == "root"
    assert tuple(noted) == ("root", "breaker.reset", "trip:1")


def test_an_agent_cannot_and_a_page_of_an_earlier_trip_does_not(pages: Served) -> None:
    with pages.engine.begin() as connection:
        breaker.trip(connection, sent=200, now=pages.desk.clock())
    agent, root = pages.account(), pages.account("root", role=Role.ADMINISTRATOR)
    assert pages.client(agent).get("/status/breaker").status_code == 403
    assert pages.post(agent, "/status/breaker", trip="1").status_code == 403
    assert pages.post(root, "/status/breaker", trip="2").headers["location"] == "/status?said=resumed-before"
    assert pages.post(root, "/status/breaker").status_code == 404
    with reading(pages.engine) as connection:
        assert breaker.in_force(connection) is not None


def test_prometheus_needs_no_account_and_learns_nothing_of_anybody(pages: Served) -> None:
    _fill(pages)
    answer = pages.client().get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert 'responder_inquiries_total{lane="escalated"} 2.0' in answer.text
    assert "contractor.example" not in answer.text
