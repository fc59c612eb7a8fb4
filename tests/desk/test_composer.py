"""Answering in the browser: from a suggestion to the mail that leaves, alone and against others."""

import asyncio
import re
import smtplib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from html import unescape
from threading import Barrier

from aiosmtpd.smtp import SMTP, Envelope, Session
from playwright.sync_api import Browser, Page, expect
from sqlalchemy.engine import Engine

from responder.courier.agent import deliver_next
from responder.courier.smtp import Smarthost, SmtpNextHop
from responder.mail.delivery import Schedule
from responder.store import audit, case_events, cases, casework, composing, drafts, outbox, snippets
from responder.store.accounts import Role
from responder.store.engine import reading
from responder.worker import triage_next
from tests.desk.conftest import Look, Served
from tests.desk.mails import PAYMENT, SEAL, mail
from tests.knowledge import briefing, reader
from tests.listening import listening

TEXT = "お支払いは翌月末でございます。"


def _answers(engine: Engine) -> list[outbox.Listing]:
    with reading(engine) as connection:
        return [row for row in outbox.listing(connection) if row.kind == "person"]


def _events(engine: Engine, case: int = 1) -> list[str]:
    with reading(engine) as connection:
        return [event.event for event in case_events.of_case(connection, case)]


def _seen(engine: Engine, case: int = 1) -> int:
    with reading(engine) as connection:
        return case_events.newest(connection, case)


def _open(pages: Served, browser: Browser, login: str = "sato", **options: bool) -> Page:
    token = pages.account(login, name={"sato": "佐藤", "suzuki": "鈴木"}[login])
    page = pages.enter(browser, token, **options).new_page()
    page.goto("/cases/1")
    return page


def _send(page: Page) -> None:
    page.get_by_role("button", name="送信して対応済みにする").click()


def test_a_suggestion_is_inserted_kept_looked_at_sent_and_taken_back(
    pages: Served, browser: Browser, sound: Look
) -> None:
    pages.take_in(PAYMENT, SEAL)
    page = _open(pages, browser)
    expect(page.locator("#salutation")).to_have_value("田中 一郎 様")
    sound(page)
    wording = page.locator(".inserts [name=insert]").first.get_attribute("data-first")
    assert wording
    page.keyboard.press("1")
    expect(page.locator("#text")).to_have_value(wording)
    expect(page.locator("#draft-state")).to_contain_text("下書きを保存しました")
    page.reload()
    expect(page.locator("#text")).to_have_value(wording)
    page.get_by_role("button", name="プレビュー").click()
    expect(page.locator(".letter-text")).to_contain_text(wording.splitlines()[0])
    expect(page.locator(".letter")).to_contain_text("tanaka@contractor.example")
    sound(page)
    _send(page)
    page.wait_for_url("**/cases/2?sent=1.*")
    assert [(row.state, row.recipient) for row in _answers(pages.engine)] == [("queued", "tanaka@contractor.example")]
    page.keyboard.press("z")
    page.wait_for_url("**/cases/1?said=undone")
    expect(page.locator("#text")).to_have_value(wording)
    assert _answers(pages.engine)[0].state == "withdrawn"
    assert _events(pages.engine) == ["opened", "answered", "withdrawn"]


def test_without_scripts_all_of_it_works_too(pages: Served, browser: Browser) -> None:
    pages.take_in(PAYMENT)
    with pages.engine.begin() as connection:
        snippets.add(connection, owner=None, title="結び", text="よろしくお願いいたします。", now=datetime.now(UTC))
    page = _open(pages, browser, java_script_enabled=False)
    page.locator("#text").fill("一行目")
    page.locator(".inserts [name=insert]").nth(1).click()
    page.get_by_role("button", name="定型文を挿入").click()
    text = page.locator("#text").input_value()
    assert text.startswith("一行目\n\n")
    assert text.endswith("\n\nよろしくお願いいたします。")
    page.locator("#salutation").press("Enter")
    assert _answers(pages.engine) == []
    _send(page)
    page.get_by_role("button", name="送信を取り消す").click()
    expect(page.locator("#text")).to_have_value(text)
    page.locator("#note summary").click()
    page.locator("#note-text").fill("確認中")
    page.get_by_role("button", name="メモを残す").click()
    expect(page.locator(".note")).to_contain_text("確認中")


