"""What is said of one mail: MAIL, RCPT, DATA, and the mail itself."""

import re
from contextlib import suppress
from datetime import timedelta

from aiosmtplib import SMTP, SMTPDataError, SMTPException, SMTPNotSupported, SMTPResponse, SMTPServerDisconnected
from aiosmtplib.email import parse_address

from responder.store.outbox import Delivery

_GO_ON = 354
_TAKEN = 250
# RFC 5321 §4.5.2: a dot at the start of a line is doubled, lest it end the mail.
_DOT = re.compile(rb"(?m)^\.")


def is_expressible(address: str) -> bool:
    """Whether the address can be said in MAIL or RCPT as it stands."""
    # aiosmtplib reads an address as a header field does: "a,b@example.jp" would go to "a", without a word.
    with suppress(ValueError):
        return parse_address(address) == address
    return False


def _listen_first(smtp: SMTP) -> None:
    """Raises SMTPException where the server has said more than it was asked.

    aiosmtplib keeps what comes behind a reply and takes it for the answer to the next word: a second 250 to DATA would
    pass for the mail itself being taken, whatever is said of it. It has no other way to ask for that.
    """
    if getattr(smtp.protocol, "_buffer", b""):
        raise SMTPException("the server said more than it was asked")


async def say_mail(smtp: SMTP, delivery: Delivery, sender: str) -> None:
    """MAIL, with what the server understands; raises SMTPNotSupported for an address beyond ASCII it does not."""
    _listen_first(smtp)
    options = []
    if smtp.supports_extension("size"):
        options.append(f"SIZE={len(delivery.raw)}")
    if smtp.supports_extension("8bitmime") and not delivery.raw.isascii():
        options.append("BODY=8BITMIME")
    if not (sender + delivery.recipient).isascii():
        if not smtp.supports_extension("smtputf8"):
            raise SMTPNotSupported("the next hop takes no address beyond ASCII (SMTPUTF8)")
        options.append("SMTPUTF8")
    await smtp.mail(sender, options=options, encoding="utf-8")


async def say_rcpt(smtp: SMTP, delivery: Delivery) -> None:
    """RCPT; no report is asked for on an automatic mail."""
    # RFC 3834 §3.3: nobody waits for a report on an automatic mail. A person does, and gets it by default.
    _listen_first(smtp)
    never = not delivery.sender and smtp.supports_extension("dsn")
    await smtp.rcpt(delivery.recipient, options=["NOTIFY=NEVER"] if never else [], encoding="utf-8")


# aiosmtplib's data() says both in one, and one cannot know afterwards whether the mail had gone when it failed.


async def say_data(smtp: SMTP) -> None:
    """DATA. Raises SMTPDataError unless the server wants to hear the mail."""
    _listen_first(smtp)
    reply = await smtp.execute_command(b"DATA")
    if reply.code != _GO_ON:
        raise SMTPDataError(reply.code, reply.message)


def send_it(smtp: SMTP, raw: bytes) -> None:
    """The mail up to its last dot."""
    if smtp.protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    _listen_first(smtp)
    lines = raw if raw.endswith(b"\r\n") else raw + b"\r\n"
    smtp.protocol.write(_DOT.sub(b"..", lines) + b".\r\n")


async def verdict_of(smtp: SMTP, timeout: timedelta) -> SMTPResponse:
    """The answer to the mail. Raises SMTPDataError unless that is 250."""
    if smtp.protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    reply = await smtp.protocol.read_response(timeout=timeout.total_seconds())
    if reply.code != _TAKEN:
        raise SMTPDataError(reply.code, reply.message)
    return reply
