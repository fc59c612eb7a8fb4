"""Addresses a machine may write to: plain ASCII, nothing that could end a line or a command."""

import re

# RFC 5321 §4.1.2 atoms. Dots may also stand together or at either end, as in the addresses that Docomo and au
# gave out for years; their owners still write to us. Quoted local parts are left out on purpose.
_ATOMS = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]"
_LOCAL = rf"{_ATOMS}{{1,64}}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_ADDRESS = re.compile(rf"{_LOCAL}@{_HOST}")
# What servers make of an address on its way (SRS, VERP) is longer, and some hosts are named against RFC 1123.
_HARMLESS = re.compile(rf"{_ATOMS}{{1,252}}@(?:[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*|\[[A-Za-z0-9.:-]+\])")

# RFC 5321 §4.5.3.1.3 allows 256 octets for a path, two of which are the angle brackets.
_LONGEST = 254


def valid_address(text: str) -> bool:
    """Whether the text is an addr-spec that can be put into an envelope and a header as it stands."""
    return len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None


def harmless_address(text: str) -> bool:
    """Whether the text can be kept and shown as somebody's address, though perhaps not be written to.

    Encoded words are left out: they are made of harmless characters and may be decoded by whoever shows them.
    """
    return len(text) <= _LONGEST and "=?" not in text and _HARMLESS.fullmatch(text) is not None


def without_needless_quotes(address: str) -> str:
    """RFC 5321 §4.1.2: quotes that a local part could do without mean nothing; old phones add them."""
    return re.sub(r'\A"([^"\\]*)"@', r"\1@", address)


def valid_name(text: str) -> bool:
    """Whether the text is a name of the DNS as it is written on the wire, with A-labels (RFC 5890 §2.3.2.1)."""
    return len(text) <= _LONGEST and re.fullmatch(_HOST, text) is not None


def normalised(address: str) -> str:
    """For comparing: RFC 5321 §2.4 lets local parts differ by case, people and their mailers do not."""
    return address.strip().lower()


def domain_of(address: str) -> str:
    """What follows the last "@", in lower case; "" where there is none."""
    return normalised(address).rpartition("@")[2] if "@" in address else ""


def correspondent_of(address: str) -> str:
    """One name for all addresses that reach one mailbox by a tag (`user+tag@`): what budgets count by."""
    local, at, domain = normalised(address).rpartition("@")
    return f"{local.partition('+')[0] or local}{at}{domain}"
