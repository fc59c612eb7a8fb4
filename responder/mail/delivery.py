"""What becomes of one attempt at delivery, and when the next one is due."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

_LONGEST_REPLY = 500
_JITTER = 0.2
# 2**63 times a microsecond is longer than any schedule; beyond it the power would only overflow.
_MOST_DOUBLINGS = 63


@dataclass(frozen=True, slots=True)
class Sent:
    """The next hop has taken the mail over, and answers for it from now on."""

    reply: str


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now, or not known: it is tried again."""

    reply: str


@dataclass(frozen=True, slots=True)
class Bounced:
    """Refused for good (RFC 5321 §4.2.1, 5yz): trying again would not help."""

    reply: str


Outcome = Sent | Deferred | Bounced

# RFC 3463 §3.2 and §3.3: no such mailbox, no such system, a malformed or moved address, a mailbox disabled; and the
# null MX of RFC 7505. A refusal of what was said (5.6, 5.7) or of all of us is no word on the address.
_OF_THE_ADDRESS = re.compile(r"(?<![\d.])5\.(?:1\.(?:1|2|3|6|10)|2\.1)(?![\d.]*\d)")


def is_about_the_address(reply: str) -> bool:
    """Whether a refusal says that the next mail to the address would fare no better."""
    return _OF_THE_ADDRESS.search(reply) is not None


@dataclass(frozen=True, slots=True)
class Schedule:
    """How patient we are: the wait doubles from `first` up to `most`, until a mail is `expire_after` old."""

    first: timedelta = timedelta(minutes=1)
    most: timedelta = timedelta(hours=1)
    expire_after: timedelta = timedelta(days=2)


def next_attempt(
    schedule: Schedule, attempts: int, *, created_at: datetime, now: datetime, jitter: float
) -> datetime | None:
    """When to try again after `attempts` failures (>= 1); None where the delivery has expired.

    `jitter` in [0, 1) lengthens the wait by up to a fifth: mails deferred together do not return together.
    The last attempt is made at the moment of expiry, never beyond it.
    """
    expires_at = created_at + schedule.expire_after
    if expires_at <= now:
        return None
    doublings = min(max(attempts, 1) - 1, _MOST_DOUBLINGS)
    wait = min(schedule.most.total_seconds(), schedule.first.total_seconds() * 2.0**doublings)
    left = (expires_at - now).total_seconds()
    # Cut before it is added: a moment beyond the year 9999 cannot be made, not even to be compared.
    return min(expires_at, now + timedelta(seconds=min(left, wait * (1 + _JITTER * jitter))))


def reply_line(words: str) -> str:
    """A remote server's words as one printable line of at most 500 characters.

    They reach a database, a log and a web page. Line breaks would forge a log line, a NUL is refused by
    PostgreSQL, and an octet that is not UTF-8 arrives as a lone surrogate that nothing can encode.
    """
    printable = "".join(char if char.isprintable() else " " for char in words)
    return " ".join(printable.split())[:_LONGEST_REPLY].rstrip()
