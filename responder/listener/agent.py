"""The open sockets, who is let in by them, and the end."""

import asyncio
import contextlib
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Engine

from responder import maillog
from responder.listener.intake import Intake
from responder.listener.limits import Crowd, client_of
from responder.listener.reception import Acceptance, Reception
from responder.listener.session import LmtpSession, SmtpSession
from responder.wakeup import nobody

log = maillog.log("listener")


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


@dataclass(frozen=True, slots=True)
class Encryption:
    """STARTTLS: what we show, and whether a client must ask for it before anything else."""

    context: ssl.SSLContext
    required: bool


class Door(asyncio.Protocol):
    """A connection just made: it gets a session, or goes; a session is far dearer to make than this."""

    def __init__(self, crowd: Crowd, session: Callable[[], SmtpSession], *, private: bool) -> None:
        self._crowd, self._session, self._private = crowd, session, private

    def connection_made(self, transport: Any) -> None:
        client = client_of(transport.get_extra_info("peername"))
        if client is None and not self._private:
            # It has gone already, and nobody knows any more who it was.
            transport.abort()
            return
        if reply := self._crowd.refusal(client):
            log.info("reject", after="CONNECT", peer=client or "unix", reply=reply)
            transport.write(f"{reply}\r\n".encode())
            transport.close()
            return
        session = self._session()
        transport.set_protocol(session)
        session.connection_made(transport)


class Listener:
    """The open sockets and the sessions on them."""

    def __init__(
        self,
        engine: Engine,
        acceptance: Acceptance,
        clock: Callable[[], datetime],
        encryption: Encryption | None = None,
        kept: Callable[[], None] = nobody,
    ) -> None:
        """`kept` hears that mails were taken in."""
        self.encryption = encryption
        """May be changed at any time; sessions that begin later get the new one."""
        self._acceptance = acceptance
        self._intake = Intake(engine, clock, acceptance.limits.memory, kept)
        self._reception = Reception(self._intake, acceptance, clock)
        self._crowd = Crowd(acceptance.limits, acceptance.networks)
        self._committer: asyncio.Task[None] | None = None
        self._servers: list[asyncio.Server] = []
        self._sessions: set[SmtpSession] = set()

    async def start(self, places: Sequence[Inet | Unix]) -> list[Any]:
        """Listen; gives the addresses really bound (a port 0 is chosen by the system). Raises OSError."""
        self._committer = asyncio.create_task(self._intake.run(), name="intake")
        loop = asyncio.get_running_loop()
        for place in places:
            match place:
                case Inet(host, port, lmtp):
                    server = await loop.create_server(partial(self._door, lmtp), host, port)
                case Unix(path):
                    # Nobody listens in on a Unix socket, and an MTA that comes by it speaks no TLS there.
                    server = await loop.create_unix_server(partial(self._door, True, private=True), path)
                    # The MTA is another user; who may come here is said by the folder's mode.
                    Path(path).chmod(0o666)
            self._servers.append(server)
        return [server.sockets[0].getsockname() for server in self._servers]

    def _door(self, lmtp: bool, *, private: bool = False) -> Door:
        encryption = None if private else self.encryption

        def session() -> SmtpSession:
            return (LmtpSession if lmtp else SmtpSession)(
                self._reception,
                self._crowd,
                self._sessions,
                hostname=self._acceptance.hostname,
                ident="LMTP" if lmtp else "ESMTP",
                tls_context=encryption.context if encryption else None,
                require_starttls=encryption is not None and encryption.required,
            )

        return Door(self._crowd, session, private=private)

    async def broken(self) -> None:
        """Wait until nothing can be stored any more, for a fault of ours, and raise that."""
        if self._committer is not None:
            await asyncio.shield(self._committer)

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
            if session.transport is not None:
                session.transport.abort()
        if self._committer is not None:
            self._committer.cancel()
            # How it broke, if it did, was told by `broken`.
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._committer
