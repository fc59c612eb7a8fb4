"""HTML as a person sees it."""

import re
from collections.abc import Mapping
from html import unescape

LONGEST_HTML = 500_000
"""Characters of markup that are looked at in one mail."""
_DEEPEST = 500
_LONGEST_TAG = 10_000
_MOST_CELLS = 5_000
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# These have no end tag, or end by themselves where the next one begins.
_FLAT = re.compile(r"area|base|[bh]r|col|embed|img|input|link|meta|source|track|wbr|p|li|d[dt]|t[drh]|option")
_ZERO = r"\s*:\s*0(?:\.0+)?(?![.\d])"
# The whole name of a property: `backface-visibility` and `mso-fill-opacity` are others.
_NAMED = r"(?<![\w-])"
_AWAY = r"\s*:\s*-\d{3,}"
# What hides a text from everybody. `mso-hide:all` alone hides it in Outlook only, so the others read it, and so do we.
_HIDDEN = re.compile(
    rf"{_NAMED}(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity{_ZERO}|text-indent{_AWAY})",
    re.IGNORECASE,
)
_PLACED = re.compile(r"position\s*:\s*(?:absolute|fixed)", re.IGNORECASE)
_OFF_SCREEN = re.compile(rf"{_NAMED}(?:left|top|right|bottom){_AWAY}", re.IGNORECASE)
_SHRUNK = re.compile(rf"{_NAMED}(?:font-size|max-height){_ZERO}", re.IGNORECASE)
# A program that shows mail runs no scripts, so what stands in <noscript> is seen; what stands in these is not.
_UNSEEN = frozenset({"template", "datalist", "noembed", "noframes", "rp", "audio", "video", "canvas", "iframe"})
_MARKUP_END = re.compile(r"\Z|>")
_SILENT_ENDS = {
    name: re.compile(rf"\Z|</{name}[^>]*>?", re.IGNORECASE) for name in ("script", "style", "head", "title")
}
_LINES = re.compile(r"address|blockquote|[bh]r|div|d[dt]|h[1-6]|li|p|pre|table|tr|[uo]l")


def html_text(html: str) -> str:
    """The text that a browser would show, of the first 500,000 characters; hostile tags are just cut out."""
    html = html[:LONGEST_HTML].replace("\0", "")
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
    hidden = hidden_names("\n".join(sheet.text or "" for sheet in tree.iter("style")))
    for element in tree.iter("*"):
        style = element.attrib.pop("style", "")
        # Senders shrink whole tables to nothing and let their cells grow again: only the innermost is hidden.
        shrunk = len(element) == 0 and _SHRUNK.search(style)
        # What an element says of itself goes before what a style sheet says of its class.
        named = "display" not in style.lower() and not hidden.isdisjoint(_names(element.attrib))
        if shrunk or named or _hides(style) or "hidden" in element.attrib or element.tag in _UNSEEN:
            # The only style that is kept: others could ask for a margin of a hundred thousand blanks.
            element.set("style", "display:none")
    return str(Inscriptis(tree, ParserConfig(css=STRICT_CSS_PROFILE)).get_text())


def _hides(style: str) -> bool:
    off_screen = _PLACED.search(style) and _OFF_SCREEN.search(style)
    return off_screen is not None or _HIDDEN.search(style) is not None


def _names(attributes: Mapping[str, str]) -> list[str]:
    names = [f".{name}" for name in attributes.get("class", "").split()[:_MOST_NAMES]]
    return [*names, f"#{attributes['id']}"] if "id" in attributes else names


# --- style sheets ---

_MOST_NAMES = 100
_STYLE_TOKEN = re.compile(r"/\*|[{}]")
_SELECTOR = re.compile(r"\A(?:[a-z]+[0-9]?)?([.#][\w-]{1,80})", re.IGNORECASE)


def hidden_names(sheet: str) -> set[str]:
    """The classes (".name") and ids ("#name") that a style sheet hides from every reader.

    Rules inside of another block, such as `@media`, hold for some readers only, and do not count.
    """
    names: set[str] = set()
    prelude, block = "", ""
    depth = position = 0
    while (token := _STYLE_TOKEN.search(sheet, position)) is not None:
        said, position = sheet[position : token.start()], token.end()
        if depth:
            block += said if depth == 1 else ""
        else:
            prelude += said
        match token[0]:
            case "/*":
                end = sheet.find("*/", position)
                position = end + 2 if end >= 0 else len(sheet)
            case "{":
                depth += 1
            case "}":
                depth = max(depth - 1, 0)
                if depth == 0:
                    names |= _hidden_by(prelude, block)
                    prelude, block = "", ""
    return names


def _hidden_by(prelude: str, block: str) -> set[str]:
    if not _hides(block) or prelude.lstrip().startswith("@"):
        return set()
    found = (_SELECTOR.fullmatch(selector.strip()) for selector in prelude.split(","))
    return {selector[1] for selector in found if selector}


# --- hostile markup ---


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
