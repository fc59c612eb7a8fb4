"""Octets to text, whatever a mail says about its charset."""

import binascii
import codecs
import re
from dataclasses import dataclass
from functools import cache
from itertools import islice

from responder.mail.jis import REPLACEMENT, euc_jp, has_escapes, iso_2022_jp
from responder.mail.transfer import unbase64

_MOST_ENCODED_WORDS = 1000
_SAMPLE = 20_000  # characters: enough to tell charsets apart
_NOT_ASCII = re.compile(rb"[\x80-\xff]")
_PLAUSIBLE = 0.5
JAPANESE_CHARSETS = ("utf-8", "cp932", "euc-jp", "iso-2022-jp")
"""What Japanese mail is written in."""
_EVERYDAY_ROWS = (0xA1, 0xA3, 0xA4, 0xA5, *range(0xB0, 0xD0))


@dataclass(frozen=True, slots=True)
class Decoded:
    text: str
    charset: str
    """What really decoded it, not what was declared."""
    replaced: int
    """How many replacement characters the text holds."""
    declared: str = ""
    """What the mail said of it, where somebody keeps that."""


def decoded(raw: bytes, declared: str | None) -> Decoded:
    """Never raises, linear in the length of `raw`. Neither NUL nor a leading byte order mark survives."""
    text, charset = _read(raw, _codec(declared))
    text = text.removeprefix("\ufeff").replace("\0", "")
    return Decoded(text, charset, text.count(REPLACEMENT))


def decoded_as(raw: bytes, charset: str) -> Decoded:
    """By this charset whatever the mail says of itself; it is one of `JAPANESE_CHARSETS`, or a codec of Python."""
    text = iso_2022_jp(raw) if charset == "iso-2022-jp" else _loosely(raw, charset)
    text = text.removeprefix("\ufeff").replace("\0", "")
    return Decoded(text, charset, text.count(REPLACEMENT))


# --- the ladder ---

_NAME = re.compile(r"\A[\s\"']*([a-z0-9][a-z0-9._:+-]{0,39})")
# Only charsets of text. Python also knows codecs that are slow or no charsets at all (idna, punycode, zlib,
# unicode-escape, rot13), and a mail may name any of them.
_TEXT_CODECS = re.compile(
    r"utf-(?:7|8|16|32)(?:-(?:le|be|sig))?|ascii|iso8859-\d+|cp\d+|koi8-\w+|gb\w+|big5\w*|hz|euc_\w+"
    r"|iso2022_\w+|shift_jis\w*|johab|mac-\w+|tis-620|kz1048|ptcp154|hp-roman8"
)
# Labels under which mailers send the larger set that Microsoft made of it, and names unknown to Python.
_LARGER = {
    "cp932": re.compile(r"shift[_-]jis|x-sjis|sjis-win|(?:cs)?windows-?31j"),
    "euc-jp": re.compile(r"(?:x-)?euc[_-]?jp(?:-ms|-win)?|cp51932"),
    "iso-2022-jp": re.compile(r"iso-?2022[_-]jp[\w-]*|cp5022[012]"),
    "gb18030": re.compile(r"gb2312|gbk"),
    "cp949": re.compile(r"euc_kr"),
}
_JAPANESE = ("euc-jp", "cp932")
# Labels that mailers put on whatever they have: true for ASCII, a guess for anything else.
_WESTERN = ("ascii", "iso8859-1", "iso8859-15", "cp1252")
_SEVEN_BIT = ("iso-2022-jp", "iso2022_kr", "hz", "utf-7")


def _codec(declared: str | None) -> str | None:
    """The codec that a charset name stands for, None for names nobody should decode by."""
    name = _NAME.match(declared.lower()) if declared else None
    if name is None:
        return None
    try:
        codec = _larger(name[1]) or codecs.lookup(name[1]).name
    except (LookupError, ValueError):
        return None
    return _larger(codec) or (codec if _TEXT_CODECS.fullmatch(codec) else None)


def _larger(name: str) -> str | None:
    return next((codec for codec, names in _LARGER.items() if names.fullmatch(name)), None)


def _read(raw: bytes, codec: str | None) -> tuple[str, str]:
    if _is_iso_2022_jp(raw, codec):
        return iso_2022_jp(raw), "iso-2022-jp"
    if raw.isascii() and b"\0" not in raw and codec not in _SEVEN_BIT:
        return raw.decode("ascii"), "us-ascii"
    if codec is not None and codec not in _WESTERN:
        text = _strictly(raw, codec)
        if text is not None and not _mislabelled(raw, text, codec):
            return text, codec
    utf_8 = _strictly(raw, "utf-8")
    return (utf_8, "utf-8") if utf_8 is not None else _likeliest(raw, codec)


def _strictly(raw: bytes, codec: str) -> str | None:
    if codec == "euc-jp":
        text = euc_jp(raw)
        return None if REPLACEMENT in text else text
    try:
        text = raw.decode(codec)
        if codec == "utf-7":
            # RFC 2152 in Python's hands also gives halves of characters, which nothing can write down again.
            text.encode("utf-8")
    except UnicodeError:
        return None
    return text


def _loosely(raw: bytes, codec: str) -> str:
    return euc_jp(raw) if codec == "euc-jp" else raw.decode(codec, "replace")


def _sample(raw: bytes) -> bytes:
    # The first octet that is not ASCII begins a character, in every charset that the sample is tried with.
    first = _NOT_ASCII.search(raw)
    return raw[first.start() : first.start() + 3 * _SAMPLE] if first else b""


