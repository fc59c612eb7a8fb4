"""Whom a letter may call by name: what people have their mailer call them, where it can be a name at all."""

import re

from responder.mail.charset import one_line

LONGEST = 60

_QUOTES = re.compile(r"""^["'“”‘’`<>\s]+|["'“”‘’`<>\s]+$""")
# An address, a site, or a number to call in place of a name: whoever writes it wants it read in our letter.
_NO_NAME = re.compile(
    r"@|＠|://|\bwww\.|[/\\<>{}\[\]|]|\d{4}|\b[a-z0-9-]+\.(?:com|net|org|jp|info|biz|io|xyz|example)\b", re.IGNORECASE
)


def addressee_of(name: str) -> str:
    """The name without quotes around it, in one line; "" where it cannot stand above a letter."""
    known = re.sub(r"\s+", " ", _QUOTES.sub("", one_line(name)))
    if not 1 <= len(known) <= LONGEST or not known.isprintable() or _NO_NAME.search(known):
        return ""
    return known if any(character.isalpha() for character in known) else ""
