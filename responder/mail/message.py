"""Raw mail to a `Message`: mail-parser for the structure, everything in it read by our own rules."""

import email
import re
from dataclasses import dataclass
from email.message import Message as Part

import mailparser

from responder.mail.address import valid_address
from responder.mail.body import Attachment, children_of, content_type_of, joined_text, reading_of, unfolded
from responder.mail.charset import decoded_field
from responder.mail.ids import ids_as_written, usable_id
from responder.mail.mailboxes import read_mailboxes

__all__ = ["Attachment", "Message", "Unreadable", "parse_message", "part_of", "usable_id"]

_LONGEST_FIELDS = 256 * 1024
_MOST_FIELDS = 1000
_MOST_PARTS = 200
_DEEPEST = 30
_LONGEST_FROM = 2000
_LONGEST_CONTENT_FIELD = 16 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    fields: tuple[tuple[str, str], ...]
    """The top header in order: names in lower case, values decoded, each one line without controls."""
    subject: str
    from_address: str
    """"" unless there is exactly one From field with exactly one mailbox that can be written to."""
    from_name: str
    recipients: tuple[str, ...]
    """Addresses of To, Cc, Bcc and their Resent- forms, no repeats."""
    reply_to: tuple[str, ...]
    """Addresses of Reply-To, no repeats."""
    return_path: str | None
    """None: no such field; "": the null reverse-path."""
    message_id: str | None
    """With its angle brackets; None unless `usable_id`."""
    references: tuple[str, ...]
    """Of References, then of In-Reply-To; only usable ids, no repeats."""
    content_type: str
    text: str
    """What a person reads: plain text, or HTML rendered; line ends are "\\n"."""
    attachments: tuple[Attachment, ...]
    declared: str
    """The charset that the longest piece of text was declared in, as it stands there; "" where none was."""
    charset: str
    """What that piece was really decoded by."""
    replaced: int
    """How many replacement characters stand in the text for octets that no charset explained."""

    def values(self, name: str) -> tuple[str, ...]:
        """All values of the fields of that name, in the order in which they stand."""
        return tuple(value for field, value in self.fields if field == name.lower())


@dataclass(frozen=True, slots=True)
class Unreadable:
    reason: str
    """In a few English words."""


def parse_message(raw: bytes) -> Message | Unreadable:
    """Never raises. Mails beyond bounds that no honest mailer reaches are not looked into."""
    found = message_and_part(raw)
    return found if isinstance(found, Unreadable) else found[0]


def message_and_part(raw: bytes) -> tuple[Message, Part] | Unreadable:
    """The message, and the parts that it was read from, undecoded. Never raises."""
    part = part_or_reason(raw)
    if isinstance(part, Unreadable):
        return part
    try:
        return _message(part), part
    except Exception as error:  # noqa: BLE001 - whatever a stranger's octets do to the parsers, a person must see it
        return _failed(error)


def part_of(raw: bytes) -> Part | None:
    """The parts of a mail, undecoded; None beyond the bounds of `parse_message`. Never raises."""
    part = part_or_reason(raw)
    return part if isinstance(part, Part) else None


def part_or_reason(raw: bytes) -> Part | Unreadable:
    """The same, with the reason why there are none."""
    raw = _without_blanks_before_colons(raw)
    try:
        reason = _excess_of_octets(raw)
        part = _parsed(raw) if reason is None else Part()
        reason = reason or _excess_of_parts(part)
        return part if reason is None else Unreadable(reason)
    except Exception as error:  # noqa: BLE001 - as above
        return _failed(error)


def _failed(error: Exception) -> Unreadable:
    return Unreadable(f"the parser failed with {type(error).__name__}")


class _Structure(mailparser.MailParser):  # type: ignore[misc]  # it has no types
    """mail-parser without its reading of fields and bodies: ours go by our own rules, and its time by a square.

    It normalises what it decoded, and combining marks are sorted when they are: 800 KB of them in a body took 87 s,
    160 KB in a subject 4 s. It also decodes by idna and punycode, and takes the addresses in every field apart.
    """

    def _decode_body_payload(self, *_: object) -> str:
        return ""

    def _make_mail(self, complete: bool = True) -> dict[str, object]:
        return {}

    def _build_header_index(self) -> dict[str, list[object]]:
        return {}


def _parsed(raw: bytes) -> Part:
    try:
        part = _Structure.from_bytes(raw).message
    except Exception:  # noqa: BLE001 - AttributeError, ValueError and more come out of it for mails that people do send
        part = None
    return part if isinstance(part, Part) else email.message_from_bytes(raw)


_HEADER_END = re.compile(rb"\r?\n\r?\n|\r\r")
_BLANK_BEFORE_COLON = re.compile(rb"(?:^|(?<=\r))([!-9;-~]++)[ \t]++:", re.MULTILINE)


