"""Who a mail is from and for."""

import re
from collections import Counter

from responder.mail.address import domain_of, normalised, valid_address
from responder.mail.authentication import authentication_of
from responder.mail.organisation import organisation_of
from responder.triage.guard.arrival import Arrival


def null_sender(mail: Arrival) -> bool:
    """MAIL FROM is `<>`, or what was kept of it says so."""
    path = mail.message.return_path
    return mail.sender in {"", "<>"} or (path is not None and path.strip("<> ").lower() in {"", "mailer-daemon"})


_SYSTEM = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|postmaster|double-bounce|listserv|majordomo|mailman|root|daemon|nobody|cron"
    r"|(?:no|do[-_.]?not|dont)[-_.]?reply.*|owner-.*|.{0,80}-(?:owner|request|bounces?)|bounces?(?:[+=-].*)?)"
)


def _is_system(address: str) -> bool:
    return _SYSTEM.fullmatch(normalised(address).rpartition("@")[0]) is not None


_DAEMON = re.compile(r"mailer-?daemon|mail-?daemon|double-bounce|postmaster")


def system_sender(mail: Arrival) -> bool:
    """The mail says of itself that no person wrote it. MAIL FROM alone says so where From names nobody else."""
    author = mail.message.from_address
    if author:
        return _is_system(author) or _DAEMON.fullmatch(normalised(mail.sender).rpartition("@")[0]) is not None
    return _is_system(mail.sender)


def return_address(mail: Arrival) -> bool:
    """From names a person and MAIL FROM a place for bounces: a form on a web page, a list, a mailing provider."""
    return _is_system(mail.sender)


# Names that a machine often has, and now and then a department: people find out which.
_MACHINE = re.compile(
    r"(?:.{0,80}[-_.])?(?:auto[-_.]?(?:reply|respond|responder|response|mail|confirm)|vacation|bounces?|mailer|notif(?:y|ier)"
    r"|notifications?|alerts?|system|robot|bot|daemon|monitor|report|newsletters?|(?:no|do[-_.]?not)[-_.]?reply"
    r"|www-?data|apache|nginx|wwwrun|httpd|anonymous|abuse|uucp|news|unknown|mdaemon|ndr|imss|inetgw|postmaster)"
    r"(?:[-_.+=0-9].*)?"
)

_MACHINE_CALLED = re.compile(
    r"mail deliver\w* (?:sub)?system|mail (?:administrator|system)|content[- ]?filter|post ?master", re.IGNORECASE
)


def machine_name(mail: Arrival) -> bool:
    """One of the two addresses, or who From says it is, is named like a program."""
    if _MACHINE_CALLED.search(mail.message.from_name):
        return True
    return any(_MACHINE.fullmatch(normalised(address).rpartition("@")[0]) for address in mail.senders)


def own_address(mail: Arrival) -> bool:
    """Two mailboxes of ours would talk for ever."""
    return any(normalised(address) in mail.own for address in mail.senders)


# The worker and the desk name what they send so (`mail/keyed.py`); a person's program never does.
_OWN_ID = re.compile(r"<(?:answer|acknowledgement|person)\.[0-9]+\.[0-9]+\.[0-9a-f]+\.[0-9a-f]+@([^<>@]+)>")


def own_mail(mail: Arrival) -> bool:
    """It bears the mark or the Message-ID that we give to what we send."""
    if any(address in value.lower() for value in mail.values("x-loop") for address in mail.own):
        return True
    found = (_OWN_ID.fullmatch(value.strip()) for value in mail.values("message-id"))
    domains = {domain_of(address) for address in mail.own}
    return any(match is not None and match[1].lower() in domains for match in found)


def bounce_address(mail: Arrival) -> bool:
    """It came for nobody but the address that our automatic mail leaves from."""
    taken_for = set(map(normalised, mail.envelope.rcpt_to))
    return bool(taken_for) and taken_for <= mail.bounces


def to_postmaster(mail: Arrival) -> bool:
    """It concerns the mail system, and no contract."""
    others = (address for address in map(normalised, mail.envelope.rcpt_to) if address not in mail.own)
    return any(address.startswith("postmaster@") for address in others)


def delivered_before(mail: Arrival) -> bool:
    """One Delivered-To of ours is what the server in front may write; two of the same address are a circle."""
    times = Counter(normalised(value).strip("<>") for value in mail.values("delivered-to"))
    return any(times[address] > 1 for address in mail.own)


def not_addressed(mail: Arrival) -> bool:
    """A copy that nobody addressed to us: blind, or by a list or alias that is not in the settings."""
    return mail.own.isdisjoint(map(normalised, mail.message.recipients))


def author_unclear(mail: Arrival) -> bool:
    """No From that names exactly one mailbox."""
    return not mail.message.from_address


def other_organisation(mail: Arrival) -> bool:
    """Who would get the answer is not who signed the question; a subdomain is the same organisation."""
    sender, author = (organisation_of(domain_of(address)) for address in (mail.sender, mail.message.from_address))
    # A sender that cannot be written to at all gets nothing anyway, for that reason.
    return valid_address(mail.sender) and bool(author) and sender != author


def unauthentic(mail: Arrival) -> bool:
    """Our own border found the sender to be another; without its word nothing is known."""
    found = authentication_of(mail.message, mail.authserv_id)
    return found is not None and found.failed
