"""Hostile mail on the staff pages: nothing of it runs, loads, or is opened, and all of it can be looked at."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from playwright.sync_api import Browser, Page, expect

from responder.store import audit
from responder.store.engine import reading
from tests.desk.conftest import Look, Served
from tests.desk.mails import PAYMENT, mail
from tests.hostile import HOSTILE


@contextmanager
def _canary() -> Iterator[tuple[str, list[str]]]:
    """A server on loopback that must stay silent: the paths it was asked for."""
    heard: list[str] = []

    class Listening(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        do_POST = do_HEAD = do_GET  # noqa: N815 - likewise

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listening)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _hostile(canary: str) -> bytes:
    """Every way that a mail has to run something, or to tell its sender that it was read."""
    script = f"<script>fetch('{canary}/script')</script><img src=x onerror=\"fetch('{canary}/onerror')\">"
    html = f"""<html><head><base href="{canary}/"><meta http-equiv="refresh" content="0;url={canary}/refresh">
    <link rel="stylesheet" href="{canary}/sheet"><link rel="prefetch" href="{canary}/prefetch">
    <link rel="dns-prefetch" href="{canary}"><style>body {{ background: url({canary}/css) }}
    @import '{canary}/import';</style></head>
    <body background="{canary}/background" onload="fetch('{canary}/onload')">{script}
    <img src="{canary}/img"><img srcset="{canary}/srcset 2x"><picture><source srcset="{canary}/source"></picture>
    <div style="background-image:url('{canary}/style')">本文</div>
    <video poster="{canary}/poster" src="{canary}/video"></video>
    <audio src="{canary}/audio" autoplay></audio>
    <iframe src="{canary}/iframe"></iframe><object data="{canary}/object"></object>
    <embed src="{canary}/embed"><svg><image href="{canary}/svg"/><script>fetch('{canary}/svgscript')</script></svg>
    <math><mtext><style><img src="{canary}/math"></style></mtext></math><input type="image" src="{canary}/input">
    <form action="{canary}/form"><button autofocus onfocus="this.click()">x</button></form>
    <a href="javascript:fetch('{canary}/javascript')">押す</a><a ping="{canary}/ping" href="{canary}/link">読む</a>
    <table background="{canary}/table"><tr><td>表</td></tr></table></body></html>"""
    made = EmailMessage(policy=SMTP)
    made["From"] = f'"{script}" <tanaka@contractor.example>'.replace("\n", "")
    made["To"], made["Subject"] = "support@example.jp", f"件名{script}"
    made["Reply-To"] = "<script>@contractor.example"
    made["Message-ID"] = "<hostile.1@contractor.example>"
    made.set_content(f"本文です。{script}\nお支払日はいつでしょうか。\n")
    made.add_alternative(html, subtype="html")
    for name, kind in (("page.html", "html"), ("picture.svg", "svg+xml"), (f"{script}.txt", "plain")):
        content = f"<svg xmlns='http://www.w3.org/2000/svg' onload=\"fetch('{canary}/file')\"/>{script}".encode()
        main = "image" if kind.startswith("svg") else "text"
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
        made.get_payload()[-1].replace_header("Content-Type", f"{main}/{kind}")  # type: ignore[union-attr,index]
    return made.as_bytes()


def _visited(page: Page, *paths: str) -> None:
    for path in paths:
        page.goto(path)
        for summary in page.locator("main summary").all():
            if summary.is_visible():
                summary.click()
        page.wait_for_timeout(300)


def test_nothing_of_a_hostile_mail_runs_or_tells_its_sender_anything(pages: Served, browser: Browser) -> None:
    with _canary() as (url, heard):
        pages.take_in(_hostile(url))
        context = pages.enter(browser, pages.account())
        page = context.new_page()
        dialogs: list[str] = []
        page.on("dialog", lambda dialog: dialogs.append(dialog.message))
        _visited(page, "/cases", "/cases?q=script", "/cases/1", "/mails/1", "/mails/1/readings", "/mails/1/html")
        page.goto("/mails/1")
        page.get_by_text("HTMLで表示").click()
        frame = page.frame_locator(".markup iframe")
        expect(frame.get_by_text("本文")).to_be_visible()
        assert f"{url}/link" in frame.locator("body").inner_text()
        context.close()
    assert heard == []
    assert dialogs == []


def test_the_frame_of_a_mails_html_is_shut_even_if_the_sanitiser_let_something_through(pages: Served) -> None:
    pages.take_in(_hostile("http://127.0.0.1:9"))
    reply = pages.client(pages.account()).get("/mails/1/html")
    policy = reply.headers["content-security-policy"].split("; ")
    assert policy[:2] == ["sandbox", "default-src 'none'"]
    assert "127.0.0.1:9/img" not in reply.text
    assert "<script" not in reply.text


def test_files_are_saved_and_never_opened(pages: Served, browser: Browser) -> None:
    with _canary() as (url, heard):
        pages.take_in(_hostile(url))
        context = pages.enter(browser, pages.account())
        page = context.new_page()
        page.goto("/mails/1")
        links = page.locator(".files a")
        names = []
        for place in range(links.count()):
            with page.expect_download() as saved:
                links.nth(place).click()
            names.append(saved.value.suggested_filename)
        assert names[:2] == ["page.html", "picture.svg"]
        assert not set('<>/\\"') & set(names[2])
        for place in range(3):
            # Whoever is sent the bare address gets a file as well.
            reply = pages.client(pages.account()).get(f"/mails/1/attachments/{place}")
            assert reply.headers["content-type"] == "application/octet-stream"
            assert reply.headers["content-disposition"].startswith("attachment;")
            assert "sandbox" in reply.headers["content-security-policy"]
        context.close()
    assert heard == []


@pytest.mark.parametrize(
    "path",
    [
        "/mails/9",
        "/mails/9/raw",
        "/mails/1/attachments/7",
        "/mails/1/attachments/-1",
        "/mails/x",
        "/mails/1/attachments/..%2f",
    ],
)
def test_what_is_not_there_is_not_found(pages: Served, path: str) -> None:
    pages.take_in(mail("件", "お支払日はいつでしょうか。"))
    assert pages.client(pages.account()).get(path).status_code == 404


def test_the_original_octets_are_kept_to_the_last(pages: Served) -> None:
    raw = _hostile("http://127.0.0.1:9")
    pages.take_in(raw)
    assert pages.client(pages.account()).get("/mails/1/raw").content == raw


def test_a_garbled_mail_is_offered_by_other_charsets(pages: Served, browser: Browser, sound: Look) -> None:
    text = "お世話になっております。契約書の金額に誤りがありました。どうすればよいですか。"
    field = "=?utf-8?b?44GK5bCL44Gt?="
    start = f"From: tanaka@contractor.example\r\nTo: support@example.jp\r\nSubject: {field}\r\n"
    head = start + "Content-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    pages.take_in(head.encode() + text.encode("utf-8").decode("cp1252", "replace").encode("utf-8") + b"\r\n")
    page = pages.enter(browser, pages.account()).new_page()
    page.goto("/mails/1/readings")
    expect(page.locator("section.mail").first).to_be_visible()
    sound(page)


def test_quotations_are_folded_where_they_are_long_and_links_show_where_they_lead(
    pages: Served, browser: Browser, sound: Look
) -> None:
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"], made["Subject"] = "tanaka@contractor.example", "support@example.jp", "件"
    quoted = "\n".join(f"> 回答の{line}行目です。" for line in range(9))
    made.set_content(f"> 短い引用です。\n\nお支払日はいつでしょうか。\n\n{quoted}\n")
    made.add_alternative(f'<p>本文</p><a href="https://a.example/{"a" * 200}">こちら</a>', subtype="html")
    pages.take_in(made.as_bytes())
    context = pages.enter(browser, pages.account(), viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto("/mails/1")
    expect(page.get_by_text("短い引用です。")).to_be_visible()
    expect(page.get_by_text("回答の8行目です。")).to_be_hidden()
    page.get_by_text("引用（9行）").click()
    expect(page.get_by_text("回答の8行目です。")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    sound(page)
    page.goto("/mails/1/html")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    context.close()


def test_every_hostile_mail_has_its_page(pages: Served) -> None:
    """Whatever a mail holds, the page says what can be said of it, and its octets can be saved."""
    # The large ones are shown as quickly or as little, but take long to decide on (tests/mail/test_view.py has them).
    raws = [hostile.raw for hostile in HOSTILE.values() if len(hostile.raw) < 100_000]
    numbers = pages.take_in(*raws, sender="taro@example.jp")
    client = pages.client(pages.account())
    for number in numbers:
        assert client.get(f"/mails/{number}").status_code == 200
        assert client.get(f"/mails/{number}/html").status_code == 200
    assert client.get("/cases").status_code == 200


@pytest.mark.parametrize("path", ["/mails/1", "/mails/1/html", "/mails/1/readings"])
def test_whoever_reads_a_mail_is_in_the_audit_however_they_came_to_it(pages: Served, path: str) -> None:
    pages.take_in(PAYMENT)
    client = pages.client(pages.account())
    assert client.get(path).status_code == 200
    with reading(pages.engine) as connection:
        assert [event.object for event in audit.listing(connection, audit.Filters(action="mail.see"))] == ["mail:1"]
