"""A smarthost as the next hop, over a few connections that are kept and used in turn."""

import asyncio
import ssl
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)

from responder.courier.dialogue import is_expressible, say_data, say_mail, say_rcpt, send_it, verdict_of
from responder.courier.outcomes import outcome_of, refused_login, words_of
from responder.failpoints import Point, reach
from responder.mail.delivery import Bounced, Deferred, Outcome, Sent, reply_line
from responder.store.outbox import Delivery

_TOKEN_SECONDS = 30
_QUIT_SECONDS = 3
_SHUTTING_DOWN = 421


@dataclass(frozen=True, slots=True)
class Smarthost:
    """Where all mail is handed over, and how.

    `tls`: "tls" from the first octet; "starttls" or not at all; "auto" STARTTLS where offered; "none" never.
    "auto" checks the certificate only against a given `ca_file`, for it would go on in clear anyway; with a
    username it is "starttls". `ca_file` (PEM) stands in for the system's authorities.
    `auth`: "auto" is XOAUTH2 where there is a `token_command`, else what the server offers for a password.
    `token_command` prints an access token on its first line.
    `final_timeout` is for the reply to the final dot, 10 minutes at least (RFC 5321 §4.5.3.2.6): whoever hangs up
    earlier sends the mail twice. `idle` is how long a connection is kept for the next mail.
    `null_sender` stands in for the null reverse-path where the server does not take that.
    """

    host: str
    port: int
    tls: Literal["none", "starttls", "tls", "auto"] = "auto"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    auth: Literal["auto", "plain", "login", "xoauth2"] = "auto"
    token_command: tuple[str, ...] = field(default=(), repr=False)
    local_hostname: str | None = None
    connections: int = 4
    timeout: timedelta = timedelta(seconds=60)
    final_timeout: timedelta = timedelta(minutes=10)
    idle: timedelta = timedelta(seconds=30)
    ca_file: Path | None = None
    null_sender: str = ""


class SmtpNextHop:
    """Open connections to one smarthost: at most so many at once, and kept for a while for the next mail."""

    def __init__(self, smarthost: Smarthost) -> None:
        self._smarthost = smarthost
        self._places = asyncio.Semaphore(smarthost.connections)
        self._kept: dict[SMTP, asyncio.TimerHandle] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False
        self._tls: ssl.SSLContext | None = None
        self._token: str | None = None

    async def attempt(self, delivery: Delivery) -> Outcome:
        """Hand one mail over; waits for a connection to become free. Never raises for what the peer does."""
        if not (is_expressible(delivery.sender) and is_expressible(delivery.recipient)):
            return Bounced("an address that cannot be written as an SMTP command")
        async with self._places:
            outcome = None
            if (kept := self._take()) is not None:
                outcome = await self._hand_over(kept, delivery, was_kept=True)
            if outcome is None:
                smtp = await self._open()
                outcome = smtp if isinstance(smtp, Deferred) else await self._hand_over(smtp, delivery)
            return outcome or Deferred("the connection was lost")

    async def probe(self) -> str | None:
        """Connect, log in and name the sender that every automatic mail has; what is wrong, or None."""
        smtp = await self._open()
        if isinstance(smtp, Deferred):
            return smtp.reply
        try:
            await smtp.mail(self._smarthost.null_sender)
        except (SMTPException, OSError) as error:
            refused = self._smarthost.null_sender or "the null reverse-path, which automatic mail needs"
            return f"it refuses {refused}: {words_of(error)}"
        finally:
            await _quit(smtp)
        return None

    async def close(self) -> None:
        """Say QUIT on every kept connection, and wait a moment for the answers."""
        self._closed = True
        while (kept := self._take()) is not None:
            self._dismiss(kept)
        await asyncio.gather(*self._leaving)

    async def _hand_over(self, smtp: SMTP, delivery: Delivery, *, was_kept: bool = False) -> Outcome | None:
        """None: a kept connection was dead before it answered MAIL, so that nothing has been tried yet."""
        untried, handed_over, clean = was_kept, False, False
        try:
            await say_mail(smtp, delivery, delivery.sender or self._smarthost.null_sender)
            untried = False
            await say_rcpt(smtp, delivery)
            await say_data(smtp)
            reach(Point.DELIVERY_ASKED_FOR)
            send_it(smtp, delivery.raw)
            handed_over = True
            reach(Point.DELIVERY_HANDED_OVER)
            reply = await verdict_of(smtp, self._smarthost.final_timeout)
            clean = True
            return Sent(reply_line(f"{reply.code} {reply.message}"))
        except (SMTPException, OSError, ValueError) as error:
            if untried and _is_farewell(error):
                return None
            clean = await _is_reset(smtp, error)
            return outcome_of(error, handed_over=handed_over)
        finally:
            if clean:
                self._put_back(smtp)
            else:
                smtp.close()

    def _take(self) -> SMTP | None:
        while self._kept:
            # The one used last: so the others grow old together when there is little to do.
            smtp, timer = self._kept.popitem()
            timer.cancel()
            if smtp.is_connected:
                return smtp
        return None

    def _put_back(self, smtp: SMTP) -> None:
        if self._closed:
            self._dismiss(smtp)
        else:
            idle = self._smarthost.idle.total_seconds()
            self._kept[smtp] = asyncio.get_running_loop().call_later(idle, self._dismiss, smtp)

    def _dismiss(self, smtp: SMTP) -> None:
        self._kept.pop(smtp, None)
        leaving = asyncio.create_task(_quit(smtp))
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _open(self) -> SMTP | Deferred:
        """What goes wrong before MAIL is the operator's trouble or the server's, not the mail's: deferred."""
        had_token = self._token is not None
        try:
            return await self._connect()
        except SMTPAuthenticationError as error:
            # An access token lives for an hour or so; in place of one that was good before we fetch another.
            self._token = None
            if had_token:
                return await self._open()
            return Deferred(refused_login(error))
        except (SMTPException, OSError) as error:
            return Deferred(words_of(error))
        except ValueError as error:
            # Its words may quote what could not be encoded, a password among them.
            return Deferred(f"the connection cannot be made as configured: {type(error).__name__}")

    async def _connect(self) -> SMTP:
        host = self._smarthost
        if self._tls is None and host.tls != "none":
            self._tls = await asyncio.to_thread(_open_tls_context, host)
        smtp = SMTP(
            hostname=host.host,
            port=host.port,
            local_hostname=host.local_hostname,
            timeout=host.timeout.total_seconds(),
            use_tls=host.tls == "tls",
            start_tls=False,  # said by hand below, where it is plain to see in which order
            tls_context=self._tls,
        )
        try:
            await smtp.connect()
            await smtp.ehlo()
            if _wants_starttls(host, smtp):
                await smtp.starttls()
                await smtp.ehlo()  # RFC 3207 §4.2: what was said in clear is forgotten
            if host.username is not None:
                await self._log_in(smtp, host.username)
        except BaseException:
            smtp.close()
            raise
        return smtp

    async def _log_in(self, smtp: SMTP, username: str) -> None:
        password = self._smarthost.password or ""
        match self._smarthost.auth:
            case "plain":
                await smtp.auth_plain(username, password)
            case "login":
                await smtp.auth_login(username, password)
            case "auto" if not self._smarthost.token_command:
                await smtp.login(username, password)
            case _:
                self._token = self._token or await _read_token(self._smarthost.token_command)
                await smtp.auth_xoauth2(username, self._token)


