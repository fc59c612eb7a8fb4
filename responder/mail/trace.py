"""What a mail picks up on its way: the trace fields (RFC 5321 §4.4)."""

import re
from datetime import datetime
from email.utils import format_datetime
from itertools import islice

MOST_HOPS = 100
"""RFC 5321 §6.3: a mail that was passed on more often goes round in circles."""

_HEADER_SEARCHED = 1 << 20
"""Octets. No mail is read whose header is larger than a quarter of this, and a look for its end must not cost more."""

_END_OF_HEADER = re.compile(rb"\r?\n\r?\n")
# The parser takes such a line, and whatever follows it, for text that a person reads.
_NO_FIELD = re.compile(rb"^(?!\AFrom |[ \t]|[!-9;-~]+:)", re.MULTILINE)
_HOP = re.compile(rb"^received[ \t]*:", re.IGNORECASE | re.MULTILINE)

# What servers add under way differs from one attempt to the next: RFC 5321 §4.4, RFC 7208 §9.1, RFC 8601, RFC 8617.
_ADDED_UNDER_WAY = re.compile(
    rb"^(?:received|received-spf|return-path|delivered-to|authentication-results|arc-[a-z-]+):"
    rb".*(?:\n[ \t].*)*(?:\n|\Z)",
    re.IGNORECASE | re.MULTILINE,
)
_HARMLESS_NAME = re.compile(r"[A-Za-z0-9.:_\[\]-]{1,255}")


def received_field(*, helo: str, client: str | None, by: str, protocol: str, number: str, at: datetime) -> bytes:
    """Our own Received field, with its line end.

    `helo` is what the client called itself, whatever that was; `client` its IP address, None on a Unix socket;
    `protocol` a word of RFC 3848.
    """
    name = helo if _HARMLESS_NAME.fullmatch(helo) else "unknown"
    source = "unix" if client is None else _literal(client)
    lines = (f"Received: from {name} ({source})", f"\tby {by} with {protocol} id {number};", f"\t{format_datetime(at)}")
    return "".join(f"{line}\r\n" for line in lines).encode("ascii", "replace")


def _literal(client: str) -> str:
    # RFC 5321 §4.1.3.
    return f"[IPv6:{client}]" if ":" in client else f"[{client}]"


def traced(field: bytes, raw: bytes) -> bytes:
    """The mail with the field at its top.

    A mail that begins with a blank, or with the "From " of an mbox, gets none: before those nothing can be put that
    does not change how the rest is read.
    """
    return raw if raw.startswith((b" ", b"\t", b"From ")) else field + raw


def hops(raw: bytes) -> int:
    """How many servers have passed the mail on; counted up to one more than MOST_HOPS."""
    return sum(1 for _ in islice(_HOP.finditer(raw, 0, _header_length(raw)), MOST_HOPS + 1))


def untraced(raw: bytes) -> tuple[bytes, memoryview]:
    """The mail without what servers added to its header under way, in two parts: equal for two attempts at one mail."""
    length = _header_length(raw)
    text = _NO_FIELD.search(raw, 0, length)
    length = text.start() if text else length
    return _ADDED_UNDER_WAY.sub(b"", raw[:length]), memoryview(raw)[length:]


def _header_length(raw: bytes) -> int:
    if raw.startswith((b"\r\n", b"\n")):
        return 0
    end = _END_OF_HEADER.search(raw, 0, _HEADER_SEARCHED)
    # The last field's own line end belongs to it.
    return end.start() + raw[end.start() : end.end()].index(b"\n") + 1 if end else min(len(raw), _HEADER_SEARCHED)
