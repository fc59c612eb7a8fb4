"""The rules of automatic mail, in order: whether a machine may answer this mail at all (RFC 3834, RFC 5230)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from responder.mail.address import normalised
from responder.mail.envelope import Envelope
from responder.mail.message import Message


class Suppression(StrEnum):
    """Why a machine must not answer."""

    NULL_SENDER = "null sender"
    BOUNCE_ADDRESS = "sent to the envelope sender of automatic mail"
    AUTO_SUBMITTED = "auto-submitted"
    REPORT = "delivery report"
    SYSTEM_SENDER = "system sender"
    OWN_ADDRESS = "own address"
    LIST_MAIL = "list mail"
    BULK = "bulk precedence"
    SUPPRESSION_ASKED = "automatic replies not wanted"

    @property
    def needs_person(self) -> bool:
        """Whether a person might have written it: then a person reads it, and still no machine answers."""
        return self in _FOR_A_PERSON


_FOR_A_PERSON = frozenset({Suppression.LIST_MAIL, Suppression.BULK, Suppression.SUPPRESSION_ASKED})


@dataclass(frozen=True, slots=True)
class _Mail:
    sender: str
    message: Message
    own: frozenset[str]
    only_bounces: bool


def suppression_of(
    envelope: Envelope, message: Message, own: frozenset[str], bounces: frozenset[str] = frozenset()
) -> Suppression | None:
    """The first rule that forbids an automatic mail, or None. `own` are our addresses, normalised, and `bounces` those
    among them that only automatic mail was ever sent from."""
    taken_for = set(map(normalised, envelope.rcpt_to))
    mail = _Mail(envelope.mail_from, message, own, bool(taken_for) and taken_for <= bounces)
    return next((rule for rule, holds in RULES if holds(mail)), None)


def _null_sender(mail: _Mail) -> bool:
    path = mail.message.return_path
    return mail.sender in {"", "<>"} or (path is not None and path.strip("<> ").lower() in {"", "mailer-daemon"})


def _bounce_address(mail: _Mail) -> bool:
    return mail.only_bounces


def _auto_submitted(mail: _Mail) -> bool:
    # Parameters and comments must not hide the keyword (RFC 3834 §5.1), and a second field may contradict the first.
    return any(_keyword(value) != "no" for value in mail.message.values("auto-submitted"))


def _keyword(value: str) -> str:
    return re.sub(r"\([^()]*\)", " ", value).partition(";")[0].strip().lower()


_REPORTS = (
    "multipart/report",
    "message/delivery-status",
    "message/disposition-notification",
    "message/feedback-report",
)


def _report(mail: _Mail) -> bool:
    return mail.message.content_type in _REPORTS or bool(mail.message.values("x-failed-recipients"))


_SYSTEM_SENDER = re.compile(
    r"(?:mailer-daemon|postmaster|double-bounce|listserv|majordomo|mailman|root|daemon|nobody|cron"
    r"|(?:no|do[-_.]?not|dont)[-_.]?reply.*|owner-.*|.*-(?:owner|request|bounces?)|bounces?(?:[+=-].*)?)"
)


def _system_sender(mail: _Mail) -> bool:
    return any(_SYSTEM_SENDER.fullmatch(address.rpartition("@")[0].lower()) for address in _senders(mail))


def _own_address(mail: _Mail) -> bool:
    return any(normalised(address) in mail.own for address in _senders(mail))


def _senders(mail: _Mail) -> tuple[str, ...]:
    return tuple(address for address in (mail.sender, mail.message.from_address) if address)


_LIST_FIELDS = ("id", "help", "subscribe", "unsubscribe", "post", "owner", "archive")


def _list_mail(mail: _Mail) -> bool:
    names = (*(f"list-{name}" for name in _LIST_FIELDS), "mailing-list")
    return any(mail.message.values(name) for name in names)


_BULK_WORDS = {"bulk", "list", "junk", "auto_reply"}


def _bulk(mail: _Mail) -> bool:
    values = (*mail.message.values("precedence"), *mail.message.values("x-precedence"))
    return any(value.strip().lower() in _BULK_WORDS for value in values)


def _suppression_asked(mail: _Mail) -> bool:
    # DR, NDR, RN and NRN speak of receipts only (MS-OXCMAIL 2.1.3.2.20).
    asked = {
        word.strip().lower() for value in mail.message.values("x-auto-response-suppress") for word in value.split(",")
    }
    return bool(asked & {"all", "autoreply", "oof"})


RULES: tuple[tuple[Suppression, Callable[[_Mail], bool]], ...] = (
    (Suppression.NULL_SENDER, _null_sender),  # RFC 3834 §2, RFC 5321 §6.1
    (Suppression.BOUNCE_ADDRESS, _bounce_address),  # RFC 3834 §3.3: an address that never answers
    (Suppression.AUTO_SUBMITTED, _auto_submitted),  # RFC 3834 §2 and §5
    (Suppression.REPORT, _report),  # RFC 6522, RFC 3464, RFC 8098, RFC 5965
    (Suppression.SYSTEM_SENDER, _system_sender),  # RFC 3834 §2, RFC 5230 §4.6
    (Suppression.OWN_ADDRESS, _own_address),  # RFC 5230 §4.5: two mailboxes of ours would talk for ever
    (Suppression.LIST_MAIL, _list_mail),  # RFC 5230 §4.6, RFC 2369, RFC 2919
    (Suppression.BULK, _bulk),  # RFC 3834 §2
    (Suppression.SUPPRESSION_ASKED, _suppression_asked),  # MS-OXCMAIL 2.1.3.2.20
)
