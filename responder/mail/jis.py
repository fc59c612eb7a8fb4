"""The character sets of JIS, as ISO-2022-JP and EUC write them and mailers do."""

import re
from functools import cache

REPLACEMENT = "\ufffd"

_ESCAPES = re.compile(rb"\x1b(?:\$\(?[@ABCDOPQ]|\([HIJ])")
_MARKS = re.compile(rb"(?:\x1b&@)?\x1b(\$\(?[@ABCDOPQ]|\([ABHIJ])|[\x0e\x0f\n]")
_JIS_TOKENS = re.compile(rb"[\x21-\x7e]{2}|[^\x21-\x7e]+|.", re.DOTALL)
_EUC_TOKENS = re.compile(rb"[\0-\x7f]+|\x8e[\xa1-\xdf]|\x8f[\xa1-\xfe]{2}|[\xa1-\xfe]{2}|.", re.DOTALL)
# Escape sequence of a set of two octets (without "(") to how an EUC that Python knows writes its cells.
_SETS = {
    b"$@": (b"", "euc_jp"),
    b"$B": (b"", "euc_jp"),
    b"$D": (b"\x8f", "euc_jp"),
    b"$A": (b"", "gb2312"),
    b"$C": (b"", "euc_kr"),
    b"$O": (b"", "euc_jis_2004"),
    b"$Q": (b"", "euc_jis_2004"),
    b"$P": (b"\x8f", "euc_jis_2004"),
}
_HIGH = bytes(octet | 0x80 for octet in range(256))
_KANA = bytes(octet | 0x80 if 0x21 <= octet <= 0x5F else octet for octet in range(256))


def has_escapes(raw: bytes) -> bool:
    """Whether a set of Japanese characters is switched to somewhere."""
    return _ESCAPES.search(raw) is not None


def iso_2022_jp(raw: bytes) -> str:
    """RFC 1468 and what mailers made of it: half-width kana by escape or shift, and Microsoft's cells."""
    texts, end, escape, shifted = [], 0, b"(B", False
    for mark in _MARKS.finditer(raw):
        texts.append(_segment(raw[end : mark.start()], b"(I" if shifted else escape))
        end = mark.end()
        if mark[1]:
            escape = mark[1].replace(b"$(", b"$")
        elif mark[0] == b"\n":
            # RFC 1468: every line ends in ASCII, also where a mailer forgot the escape sequence.
            escape, shifted = b"(B", False
            texts.append("\n")
        else:
            shifted = mark[0] == b"\x0e"
    texts.append(_segment(raw[end:], b"(I" if shifted else escape))
    return "".join(texts)


def _segment(octets: bytes, escape: bytes) -> str:
    if escape in _SETS:
        return "".join(_jis_token(escape, token) for token in _JIS_TOKENS.findall(octets))
    if escape == b"(I":
        return octets.translate(_KANA).decode("cp932", "replace")
    if escape == b"(J" and octets.isascii():
        return octets.decode("ascii").translate({0x5C: "¥", 0x7E: "‾"})
    return octets.decode("cp932", "replace")


def _jis_token(escape: bytes, token: bytes) -> str:
    if len(token) == 2 and min(token) > 0x20 and max(token) < 0x7F:
        return _cell(escape, token)
    # Blanks and controls between cells stand for themselves; half a cell and 8-bit octets are lost.
    return token.decode("ascii") if max(token) <= 0x20 else REPLACEMENT


def euc_jp(raw: bytes) -> str:
    """With the rows that Microsoft filled; a replacement character for what stands for nothing."""
    try:
        return raw.decode("euc_jp")
    except UnicodeError:
        return "".join(map(_euc_token, _EUC_TOKENS.findall(raw)))


def _euc_token(token: bytes) -> str:
    if token.isascii():
        return token.decode("ascii")
    if len(token) == 2 and token[0] != 0x8E:
        return _cell(b"$B", bytes(octet & 0x7F for octet in token))
    return token.decode("euc_jp", "replace")


@cache
def _cell(escape: bytes, cell: bytes) -> str:
    """One character of a 94 by 94 set, `cell` being two octets from 0x21 to 0x7E."""
    prefix, codec = _SETS[escape]
    text = _strictly(prefix + cell.translate(_HIGH), codec)
    if text is None and codec == "euc_jp" and not prefix:
        # Rows that JIS X 0208 leaves free and Microsoft filled (①, ㈱, 髙): shifted, they are CP932.
        row, column = divmod(cell[0] - 0x21, 2)
        lead = row + (0x81 if row < 0x1F else 0xC1)
        trail = cell[1] + (0x7E if column else 0x1F if cell[1] < 0x60 else 0x20)
        text = _strictly(bytes((lead, trail)), "cp932")
    return text or REPLACEMENT


def _strictly(cell: bytes, codec: str) -> str | None:
    try:
        return cell.decode(codec)
    except UnicodeError:
        return None
