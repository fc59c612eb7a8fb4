"""A garbled mail read by the other charsets that it may have been written in."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from email.message import Message as Part
from enum import StrEnum
from functools import lru_cache

from responder.mail.body import content_of, is_attached, leaves_of, parameter, raw_value
from responder.mail.charset import (
    JAPANESE_CHARSETS,
    Decoded,
    decoded,
    decoded_as,
    decoded_field,
    field_as,
    field_text,
    japaneseness,
    one_line,
)
from responder.mail.message import Unreadable, part_or_reason

_MOST_OCTETS = 60_000
_MOST_CHARACTERS = 20_000
_LEAST_BETTER = 0.25
_LEAST_SENSE = 0.1
_PLAUSIBLE = 0.6
"""Western letters misread as half-width kana reach half."""
# A gateway that takes control characters away leaves these of ISO-2022-JP's escape sequences.
_LOST_ESCAPES = re.compile(rb"(?<!\x1b)(\$[@B])((?:[!-~]{2}){1,500}?)(\([BJ])")
_TAG = re.compile(rb"<[^<>]*>")


class How(StrEnum):
    """What had become of the octets before they were read by a charset."""

    AS_IT_STANDS = "as it stands"
    AS_CP1252 = "misread as Windows-1252 before"
    AS_CP932 = "misread as Shift_JIS before"
    ESCAPES_LOST = "its escape sequences lost"


@dataclass(frozen=True, slots=True)
class Rereading:
    """One of them; its beginning, where the mail is long."""

    charset: str
    how: How
    subject: str
    text: str
    sense: float
    """Up to 1: how much of it is everyday Japanese, in the subject or in the text, whichever has less."""
    replaced: int
    """How many characters the charset does not explain."""


@dataclass(frozen=True, slots=True)
class Rereadings:
    """What a person may choose from."""

    present: Rereading
    """As it is read now."""
    others: tuple[Rereading, ...]
    """Those that read otherwise, the most sensible first."""

    @property
    def garbled(self) -> bool:
        """Whether the present one has holes, or another one makes much more sense."""
        best = self.others[0].sense if self.others else 0.0
        return self.present.replaced > 0 or best > max(self.present.sense + _LEAST_BETTER, _PLAUSIBLE)


def rereadings_of(raw: bytes) -> Rereadings | Unreadable:
    """By each charset of `JAPANESE_CHARSETS`, and with what went wrong before the mail came to us undone."""
    part = part_or_reason(raw)
    return part if isinstance(part, Unreadable) else rereadings_in(part)


def rereadings_in(part: Part) -> Rereadings:
    """The same of a mail that is parsed."""
    subject = raw_value(part, "subject")[:_MOST_OCTETS]
    leaf = _longest(part)
    octets = content_of(leaf)[:_MOST_OCTETS] if leaf is not None else b""
    declared = parameter(leaf, "content-type", "charset") if leaf is not None else None
    if leaf is not None and leaf.get_content_type() == "text/html":
        # Tags and styles are ASCII in all of these charsets.
        octets = _TAG.sub(b" ", octets)
    now = decoded(octets, declared)
    present = _reading(now, decoded_field(subject))
    found: dict[tuple[str, str], Rereading] = {(present.subject, present.text): present}
    for each in _candidates(octets, subject, now):
        found.setdefault((each.subject, each.text), each)
    others = sorted(list(found.values())[1:], key=lambda each: -each.sense)
    # What makes less than half of the sense of the best is noise to whoever has to choose.
    least = max(others[0].sense / 2, _LEAST_SENSE) if others else 0.0
    return Rereadings(present, tuple(each for each in others if each.sense >= least))


def _longest(part: Part) -> Part | None:
    """A mail is garbled as a whole: one part tells how."""
    texts = [leaf for leaf in leaves_of(part) if not is_attached(leaf) and not leaf.is_multipart()]
    plain = [leaf for leaf in texts if leaf.get_content_type() != "text/html"]
    return max(plain or texts, key=lambda leaf: len(content_of(leaf)), default=None)


def _reading(text: Decoded, subject: str, how: How = How.AS_IT_STANDS) -> Rereading:
    said = text.text.replace("\r\n", "\n").replace("\r", "\n")[:_MOST_CHARACTERS]
    senses = [japaneseness(each) for each in (subject, said) if not each.isascii()]
    return Rereading(text.charset, how, subject, said, round(min(senses, default=0.0), 3), text.replaced)


def _candidates(octets: bytes, subject: bytes, now: Decoded) -> Iterator[Rereading]:
    title, written = decoded_field(subject), field_text(subject)
    for charset in JAPANESE_CHARSETS:
        yield _reading(decoded_as(octets, charset), field_as(subject, charset))
    mended = _LOST_ESCAPES.sub(b"\x1b\\1\\2\x1b\\3", octets)
    if mended != octets:
        yield _reading(decoded_as(mended, "iso-2022-jp"), title, How.ESCAPES_LOST)
    for wrong, how in (("cp1252", How.AS_CP1252), ("cp932", How.AS_CP932)):
        text, heading = _before(now.text, wrong), _before(written, wrong)
        for charset in JAPANESE_CHARSETS if text is not None or heading is not None else ():
            named = replace(now, charset=charset) if text is None else decoded_as(text, charset)
            yield _reading(named, title if heading is None else one_line(decoded_as(heading, charset).text), how)


def _before(text: str, wrong: str) -> bytes | None:
    """The octets that were once misread as this text; None where it cannot have come of that."""
    if text.isascii():
        return None
    octets = b"".join(_octets(character, wrong) for character in text)
    lost = octets.count(b"?") - text.count("?")
    return octets if lost <= len(text) / 10 else None


@lru_cache(maxsize=10_000)
def _octets(character: str, wrong: str) -> bytes:
    # Windows-1252 leaves five octets free, which stand for themselves in ISO-8859-1.
    for codec in (wrong, "latin-1") if wrong == "cp1252" else (wrong,):
        try:
            return character.encode(codec)
        except UnicodeError:
            continue
    return b"?"