def _mislabelled(raw: bytes, text: str, codec: str) -> bool:
    """Whether another charset makes clearly better sense of octets that the declared one also decodes."""
    utf_8 = _strictly(raw, "utf-8") if codec != "utf-8" else None
    if codec not in _JAPANESE:
        # Octets are hardly ever valid UTF-8 by chance, but UTF-8 is valid in most charsets of one octet.
        return utf_8 is not None and not codec.startswith(("utf", *_SEVEN_BIT))
    score = japaneseness(text)
    if utf_8 is not None and japaneseness(utf_8) > score:
        return True
    rival = _loosely(_sample(raw), "cp932" if codec == "euc-jp" else "euc-jp")
    return score < _PLAUSIBLE <= japaneseness(rival)


def _likeliest(raw: bytes, codec: str | None) -> tuple[str, str]:
    sample = _sample(raw)
    scores = {guess: japaneseness(_loosely(sample, guess)) for guess in ("utf-8", *_JAPANESE)}
    best = max(scores, key=scores.__getitem__)
    labelled = codec is not None and codec not in _WESTERN
    if scores[best] >= _PLAUSIBLE and (labelled or _is_running_japanese(_loosely(sample, best))):
        return _loosely(raw, best), best
    if codec is None or codec in ("ascii", "iso-2022-jp", "utf-7"):
        return raw.decode("utf-8", "replace"), "utf-8"
    # What is labelled ISO-8859-1 is Windows-1252 in practice; the WHATWG Encoding Standard agrees.
    codec = "cp1252" if codec == "iso8859-1" else codec
    return _loosely(raw, codec), codec


@cache
def _everyday() -> frozenset[str]:
    """What Japanese mail is made of: punctuation, full-width letters, kana, the kanji of JIS level 1."""
    cells = bytes(octet for row in _EVERYDAY_ROWS for cell in range(0xA1, 0xFF) for octet in (row, cell))
    return frozenset(cells.decode("euc_jp", "ignore")) | frozenset("～－∥￠￡￢①②③④⑤㈱")


# Runs of half-width kana are Japanese; single ones, or ones between punctuation, are misread octets.
_HALF_WIDTH_RUN = re.compile("[\uff66-\uff9f]{2,}")


def japaneseness(text: str) -> float:
    """Up to 1: the share of everyday Japanese in what is not ASCII. Misread text scores low."""
    sample = re.sub(r"[\0-\x7f]+", "", text)[:_SAMPLE]
    if not sample:
        return 0.0
    everyday = sum(map(_everyday().__contains__, sample)) - sample.count(REPLACEMENT)
    half_width = sum(len(run) for run in _HALF_WIDTH_RUN.findall(sample))
    return (everyday + half_width / 2) / len(sample)


_KANA_READ = re.compile("[\u3041-\u30fa]")
_RUN = re.compile("[\u3000-\u30ff\u4e00-\u9fff\uff01-\uff9f\u2460-\u2473\u3231]{2,}")


def _is_running_japanese(text: str) -> bool:
    """Whether it holds kana, or mostly characters that stand side by side.

    An apostrophe or accent of Windows-1252 and the letter after it are one everyday kanji in CP932, but a lone one.
    """
    if _KANA_READ.search(text):
        return True
    foreign = len(re.sub(r"[\0-\x7f]+", "", text))
    return 2 * sum(len(run) for run in _RUN.findall(text)) > foreign


def _is_iso_2022_jp(raw: bytes, codec: str | None) -> bool:
    if raw.isascii():
        return codec == "iso-2022-jp" or has_escapes(raw)
    return has_escapes(raw) and _strictly(raw, "utf-8") is None


# --- header fields ---

# The charset is bounded and the content stops at the first "?", so octets are looked at a few times only.
_WORD = re.compile(rb"=\?([!->@-~]{1,60})\?([bBqQ])\?([^?]*)\?=")
# Line ends, controls, and the marks that let a line read other than it is stored.
_CONTROLS = (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029)
_BIDI = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
_TO_BLANKS = dict.fromkeys((*_CONTROLS, *_BIDI), " ")


def one_line(text: str) -> str:
    """A blank for every control, line separator and bidirectional mark; no blanks at the ends."""
    return text.translate(_TO_BLANKS).strip()


def decoded_field(value: bytes) -> str:
    """An unfolded header value as one line of text: RFC 2047 encoded words, and raw octets of any charset.

    Never raises and is linear; encoded words after the first 1000 stay as they are written.
    """
    return one_line(field_text(value))


def field_text(value: bytes) -> str:
    """The same with its controls: what was misread once cannot be undone without them."""
    return "".join(decoded(octets, charset).text for octets, charset in _pieces(value))


def field_as(value: bytes, charset: str) -> str:
    """As one line, with every encoded word and raw octet read as `decoded_as` reads it."""
    return one_line("".join(decoded_as(octets, charset).text for octets, _ in _pieces(value)))


def _pieces(value: bytes) -> list[tuple[bytes, str | None]]:
    pieces: list[tuple[bytes, str | None]] = []
    end = 0
    for word in islice(_WORD.finditer(value), _MOST_ENCODED_WORDS):
        between = value[end : word.start()]
        adjacent = bool(end) and not between.strip()
        if not adjacent:
            pieces.append((between, None))
        # RFC 2231 §5: a language may follow the charset.
        charset = word[1].lower().partition(b"*")[0].decode("ascii")
        content = binascii.a2b_qp(word[3], header=True) if word[2] in b"qQ" else unbase64(word[3])
        if adjacent and pieces[-1][1] == charset:
            # Mailers split characters and shift states over words, which RFC 2047 §5 forbids.
            content = pieces.pop()[0] + content
        pieces.append((content, charset))
        end = word.end()
    return [*pieces, (value[end:], None)]
