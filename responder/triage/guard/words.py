"""What programs write into subject and text. Weak signs: people quote them, so a person is asked (RFC 3834 §3.1.5)."""

import re
import unicodedata

from responder.triage.guard.arrival import Arrival
from responder.triage.guard.phrases import SUBJECTS, TEXTS

_LOOKED_INTO = 20_000
"""Characters of text: a report says what it is at its beginning, and a pattern's time grows with the text."""

_SUBJECT = re.compile("|".join(SUBJECTS), re.IGNORECASE)
_TEXT = re.compile("|".join(TEXTS), re.IGNORECASE | re.MULTILINE)


def _plain(text: str) -> str:
    """In one width, blanks of a line as one: words stand in many forms, and lines are broken anywhere."""
    return re.sub(r"[ \t\u3000]+", " ", unicodedata.normalize("NFKC", text))


def _flowing(text: str) -> str:
    """The text with single line ends as blanks: what a phrase is broken by. Japanese breaks without one."""
    return re.sub(r"\n(?=[^\W\x00-\x7f])", "", text).replace("\n", " ")


def machine_subject(mail: Arrival) -> bool:
    """The subject is what mail programs call their reports and replies."""
    return _SUBJECT.search(_plain(mail.message.subject).strip()) is not None


def machine_text(mail: Arrival) -> bool:
    """The text says what programs say."""
    text = _plain(mail.message.text[:_LOOKED_INTO])
    return _TEXT.search(text) is not None or _TEXT.search(_flowing(text)) is not None


_REFERENCE = re.compile(r"(?<![A-Za-z0-9-])R-\d{6}(?!\d)")


def our_reference(mail: Arrival) -> bool:
    """A number that only our own letters give out: somebody goes on where one of them stopped, or a machine echoes."""
    text = unicodedata.normalize("NFKC", mail.message.text[:_LOOKED_INTO])
    return any(map(_REFERENCE.search, (unicodedata.normalize("NFKC", mail.message.subject), text)))
