"""Message-IDs of our own, with a tag that only who has the key can make: ours are known again without a database."""

import hashlib
import hmac
import re
from dataclasses import dataclass

_DIGEST = 16
_TAG = 20
"""Hex digits: 80 bits, which nobody finds by trying, since each try is a mail."""

# Lower case only, and read in any case: some gateways change it. What follows the "@" is not looked at, for the same
# reason, and because the address of the service may change while old mails are still answered.
_FORM = re.compile(
    rf"<(([a-z]{{1,20}})\.([1-9]\d{{0,17}})\.(\d{{1,6}})\.([0-9a-f]{{{_DIGEST}}}))\.([0-9a-f]{{{_TAG}}})@"
)


@dataclass(frozen=True, slots=True)
class OwnId:
    """What a Message-ID of ours says."""

    kind: str
    inquiry: int
    """The number of the mail that ours answers."""
    turn: int
    digest: str
    """The beginning of that mail's digest: another database gives the same number to another mail."""


def own_id(key: bytes, kind: str, inquiry: int, digest: str, *, host: str, turn: int = 0) -> str:
    """The Message-ID of the mail of this kind to this inquiry: always the same (Law 3)."""
    signed = f"{kind}.{inquiry}.{turn}.{digest[:_DIGEST]}"
    return f"<{signed}.{_tag(key, signed)}@{host.lower()}>"


def recognised(key: bytes, message_id: str) -> OwnId | None:
    """What an id says if it was made with this key; None for any other, and for all where there is no key."""
    found = _FORM.match(message_id.lower())
    if found is None or not key or not hmac.compare_digest(found[6], _tag(key, found[1])):
        return None
    return OwnId(found[2], int(found[3]), int(found[4]), found[5])


def _tag(key: bytes, signed: str) -> str:
    return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()[:_TAG]
