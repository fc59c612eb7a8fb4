"""Who a mail is from and for."""

import re
from collections import Counter

from responder.mail.address import correspondent_of, domain_of, normalised, valid_address
from responder.mail.authentication import authentication_of
from responder.mail.organisation import organisation_of
from responder.triage.guard.arrival import Arrival


def null_sender(mail: Arrival) -> bool:
    """MAIL FROM is `<>`. A Return-Path beside an envelope is anybody's, and says nothing."""
    return mail.envelope.null


# People have addresses like product-owner@, estimate-request@ and root@. These alone are nobody's.
_NOBODY = re.compile(
    r"mailer-?daemon|mail-?daemon|double-bounce|postmaster|(?:no|do[-_.]?not|dont)[-_.]?reply(?:[-_.+=0-9].*)?"
)
_DAEMON = re.compile(r"mailer-?daemon|mail-?daemon|double-bounce|postmaster")
_RETURN = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|postmaster|double-bounce|listserv|majordomo|mailman|root|daemon|nobody|cron"
    r"|(?:no|do[-_.]?not|dont)[-_.]?reply.*|owner-.*|.{0,80}-(?:owner|request|bounces?)|bounces?(?:[+=-].*)?)"
)


def _is_called(names: re.Pattern[str], address: str) -> bool:
    return names.fullmatch(normalised(address).rpartition("@")[0]) is not None


def nobody_reads(address: str) -> bool:
    """Whether an address says of itself that mail to it comes to nobody."""
    return _is_called(_NOBODY, address)


def _is_own(mail: Arrival, address: str) -> bool:
    return not mail.own.isdisjoint((normalised(address), correspondent_of(address)))


def _names_a_person(mail: Arrival) -> bool:
    """Reply-To names somebody, as forms on web pages do that write in the name of their site."""
    return any(not (_is_own(mail, address) or _is_called(_NOBODY, address)) for address in mail.message.reply_to)


def system_sender(mail: Arrival) -> bool:
    """The mail says of itself that no person wrote it. MAIL FROM says so only where From names nobody else."""
    author = mail.message.from_address
    nobody = _is_called(_NOBODY, author) if author else _is_called(_DAEMON, mail.sender)
    return nobody and not _names_a_person(mail)


def return_address(mail: Arrival) -> bool:
    """Named like a place for bounces or a program: a form on a web page, a list, now and then a department."""
    return any(_is_called(_RETURN, address) for address in mail.senders)


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
    return any(_is_called(_MACHINE, address) for address in mail.senders)


def own_address(mail: Arrival) -> bool:
    """Two mailboxes of ours would talk for ever. From the one of automatic mail no person writes."""
    if normalised(mail.sender) in mail.bounces:
        return True
    return _is_own(mail, mail.message.from_address) and not _names_a_person(mail)


def on_behalf(mail: Arrival) -> bool:
    """A form on our web page that writes for whoever fills it in. An answer would come back to us all the same."""
    ours = set(map(correspondent_of, mail.own))
    return any(correspondent_of(address) in ours for address in mail.senders)


# The worker and the desk name what they send so (`mail/keyed.py`); a person's program never does.
_OWN_ID = re.compile(r"<(?:answer|acknowledgement|person)\.[0-9]+\.[0-9]+\.[0-9a-f]+\.[0-9a-f]+@([^<>@]+)>")


def own_mail(mail: Arrival) -> bool:
    """It bears the mark or the Message-ID that we give to what we send."""
    marks = (mark for value in mail.values("x-loop") for mark in re.split(r"[\s,;<>]+", value))
    if any(_is_own(mail, mark) for mark in marks):
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
