"""A real aiosmtpd on loopback as the next hop, which notes what it is told and can be put into a bad mood."""

# ruff: noqa: N802 - aiosmtpd finds its methods by these names

import asyncio
import collections
import contextlib
import functools
import ssl
import subprocess
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from aiosmtpd.smtp import SMTP, AuthResult, Session
from aiosmtpd.smtp import Envelope as Arrived
from sqlalchemy.engine import Engine

from responder.courier.agent import NextHop, deliver_next
from responder.courier.smtp import Smarthost, SmtpNextHop
from responder.mail.delivery import Outcome, Schedule
from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import cases, inbox, outbox
from responder.store.outbox import Delivery, DeliveryKind


class NextHopServer:
    """What the server was told, and what it shall answer: for each verb what it says at first.

    A mood is a reply, or "drop" (the connection is cut), "cut" (so is the reply), "hang" (silence), "late" (after a
    while as ever), or "drip" (a reply that never ends).
    Verbs: GREETING, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, DOT (the answer to the mail itself), RSET, QUIT.
    """

    def __init__(self) -> None:
        self.port = 0
        self.moods: dict[str, list[str]] = collections.defaultdict(list)
        self.verbs: list[str] = []
        self.arguments: list[str] = []
        self.mails: list[Arrived] = []
        self.sessions: list[Session] = []
        self.connections = 0
        self.open = 0
        self.most_open = 0
        self.changed = asyncio.Condition()
        self.logins: list[tuple[str, str, str]] = []
        self.accepts: Callable[[str, str, str], bool] = lambda mechanism, user, secret: True
        self.before_accepting: Callable[[], Awaitable[object]] | None = None
        self.offers: list[str] = []

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(condition)

    async def notify(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    def told(self, verb: str) -> int:
        return self.verbs.count(verb)

    def smarthost(self, **settings: Any) -> Smarthost:
        """Settings that lead here, in clear unless said otherwise."""
        usual: dict[str, Any] = {"host": "127.0.0.1", "port": self.port, "tls": "none"}
        usual |= {"local_hostname": "faq.example.jp", "timeout": timedelta(seconds=5)}
        return Smarthost(**(usual | settings))

    async def attempt(self, *deliveries: Delivery, **settings: Any) -> list[Outcome]:
        """Hand mails over one after another, by a next hop opened and closed for them."""
        next_hop = SmtpNextHop(self.smarthost(**settings))
        try:
            return [await next_hop.attempt(delivery) for delivery in deliveries]
        finally:
            await next_hop.close()

    # What aiosmtpd calls.

    async def handle_DATA(self, server: Any, session: Session, envelope: Arrived) -> str:
        if self.before_accepting is not None:
            await self.before_accepting()
        self.mails.append(envelope)
        self.sessions.append(session)
        return "250 2.0.0 Ok: queued as 4B1"

    async def handle_EHLO(
        self, server: Any, session: Session, envelope: Arrived, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], *(f"250-{offer}" for offer in self.offers), responses[-1]]

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> AuthResult:
        user, bearer, *_ = b64decode(args[1]).decode().split("\x01")
        self.logins.append(("XOAUTH2", user.removeprefix("user="), bearer.removeprefix("auth=Bearer ")))
        if self.accepts(*self.logins[-1]):
            return AuthResult(success=True)
        await server.challenge_auth('{"status":"400"}')
        return AuthResult(success=False, handled=False)

    def authenticate(self, server: Any, session: Session, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        self.logins.append((mechanism, data.login.decode(), data.password.decode()))
        return AuthResult(success=self.accepts(*self.logins[-1]), handled=False)


class MoodySmtp(SMTP):
    """An aiosmtpd session that asks its server for its mood before it answers."""

    def __init__(self, server: NextHopServer, **kwargs: Any) -> None:
        self._server = server
        self._greeted = False
        super().__init__(server, authenticator=server.authenticate, auth_require_tls=False, **kwargs)
        self._smtp_methods = {
            verb: functools.partial(self._answer, verb, normally) for verb, normally in self._smtp_methods.items()
        }

    def connection_made(self, transport: Any) -> None:
        if self._original_transport is None:  # not again after STARTTLS
            self._server.connections += 1
            self._server.open += 1
            self._server.most_open = max(self._server.most_open, self._server.open)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._server.open -= 1
        self._notified = asyncio.ensure_future(self._server.notify())
        super().connection_lost(error)

    async def push(self, status: Any) -> None:
        greeting, self._greeted = not self._greeted, True
        dot = str(status).startswith("250 2.0.0 Ok")
        verb = "GREETING" if greeting else "DOT" if dot else None
        if verb is None or not await self._is_moody(verb):
            await super().push(status)

    async def _is_moody(self, verb: str) -> bool:
        self._server.verbs.append(verb)
        await self._server.notify()
        if not self._server.moods[verb]:
            return False
        match self._server.moods[verb].pop(0):
            case "drop":
                self._writer.transport.abort()
            case "cut":
                self._writer.write(b"250 2.0")
                self._writer.transport.close()
            case "hang":
                await asyncio.get_running_loop().create_future()
            case "late":
                await asyncio.sleep(0.2)
                return False
            case "drip":
                while not self._writer.transport.is_closing():
                    self._writer.write(b"250-and\r\n")
                    await asyncio.sleep(0.01)
            case reply:
                self._writer.write(reply.encode("utf-8", "surrogateescape") + b"\r\n")
                if reply.startswith("421"):
                    self._writer.transport.close()
        return True

    async def _answer(self, verb: str, normally: Callable[[str], Awaitable[None]], arg: str) -> None:
        self._server.arguments.append(f"{verb} {arg}")
        if verb == "RCPT" and "DSN" in self._server.offers:
            arg = arg.removesuffix(" NOTIFY=NEVER")  # which aiosmtpd does not know
        if not await self._is_moody(verb):
            await normally(arg)


NOW = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)