def _is_farewell(error: Exception) -> bool:
    # Some servers count the mails of a connection, and end it only when they see one MAIL too many.
    return isinstance(error, SMTPServerDisconnected) or getattr(error, "code", None) == _SHUTTING_DOWN


async def _is_reset(smtp: SMTP, error: Exception) -> bool:
    # After anything but a refusal (garbage is -1) nobody knows which line belongs to what.
    if isinstance(error, SMTPResponseException) and error.code // 100 in (4, 5):
        with suppress(SMTPException, OSError):
            await smtp.rset()
            return True
    return False


async def _quit(smtp: SMTP) -> None:
    try:
        with suppress(SMTPException, OSError):
            await smtp.quit(timeout=_QUIT_SECONDS)
    finally:
        smtp.close()


def _goes_in_clear_otherwise(smarthost: Smarthost) -> bool:
    # Whoever sits on the wire can take the offer of STARTTLS away: a password does not follow in clear.
    return smarthost.tls == "auto" and smarthost.username is None


def _wants_starttls(smarthost: Smarthost, smtp: SMTP) -> bool:
    if _goes_in_clear_otherwise(smarthost):
        return smtp.supports_extension("starttls")
    return smarthost.tls in ("auto", "starttls")


def _open_tls_context(smarthost: Smarthost) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=smarthost.ca_file)
    if _goes_in_clear_otherwise(smarthost) and smarthost.ca_file is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


async def _read_token(command: tuple[str, ...]) -> str:
    """The first line that the command prints. Raises SMTPException, without a word of what it printed."""
    process = await asyncio.create_subprocess_exec(*command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL)
    try:
        async with asyncio.timeout(_TOKEN_SECONDS):
            printed, _ = await process.communicate()
    except TimeoutError:
        raise SMTPException(f"the token command took longer than {_TOKEN_SECONDS} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    token = printed.decode("ascii", "replace").partition("\n")[0].strip()
    if process.returncode != 0 or not token:
        raise SMTPException(f"the token command ended with status {process.returncode}, without a token")
    return token
