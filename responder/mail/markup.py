"""A stranger's HTML as a browser may be given it: nothing runs, nothing is fetched, nothing leads anywhere."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape, unescape
from typing import TYPE_CHECKING

from responder.mail.body import is_attached, leaves_of, text_in
from responder.mail.charset import one_line
from responder.mail.html import LONGEST_HTML
from responder.mail.message import Unreadable, part_or_reason

if TYPE_CHECKING:
    from nh3 import Cleaner

_MOST_WORK = 1_000_000
"""Tags, each counted with those that are open around it; mail that people write stays under a fifth of it."""
_DEEPEST = 250
_LONGEST_TAG = 10_000
_MOST_REFERENCES = 50_000
"""The sanitiser's time grows with their square: half a million took it 6 s, 96,000 "&nbsp;" .75 s, 48,000 .19 s."""
_LONGEST_LINK = 500
_LONGEST_STYLE = 2_000


@dataclass(frozen=True, slots=True)
class Markup:
    """What may stand in a body."""

    html: str
    cut: bool
    """Whether the mail has more of it."""


def markup_in(raw: bytes) -> Markup | Unreadable:
    """The HTML of a mail, its parts one below the other."""
    part = part_or_reason(raw)
    if isinstance(part, Unreadable):
        return part
    leaves = (leaf for leaf in leaves_of(part) if not is_attached(leaf) and leaf.get_content_type() == "text/html")
    source = "\n".join(text_in(leaf).text for leaf in leaves)
    if not source.strip():
        return Unreadable("it holds no HTML")
    html = harmless(source[:LONGEST_HTML])
    return Unreadable("its HTML is nested too deep") if html is None else Markup(html, len(source) > LONGEST_HTML)


def harmless(source: str) -> str | None:
    """By an allow-list; None for what would keep the sanitiser busy for seconds.

    A link becomes its text with the address behind it, an image what its sender says that it shows.
    """
    if _is_too_much(source):
        return None
    first, last = _cleaners()
    # What this module wrote in between is cleaned like what the stranger wrote.
    return last.clean(_told(first.clean(source)))


