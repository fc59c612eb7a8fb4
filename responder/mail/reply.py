"""An answer as finished octets, read back before anybody trusts it."""

import base64
import binascii
import email
import re
from dataclasses import dataclass, field
from datetime import datetime
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.utils import format_datetime

from responder.mail.address import valid_address
from responder.mail.charset import one_line
from responder.mail.ids import usable_id
from responder.mail.keyed import own_id
from responder.mail.message import Message
from responder.mail.subject import shortened

_LONGEST_SUBJECT = 200
_LONGEST_NAME = 100
_MOST_REFERENCES = 20
_LONGEST_LINE = 998
# RFC 2047 §2: a line with an encoded word has 76 characters at most, the name of the field included.
_OCTETS_PER_WORD = 39
_LONGEST_PLAIN = 60


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One of ours."""

    address: str
    name: str
    key: bytes = field(default=b"", repr=False)
    """Its Message-IDs are signed with it; without one none of them is known again by itself."""

    def message_id(self, kind: str, inquiry: int, digest: str, turn: int = 0) -> str:
        """The Message-ID of what it writes to an inquiry: always the same (Law 3)."""
        return own_id(self.key, kind, inquiry, digest, host=self.address.rpartition("@")[2], turn=turn)


@dataclass(frozen=True, slots=True)
class Reply:
    message_id: str
    sender: str
    """The envelope sender; "" is the null reverse-path."""
    recipient: str
    raw: bytes


class MalformedReply(ValueError):  # noqa: N818 - it names what the reply is, as `Unreadable` does for a mail
    """The arguments cannot become a mail that says what they say and nothing else."""


def build_reply(
    *,
    subject: str,
    body: str,
    author: Mailbox,
    recipient: str,
    message_id: str,
    date: datetime,
    answers: Message | None,
    automatic: bool,
    language: str = "",
) -> Reply:
    """The same arguments give the same octets. `date` is aware; `message_id` comes with its angle brackets; `language`
    is what Content-Language says (RFC 3282), if anything. What is automatic and answers nothing is marked as that.

    Raises `MalformedReply` where an address, the date or the id cannot be written, and where the finished
    mail, read again by another parser, does not say what was meant.
    """
    if not (valid_address(recipient) and valid_address(author.address)):
        raise MalformedReply("an address cannot be written into a header")
    if not usable_id(message_id) or date.utcoffset() is None:
        raise MalformedReply("the message id is not usable, or the date has no offset from UTC")
    if not _LANGUAGES.fullmatch(language):
        raise MalformedReply("the language is not what a field can hold")
    subject = _shortened(subject, _LONGEST_SUBJECT)
    body = _lines(body)
    fields = [
        ("Date", format_datetime(date)),
        ("From", f"{_phrase(author.name)}<{author.address}>"),
        # Without a name: whatever name the other side chose has no business in our header.
        ("To", recipient),
        ("Subject", _unstructured(subject)),
        ("Message-ID", message_id),
        *_thread(answers),
        *(_marks(author, answers) if automatic else ()),
        *_CONTENT,
        *([("Content-Language", language)] if language else []),
    ]
    raw = _serialised(fields, body)
    _check(raw, names=[name for name, _ in fields], recipient=recipient, subject=subject, body=body)
    return Reply(message_id, "" if automatic else author.address, recipient, raw)


def _marks(author: Mailbox, answers: Message | None) -> tuple[tuple[str, str], ...]:
    """RFC 3834 §3.1.7 and §5, and what Exchange and old list software look at instead.

    X-Loop is ours to know a mail of ours by.
    """
    return (
        ("Auto-Submitted", "auto-generated" if answers is None else "auto-replied"),
        ("X-Auto-Response-Suppress", "All"),
        ("Precedence", "bulk"),
        ("X-Loop", author.address),
    )


_LANGUAGES = re.compile(r"(?:[A-Za-z0-9-]{1,35}(?:, [A-Za-z0-9-]{1,35}){0,9})?")
_CONTENT = (
    ("MIME-Version", "1.0"),
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Transfer-Encoding", "base64"),
)


def _thread(answers: Message | None) -> list[tuple[str, str]]:
    """RFC 5322 §3.6.4. Each id stands whole on its own line: from encoded words Outlook makes no thread."""
    if answers is None:
        return []
    parent = [answers.message_id] if answers.message_id and usable_id(answers.message_id) else []
    chain = list(dict.fromkeys(known for known in (*answers.references, *parent) if usable_id(known)))
    kept = [*chain[:1], *chain[1:][-_MOST_REFERENCES:]]
    fields = [("In-Reply-To", parent[0])] if parent else []
    return [*fields, ("References", "\r\n ".join(kept))] if kept else fields


# --- text to header ---

# Python's mail package writes real line ends into a header for some values, so every line is written here.


def _shortened(text: str, longest: int) -> str:
    return one_line(shortened(one_line(_encodable(text)), longest))


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _is_plain(text: str) -> bool:
    return len(text) <= _LONGEST_PLAIN and text.isascii() and text.isprintable() and "=?" not in text


def _unstructured(text: str) -> str:
    return text if _is_plain(text) else _encoded_words(text)


def _phrase(name: str) -> str:
    name = _shortened(name, _LONGEST_NAME)
    if not name:
        return ""
    escaped = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{escaped}" ' if _is_plain(name) else f"{_encoded_words(name)}\r\n "


def _encoded_words(text: str) -> str:
    """RFC 2047 §5: whole characters in every word, every word on a line of its own."""
    words = [b""]
    for character in text:
        octets = character.encode("utf-8")
        if len(words[-1]) + len(octets) > _OCTETS_PER_WORD:
            words.append(b"")
        words[-1] += octets
    return "\r\n ".join(f"=?utf-8?B?{base64.b64encode(word).decode('ascii')}?=" for word in words)


# --- text to body ---

_LINE_ENDS = re.compile("\r\n|[\r\n\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNPRINTED = re.compile("[\0-\x08\x0e-\x1b\x1f\x7f-\x9f\ufeff]")


def _lines(body: str) -> str:
    """The body with canonical line ends (RFC 2045 §6.8: before base64, not after) and without controls."""
    lines = _UNPRINTED.sub("", _LINE_ENDS.sub("\n", _encodable(body))).strip("\n")
    return lines.replace("\n", "\r\n") + "\r\n"


def _serialised(fields: list[tuple[str, str]], body: str) -> bytes:
    header = "".join(f"{name}: {value}\r\n" for name, value in fields)
    encoded = base64.encodebytes(body.encode("utf-8")).replace(b"\n", b"\r\n")
    return header.encode("ascii", "replace") + b"\r\n" + encoded


# --- reading it back ---


def _check(raw: bytes, *, names: list[str], recipient: str, subject: str, body: str) -> None:
    """Reads with the standard library's parser, on purpose not with the rules that wrote it."""
    if any(octet in raw.replace(b"\r\n", b"") for octet in (b"\r", b"\n", b"\0")):
        raise MalformedReply("a bare line end or NUL in the finished mail")
    if any(len(line) > _LONGEST_LINE for line in raw.split(b"\r\n")):
        raise MalformedReply("a line of the finished mail is too long")
    read = email.message_from_bytes(raw)
    if [name for name, _ in read.raw_items()] != names:
        raise MalformedReply("the finished mail has other header fields than were meant")
    if read["To"] != recipient or _unfolded_text(read["Subject"]) != subject:
        raise MalformedReply("recipient or subject read back otherwise than they were meant")
    content = read.get_payload(decode=True)
    if not isinstance(content, bytes) or content != body.encode("utf-8"):
        raise MalformedReply("the body reads back otherwise than it was meant")


def _unfolded_text(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (HeaderParseError, binascii.Error, ValueError, LookupError) as error:
        raise MalformedReply("the subject of the finished mail cannot be read back") from error
