"""A mail as staff look at it: who wrote to whom, all of its text, and what hangs on it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import Message as Part
from email.utils import parsedate_to_datetime

from responder.mail.attached import named
from responder.mail.body import LONGEST_TEXT, Attachment, content_of, is_attached, leaves_of, raw_value, unfolded
from responder.mail.charset import decoded_field, one_line
from responder.mail.html import LONGEST_HTML
from responder.mail.mailboxes import read_mailboxes
from responder.mail.message import Message, Unreadable, message_and_part
from responder.mail.passages import Passage, passages_of
from responder.mail.rereading import rereadings_in

_MOST_MAILBOXES = 50
_LONGEST_VALUE = 500
_YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class Correspondent:
    """A mailbox as it stands in a field: on one line, and perhaps none that could be written to."""

    name: str
    address: str


@dataclass(frozen=True, slots=True)
class View:
    """What of a mail is shown. Every text but those of the passages is one line without controls."""

    subject: str
    author: tuple[Correspondent, ...]
    """Of From; these four hold fifty at most."""
    reply_to: tuple[Correspondent, ...]
    to: tuple[Correspondent, ...]
    cc: tuple[Correspondent, ...]
    more: int
    """How many mailboxes were left out."""
    date: datetime | None
    """When the sender's clock says that it was written; aware."""
    message_id: str
    text: str
    """All that recognition could read, quotations and signature included; line ends are "\\n"."""
    passages: tuple[Passage, ...]
    """The same text, apart by who wrote it."""
    cut: bool
    """Whether the mail has more text."""
    has_html: bool
    attachments: tuple[Attachment, ...]
    """Their places are what `attached.file_in` asks for, their names are fit to save by."""
    declared: str
    """As in `Message`, as are these two."""
    charset: str
    replaced: int
    garbled: bool
    """Whether `rereading` would help to read it."""


def view_of(raw: bytes) -> View | Unreadable:
    """Never raises on what a mail holds."""
    found = message_and_part(raw)
    return found if isinstance(found, Unreadable) else _view(*found)


def _view(message: Message, part: Part) -> View:
    fields = {name: _mailboxes(part, name) for name in ("from", "reply-to", "to", "cc")}
    shown = {name: tuple(found[:_MOST_MAILBOXES]) for name, found in fields.items()}
    texts = [leaf for leaf in leaves_of(part) if not is_attached(leaf)]
    return View(
        subject=message.subject,
        author=shown["from"],
        reply_to=shown["reply-to"],
        to=shown["to"],
        cc=shown["cc"],
        more=sum(len(found) for found in fields.values()) - sum(map(len, shown.values())),
        date=_date(raw_value(part, "date")),
        message_id=decoded_field(raw_value(part, "message-id"))[:_LONGEST_VALUE],
        text=message.text,
        passages=passages_of(message.subject, message.text),
        cut=_is_cut(message, texts),
        has_html=any(leaf.get_content_type() == "text/html" for leaf in texts),
        attachments=named(part, message.attachments),
        declared=message.declared,
        charset=message.charset,
        replaced=message.replaced,
        garbled=rereadings_in(part).garbled,
    )


def _is_cut(message: Message, texts: list[Part]) -> bool:
    # Where a text is cut, the line ends there go too.
    if len(message.text) > LONGEST_TEXT - 1000:
        return True
    only_html = all(leaf.get_content_type() == "text/html" for leaf in texts)
    return only_html and sum(len(content_of(leaf)) for leaf in texts) > LONGEST_HTML


def _mailboxes(part: Part, name: str) -> list[Correspondent]:
    values = (unfolded(str(value)) for field, value in part.raw_items() if field.lower() == name)
    found = (mailbox for value in values for mailbox in read_mailboxes(value)[0])
    return [Correspondent(one_line(said)[:_LONGEST_VALUE], one_line(at)[:_LONGEST_VALUE]) for said, at in found]


def _date(value: bytes) -> datetime | None:
    try:
        found = parsedate_to_datetime(decoded_field(value)[:100])
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # RFC 5322 §3.3: "-0000" says nothing of where the clock hung; the standard library gives no zone for it.
    aware = found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return aware if aware.year in _YEARS else None
