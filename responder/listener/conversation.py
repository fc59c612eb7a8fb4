"""One connection: its life, its deadlines, and the loop over its commands.

aiosmtpd's own loop is not used. It leaves a session without a word when time is up, cancels a mail that is being stored
when the client half closes or a timer fires, bounds neither commands nor errors, and takes a ConnectionResetError of
our database for one of the client. What is put in its place are its private methods `_handle_client`, `_reset_timeout`
and `_getaddr`, and that is why pyproject.toml pins its version: look at this file when it changes.
"""

import asyncio
import contextlib
from typing import Any, ClassVar

import aiosmtpd.smtp

from responder import maillog
from responder.listener.limits import Crowd, client_of
from responder.listener.paths import path_of
from responder.listener.replies import CLOSING, TIMEOUT, TROUBLE, enhanced
from responder.listener.wire import LONGEST_COMMAND, PIECE, EndlessLineError, Wire

log = maillog.log("listener")

LINGER = 2.0
"""Seconds that a client has for our last words once we close."""

COMMANDS_IN_A_ROW = 32
"""Commands that were sent together are obeyed without waiting for anything; then the other sessions have a turn."""

_BEFORE_TLS = frozenset({"NOOP", "EHLO", "LHLO", "STARTTLS", "QUIT"})
"""RFC 3207 §4."""

_LOGGED = frozenset({"MAIL", "RCPT", "DATA"})


class FarewellError(Exception):
    """The session ends here, with a last reply where the client is still there to hear it."""

    def __init__(self, event: str, reply: str = "") -> None:
        super().__init__(event)
        self.event, self.reply = event, reply


