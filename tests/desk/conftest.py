"""The staff pages as staff open them: served on loopback, and a real browser before them."""

import asyncio
import os
import shutil
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import httpx
import pytest
from argon2 import PasswordHasher
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from sqlalchemy.engine import Engine

from responder.desk import passwords
from responder.desk.desk import Desk
from responder.desk.due import Calendar
from responder.desk.routing import cookie_of
from responder.desk.site import serve, site
from responder.desk.visit import csrf_of
from responder.mail.envelope import Envelope
from responder.store import accounts, inbox, sessions
from responder.store.accounts import Role
from responder.store.engine import open_engine
from responder.worker import triage_next
from tests.knowledge import ADDRESS, AUTHOR, ROOT, briefing, reader, shipped_knowledge, shipped_letters
from tests.service import author_of

expect.set_options(timeout=30_000)  # until what is awaited is there; a machine may be busy

# The tests speak plain HTTP, and to read the authorities' certificates costs every client 50 ms.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

QUIET = [
    "--no-sandbox",  # which a build machine's root cannot have
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # What a browser asks its maker for at the start is nobody's business here.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def desk_on(engine: Engine, **changes: Any) -> Desk:
    """A desk with the shipped wording and corpus; its clock is the machine's unless another is given."""
    clock, calendar = (lambda: datetime.now(UTC)), Calendar(ZoneInfo("Asia/Tokyo"))
    shipped_knowledge()  # read before anybody waits for a page that asks for it
    made = Desk(engine, AUTHOR, shipped_letters, ROOT / "faq_corpus", clock, calendar, knowledge=shipped_knowledge)
    return replace(made, **changes)


@dataclass
class Served:
    """A desk that is being served, and ways to come to it."""

    desk: Desk
    url: str
    open_clients: list[httpx.Client] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        """Its store."""
        return self.desk.engine

    def take_in(self, *raws: bytes, sender: str | None = None) -> list[int]:
        """Mails that came, from their authors or that sender, and went through triage as always: their numbers."""
        now = self.desk.clock()
        with self.engine.begin() as connection:
            before = max((row.id for row in inbox.listing(connection, limit=1)), default=0)
            inbox.accept(connection, [(Envelope(sender or author_of(raw), (ADDRESS,)), raw) for raw in raws], now=now)
        limit, lease = len(raws), timedelta(minutes=5)
        assert triage_next(self.engine, briefing(), reader(), now=now, limit=limit, lease=lease) == limit
        return list(range(before + 1, before + 1 + limit))

    def account(
        self,
        login: str = "sato",
        *,
        name: str = "",
        role: Role = Role.AGENT,
        language: str = "ja",
        shortcuts: bool = True,
    ) -> str:
        """An account, logged in: the token of its session."""
        now = self.desk.clock()
        with self.engine.begin() as connection:
            known = accounts.by_login(connection, login)
            if known is None:
                # No hash at all, so no password opens it: these accounts come in by their sessions alone.
                known = accounts.add(connection, login=login, name=name or login, role=role, now=now)
            assert known is not None
            accounts.set_preferences(connection, known.id, language=language, shortcuts=shortcuts, signature="")
            return sessions.begin(connection, known.id, client="127.0.0.1", now=now)

    def client(self, token: str | None = None) -> httpx.Client:
        """A client without a browser; with a token it is logged in."""
        cookies = {} if token is None else {cookie_of(self.desk): token}
        made = httpx.Client(base_url=self.url, cookies=cookies, timeout=30, verify=NO_TLS)
        self.open_clients.append(made)
        return made

    def post(self, token: str, path: str, **fields: Any) -> httpx.Response:
        """A form of ours, sent as a browser would; the answer is not followed."""
        data = {"csrf": csrf_of(token), **fields}
        return self.client(token).post(path, data=data, headers={"Origin": self.url, "Sec-Fetch-Site": "same-origin"})

    def enter(self, browser: Browser, token: str | None = None, **options: Any) -> BrowserContext:
        """A browser's window of its own; with a token it is logged in."""
        context = browser.new_context(base_url=self.url, locale="ja-JP", timezone_id="Asia/Tokyo", **options)
        context.set_default_timeout(30_000)
        if token is not None:
            context.add_cookies([{"name": cookie_of(self.desk), "value": token, "url": self.url, "sameSite": "Strict"}])
        return context


@contextmanager
def served(desk: Desk) -> Iterator[Served]:
    """Serve the pages from a thread of their own until the test is done."""
    bound = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    ready = threading.Event()

    async def run() -> None:
        stop = asyncio.Event()
        begun.append((asyncio.get_running_loop(), stop))
        ready.set()
        await serve(site(replace(desk, url=desk.url or url)), bound, stop=stop)

    thread = threading.Thread(target=lambda: asyncio.run(run()), name="desk")
    thread.start()
    ready.wait(10)
    made = Served(replace(desk, url=desk.url or url), url)
    try:
        yield made
    finally:
        for client in made.open_clients:
            client.close()
        loop, stop = begun[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        bound.close()


@pytest.fixture
def pages(empty_store: Path, tmp_path: Path) -> Iterator[Served]:
    """The desk on a fresh SQLite store."""
    shutil.copy(empty_store, tmp_path / "desk.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'desk.db'}")
    with served(desk_on(engine)) as running:
        yield running
    engine.dispose()


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed with argon2id as ever, with parameters that cost next to nothing."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    passwords._stand_in.cache_clear()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium, one for a module's tests: its loop must be gone before tests that need one of their own."""
    # Without the windows that nobody sees, a browser takes half the time.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    if program is None:
        if os.environ.get("RESPONDER_TEST_BROWSER") == "required":
            pytest.fail("no Chromium is installed")
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield started
        started.close()


Look = Callable[[Page], None]


@pytest.fixture
def sound() -> Look:
    """Fails where axe finds a fault of accessibility (WCAG 2.2 AA) on a page, in the light or in the dark."""
    from axe_playwright_python.sync_playwright import Axe

    axe = Axe()

    def look(page: Page) -> None:
        # The dark changes colours and nothing else.
        schemes: tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...]
        schemes = (("light", {}), ("dark", {"runOnly": ["color-contrast"]}))
        for scheme, rules in schemes:
            page.emulate_media(color_scheme=scheme)
            found = axe.run(page, options=rules)
            assert found.violations_count == 0, found.generate_report()

    return look