def _without_blanks_before_colons(raw: bytes) -> bytes:
    """RFC 5322 §4.5 wants `Subject :` read as `Subject:`. To the parser the header would end there."""
    end = _HEADER_END.search(raw, 0, _LONGEST_FIELDS + 4)
    if end is None and len(raw) > _LONGEST_FIELDS:
        return raw
    header, body = (raw[: end.start()], raw[end.start() :]) if end else (raw, b"")
    return _BLANK_BEFORE_COLON.sub(rb"\1:", header) + body


# --- bounds ---

# The parser also ends a line at a carriage return that stands alone.
_FIELD = re.compile(rb"(?:^|(?<=\r))[^ \t\r\n]", re.MULTILINE)
_CONTAINER = re.compile(rb"(?:^|(?<=\r))content-type:\s*(?:multipart|message)/", re.IGNORECASE | re.MULTILINE)
_CONTENT_FIELD = re.compile(
    rb"(?:^|(?<=\r))content-[a-z-]{1,30}:[^\r\n]*(?:(?:\r?\n|\r)[ \t][^\r\n]*)*", re.IGNORECASE | re.MULTILINE
)
_BOUNDARY = re.compile(rb'boundary[*0]*\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_DELIMITER = re.compile(rb"(?:^|(?<=\r))--([^\r\n]{1,204})", re.MULTILINE)


def _excess_of_octets(raw: bytes) -> str | None:
    """Looks before any parser does: their time grows with the square of some of these numbers."""
    end = _HEADER_END.search(raw, 0, _LONGEST_FIELDS + 4)
    if end is None and len(raw) > _LONGEST_FIELDS:
        return "the header is longer than 256 KiB"
    if sum(1 for _ in _FIELD.finditer(raw, 0, end.start() if end else len(raw))) > _MOST_FIELDS:
        return "the header has more than 1000 fields"
    lengths = [field.end() - field.start() for field in _CONTENT_FIELD.finditer(raw)]
    if max(lengths, default=0) > _LONGEST_CONTENT_FIELD:
        return "a content field is longer than 16 KiB"
    if sum(1 for _ in _CONTAINER.finditer(raw)) > _MOST_PARTS or _delimiters(raw) > 2 * _MOST_PARTS:
        return "it has more than 200 parts"
    return "its content fields are longer than 256 KiB" if sum(lengths) > _LONGEST_FIELDS else None


def _delimiters(raw: bytes) -> int:
    boundaries = {(found[1] or found[2]).strip() for found in _BOUNDARY.finditer(raw)}
    lines = (found[1].strip() for found in _DELIMITER.finditer(raw))
    return sum(line in boundaries or line.removesuffix(b"--") in boundaries for line in lines)


def _excess_of_parts(top: Part) -> str | None:
    waiting, parts = [(top, 1)], 0
    while waiting:
        part, depth = waiting.pop()
        parts += 1
        if depth > _DEEPEST:
            return "its parts are nested deeper than 30"
        if parts > _MOST_PARTS:
            return "it has more than 200 parts"
        waiting.extend((child, depth + 1) for child in children_of(part))
    return None


# --- fields ---


def _message(part: Part) -> Message:
    raw_fields = [(name.lower(), unfolded(str(value))) for name, value in part.raw_items()]
    fields = tuple((name, decoded_field(value)) for name, value in raw_fields)
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    reading = reading_of(part)
    text = joined_text(reading.pieces)
    from_name, from_address = _author([value for name, value in raw_fields if name == "from"])
    return Message(
        fields=fields,
        subject=values.get("subject", [""])[0],
        from_address=from_address,
        from_name=from_name,
        recipients=_addresses(raw_fields, "to", "cc", "bcc", "resent-to", "resent-cc", "resent-bcc"),
        reply_to=_addresses(raw_fields, "reply-to"),
        return_path=_return_path(values.get("return-path", [])),
        message_id=next(iter(ids_as_written(values.get("message-id", []))), None),
        references=ids_as_written(values.get("references", []) + values.get("in-reply-to", [])),
        content_type=content_type_of(part),
        text=text.text,
        attachments=reading.attachments,
        declared=text.declared,
        charset=text.charset,
        replaced=text.replaced,
    )


def _return_path(values: list[str]) -> str | None:
    if not values:
        return None
    inside = re.search(r"<([^<>]*)>", values[0])
    return (inside[1] if inside else values[0]).strip()


# --- mailboxes ---


def _author(values: list[bytes]) -> tuple[str, str]:
    """Name and address. A From that names nobody, several people or a group tells no one to answer."""
    if len(values) != 1 or len(values[0]) > _LONGEST_FROM:
        return "", ""
    mailboxes, groups = read_mailboxes(values[0])
    if len(mailboxes) != 1 or groups or not valid_address(mailboxes[0][1]):
        return "", ""
    return mailboxes[0]


def _addresses(fields: list[tuple[str, bytes]], *wanted: str) -> tuple[str, ...]:
    found = (address for name, value in fields if name in wanted for _, address in read_mailboxes(value)[0])
    return tuple(dict.fromkeys(address for address in found if valid_address(address)))
