"""Which conversation a mail belongs to: by the mails that it refers to, else by the case number in its subject."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from responder.mail.address import normalised
from responder.mail.envelope import Envelope
from responder.mail.ids import ids_in
from responder.mail.keyed import OwnId, recognised
from responder.mail.message import Message
from responder.triage.text import normalised as plain

_NEAREST = 100
"""References that are looked up: a database takes so many at once, and what lies further back began no reply."""
# Only at the start: "Re: Fwd: …" is the reply to a mail that was itself a forward.
_FORWARDED = re.compile(r"^\s*[\[(【]?\s*(?:fwd?|転送|wg)\s*[::】\])]")
_REFERENCE = re.compile(r"(?<![a-z0-9])r-(\d{6,12})(?!\d)")
_MOST_NUMBERS = 5


@dataclass(frozen=True, slots=True)
class Clues:
    """What a mail itself says of the conversation that it belongs to."""

    ids: tuple[str, ...] = ()
    """Message-IDs, the nearest first: References from the right, then In-Reply-To."""
    numbers: tuple[int, ...] = ()
    """Cases whose reference stands in the subject."""
    senders: frozenset[str] = frozenset()
    """MAIL FROM and From, normalised."""
    forwarded: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of the clues."""

    sent: Mapping[str, int]
    """The ids that are mails of ours in the outbox, and the inquiry that each answers."""
    digests: Mapping[int, str]
    """Of the inquiries that keyed ids or the subject speak of."""
    contractors: Mapping[int, frozenset[str]]
    """Of these inquiries the addresses that they came from, normalised; none where nobody was told the number."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The conversation that a mail of theirs goes on with."""

    inquiry: int | None
    """A mail of theirs that belongs to it; None: it is not kept any more, or the mail begins a case of its own."""
    cites: str | None
    """The mail of ours that it refers to, by Message-ID; None where only the case number says so."""


def clues_of(envelope: Envelope, message: Message) -> Clues:
    """The clues of one mail. A forward is a new mail, whatever it hands on."""
    nearest = tuple(reversed(ids_in(message.values("references"))))
    direct = ids_in(message.values("in-reply-to"))
    senders = (envelope.mail_from, message.from_address)
    subject = plain(message.subject[:500])
    return Clues(
        ids=tuple(dict.fromkeys((*nearest[:_NEAREST], *direct[:_NEAREST]))),
        numbers=tuple(dict.fromkeys(map(int, _REFERENCE.findall(subject))))[:_MOST_NUMBERS],
        senders=frozenset(normalised(address) for address in senders if address),
        forwarded=_FORWARDED.search(subject) is not None
        or any(hung.content_type == "message/rfc822" for hung in message.attachments),
    )


def own_ids(key: bytes, clues: Clues) -> dict[str, OwnId]:
    """The ids among the clues that were made with our key."""
    found = ((known, recognised(key, known)) for known in clues.ids)
    return {known: own for known, own in found if own is not None}


def conversation_of(clues: Clues, keyed: Mapping[str, OwnId], known: Known) -> Conversation | None:
    """The conversation that a mail goes on with, or None: it is new.

    A forward of a mail of ours has a case of its own, and yet it cites us: no machine answers it (RFC 3834 §2).
    """
    for cited in clues.ids:
        own = keyed.get(cited)
        inquiry = known.sent.get(cited)
        if inquiry is None and own is not None and known.digests.get(own.inquiry, "").startswith(own.digest):
            inquiry = own.inquiry
        if inquiry is not None or own is not None:
            return Conversation(None if clues.forwarded else inquiry, cited)
    if clues.forwarded:
        return None
    # A number can be guessed and is handed on: it counts only from who was given it.
    theirs = (number for number in clues.numbers if clues.senders & known.contractors.get(number, frozenset()))
    return next((Conversation(number, None) for number in theirs), None)
