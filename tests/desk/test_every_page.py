"""Every page there is, filled, in a real browser: sound for everybody, no wider than a phone, and quiet."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page

from responder.desk.site import OPEN, PAGES
from responder.store import accounts, invitations, labels, rehearsals, revisions, snippets
from responder.store.accounts import Role
from responder.triage.changes import Change, Comparison, Outcome
from tests.answered import answer_case
from tests.desk.conftest import Look, Served
from tests.desk.mails import PAYMENT, SEAL, SHARED
from tests.knowledge import ROOT, example

NOT_FOR_EYES = {
    "/mails/{number}/raw",
    "/mails/{number}/attachments/{index}",
    "/audit/export.{kind}",
    "/healthz",
    "/readyz",
    "/metrics",
    "/login/oidc",
    "/login/oidc/back",
}
"""Files, probes, and what only sends a browser on."""


def _filled(pages: Served) -> dict[str, str]:
    """Something of every sort in the store; an address for the path of each page."""
    now, engine = pages.desk.clock(), pages.engine
    pages.take_in(PAYMENT, SEAL, SHARED, example("two-questions"), example("out-of-office"), example("english"))
    pages.account("suzuki", name="鈴木")
    answer_case(engine, 2, "郵送は不要でございます。", now=now)
    content = (ROOT / "faq_corpus" / "q04.toml").read_text("utf-8")
    with engine.begin() as connection:
        labels.teach(connection, 2, subject="x", body="y", expected=["q04"], complete=True, who="sato", now=now)
        snippets.add(connection, owner=None, title="定型", text="文面", now=now)
        revisions.see(connection, "q04", 1, content, now=now)
        tried = rehearsals.ask(connection, "q04", f"{content}\n# x\n", note="確認", who="sato", now=now)
        rehearsals.claim(connection, now=now)
        rehearsals.begin(connection, tried, corpus="x", now=now)
        rehearsals.settle(connection, tried, _comparison(), now=now)
        revision, colleague = revisions.listing(connection, "q04")[0], accounts.by_login(connection, "suzuki")
        assert colleague is not None
        token = invitations.make(connection, colleague.id, now=now, valid=timedelta(days=1))
    return {
        "/cases": "/cases",
        "/cases/{number}": "/cases/1",
        "/mails/{number}": "/mails/1",
        "/mails/{number}/html": "/mails/1/html",
        "/mails/{number}/readings": "/mails/1/readings",
        "/answers": "/answers",
        "/suppressed": "/suppressed",
        "/teaching": "/teaching",
        "/suggestions": "/suggestions",
        "/corpus": "/corpus",
        "/corpus/{entry}": "/corpus/q04",
        "/corpus/{entry}/edit": "/corpus/q04/edit",
        "/corpus/entries/new": "/corpus/entries/new",
        "/corpus/{entry}/rehearsals/{number}": f"/corpus/q04/rehearsals/{tried}",
        "/corpus/{entry}/revisions/{number}": f"/corpus/q04/revisions/{revision.id}",
        "/snippets": "/snippets",
        "/status": "/status",
        "/status/breaker": "/status/breaker",
        "/account": "/account",
        "/accounts": "/accounts",
        "/accounts/{number}": f"/accounts/{colleague.id}",
        "/audit": "/audit",
        "/login": "/login",
        "/welcome/{token}": f"/welcome/{token}",
    }


def _comparison() -> Comparison:
    sent, kept = Outcome(True, ("q04",), "recognised", 0.93), Outcome(False, ("q04",), "no entry fits well enough", 0.4)
    # The second is taught to be answered by q04: not to answer it any more goes against a person.
    return Comparison(6, 1, 3, 3, 0, (Change(1, kept, sent), Change(2, sent, kept)))


def _reached_by_keys(page: Page) -> int:
    """How many places the tabulator stops at, until it leaves the page."""
    stops = 0
    while stops < 400:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            return stops
        stops += 1
    raise AssertionError("the keyboard does not come out of the page again")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_page_is_sound_fits_a_phone_and_is_reached_by_keys(
    pages: Served, browser: Browser, sound: Look, language: str
) -> None:
    addresses = _filled(pages)
    assert set(addresses) | NOT_FOR_EYES == {route.path for route in (*PAGES, *OPEN) if "GET" in (route.methods or ())}
    token = pages.account(role=Role.ADMINISTRATOR, language=language)
    page = pages.enter(browser, token, viewport={"width": 360, "height": 740}).new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for path, address in addresses.items():
        reply = page.goto(address)
        assert reply is not None
        assert reply.status == 200, path
        if path == "/mails/{number}/html":  # a stranger's, in a frame: neither its colours nor its headings are ours
            continue
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
        if language == "en":  # the same page in other words
            continue
        sound(page)
        links = page.locator("main a:visible, main button:visible, main input:visible, main select:visible").count()
        assert _reached_by_keys(page) >= min(links, 3), path
    assert complaints == []