def _names(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


# --- bounds ---

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
_VOID = _names("area base br col embed hr img input link meta param source track wbr")
# These end by themselves where the next one begins.
_UNCLOSED = _names("p li dd dt td th tr tbody thead tfoot option")


def _is_too_much(html: str) -> bool:
    """An upper bound for what any HTML parser has open at once, summed over the tags.

    An end tag counts only if it ends what was opened last: parsers ignore others, or open again what they closed.
    """
    if any(len(chunk) - chunk.rfind("<") > _LONGEST_TAG for chunk in html.split(">") if "<" in chunk):
        return True
    if html.count("&") > _MOST_REFERENCES:
        return True
    opened: list[str] = []
    work = 0
    for tag in _TAG.finditer(html):
        name = tag[2].lower()
        work += 1 + len(opened)
        if name in _VOID or name in _UNCLOSED:
            continue
        if not tag[1]:
            opened.append(name)
        elif opened and opened[-1] == name:
            opened.pop()
        if len(opened) > _DEEPEST or work > _MOST_WORK:
            return True
    return False


# --- the allow-list ---

_TAGS = _names(
    "abbr address b big blockquote br caption center cite code col colgroup dd del dfn div dl dt em font h1 h2 h3 h4 h5"
    " h6 hr i ins kbd li ol p pre q rp rt ruby s samp small span strike strong sub sup table tbody td tfoot th thead tr"
    " tt u ul var wbr"
)
# The rest loses its tags and keeps its text; of these the text goes too.
_SILENT = _names(
    "audio canvas datalist iframe math noembed noframes object script select style svg template textarea title video"
)
_ATTRIBUTES = {
    "*": {"align", "dir", "style", "valign"},
    "col": {"span", "width"},
    "font": {"color", "size"},
    "li": {"value"},
    "ol": {"start", "type"},
    "table": {"bgcolor", "border", "cellpadding", "cellspacing", "width"},
    "td": {"bgcolor", "colspan", "height", "rowspan", "width"},
    "th": {"bgcolor", "colspan", "height", "rowspan", "width"},
    "tr": {"bgcolor", "height"},
}
_VALUE = re.compile(r"[#\w%+-]{1,30}", re.ASCII)
# No position, which would lay one text over another, and no value that could name an address.
_PROPERTY = re.compile(
    r"(?:background-color|border(?:-(?:top|right|bottom|left|color|style|width|collapse))?|color|display|font-size"
    r"|font-style|font-weight|line-height|(?:margin|padding)(?:-(?:top|right|bottom|left))?|text-align|text-decoration"
    r"|text-indent|vertical-align|visibility|white-space|width)"
)
_DECLARED = re.compile(r"(?:[#\w.% -]|rgba?\([\d., %]{1,40}\)){1,80}", re.ASCII)


@cache
def _cleaners() -> tuple["Cleaner", "Cleaner"]:
    # Imported here, as most mails hold plain text.
    from nh3 import Cleaner

    attributes = {tag: set(names) for tag, names in _ATTRIBUTES.items()}
    first = Cleaner(
        tags={*_TAGS, "a", "img"},
        clean_content_tags=set(_SILENT),
        attributes={**attributes, "a": {"href"}, "img": {"alt"}},
        attribute_filter=_kept,
        link_rel=None,
        url_schemes={"http", "https", "mailto", "tel"},
        url_relative="deny",
    )
    last = Cleaner(
        tags=set(_TAGS),
        clean_content_tags=set(_SILENT),
        attributes=attributes,
        allowed_classes={"span": {"address", "image"}},
        attribute_filter=_kept,
        link_rel=None,
        url_schemes=set(),
        url_relative="deny",
    )
    return first, last


def _kept(_tag: str, name: str, value: str) -> str | None:
    match name:
        case "href":
            # In an attribute "<" may stand as it is, and the text that comes of it is looked for tags again.
            return one_line(value)[:_LONGEST_LINK].replace("<", "%3C").replace(">", "%3E")
        case "alt":
            return one_line(value)[:_LONGEST_LINK].replace("<", "‹").replace(">", "›")
        case "class":
            return value
        case "style":
            return _style(value[:_LONGEST_STYLE]) or None
        case _:
            return value.strip() if _VALUE.fullmatch(value.strip()) else None


def _style(value: str) -> str:
    pairs = (declaration.partition(":") for declaration in value.split(";"))
    stripped = ((name.strip().lower(), said.strip()) for name, _, said in pairs)
    return "; ".join(f"{name}: {said}" for name, said in stripped if _allowed(name, said))


def _allowed(name: str, said: str) -> bool:
    if name == "display":
        # A text that its sender hides from all readers stays hidden; no other way to lay it out is kept.
        return said.lower() == "none"
    return _PROPERTY.fullmatch(name) is not None and _DECLARED.fullmatch(said) is not None


# --- links and images ---

_TOLD = re.compile(r'<a(?: href="([^"]*)")?>|</a>|<img(?: alt="([^"]*)")?>')
_ANY_TAG = re.compile(r"<[^<>]*>")


def _told(html: str) -> str:
    """What the first cleaner left, without links and images: its output has every quote and bracket escaped."""
    return "".join(_pieces(html))


def _pieces(html: str) -> Iterator[str]:
    links: list[tuple[str, int]] = []
    end = 0
    for tag in _TOLD.finditer(html):
        yield html[end : tag.start()]
        end = tag.end()
        if tag[0].startswith("<img"):
            described = unescape(tag[2] or "").strip()
            yield f'<span class="image">[{escape(described)}]</span>' if described else ""
        elif tag[0] != "</a>":
            links.append((unescape(tag[1] or ""), end))
            yield "<u>"
        else:
            address, start = links.pop() if links else ("", end)
            yield f"</u>{_address(address, html[start : tag.start()])}"
    yield html[end:]


def _address(address: str, text: str) -> str:
    said = unescape(_ANY_TAG.sub("", text)).strip()
    return f' <span class="address">[{escape(address)}]</span>' if address and said != address else ""
