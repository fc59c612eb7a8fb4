"""What a next hop's words, or its silence, mean for a mail."""

import re

from aiosmtplib import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPNotSupported,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)

from responder.mail.delivery import Bounced, Deferred, Outcome, reply_line

# Refusals of our credentials and not of the mail (RFC 4954 §6 and its older forms): an operator mends them.
_OPERATORS = frozenset({530, 534, 535, 538})
_ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?=\s|$)")


def outcome_of(error: Exception, *, handed_over: bool = False) -> Outcome:
    """What a failure after the connection was opened means for the mail.

    `handed_over`: the mail had been sent up to its last dot. Whoever hears no refusal then does not know whether it
    was taken (RFC 1047): it is tried again under the same Message-ID, and whoever looks at it reads that.
    """
    refusal = isinstance(error, SMTPResponseException) and error.code // 100 in (4, 5)
    if handed_over and not refusal:
        return Deferred(f"{words_of(error)}; the next hop may have it")
    match error:
        case SMTPSenderRefused() | SMTPRecipientRefused() | SMTPDataError():
            permanent = error.code // 100 == 5 and error.code not in _OPERATORS
            return Bounced(words_of(error)) if permanent else Deferred(words_of(error))
        case SMTPNotSupported():
            return Bounced(words_of(error))
        case SMTPException() | OSError():
            return Deferred(words_of(error))
        case _:
            return Bounced("an address that cannot be written as an SMTP command")


def words_of(error: Exception) -> str:
    """One printable line."""
    if isinstance(error, SMTPResponseException):
        return reply_line(f"{error.code} {error.message}")
    return reply_line(str(error) or type(error).__name__)


def refused_login(error: SMTPAuthenticationError) -> str:
    """One line without what a server says by itself."""
    # The two codes say it all (RFC 4954 §6); a server's own words might quote what we sent it.
    enhanced = _ENHANCED_CODE.match(error.message)
    return f"{error.code} {enhanced[0] + ' ' if enhanced else ''}the next hop refused our credentials"
