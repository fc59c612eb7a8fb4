"""Addresses a machine may write to: plain ASCII, nothing that could end a line or a command."""

import re

# RFC 5321 §4.1.2 atoms. Dots may also stand together or at the end, as in the addresses that Docomo and au
# gave out for years; their owners still write to us. Quoted local parts are left out on purpose.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-][A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{0,63}"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*"
_ADDRESS = re.compile(rf"{_LOCAL}@{_HOST}")

# RFC 5321 §4.5.3.1.3 allows 256 octets for a path, two of which are the angle brackets.
_LONGEST = 254


def valid_address(text: str) -> bool:
    """Whether the text is an addr-spec that can be put into an envelope and a header as it stands."""
    return len(text) <= _LONGEST and _ADDRESS.fullmatch(text) is not None


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
