"""People teach a mail on the page of its case, and the running service answers the next one like it by itself."""

from email.message import EmailMessage
from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.desk.conftest import browser as browser
from tests.knowledge import ADDRESS, ROOT, cold_corpus
from tests.service import ALL, Service, running

LEARNED_FROM_ONE_MORE = 299
"""Labelled mails of two authors: with one more the service learns from them, and until then compares alone."""

INBOX = "info@ で始まる代表の窓口しかございません。みんなで開く窓口ですが、"
ASKED = f"弊社には {INBOX}これを書いて提出してもよいものでしょうか。"
ASKED_AGAIN = f"当社は {INBOX}これを書いて提出しても差し支えありませんか。"


def _corpus(folder: Path) -> Path:
    corpus = cold_corpus(folder)
    (corpus / "examples").mkdir()
    for name, most in (("a", 150), ("b", LEARNED_FROM_ONE_MORE - 150)):
        lines = (ROOT / "faq_corpus" / "examples" / f"{name}.jsonl").read_text("utf-8").splitlines()[:most]
        (corpus / "examples" / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return corpus


def _ask(service: Service, number: int, text: str) -> str:
    """The text of the mail that leaves in return."""
    sender = f"user@contractor{number}.example"
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ADDRESS, "info@ は使えますか"
    mail["Message-ID"] = f"<{number}@contractor{number}.example>"
    mail.set_content(text)
    service.mail(mail.as_bytes(), sender=sender)
    service.wait_for(lambda: len(service.delivered()) == number)
    content: str = service.delivered()[-1].get_content()
    return content


def test_what_is_taught_on_the_page_of_a_case_is_answered_by_itself_the_next_time(
    tmp_path: Path, browser: Browser
) -> None:
    settings = {
        "RESPONDER_SERVICE__CORPUS": str(_corpus(tmp_path)),
        "RESPONDER_SERVICE__STATE": str(tmp_path / "state"),
        "RESPONDER_TRIAGE__RELEARN": "1s",
        # Without the label what is learned of these mails is sure of neither question to this degree.
        "RESPONDER_TRIAGE__FLOOR": "0.995",
    }
    with running(tmp_path, f"sqlite:///{tmp_path}/responder.db", ALL, **settings) as service:
        assert "No.4" not in _ask(service, 1, ASKED)
        context = browser.new_context(base_url=service.url)
        context.add_cookies([{"name": "desk", "value": service.session(), "url": service.url, "sameSite": "Strict"}])
        page = context.new_page()
        page.goto("/cases/1")
        panel = page.locator(".teach")
        if not panel.get_by_label("No.4 ").is_visible():
            panel.get_by_text("ほかのFAQから選ぶ").click()
        panel.get_by_label("No.4 ").check()
        panel.get_by_role("button", name="このFAQの質問として学習させる").click()
        expect(panel.locator(".taught")).to_contain_text("No.4")
        context.close()
        service.wait_for(lambda: [one for one in service.events("knowledge") if one["taught"] == 1], seconds=300)
        assert "No.4" in _ask(service, 2, ASKED_AGAIN)
        (mail,) = service.command("inbox", "show", "2")
        assert (mail["lane"], mail["decision"]["entries"]) == ("answered", ["q04"])