def cancelled_from_outside() -> bool:
    """Whether the running task is being cancelled; if not, a CancelledError is a fault of what it called."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


class Conversation(aiosmtpd.smtp.SMTP):
    """A client and we, taking turns."""

    line_length_limit = PIECE  # of the stream's buffer; how long a line of a mail may be is said in text.py
    transport: Any
    _methods: ClassVar[list[str]]

    def __init__(self, reception: Any, crowd: Crowd, live: set[Any], **settings: Any) -> None:
        super().__init__(
            reception, data_size_limit=crowd.limits.message_bytes, loop=asyncio.get_running_loop(), **settings
        )
        self.crowd, self._live = crowd, live
        self.limits = crowd.limits
        self.client: str | None = None
        self.busy = False
        """From the client's DATA to our reply."""
        self.closing = False
        self.verb = "CONNECT"
        self._commands = self._errors = 0
        self._parting = False
        self._lingering: asyncio.TimerHandle | None = None

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls._methods = [name for name in dir(cls) if name.startswith(("smtp_", "auth_"))]

    def __dir__(self) -> list[str]:
        # At each connection aiosmtpd looks twice through all that a session has for what begins like these, which was
        # a fifth of what a session of one mail cost.
        return self._methods

    # --- the connection ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        encrypted = self.transport is not None  # the second call is STARTTLS's
        super().connection_made(transport)
        if encrypted:
            return
        self.wire = Wire(self._reader)
        self._ends_at = self.loop.time() + self.limits.session.total_seconds()
        self.client = client_of(transport.get_extra_info("peername"))
        self.crowd.enter(self.client)
        self._live.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        if self not in self._live:
            return
        self._live.discard(self)
        self.crowd.leave(self.client)
        if self._lingering is not None:
            self._lingering.cancel()
        super().connection_lost(error)

    def eof_received(self) -> bool | None:
        # aiosmtpd cancels the session. A client may well close its own half and wait for what we say of its mail.
        asyncio.StreamReaderProtocol.eof_received(self)
        return self.session is not None and self.session.ssl is None

    def _reset_timeout(self, duration: float | None = None) -> None:
        # Instead of one timer for everything there are deadlines where we wait for the client, so that none can fire
        # while a mail is being stored. aiosmtpd wants a handle that it can cancel.
        if self._timeout_handle is None:
            self._timeout_handle = self.loop.call_later(0, lambda: None)

    def hang_up(self) -> None:
        """Say goodbye and close: at once, or after the mail in hand."""
        self.closing = True
        if self.transport is None or self.busy:
            return
        if not self._parting:
            self.transport.write(f"{CLOSING}\r\n".encode())
        self._close()

    def _close(self) -> None:
        if self.transport is not None and self._lingering is None:
            # A client that does not read what we said last would otherwise keep its place for ever.
            self._lingering = self.loop.call_later(LINGER, self.transport.abort)
            self.transport.close()

    # --- taking turns ---

    async def _handle_client(self) -> None:
        try:
            await self.say(f"220 {self.hostname} {self.__ident__}")
            while not self.closing:
                await self._obey(await self._command())
                self._look_at_budgets()
                if self._commands % COMMANDS_IN_A_ROW == 0:
                    await asyncio.sleep(0)
            raise FarewellError("closing down", CLOSING)
        except FarewellError as farewell:
            log.info(farewell.event, after=self.verb, peer=self.client or "unix", reply=farewell.reply)
            if farewell.reply:
                await self._part(farewell.reply)
        except ConnectionError:
            log.info("lost connection", after=self.verb, peer=self.client or "unix")
        finally:
            self._close()

    async def _part(self, reply: str) -> None:
        self._parting = True
        with contextlib.suppress(ConnectionError, FarewellError, TimeoutError):
            await self.say(reply)
            if self.transport.can_write_eof() and not self.closing:
                # A socket that is closed with input unread resets the connection, and the reply may be lost with it.
                self.transport.write_eof()
                async with asyncio.timeout(LINGER):
                    while await self.wire.piece():
                        pass

    async def _command(self) -> bytes:
        deadline = min(self.loop.time() + self.limits.idle.total_seconds(), self._ends_at)
        try:
            async with asyncio.timeout_at(deadline):
                line = await self.wire.line()
        except TimeoutError:
            raise FarewellError("timeout", TIMEOUT) from None
        except EndlessLineError:
            raise FarewellError("endless command", "421 4.7.0 That line has no end") from None
        if line is None:
            raise FarewellError("lost connection")
        return line

    async def _obey(self, line: bytes) -> None:
        verb, _, rest = line.partition(b" ")
        self.verb = verb.upper().decode("ascii", "replace")
        self._argument = rest.strip().decode("ascii", "surrogateescape")
        self._commands += 1
        method = self._smtp_methods.get(self.verb)
        if len(line) > LONGEST_COMMAND:
            await self.push("500 5.5.2 That line is too long")
        elif method is None:
            self.verb = "UNKNOWN"  # it may be anything, a line of a mail for instance, and stays out of the log
            await self.push("500 5.5.2 There is no such command")
        elif self.require_starttls and not self._tls_protocol and self.verb not in _BEFORE_TLS:
            await self.push("530 5.7.0 Encryption is required: say STARTTLS first")
        else:
            await self._carry_out(method)

    async def _carry_out(self, method: Any) -> None:
        try:
            await method(self._argument or None)
        except asyncio.CancelledError:
            if cancelled_from_outside():
                raise
            await self._fail("cancelled")
        except FarewellError:
            raise
        except Exception as error:
            # aiosmtpd would say 500, for good, with the text of the error in it.
            if self.transport is None:
                raise FarewellError("lost connection") from error
            await self._fail(repr(error))

    async def _fail(self, reason: str) -> None:
        log.error("session failed", after=self.verb, reason=reason)
        self.forget_mail()
        await self.push(TROUBLE)

    def forget_mail(self) -> None:
        """What RSET does: the envelope is empty, and MAIL may come."""
        self.envelope = self._create_envelope()

    def _look_at_budgets(self) -> None:
        if self._errors >= self.limits.errors:
            raise FarewellError("too many errors", "421 4.7.0 Too many errors, closing the connection")
        if self._commands >= self.limits.commands:
            raise FarewellError("too many commands", "421 4.7.0 Too many commands, please connect again")
        if self.loop.time() >= self._ends_at:
            raise FarewellError("session too long", TIMEOUT)

    # --- replies ---

    async def push(self, status: Any) -> None:
        reply = enhanced(status if isinstance(status, str) else status.decode("ascii"))
        if reply[0] == "5":
            self._errors += 1
        if reply[0] in "45" and self.verb in _LOGGED:
            self._log_refusal(reply)
        await self.say(reply)

    def _log_refusal(self, reply: str) -> None:
        # The path alone: what came in place of a command may be a line of a mail.
        path = path_of(self._argument.partition(":")[2].strip())
        address = path[0].encode("ascii", "backslashreplace").decode() if path else None
        sender = self.envelope.mail_from if self.envelope is not None else None
        log.info("reject", after=self.verb, peer=self.client or "unix", reply=reply, sender=sender, address=address)

    async def say(self, *lines: str) -> None:
        """Send lines as they are, and wait until the client has room for more."""
        self._writer.write("".join(f"{line}\r\n" for line in lines).encode("ascii"))
        if self._writer.transport.get_write_buffer_size() == 0:
            # The system has it all. Nothing is waited for, and a deadline would cost more than what was said; only
            # whether the connection is still there is asked.
            await self._writer.drain()
            return
        try:
            async with asyncio.timeout(self.limits.idle.total_seconds()):
                await self._writer.drain()
        except TimeoutError:
            self.transport.abort()
            raise FarewellError("client does not read") from None

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        return (path_of(arg) or (None, None)) if arg else ("", "")
