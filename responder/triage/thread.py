"""Which conversation a mail belongs to: by the mails that it refers to, else by the case number in its subject."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from responder.mail.address import normalised
from responder.mail.envelope import Envelope
from responder.mail.ids import ids_in
from responder.mail.keyed import OwnId, recognised
from responder.mail.message import Message
from responder.mail.organisation import party_of
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
    author: str = ""
    """From, normalised: whom a person's answer goes to."""
    own_id: str | None = None
    """The mail's own Message-ID: a mail that came another way a second time has the same."""
    forwarded: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What the store knows of the clues."""

    sent: Mapping[str, int]
    """The ids that are mails of ours in the outbox, and the inquiry that each answers."""
    digests: Mapping[int, str]
    """Of the inquiries that keyed ids or the subject speak of."""
    contractors: Mapping[int, frozenset[str]]
    """Of these inquiries the addresses that they came from, normalised."""
    told: frozenset[int] = frozenset()
    """Those of them that somebody was written to about, and so told the number."""
    received: Mapping[str, int] = field(default_factory=dict)
    """The ids that are mails of theirs, and their numbers."""
    notices: frozenset[str] = frozenset()
    """The ids that are notices of ours to staff."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """The conversation that a mail of theirs goes on with."""

    inquiry: int | None
    """A mail of theirs that belongs to it; None: it is not kept any more, or the mail begins a case of its own."""
    cites: str | None
    """The mail of ours that it refers to, by Message-ID; None where only the case number says so."""
    notice: bool = False
    """It refers to a notice to staff, and to no mail of a contractor's conversation."""


def clues_of(envelope: Envelope, message: Message) -> Clues:
    """The clues of one mail. A forward is a new mail, whatever it hands on."""
    nearest = tuple(reversed(ids_in(message.values("references"))))
    direct = ids_in(message.values("in-reply-to"))
    subject = plain(message.subject[:500])
    return Clues(
        ids=tuple(dict.fromkeys((*nearest[:_NEAREST], *direct[:_NEAREST]))),
        numbers=tuple(dict.fromkeys(map(int, _REFERENCE.findall(subject))))[:_MOST_NUMBERS],
        author=normalised(message.from_address or envelope.mail_from),
        own_id=message.message_id,
        forwarded=_FORWARDED.search(subject) is not None
        or any(hung.content_type == "message/rfc822" for hung in message.attachments),
    )


def own_ids(key: bytes, clues: Clues) -> dict[str, OwnId]:
    """The ids among the clues that were made with our key."""
    found = ((known, recognised(key, known)) for known in clues.ids)
    return {known: own for known, own in found if own is not None}


def conversation_of(clues: Clues, keyed: Mapping[str, OwnId], known: Known) -> Conversation | None:
    """The conversation that a mail goes on with, or None: it is new.

    A notice tells staff of cases and belongs to none of them. Whoever writes back to it may be a machine without a
    mark, and what it is sent must tell staff of nothing, or the two would never end.

    A forward of a mail of ours has a case of its own, and yet it cites us: no machine answers it (RFC 3834 §2).
    """
    told = [cited for cited in clues.ids if cited in known.notices]
    others = tuple(cited for cited in clues.ids if cited not in known.notices)
    found = _conversation_of(replace(clues, ids=others), keyed, known)
    return Conversation(None, told[0], notice=True) if found is None and told else found


def _conversation_of(clues: Clues, keyed: Mapping[str, OwnId], known: Known) -> Conversation | None:
    for cited in clues.ids:
        own = keyed.get(cited)
        inquiry = known.sent.get(cited)
        if inquiry is None and own is not None and known.digests.get(own.inquiry, "").startswith(own.digest):
            inquiry = own.inquiry
        if inquiry is not None or own is not None:
            joins = not clues.forwarded and _is_of(clues.author, known, inquiry)
            return Conversation(inquiry if joins else None, cited)
    if clues.forwarded:
        return None
    # A number can be guessed and is handed on: it counts only from who was given it.
    told = (number for number in clues.numbers if number in known.told)
    theirs = (number for number in told if clues.author in known.contractors.get(number, frozenset()))
    return next((Conversation(number, None) for number in theirs), None) or _of_their_own(clues, known)


def _of_their_own(clues: Clues, known: Known) -> Conversation | None:
    """A mail that goes on with one of theirs, or is that one again: its thread had its automatic mail (Law 3)."""
    ids = (*clues.ids, *([clues.own_id] if clues.own_id else []))
    number = next((known.received[cited] for cited in ids if cited in known.received), None)
    return None if number is None else Conversation(number if _is_of(clues.author, known, number) else None, None)


def _is_of(author: str, known: Known, inquiry: int | None) -> bool:
    """Whether somebody of the contractor's side writes: an id is handed on with every copy, and so is a case's number.

    A mail whose inquiry the store has no more belongs to nobody's case.
    """
    sides = {party_of(address) for address in known.contractors.get(inquiry or 0, ())}
    return party_of(author) in sides