Start = Callable[..., Awaitable[NextHopServer]]


@pytest.fixture
async def start_server(anyio_backend: str) -> AsyncIterator[Start]:
    """Start a server; `implicit_tls` is for TLS from the first octet, the rest is for aiosmtpd's SMTP."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*, implicit_tls: ssl.SSLContext | None = None, **kwargs: Any) -> NextHopServer:
            server, loop = NextHopServer(), asyncio.get_running_loop()
            sessions: list[MoodySmtp] = []

            def session() -> MoodySmtp:
                sessions.append(MoodySmtp(server, hostname="hop.example.jp", loop=loop, **kwargs))
                return sessions[-1]

            listening = await loop.create_server(session, "127.0.0.1", 0, ssl=implicit_tls)
            server.port = listening.sockets[0].getsockname()[1]

            async def end() -> None:
                listening.close()
                for each in sessions:
                    if isinstance(each.transport, asyncio.Transport):
                        each.transport.abort()
                await server.until(lambda: server.open == 0)

            stack.push_async_callback(end)
            return server

        yield start


@pytest.fixture
async def server(start_server: Start) -> NextHopServer:
    return await start_server()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A throw-away certificate and its key for 127.0.0.1, in one PEM file that serves as authority, too."""
    folder = tmp_path_factory.mktemp("tls")
    request = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hop"
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "certificate.pem"]
    subprocess.run([*request.split(), *names], check=True, capture_output=True, cwd=folder)
    both = folder / "both.pem"
    both.write_text((folder / "key.pem").read_text() + (folder / "certificate.pem").read_text())
    return both


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def delivery() -> Delivery:
    """An automatic answer on its first attempt."""
    return Delivery(
        id=7,
        inquiry_id=3,
        kind=DeliveryKind.ANSWER,
        message_id="<a1@faq.example.jp>",
        sender="",
        recipient="taro@customer.example.jp",
        raw=b"Message-ID: <a1@faq.example.jp>\r\nSubject: Re: seal\r\n\r\n.\r\nThank you.\r\n",
        attempts=1,
        created_at=NOW,
        lease=1,
        lease_until=NOW + timedelta(minutes=20),
    )


class Store:
    """A store seen from outside: what is put into its outbox, and what has become of it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def queue(self, *, kind: DeliveryKind = DeliveryKind.ANSWER) -> int:
        """Take a mail in, and put one into the outbox for it; the number of the latter."""
        taken_in = Envelope("taro@customer.example.jp", ("faq@example.jp",)), b"Subject: x\r\n\r\n"
        with self.engine.begin() as conn:
            inbox.accept(conn, [taken_in], now=NOW)
            inquiry_id = max(row.id for row in inbox.listing(conn))
            message_id = f"<{inquiry_id}.{kind.value}@faq.example.jp>"
            raw = f"Message-ID: {message_id}\r\nSubject: Re: x\r\n\r\nthe answer\r\n".encode()
            reply = Reply(message_id=message_id, sender="", recipient="taro@customer.example.jp", raw=raw)
            number = outbox.enqueue(conn, reply, inquiry_id=inquiry_id, kind=kind, once=message_id, now=NOW)
            assert number is not None
            return number

    def row(self, number: int) -> outbox.Listing:
        with self.engine.connect() as conn:
            (row,) = (row for row in outbox.listing(conn) if row.id == number)
            return row

    def raw(self, number: int) -> bytes:
        with self.engine.connect() as conn:
            return outbox.raw_of(conn, number) or b""

    def opened(self) -> list[tuple[int, str]]:
        with self.engine.connect() as conn:
            return [(case.id, case.reason) for case in cases.listing(conn)]

    def hide(self, table: str) -> None:
        """Let every statement about a table fail, as if the database were in trouble."""
        with self.engine.begin() as conn:
            conn.execute(sa.text(f"ALTER TABLE {table} RENAME TO hidden_{table}"))

    def show(self, table: str) -> None:
        with self.engine.begin() as conn:
            conn.execute(sa.text(f"ALTER TABLE hidden_{table} RENAME TO {table}"))

    async def until(self, condition: Callable[[], bool]) -> None:
        # A database tells nobody that it has changed.
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(condition):
                await asyncio.sleep(0.01)

    async def deliver(self, next_hop: NextHop, *, now: datetime = NOW, **changes: Any) -> int:
        settings: dict[str, Any] = {"draw": lambda: 0.0, "limit": 20, "lease": timedelta(minutes=20)}
        return await deliver_next(self.engine, next_hop, Schedule(), now=now, **(settings | changes))


@pytest.fixture
def store(engine: Engine) -> Store:
    return Store(engine)


@pytest.fixture
async def next_hop(server: NextHopServer) -> AsyncIterator[SmtpNextHop]:
    opened = SmtpNextHop(server.smarthost())
    yield opened
    await opened.close()


@pytest.fixture
def logged() -> Iterator[list[Any]]:
    """What is logged meanwhile, line by line."""
    with structlog.testing.capture_logs() as lines:
        yield lines
