"""What a person reads in a mail, and what hangs on it."""

import binascii
import re
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass, replace
from email.message import Message as Part

from responder.mail.charset import Decoded, decoded, decoded_field, one_line
from responder.mail.html import LONGEST_HTML, html_text
from responder.mail.transfer import unbase64

LONGEST_TEXT = 1_000_000
"""Characters of text that are read; what follows them is left out."""
_LONGEST_PARAMETERS = 16_384
_LONGEST_LABEL = 60


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    """"" where none is given; never a path."""
    content_type: str
    size: int
    """In octets, decoded; of an attached mail the octets of its parts."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One part that a person reads."""

    decoded: Decoded
    is_html: bool

    @property
    def is_blank(self) -> bool:
        return not self.decoded.text.strip()


@dataclass(frozen=True, slots=True)
class Reading:
    pieces: tuple[Piece, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    markup: int = 0
    """Characters of HTML that were rendered for it."""


# --- parts ---


def reading_of(part: Part, markup: int = LONGEST_HTML) -> Reading:
    """RFC 2046: what of a parsed part and the parts in it is text, in order. HTML is rendered already.

    `markup` is how many characters of it may be rendered: it takes a hundred times as long as anything else here. The
    caller has made sure that parts are not nested deeper than the stack of Python allows.
    """
    if is_attached(part):
        return Reading(attachments=(attachment_of(part),))
    content_type = part.get_content_type()
    if part.is_multipart():
        return _reading_of_parts(children_of(part), alternative=content_type == "multipart/alternative", markup=markup)
    if content_type == "text/html":
        return _rendered(part, markup)
    text = text_in(part)
    return Reading(pieces=(Piece(replace(text, text=_plain(text.text)), is_html=False),))


def is_attached(part: Part) -> bool:
    """Whether a part hangs on the mail, and is no text of it."""
    content_type = part.get_content_type()
    if content_type.startswith("message/") or disposition(part) == "attachment":
        return True
    # A multipart whose boundary never comes holds its whole content as one string: better read than lost.
    return not content_type.startswith("multipart/") and content_type not in ("text/plain", "text/html")


def leaves_of(part: Part) -> Iterator[Part]:
    """The parts that are text of the mail or hang on it, in the order of `reading_of`, without looking into them."""
    if is_attached(part) or not part.is_multipart():
        yield part
        return
    for child in children_of(part):
        yield from leaves_of(child)


def _reading_of_parts(parts: list[Part], *, alternative: bool, markup: int) -> Reading:
    children: list[Reading] = []
    for part in parts:
        children.append(reading_of(part, markup))
        markup -= children[-1].markup
    pieces = _chosen(children) if alternative else _told_once(children)
    hung = tuple(attachment for child in children for attachment in child.attachments)
    return Reading(tuple(pieces), hung, sum(child.markup for child in children))


def _rendered(part: Part, markup: int) -> Reading:
    source = text_in(part)
    html = source.text[:markup]
    return Reading((Piece(replace(source, text=html_text(html)[:LONGEST_TEXT]), is_html=True),), (), len(html))


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")[:LONGEST_TEXT]


def children_of(part: Part) -> list[Part]:
    """The parts in a multipart or attached mail; none in any other."""
    # Asked for the payload of a leaf, the standard library decodes it, and raises for a charset with NUL.
    payload = part.get_payload() if part.is_multipart() else []
    return [child for child in payload if isinstance(child, Part)]


def _chosen(children: list[Reading]) -> list[Piece]:
    """RFC 2046 §5.1.4 prefers the last alternative; plain text is what the sender wrote, so it goes first."""
    told = [child for child in children if not all(piece.is_blank for piece in child.pieces)]
    plain = [child for child in told if not any(piece.is_html for piece in child.pieces)]
    return list((plain[0] if plain else told[-1]).pieces) if told else []


def _told_once(children: list[Reading]) -> list[Piece]:
    """Some mailers put the plain and the HTML form of one text side by side into a multipart/mixed."""
    pieces = [piece for child in children for piece in child.pieces]
    alone = len(pieces) == 2 and {piece.is_html for piece in pieces} == {True, False}
    if alone and _words(pieces[0]) == _words(pieces[1]):
        return [piece for piece in pieces if not piece.is_html]
    return pieces


def _words(piece: Piece) -> str:
    return "".join(piece.decoded.text.split())


def text_in(part: Part) -> Decoded:
    """A part of text as it is written, HTML with its tags."""
    # Four octets are the most that one character takes in any charset that mail is written in.
    octets = content_of(part)
    if len(octets) > 4 * LONGEST_TEXT:
        # Cut between lines, lest half a character make a sound text look broken.
        start = octets[: 4 * LONGEST_TEXT]
        octets = start.rpartition(b"\n")[0] or start
    declared = parameter(part, "content-type", "charset")
    return replace(decoded(octets, declared), declared=one_line(declared or "")[:_LONGEST_LABEL])


# RFC 2045 §6.1: one token. Some mailers put it in quotes, or a comment or semicolon after it.
_TRANSFER_ENCODING = re.compile(rb"\A[\s\"]*([^\s\"(;]*).*", re.DOTALL)


def content_of(part: Part) -> bytes:
    """The octets of a part that holds no parts, its transfer encoding undone as far as it can be."""
    if part.is_multipart():
        return b""
    # The standard library gives broken base64 back undecoded, so only uuencode is left to it.
    bare = copy(part)
    encoding = transfer_encoding(part)
    if encoding in (b"base64", b"quoted-printable"):
        del bare["content-transfer-encoding"]
    octets = bare.get_payload(decode=True)
    return untransferred(octets if isinstance(octets, bytes) else b"", encoding)


def transfer_encoding(part: Part) -> bytes:
    """What the field says, in lower case."""
    return _TRANSFER_ENCODING.sub(rb"\1", raw_value(part, "content-transfer-encoding")).lower()


def untransferred(octets: bytes, encoding: bytes) -> bytes:
    """With base64 or quoted-printable undone, and as they are for any other encoding."""
    match encoding:
        case b"base64":
            return unbase64(octets)
        case b"quoted-printable":
            return binascii.a2b_qp(octets)
        case _:
            return octets


def attachment_of(part: Part) -> Attachment:
    """What a list of attachments says of one."""
    leaves = (leaf for leaf in part.walk() if not leaf.is_multipart())
    return Attachment(given_name(part), content_type_of(part), sum(len(content_of(leaf)) for leaf in leaves))


def joined_text(pieces: tuple[Piece, ...]) -> Decoded:
    """The pieces one after the other, a blank line between; both charsets are those of the longest one."""
    told = [piece for piece in pieces if not piece.is_blank]
    if not told:
        return Decoded("", "us-ascii", 0)
    text = "\n\n".join(piece.decoded.text.strip("\n") for piece in told)[:LONGEST_TEXT]
    longest = max(told, key=lambda piece: len(piece.decoded.text)).decoded
    return replace(longest, text=text, replaced=sum(piece.decoded.replaced for piece in told))


# --- parameters of a content field ---

_PARAMETER = re.compile(rb';\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.?)*(?:"|\Z)|[^;]*)', re.DOTALL)
_CONTENT_TYPE = re.compile(r"\A[!-.0-~]+/[!-.0-~]+")
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def raw_value(part: Part, name: str) -> bytes:
    """The first field of that name as octets, unfolded (RFC 5322 §2.2.3); empty where there is none."""
    # The public accessors of the standard library replace undeclared octets, and so lose them.
    found = (value for field, value in part.raw_items() if field.lower() == name)
    return unfolded(str(next(found, "")))


def unfolded(value: str) -> bytes:
    return re.sub(rb"[\r\n]+(?=[ \t])", b"", value.encode("utf-8", "surrogateescape"))


def content_type_of(part: Part) -> str:
    """In lower case, and of RFC 2045 §5.1's characters only: "text/plain" for anything else (§5.2)."""
    content_type = part.get_content_type()
    return content_type if _CONTENT_TYPE.fullmatch(content_type) else "text/plain"


def disposition(part: Part) -> str:
    """RFC 2183: "attachment", "inline", whatever else stands there in lower case, or "" for nothing."""
    value = raw_value(part, "content-disposition")[:_LONGEST_PARAMETERS]
    return value.partition(b";")[0].strip().lower().decode("ascii", "replace")


def parameter(part: Part, field: str, name: str) -> str | None:
    """A parameter of a content field by RFC 2231, by RFC 2047 where mailers use that instead, or raw."""
    value = raw_value(part, field)[:_LONGEST_PARAMETERS]
    segments: dict[int, tuple[bool, bytes]] = {}
    for found in _PARAMETER.finditer(value):
        whole, _, rest = found[1].decode("latin-1").lower().partition("*")
        number = rest.rstrip("*")
        if whole == name and (number or "0").isdecimal():
            # A form with a star is meant for those who know RFC 2231; the one without is for the others.
            starred = found[1].endswith(b"*")
            if starred or int(number or 0) not in segments:
                segments[int(number or 0)] = (starred, _unquoted(found[2].strip()))
    return _text_of([segments[number] for number in sorted(segments)]) if segments else None


def _unquoted(value: bytes) -> bytes:
    # Only quotes and backslashes are escaped in practice: a path of Windows keeps its backslashes, and so do
    # the many characters of Shift_JIS whose second octet is one.
    inside = value[1:].removesuffix(b'"')
    return re.sub(rb'\\(["\\])', rb"\1", inside) if value.startswith(b'"') else value


def _text_of(segments: list[tuple[bool, bytes]]) -> str:
    if not segments[0][0]:
        return decoded_field(b"".join(octets for _, octets in segments))
    charset, _, rest = segments[0][1].partition(b"'")
    octets = [rest.partition(b"'")[2], *(octets for _, octets in segments[1:])]
    starred = [encoded for encoded, _ in segments]
    plain = [_unpercented(part) if star else part for star, part in zip(starred, octets, strict=True)]
    return one_line(decoded(b"".join(plain), charset.decode("latin-1")).text)


def _unpercented(octets: bytes) -> bytes:
    return _PERCENT.sub(lambda found: bytes((int(found[1], 16),)), octets)


def given_name(part: Part) -> str:
    """As `Attachment.name` has it."""
    given = parameter(part, "content-disposition", "filename") or parameter(part, "content-type", "name") or ""
    name = re.split(r"[\\/]", given)[-1].strip()[:255]
    return name if name.strip(".") else ""