def test_who_answers_second_sees_what_came_in_between_and_keeps_the_draft(
    pages: Served, browser: Browser, sound: Look
) -> None:
    pages.take_in(PAYMENT)
    first, second = _open(pages, browser, "sato"), _open(pages, browser, "suzuki")
    second.locator("#text").fill("別の回答です。")
    first.locator("#text").fill(TEXT)
    first.locator("#text").press("Control+Enter")
    first.wait_for_url("**/cases?sent=1.*")
    _send(second)
    expect(second.locator("h1")).to_have_text("送信していません")
    expect(second.locator(".events")).to_contain_text("佐藤：回答しました")
    expect(second.locator("main")).to_contain_text("別の回答です。")
    sound(second)
    assert len(_answers(pages.engine)) == 1
    second.get_by_role("link", name="最新の内容を確認する").click()
    second.get_by_role("button", name="未対応に戻す").click()
    expect(second.locator("#text")).to_have_value("別の回答です。")
    _send(second)
    second.wait_for_url("**/cases?sent=1.*")
    assert len(_answers(pages.engine)) == 2


def test_of_two_who_send_at_the_same_moment_one_does(pages: Served) -> None:
    numbers = pages.take_in(*(mail(f"質問 {n}", "先月分のお振込みはいつ頃でしょうか。", number=n) for n in range(6)))
    tokens = [pages.account("sato"), pages.account("suzuki")]
    barrier = Barrier(2)

    def send(token: str) -> list[str]:
        ends = []
        for number in numbers:
            barrier.wait(timeout=30)
            fields = {"do": "send", "text": TEXT, "seen": str(_seen(pages.engine, number))}
            reply = pages.post(token, f"/cases/{number}/answer", **fields)
            ends.append(reply.headers.get("location", str(reply.status_code)))
            barrier.wait(timeout=30)
        return ends

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(send, tokens))
    for ends in zip(*both, strict=True):
        assert sum("sent=" in end for end in ends) == 1
    assert len(_answers(pages.engine)) == len(numbers)


def test_a_colleague_sees_who_is_writing_and_takes_over(pages: Served, browser: Browser, sound: Look) -> None:
    pages.take_in(PAYMENT)
    writer = _open(pages, browser, "sato")
    writer.locator("#text").fill(TEXT)
    expect(writer.locator("#draft-state")).to_contain_text("下書きを保存しました")
    colleague = _open(pages, browser, "suzuki")
    expect(colleague.locator("#composing")).to_contain_text("✎ 佐藤さんが回答を作成中です")
    sound(colleague)
    colleague.get_by_role("button", name="担当を自分に変更して回答を書く").click()
    expect(colleague.locator("#composing")).not_to_contain_text("返信作成中")
    _send(writer)
    expect(writer.locator(".events")).to_contain_text("鈴木：担当になりました")
    assert _answers(pages.engine) == []
    with reading(pages.engine) as connection:
        writing = composing.holder(connection, 1, now=datetime.now(UTC))
    assert writing is not None
    assert writing.who == "suzuki"


def test_an_input_method_at_work_and_a_plain_enter_send_nothing(pages: Served, browser: Browser) -> None:
    pages.take_in(PAYMENT)
    page = _open(pages, browser)
    page.locator("#text").fill(TEXT)
    for composed in ("isComposing: true", "keyCode: 229"):
        press = f"new KeyboardEvent('keydown', {{key: 'Enter', ctrlKey: true, bubbles: true, {composed}}})"
        page.evaluate(f"document.getElementById('text').dispatchEvent({press})")
        for key in "1raz?en":
            press = f"new KeyboardEvent('keydown', {{key: '{key}', bubbles: true, {composed}}})"
            page.evaluate(f"document.body.dispatchEvent({press})")
    page.locator("#text").press("End")
    page.keyboard.press("Enter")
    page.keyboard.type("1")
    expect(page.locator("#text")).to_have_value(f"{TEXT}\n1")
    page.locator("#salutation").press("Enter")
    page.wait_for_url("**/cases/1#answer")
    assert (_answers(pages.engine), _events(pages.engine)) == ([], ["opened"])


def test_keys_open_what_they_are_for_and_are_silent_where_they_were_turned_off(pages: Served, browser: Browser) -> None:
    pages.take_in(PAYMENT)
    page = _open(pages, browser)
    for key, focused in (("r", "text"), ("n", "note-text"), ("e", "close-reason")):
        page.locator("h1").click()
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement.id") == focused
        page.evaluate("document.activeElement.blur()")
    page.keyboard.press("?")
    expect(page.locator(".keys")).to_be_visible()
    page.keyboard.press("a")
    page.wait_for_url("**/cases/1?said=saved")
    assert _events(pages.engine) == ["opened", "taken"]
    quiet = pages.enter(browser, pages.account("ito", shortcuts=False)).new_page()
    quiet.goto("/cases/1")
    quiet.keyboard.press("n")
    assert quiet.locator("#note-text").is_hidden()


