"""Takes mail in over SMTP and LMTP. What it acknowledges is on disk (Law 1); it decides nothing."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiosmtpd.lmtp
import aiosmtpd.smtp
from sqlalchemy.engine import Engine

from responder import maillog
from responder.mail.address import normalised, valid_address
from responder.mail.envelope import Envelope
from responder.store import inbox

log = maillog.log("listener")

MOST_PER_COMMIT = 200

LONGEST_LINE = 1 << 20
"""aiosmtpd refuses a mail with a line of more than 999 octets for good. Real Japanese HTML mail has longer ones."""

_TROUBLE = "451 4.3.0 Temporary trouble, please try again later"


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What is taken in."""

    hostname: str
    recipients: frozenset[str]
    """Our addresses, normalised."""
    max_message_bytes: int
    timeout: timedelta


class Intake:
    """Writes down every mail that waits at one moment in one transaction: one flush of the disk serves them all."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine = engine
        self._clock = clock
        self._waiting: asyncio.Queue[tuple[Envelope, bytes, asyncio.Future[None]]] = asyncio.Queue()

    async def take(self, envelope: Envelope, raw: bytes) -> None:
        """Return once the mail is committed; raise what kept it from being so.

        The commit is no part of the caller's task: aiosmtpd cancels that as soon as the client hangs up, and a mail
        half stored is worse than one stored whose client will come again.
        """
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.put_nowait((envelope, raw, done))
        await done

    async def run(self) -> None:
        """Commit batch after batch until cancelled."""
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MOST_PER_COMMIT and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            await self._commit(batch)

    async def _commit(self, batch: Sequence[tuple[Envelope, bytes, asyncio.Future[None]]]) -> None:
        try:
            await asyncio.to_thread(self._write, [(envelope, raw) for envelope, raw, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it was, the client must hear 451 (Law 1)
            if len(batch) == 1:
                log.error("not taken in", reason=str(error))
                _settle(batch[0][2], error)
                return
            # One mail that cannot be stored must not take its neighbours along.
            for one in batch:
                await self._commit([one])
        else:
            for _, _, done in batch:
                _settle(done, None)

    def _write(self, mails: Sequence[tuple[Envelope, bytes]]) -> None:
        with self._engine.begin() as connection:
            inbox.accept(connection, mails, now=self._clock())


def _settle(done: asyncio.Future[None], error: Exception | None) -> None:
    if done.cancelled():
        return
    if error is None:
        done.set_result(None)
        return
    done.set_exception(error)
    done.exception()  # seen: the client may be gone, and then nobody else looks at it


class Reception:
    """aiosmtpd's handler: one method per command."""

    def __init__(self, intake: Intake, acceptance: Acceptance) -> None:
        self._intake = intake
        self._acceptance = acceptance

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        # aiosmtpd decodes encoded words inside an address, so that it may hold line breaks by now: only characters
        # that are known to be harmless pass. It gives the null reverse-path as "<>", and needs it so.
        if address != "<>" and not valid_address(address):
            return "553 5.1.7 That address cannot be answered"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if not valid_address(address) or normalised(address) not in self._acceptance.recipients:
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        sender = "" if envelope.mail_from == "<>" else envelope.mail_from
        taken = Envelope(sender, tuple(envelope.rcpt_tos))
        try:
            await self._intake.take(taken, bytes(envelope.original_content))
        except Exception:  # noqa: BLE001 - aiosmtpd would make a permanent 5xx of it; the intake has logged it
            reply = _TROUBLE
        else:
            reply = "250 2.0.0 Ok: queued"
            log.info("accepted", sender=sender, size=len(envelope.original_content), peer=_peer(session))
        # RFC 2033 §4.2: LMTP answers once for every recipient.
        return "\r\n".join([reply] * len(taken.rcpt_to)) if isinstance(server, LmtpSession) else reply

    async def handle_exception(self, error: Exception) -> str:
        """Without this aiosmtpd says 500, for good, with the text of the error in it."""
        log.error("session failed", reason=repr(error))
        return _TROUBLE


