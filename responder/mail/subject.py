"""What a subject is about: what mailers put before it, and how it is cut where there is no room."""

import re
import unicodedata

from responder.mail.charset import one_line

LONGEST_TOPIC = 150
"""Characters: what a letter puts around them, a reference behind them above all, has room in a Subject of 200."""

# RFC 5322 §3.6.5 knows "Re: " only. Outlook translates it (AW, SV, Antw, 返信, 答复); old mailers count (Re[2], Re^3).
# Our own words are among them: whoever answers an automatic answer gets one "自動返信: " again, not two.
_PREFIX = re.compile(
    r"(?:re|ｒｅ|aw|sv|antw|返信|回复|答复|自動返信|automatic reply)"
    r"(?:\[\d{1,3}\]|\(\d{1,3}\)|\^\d{1,3})? ?[:：]\s*",
    re.IGNORECASE,
)

_JOINER = "\u200d"
_MOST_JOINED = 16


def topic_of(subject: str) -> str:
    """The subject on one line without "Re: " and its like, however often they stand there; cut at `LONGEST_TOPIC`."""
    line, start = one_line(subject), 0
    while found := _PREFIX.match(line, start):
        start = found.end()
    return shortened(line[start:], LONGEST_TOPIC)


def shortened(text: str, longest: int) -> str:
    """At most so many characters of it, no blank at the end, and no mark cut off the letter that it stands on."""
    if len(text) <= longest:
        return text
    end = longest
    while end > max(longest - _MOST_JOINED, 0) and (_is_joined(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return text[:end].rstrip()


def _is_joined(character: str) -> bool:
    # A dakuten of its own, as macOS writes names of files, an accent, the variation of a kanji, a part of an emoji.
    return unicodedata.category(character).startswith("M") or character == _JOINER
