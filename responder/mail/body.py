"""What a person reads in a mail, and what hangs on it."""

import binascii
import re
from copy import copy
from dataclasses import dataclass
from email.message import Message as Part
from html import unescape

from responder.mail.charset import Decoded, decoded, decoded_field, one_line, unbase64

LONGEST_TEXT = 1_000_000
"""Characters of text that are read; what follows them is left out."""
_LONGEST_HTML = 500_000
_LONGEST_PARAMETERS = 16_384


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


# --- parts ---


def reading_of(part: Part) -> Reading:
    """RFC 2046: what of a parsed part and the parts in it is text, in order. HTML is rendered already.

    The caller has made sure that parts are not nested deeper than the stack of Python allows.
    """
    content_type = part.get_content_type()
    if content_type.startswith("message/") or disposition(part) == "attachment":
        return Reading(attachments=(_attachment(part),))
    if part.is_multipart():
        children = [reading_of(child) for child in children_of(part)]
        alternative = content_type == "multipart/alternative"
        pieces = _chosen(children) if alternative else _told_once(children)
        return Reading(tuple(pieces), tuple(hung for child in children for hung in child.attachments))
    # A multipart whose boundary never comes holds its whole content as one string: better read than lost.
    if content_type in ("text/plain", "text/html") or content_type.startswith("multipart/"):
        return Reading(pieces=(_piece(part, is_html=content_type == "text/html"),))
    return Reading(attachments=(_attachment(part),))


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


def _piece(part: Part, *, is_html: bool) -> Piece:
    # Four octets are the most that one character takes in any charset that mail is written in.
    octets = content_of(part)
    if len(octets) > 4 * LONGEST_TEXT:
        # Cut between lines, lest half a character make a sound text look broken.
        start = octets[: 4 * LONGEST_TEXT]
        octets = start.rpartition(b"\n")[0] or start
    read = decoded(octets, parameter(part, "content-type", "charset"))
    text = html_text(read.text) if is_html else read.text.replace("\r\n", "\n").replace("\r", "\n")
    return Piece(Decoded(text[:LONGEST_TEXT], read.charset, read.replaced), is_html)


def content_of(part: Part) -> bytes:
    """The octets of a part that holds no parts, its transfer encoding undone as far as it can be."""
    if part.is_multipart():
        return b""
    # The standard library gives broken base64 back undecoded, so only uuencode is left to it.
    encoding = raw_value(part, "content-transfer-encoding").strip().lower()
    bare = copy(part)
    if encoding in (b"base64", b"quoted-printable"):
        del bare["content-transfer-encoding"]
    octets = bare.get_payload(decode=True)
    octets = octets if isinstance(octets, bytes) else b""
    match encoding:
        case b"base64":
            return unbase64(octets)
        case b"quoted-printable":
            return binascii.a2b_qp(octets)
        case _:
            return octets


def _attachment(part: Part) -> Attachment:
    leaves = (leaf for leaf in part.walk() if not leaf.is_multipart())
    return Attachment(_name(part), part.get_content_type(), sum(len(content_of(leaf)) for leaf in leaves))


def joined_text(pieces: tuple[Piece, ...]) -> Decoded:
    """The pieces one after the other, a blank line between; the charset is that of the longest one."""
    told = [piece for piece in pieces if not piece.is_blank]
    if not told:
        return Decoded("", "us-ascii", 0)
    text = "\n\n".join(piece.decoded.text.strip("\n") for piece in told)[:LONGEST_TEXT]
    longest = max(told, key=lambda piece: len(piece.decoded.text)).decoded
    return Decoded(text, longest.charset, sum(piece.decoded.replaced for piece in told))


# --- parameters of a content field ---

_PARAMETER = re.compile(rb';\s*([^\s=;"]{1,80})\s*=\s*("(?:[^"\\]|\\.?)*(?:"|\Z)|[^;]*)', re.DOTALL)
_PERCENT = re.compile(rb"%([0-9A-Fa-f]{2})")


def raw_value(part: Part, name: str) -> bytes:
    """The first field of that name as octets, unfolded (RFC 5322 §2.2.3); empty where there is none."""
    # The public accessors of the standard library replace undeclared octets, and so lose them.
    found = (value for field, value in part.raw_items() if field.lower() == name)
    return unfolded(str(next(found, "")))


def unfolded(value: str) -> bytes:
    return re.sub(rb"[\r\n]+(?=[ \t])", b"", value.encode("utf-8", "surrogateescape"))


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


