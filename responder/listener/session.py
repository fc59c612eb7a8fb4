"""The commands, where aiosmtpd's are not enough."""

import asyncio
from typing import Any

from aiosmtpd.smtp import TLSSetupException

from responder import maillog
from responder.failpoints import Point, reach
from responder.listener.conversation import Conversation, FarewellError, cancelled_from_outside
from responder.listener.replies import TIMEOUT, TROUBLE
from responder.listener.text import Text

log = maillog.log("listener")

PATIENCE = 4
"""A mail over the limit is read on, and dropped, up to so many times the limit: then its client hears why."""

SMALL = 64 << 10
"""Octets of a mail that is let in however much the others hold: few clients may be here, and so these are few, too."""

_COMMANDS = "DATA EHLO HELO HELP LHLO MAIL NOOP QUIT RCPT RSET STARTTLS VRFY"


class SmtpSession(Conversation):
    """One client speaking SMTP."""

    _mails = 0
    _weight = 0

    def protocol(self) -> str:
        """RFC 3848's word for how the client speaks with us."""
        assert self.session is not None  # noqa: S101 - aiosmtpd has one as soon as there is a connection
        return f"{'ESMTP' if self.session.extended_smtp else 'SMTP'}{'S' if self._tls_protocol else ''}"

    # --- greetings ---

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self._greet(hostname, extended=False)

    async def smtp_EHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self._greet(hostname, extended=True)

    async def _greet(self, hostname: str, *, extended: bool) -> None:
        if not hostname:
            await self.push(f"501 5.5.4 Say {self.verb} and your name")
            return
        assert self.session is not None  # noqa: S101 - aiosmtpd has one as soon as there is a connection
        self.forget_mail()
        self.session.extended_smtp, self.session.host_name = extended, hostname
        words = [self.hostname, *(self._extensions() if extended else ())]
        # RFC 2034 §4: no status in this reply.
        await self.say(*(f"250-{word}" for word in words[:-1]), f"250 {words[-1]}")

    def _extensions(self) -> list[str]:
        # SMTPUTF8 is not among them: an address outside of ASCII could be answered only by a next hop that has it.
        offered = ["PIPELINING", f"SIZE {self.limits.message_bytes}", "8BITMIME", "ENHANCEDSTATUSCODES"]
        return [*offered, "STARTTLS"] if self.tls_context and not self._tls_protocol else offered

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        if self._tls_protocol:
            await self.push("503 5.5.1 This is encrypted already")
            return
        self.wire.forget()
        try:
            await super().smtp_STARTTLS(arg)
        except TLSSetupException as error:
            self._give_up_encryption()
            raise FarewellError("TLS handshake failed") from error
        if self._tls_protocol and self.session is not None and self.session.ssl is None:
            # asyncio wakes us up without an error where the client hangs up in the middle.
            self._give_up_encryption()
            raise FarewellError("lost connection")

    def _give_up_encryption(self) -> None:
        # asyncio tells only those of a connection's end whom it told that encryption began.
        if self._original_transport is not None:
            self._original_transport.abort()  # type: ignore[attr-defined]  # a Transport; the stub names its base
        self.connection_lost(None)

    # --- what tells nothing ---

    async def smtp_HELP(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push(f"214 2.0.0 {_COMMANDS}")

    async def smtp_VRFY(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("252 2.0.0 Send a mail, and RCPT will say" if arg else "501 5.5.4 Name an address")

    async def smtp_EXPN(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("502 5.5.1 There are no lists here")

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self.push("502 5.5.1 There is no login here")

    # --- a mail ---

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        if self._mails >= self.limits.mails:
            raise FarewellError("too many mails", "421 4.7.0 Too many mails, please connect again")
        await super().smtp_MAIL(arg)

    async def smtp_DATA(self, arg: str | None) -> None:  # noqa: N802 - aiosmtpd's name
        assert self.envelope is not None  # noqa: S101 - aiosmtpd has one as soon as there is a connection
        if not self.envelope.rcpt_tos:
            await self.push("503 5.5.1 Say MAIL and RCPT first")
        elif arg:
            await self.push("501 5.5.4 DATA takes no words")
        else:
            self.busy = True
            try:
                await self._take_mail(len(self.envelope.rcpt_tos))
            finally:
                self.busy = False
                self._weigh(0)
                self.forget_mail()

    async def _take_mail(self, recipients: int) -> None:
        self._mails += 1
        reach(Point.MAIL_ASKED_FOR)
        await self.push("354 End with a dot on a line of its own")
        text = Text(self.limits.message_bytes)
        try:
            await self._receive(text)
        except FarewellError as farewell:
            farewell.reply = farewell.reply and self._for_each(text.refusal or farewell.reply, recipients)
            raise
        reply = text.refusal or await self._stored(text)
        await self.push(self._for_each(reply, recipients))
        reach(Point.MAIL_ACKNOWLEDGED)

    async def _receive(self, text: Text) -> None:
        ends_at = self.loop.time() + self.limits.data.total_seconds()
        rest = None
        while rest is None:
            try:
                async with asyncio.timeout_at(min(ends_at, self.loop.time() + self.limits.idle.total_seconds())):
                    piece = await self.wire.piece()
            except TimeoutError:
                raise FarewellError("timeout", TIMEOUT) from None
            if not piece:
                raise FarewellError("lost connection")
            rest = text.feed(piece)
            if rest is None:
                reach(Point.MAIL_HALF_HERE)
            if not self._weigh(text.held) and text.held > SMALL:
                text.refuse("452 4.3.1 Too much mail at this moment, please try again later")
                self._weigh(0)
            if rest is None and text.size > PATIENCE * self.limits.message_bytes:
                raise FarewellError("endless mail", "552 5.3.4 This mail has no end")
        self.wire.put_back(rest)

    def _weigh(self, held: int) -> bool:
        more, self._weight = held - self._weight, held
        return self.crowd.hold(more)

    async def _stored(self, text: Text) -> str:
        assert self.envelope is not None  # noqa: S101 - aiosmtpd has one as soon as there is a connection
        self.envelope.original_content = text.take()
        try:
            reply: str = await self.event_handler.handle_DATA(self, self.session, self.envelope)
        except asyncio.CancelledError:
            if cancelled_from_outside():
                raise
            reply = TROUBLE
        except Exception as error:  # noqa: BLE001 - whatever it was, it is ours and passes (Law 1)
            log.error("not taken in", reason=repr(error))
            reply = TROUBLE
        return reply

    def _for_each(self, reply: str, recipients: int) -> str:
        return reply


class LmtpSession(SmtpSession):
    """One client speaking LMTP."""

    def protocol(self) -> str:
        """RFC 3848's word for how the client speaks with us."""
        return "LMTPS" if self._tls_protocol else "LMTP"

    async def smtp_LHLO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        await self._greet(hostname, extended=True)

    async def smtp_HELO(self, hostname: str) -> None:  # noqa: N802 - aiosmtpd's name
        # RFC 2033 §4.1.
        await self.push(f"500 5.5.1 This is LMTP: say LHLO, not {self.verb}")

    smtp_EHLO: Any = smtp_HELO  # noqa: N815 - aiosmtpd's name

    def _for_each(self, reply: str, recipients: int) -> str:
        # RFC 2033 §4.2: one reply for every recipient.
        return "\r\n".join([reply] * recipients)