def test_a_phone_need_not_scroll_sideways(pages: Served, browser: Browser) -> None:
    pages.take_in(PAYMENT)
    page = pages.enter(browser, pages.account(), viewport={"width": 360, "height": 740}).new_page()
    for path in ("/cases/1", "/snippets"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


SOON = (datetime.now(UTC) + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
DEEDS = [
    ("take", {}, "taken"),
    ("assign", {"to": "suzuki"}, "assigned"),
    ("take-over", {}, "taken over"),
    ("release", {}, "released"),
    ("hold", {"until": SOON, "reason": "確認中"}, "held"),
    ("resume", {}, "resumed"),
    ("note", {"text": "メモ"}, "note"),
    ("spam", {}, "spam"),
    ("reopen", {}, "reopened"),
    ("close", {"reason": "電話で回答"}, "closed"),
    ("split", {"mail": "3"}, "split"),
    ("reopen", {}, "reopened"),
    ("merge", {"into": "R-000002"}, "merged"),
]


def test_every_form_does_its_deed_tells_it_and_is_audited(pages: Served) -> None:
    pages.take_in(PAYMENT, mail("別の件", "先月分のお振込みはいつ頃でしょうか。", number=2), SEAL)
    token = pages.account()
    pages.account("suzuki")
    with pages.engine.begin() as connection:
        casework.close(connection, 3, reason="called", who="suzuki", now=datetime.now(UTC))
        cases.open_case(connection, 1, reason="asked again", caused_by=None, now=datetime.now(UTC))
    told = _events(pages.engine)
    for name, fields, event in DEEDS:
        if name == "split":
            assert pages.post(token, "/cases/1/split", **fields).status_code == 409
            continue
        if name == "reopen" and told[-1] == "reopened":
            continue
        reply = pages.post(token, f"/cases/1/{name}", **fields)
        assert (reply.status_code, reply.headers["location"]) == (303, "/cases/1?said=saved"), name
        told.append(event)
    assert _events(pages.engine) == told
    with reading(pages.engine) as connection:
        actions = {one.action for one in audit.listing(connection) if one.object == "case:1"}
    assert actions == {f"case.{name}" for name, _, _ in DEEDS if name != "split"}


def test_no_form_does_anything_without_its_secret_or_for_a_case_that_is_none(pages: Served) -> None:
    pages.take_in(PAYMENT)
    token = pages.account()
    given = {name: fields for name, fields, _ in DEEDS}
    for name in [*given, "answer", "draft", "composing", "undo"]:
        fields = {"text": "x", "do": "send"} | given.get(name, {})
        assert pages.post(token, f"/cases/1/{name}", csrf="wrong", **fields).status_code == 403, name
        assert pages.post(token, f"/cases/99/{name}", **fields).status_code == 404, name
    assert _events(pages.engine) == ["opened"]


def test_what_cannot_be_done_is_said_in_words(pages: Served) -> None:
    pages.take_in(PAYMENT)
    token = pages.account()
    refused = pages.post(token, "/cases/1/hold", until="いつか", reason="x")
    assert refused.status_code == 409
    assert "入力されていない項目があります。" in refused.text
    for fields, words in (
        ({"text": " "}, "本文が入力されていないため、送信していません。本文を入力してください。"),
        ({"text": "あ" * 20_001}, "本文が長すぎます。"),
        ({"text": "【この質問への回答を、ここにご記入ください】"}, "の箇所が残っているため"),
    ):
        reply = pages.post(token, "/cases/1/answer", do="send", seen=str(_seen(pages.engine)), **fields)
        assert words in pages.client(token).get(reply.headers["location"]).text
    assert _answers(pages.engine) == []


def test_snippets_are_shared_by_editors_alone(pages: Served, browser: Browser, sound: Look) -> None:
    agent, editor = pages.account("sato"), pages.account("ito", role=Role.EDITOR)
    assert pages.post(agent, "/snippets", title="結び", text="敬具", shared="yes").status_code == 403
    assert pages.post(editor, "/snippets", title="結び", text="敬具", shared="yes").status_code == 303
    assert pages.post(agent, "/snippets/drop", snippet="1").status_code == 404
    assert pages.post(agent, "/snippets/drop", snippet="1", shared="yes").status_code == 403
    page = pages.enter(browser, agent).new_page()
    page.goto("/snippets")
    page.get_by_label("名前").fill("<b>お詫び</b>")
    page.get_by_label("文面").fill("申し訳ございません。")
    page.get_by_role("button", name="登録する").click()
    expect(page.get_by_role("heading", name="<b>お詫び</b>")).to_be_visible()
    expect(page.get_by_text("編集")).to_have_count(1)
    sound(page)


def _apart(work: Callable[[], None]) -> None:
    """In a thread of its own, as the browser's loop runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result(timeout=60)


class _NextHop:
    """Takes every mail, and keeps it."""

    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        content = envelope.content
        self.mails.append(content if isinstance(content, bytes) else (content or "").encode())
        return "250 OK"


def test_a_question_that_came_by_smtp_is_answered_and_leaves_by_smtp(pages: Served, browser: Browser) -> None:
    async def take_in() -> None:
        async with listening(pages.engine) as (_, bound):
            await asyncio.to_thread(_hand_in, bound[0][1], PAYMENT)

    _apart(lambda: asyncio.run(take_in()))
    now, lease = datetime.now(UTC), timedelta(minutes=5)
    assert triage_next(pages.engine, briefing(), reader(), now=now, limit=5, lease=lease) == 1
    page = _open(pages, browser)
    page.locator("#text").fill(TEXT)
    _send(page)
    page.wait_for_url("**/cases?sent=1.*")
    hop = _NextHop()

    async def deliver() -> None:
        server = await asyncio.get_running_loop().create_server(lambda: SMTP(hop), "127.0.0.1", 0)
        next_hop = SmtpNextHop(Smarthost("127.0.0.1", server.sockets[0].getsockname()[1], tls="none"))
        later = datetime.now(UTC) + pages.desk.undo
        await deliver_next(pages.engine, next_hop, Schedule(), now=later, draw=lambda: 0.0, limit=9, lease=lease)
        await next_hop.close()
        server.close()

    _apart(lambda: asyncio.run(deliver()))
    assert len(hop.mails) == 2
    assert _answers(pages.engine)[0].state == "sent"
    page.get_by_role("button", name="送信を取り消す").click()
    expect(page.locator(".said")).to_contain_text("送信の処理が始まっているため、取り消せませんでした。")
    assert _events(pages.engine) == ["opened", "answered"]


def _hand_in(port: int, raw: bytes) -> None:
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as client:
        client.sendmail("tanaka@contractor.example", ["support@example.jp"], raw)


ENGLISH = mail(
    "Payment date",
    "Dear Support Team,\n\nCould you please tell us on which day last month's invoice will be paid to us?\n\n"
    "Best regards,\nJohn Smith",
    author="John Smith <smith@contractor.example>",
    number=9,
)


def test_an_english_mail_is_answered_in_english_from_the_salutation_to_the_signature(pages: Served) -> None:
    pages.take_in(ENGLISH)
    token = pages.account(name="佐藤")
    page = pages.client(token).get("/cases/1").text
    assert 'value="Dear John Smith,"' in page
    wordings = re.findall(r'data-first="([^"]*)"', page)
    assert wordings
    assert all(wording.startswith("Thank you for your inquiry") for wording in wordings)
    assert not any(re.search("[ぁ-ゖ]", wording) for wording in wordings)
    fields = {"salutation": "Dear John Smith,", "seen": str(_seen(pages.engine))}
    entry = re.findall(r'name="insert" value="(q\d+)"', page)[0]
    pages.post(token, "/cases/1/answer", insert=entry, text="", **fields)
    with reading(pages.engine) as connection:
        draft = drafts.load(connection, 1, who="sato")
    assert draft is not None
    assert draft.text.strip() == unescape(wordings[0]).strip()
    pages.post(token, "/cases/1/answer", do="send", text="At the end of next month.", **fields)
    (sent,) = _answers(pages.engine)
    with reading(pages.engine) as connection:
        letter = message_from_bytes(outbox.raw_of(connection, sent.id) or b"", policy=default)
    assert letter["Subject"] == "Re: Payment date (reference R-000001)"
    assert letter.get_content().startswith("Dear John Smith,")
    assert "担当" not in letter.get_content()