def _peer(session: Any) -> str:
    peer = session.peer
    return str(peer[0]) if isinstance(peer, tuple) and peer else "unix"


class _Session:
    """What both protocols add to aiosmtpd's: long lines, and an end that does not cut off a mail in hand."""

    line_length_limit = LONGEST_LINE
    transport: Any
    live: set[Any]
    """The sessions that are open, this one among them while it is."""
    busy = False
    closing = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[misc]  # the mixin's other base has it
        self.live.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.live.discard(self)
        super().connection_lost(error)  # type: ignore[misc]  # the mixin's other base has it

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        self.busy = True
        try:
            await super().smtp_DATA(arg)  # type: ignore[misc]  # the mixin's other base has it
        finally:
            self.busy = False
            if self.closing:
                self.hang_up()

    def hang_up(self) -> None:
        """Say goodbye and close: at once, or after the mail in hand."""
        self.closing = True
        if self.transport is not None and not self.busy:
            self.transport.write(b"421 4.3.2 Closing down\r\n")
            self.transport.close()


class SmtpSession(_Session, aiosmtpd.smtp.SMTP):
    """One client speaking SMTP."""


class LmtpSession(_Session, aiosmtpd.lmtp.LMTP):
    """One client speaking LMTP."""


@dataclass(frozen=True, slots=True)
class Inet:
    """A place to listen at: an address of this machine."""

    host: str
    port: int
    lmtp: bool = False


@dataclass(frozen=True, slots=True)
class Unix:
    """A place to listen at: a socket in the file system, for LMTP."""

    path: str


class Listener:
    """The open sockets and the sessions on them."""

    def __init__(self, engine: Engine, acceptance: Acceptance, clock: Callable[[], datetime]) -> None:
        self._acceptance = acceptance
        self._intake = Intake(engine, clock)
        self._committer: asyncio.Task[None] | None = None
        self._servers: list[asyncio.Server] = []
        self._sessions: set[SmtpSession | LmtpSession] = set()

    async def start(self, places: Sequence[Inet | Unix]) -> list[Any]:
        """Listen; gives the addresses really bound (a port 0 is chosen by the system). Raises OSError."""
        self._committer = asyncio.create_task(self._intake.run(), name="intake")
        loop = asyncio.get_running_loop()
        for place in places:
            match place:
                case Inet(host, port, lmtp):
                    server = await loop.create_server(self._factory(LmtpSession if lmtp else SmtpSession), host, port)
                case Unix(path):
                    server = await loop.create_unix_server(self._factory(LmtpSession), path)
                    # The MTA is another user; who may come here is said by the folder's mode.
                    Path(path).chmod(0o666)
            self._servers.append(server)
        return [server.sockets[0].getsockname() for server in self._servers]

    def _factory(self, kind: type[SmtpSession] | type[LmtpSession]) -> Callable[[], Any]:
        def session() -> SmtpSession | LmtpSession:
            made = kind(
                Reception(self._intake, self._acceptance),
                hostname=self._acceptance.hostname,
                ident="ESMTP" if kind is SmtpSession else "LMTP",
                data_size_limit=self._acceptance.max_message_bytes,
                timeout=self._acceptance.timeout.total_seconds(),
                loop=asyncio.get_running_loop(),
            )
            made.live = self._sessions
            return made

        return session

    async def stop(self, grace: timedelta = timedelta(seconds=5)) -> None:
        """Take no new session, finish the mails in hand with their replies, then hang up; at most `grace`."""
        for server in self._servers:
            server.close()
        for session in tuple(self._sessions):
            session.hang_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace.total_seconds()):
                while self._sessions:
                    await asyncio.sleep(0.02)
        for session in tuple(self._sessions):
            session.transport.abort()
        if self._committer is not None:
            self._committer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._committer
