"""The mailboxes of an address field, as mailers write them."""

import re

from responder.mail.address import without_needless_quotes
from responder.mail.charset import decoded_field, one_line

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


def read_mailboxes(value: bytes) -> tuple[list[tuple[str, str]], bool]:
    """RFC 5322 §3.4, read leniently: names and addresses as they stand, and whether a group was among them.

    The value is unfolded octets. Neither need be fit to be written to; linear in the length.
    """
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
