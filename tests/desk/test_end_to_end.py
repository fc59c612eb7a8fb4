"""One mail from the contractor's server to the contractor's server, through the hands of a member of staff."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, expect

from tests.desk.conftest import Look
from tests.desk.mails import PAYMENT
from tests.service import running


class _Kept:
    """What a next hop was given."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 2.0.0 Ok"


@contextmanager
def _next_hop() -> Iterator[tuple[str, _Kept]]:
    """A real server on loopback, in a thread of its own, beside the browser's."""
    from aiosmtpd.smtp import SMTP

    kept, ready = _Kept(), threading.Event()
    found: list[Any] = []

    async def serve() -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        server = await loop.create_server(lambda: SMTP(kept, hostname="next.example", loop=loop), "127.0.0.1", 0)
        found.extend((loop, stop, server.sockets[0].getsockname()[1]))
        ready.set()
        await stop.wait()
        server.close()

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    ready.wait(10)
    loop, stop, port = found
    try:
        yield f"smtp://127.0.0.1:{port}", kept
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def test_a_mail_comes_is_taken_answered_with_a_suggestion_and_delivered(
    tmp_path: Path, browser: Browser, sound: Look
) -> None:
    with _next_hop() as (hop, kept):
        settings = {"RESPONDER_COURIER__NEXT_HOP": hop, "RESPONDER_COURIER__TLS": "none"}
        with running(tmp_path, f"sqlite:///{tmp_path}/responder.db", **settings) as service:
            context = browser.new_context(base_url=service.url, locale="ja-JP")
            context.add_cookies([{"name": "desk", "value": service.session(), "url": service.url}])
            page = context.new_page()
            page.goto("/")
            expect(page.locator(".row")).to_have_count(0)
            service.mail(PAYMENT)
            row = page.locator("#case-1")
            expect(row).to_be_visible(timeout=30_000)
            page.keyboard.press("j")
            page.keyboard.press("Enter")
            page.wait_for_url("**/cases/1")
            expect(page.get_by_text("先月分の請求書のお支払日はいつでしょうか。").first).to_be_visible()
            page.keyboard.press("a")
            expect(page.locator(".state-taken")).to_be_visible()
            page.keyboard.press("1")
            wording = page.locator(".inserts [name=insert]").first.get_attribute("data-first") or ""
            assert wording.strip()
            page.locator("#text").press("Control+Enter")
            page.wait_for_url("**sent=1**")
            service.wait_for(lambda: [mail for mail in kept.mails if mail["Auto-Submitted"] is None], 60)
            page.goto("/cases/1")
            expect(page.locator(".sent .state-sent").last).to_be_visible()
            sound(page)
            context.close()
    (answer,) = [mail for mail in kept.mails if mail["Auto-Submitted"] is None]
    assert answer["To"] == "tanaka@contractor.example"
    assert answer["In-Reply-To"] in PAYMENT.decode()
    text = answer.get_content()
    assert text.startswith("田中 一郎 様")
    assert "".join(wording.split()) in "".join(text.split())
