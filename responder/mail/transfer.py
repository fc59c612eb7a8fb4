"""Base64 as broken mailers write it."""

import binascii
import re

_PADDING = re.compile(rb"=+")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def unbase64(content: bytes) -> bytes:
    """RFC 2045 §6.8 for broken mailers: foreign octets are skipped, padding may lack or stand anywhere."""
    # Runs of padding are one end: of four million of them a list would take a quarter of a gigabyte.
    return b"".join(map(_unpadded, _PADDING.split(content)))


def _unpadded(quanta: bytes) -> bytes:
    quanta = quanta.translate(None, _NOT_BASE64)
    # One digit alone holds six bits: not even an octet.
    quanta = quanta[:-1] if len(quanta) % 4 == 1 else quanta
    return binascii.a2b_base64(quanta + b"=" * (-len(quanta) % 4))