def _name(part: Part) -> str:
    given = parameter(part, "content-disposition", "filename") or parameter(part, "content-type", "name") or ""
    name = re.split(r"[\\/]", given)[-1].strip()[:255]
    return name if name.strip(".") else ""


# --- HTML ---

_DEEPEST = 500
_LONGEST_TAG = 10_000
_MOST_CELLS = 5_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# These have no end tag, or end by themselves where the next one begins.
_FLAT = re.compile(r"area|base|[bh]r|col|embed|img|input|link|meta|source|track|wbr|p|li|d[dt]|t[drh]|option")
_ZERO = r"\s*:\s*0(?:\.0+)?(?![.\d])"
_HIDDEN = re.compile(rf"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity{_ZERO}", re.IGNORECASE)
_SHRUNK = re.compile(rf"(?:font-size|max-height){_ZERO}", re.IGNORECASE)
_MARKUP_END = re.compile(r"\Z|>")
_SILENT_ENDS = {
    name: re.compile(rf"\Z|</{name}[^>]*>?", re.IGNORECASE) for name in ("script", "style", "head", "title")
}
_LINES = re.compile(r"address|blockquote|[bh]r|div|d[dt]|h[1-6]|li|p|pre|table|tr|[uo]l")


def html_text(html: str) -> str:
    """The text that a browser would show, of the first 500,000 characters; hostile tags are just cut out."""
    html = html[:_LONGEST_HTML].replace("\0", "")
    if _is_hostile(html):
        return _stripped(html)
    try:
        return _tidy(_rendered(html))
    except Exception:  # noqa: BLE001 - two parsers and a layout engine on a stranger's text: anything may come
        return _stripped(html)


def _rendered(html: str) -> str:
    # Imported here because the import takes longer than reading a mail, and most mails hold plain text.
    from inscriptis.css_profiles import STRICT_CSS_PROFILE
    from inscriptis.html_engine import Inscriptis
    from inscriptis.model.config import ParserConfig
    from lxml.html import HTMLParser, document_fromstring  # type: ignore[import-untyped]  # it has no types

    if not html.strip():
        return ""
    # An XML declaration makes lxml refuse decoded text, and inscriptis drops what follows one of Outlook's.
    # Without `huge_tree`, whatever is nested deeper than 256 tags is dropped in silence.
    tree = document_fromstring(re.sub(r"<\?[^<>]*>", "", html), parser=HTMLParser(huge_tree=True))
    for element in tree.iter("*"):
        style = element.attrib.pop("style", "")
        # Senders shrink whole tables to nothing and let their cells grow again: only the innermost is hidden.
        shrunk = len(element) == 0 and _SHRUNK.search(style)
        if shrunk or _HIDDEN.search(style) or "hidden" in element.attrib:
            # The only style that is kept: others could ask for a margin of a hundred thousand blanks.
            element.set("style", "display:none")
    return str(Inscriptis(tree, ParserConfig(css=STRICT_CSS_PROFILE)).get_text())


def _is_hostile(html: str) -> bool:
    """Whether the tags would keep the layout engine busy for seconds, or make it give up."""
    opened = ((chunk, _TAG.search(chunk)) for chunk in html.split(">"))
    if any(tag and len(chunk) - tag.start() > _LONGEST_TAG for chunk, tag in opened):
        return True
    depth = cells = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        cells += name in ("td", "th", "tr")
        if not _FLAT.fullmatch(name):
            depth += -1 if tag[1] else 1
        if depth > _DEEPEST or cells > _MOST_CELLS:
            return True
    return False


def _stripped(html: str) -> str:
    """Without its tags. Every search starts where the last one ended, so the time is linear."""
    texts, position = [], 0
    while (start := html.find("<", position)) >= 0:
        texts.append(html[position:start])
        text, position = _skipped(html, start)
        texts.append(text)
    return _tidy(unescape("".join([*texts, html[position:]])))


def _skipped(html: str, start: int) -> tuple[str, int]:
    """What stands for the markup at `start`, and where the text goes on; unclosed markup runs to the end."""
    tag = _TAG.match(html, start)
    if tag is None and html[start + 1 : start + 2] not in ("!", "?", "/"):
        return "<", start + 1
    name = tag[2].lower() if tag and not tag[1] else ""
    closing = re.compile(r"\Z|-->") if html.startswith("<!--", start) else _SILENT_ENDS.get(name, _MARKUP_END)
    end = closing.search(html, start)
    return ("\n" if _LINES.fullmatch(name) else ""), (end.end() if end else len(html))


def _tidy(text: str) -> str:
    lines = [line.rstrip() for line in text.replace("\0", "").replace("\xa0", " ").splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")
