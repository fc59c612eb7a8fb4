"""Raw mail to a `Message`: mail-parser for the structure, everything in it read by our own rules."""

import email
import re
from dataclasses import dataclass
from email.message import Message as Part

import mailparser

from responder.mail.address import valid_address, without_needless_quotes
from responder.mail.body import Attachment, children_of, content_type_of, joined_text, reading_of, unfolded
from responder.mail.charset import decoded_field, one_line
from responder.mail.ids import ids_as_written, usable_id

__all__ = ["Attachment", "Message", "Unreadable", "mailboxes_in", "parse_message", "part_of", "usable_id"]

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
    raw = _without_blanks_before_colons(raw)
    reason = _excess_of_octets(raw)
    if reason is not None:
        return Unreadable(reason)
    try:
        part = _parsed(raw)
        reason = _excess_of_parts(part)
        return _message(part) if reason is None else Unreadable(reason)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's octets do to the parsers, a person must see it
        return Unreadable(f"the parser failed with {type(error).__name__}")


def part_of(raw: bytes) -> Part | None:
    """The parts of a mail, undecoded; None beyond the bounds of `parse_message`. Never raises."""
    raw = _without_blanks_before_colons(raw)
    if _excess_of_octets(raw) is not None:
        return None
    try:
        part = _parsed(raw)
        return part if _excess_of_parts(part) is None else None
    except Exception:  # noqa: BLE001 - as in parse_message
        return None


class _Structure(mailparser.MailParser):  # type: ignore[misc]  # it has no types
    """mail-parser without its reading of fields and bodies: ours go by our own rules, and its time by a square.

    It normalises what it decoded, and combining marks are sorted when they are: 800 KB of them in a body took 87 s,
    160 KB in a subject 4 s. It also decodes by idna and punycode, and takes long lists of recipients apart.
    """

    def _decode_body_payload(self, *_: object) -> str:
        return ""

    def _make_mail(self, complete: bool = True) -> dict[str, object]:
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

# Octets of Shift_JIS and of ISO-2022-JP in a raw name may look like quotes and brackets and go first;
# so do encoded words. Whatever opens ends at the end of the value at the latest: nothing is scanned twice.
_TOKEN = re.compile(
    rb"(?P<jis>\x1b\$[@B][^\x1b]*(?:\x1b\([BJ])?)"
    rb'|(?P<quoted>"(?:[\x81-\x9f\xe0-\xfc][\x40-\x7e]|[^"\\]|\\.?)*(?:"|\Z))'
    rb"|(?P<comment>\([^()]*\)?)|(?P<angle><[^<>]*>)|(?P<separator>[,;])|(?P<group>:)"
    rb"|(?P<encoded>=\?[!->@-~]{1,60}\?[bBqQ]\?[^?<>]*\?=)"
    rb'|(?P<word>[^\x1b"(<,;:=]+|.)',
    re.DOTALL,
)
_ESCAPED = re.compile(rb"([\x81-\x9f\xe0-\xfc][\x40-\x7e])|\\(.)", re.DOTALL)


def _author(values: list[bytes]) -> tuple[str, str]:
    """Name and address. A From that names nobody, several people or a group tells no one to answer."""
    if len(values) != 1 or len(values[0]) > _LONGEST_FROM:
        return "", ""
    mailboxes, groups = _mailboxes(values[0])
    if len(mailboxes) != 1 or groups or not valid_address(mailboxes[0][1]):
        return "", ""
    return mailboxes[0]


def _addresses(fields: list[tuple[str, bytes]], *wanted: str) -> tuple[str, ...]:
    found = (address for name, value in fields if name in wanted for _, address in _mailboxes(value)[0])
    return tuple(dict.fromkeys(address for address in found if valid_address(address)))


def mailboxes_in(value: bytes) -> tuple[str, ...]:
    """The addresses of a field as they stand there, whether or not they can be written to."""
    return tuple(address for _, address in _mailboxes(value)[0])


def _mailboxes(value: bytes) -> tuple[list[tuple[str, str]], bool]:
    """RFC 5322 §3.4, read leniently: names and addresses, and whether there was a group among them."""
    lists: list[list[tuple[str, bytes]]] = [[]]
    groups = False
    for token in _TOKEN.finditer(value):
        kind = token.lastgroup or ""
        groups = groups or kind == "group"
        if kind in ("separator", "group"):
            # What stands before the colon is the name of a group, and nobody's mailbox.
            lists[-1:] = [[]] if kind == "group" else [lists[-1], []]
        else:
            lists[-1].append((kind, token[0]))
    return [_mailbox(tokens) for tokens in lists if b"".join(octets for _, octets in tokens).strip()], groups


def _mailbox(tokens: list[tuple[str, bytes]]) -> tuple[str, str]:
    angles = [octets for kind, octets in tokens if kind == "angle"]
    spoken = [(kind, octets) for kind, octets in tokens if kind not in ("angle", "comment")]
    if len(angles) > 1:
        return "", ""
    if angles:
        name = b"".join(_unquoted(octets) if kind == "quoted" else octets for kind, octets in spoken)
        # RFC 5322 §4.4: a source route may stand before the address.
        address = re.sub(rb"\A@[^:]*:", b"", angles[0][1:-1].strip())
    else:
        name = b" ".join(octets.strip(b"()") for kind, octets in tokens if kind == "comment")
        address = b"".join(octets for _, octets in spoken).strip()
    return one_line(decoded_field(name)), without_needless_quotes(address.decode("ascii", "replace"))


def _unquoted(octets: bytes) -> bytes:
    inside = octets[1:-1] if len(octets) > 1 and octets.endswith(b'"') else octets[1:]
    return _ESCAPED.sub(lambda found: found[1] or found[2], inside)
