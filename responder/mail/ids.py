"""Message-IDs as mailers write them, and what may be written on."""

import re
from collections.abc import Iterable

_LONGEST_ID = 900

# RFC 5322 §3.6.4, without the quoted strings and blanks of its obsolete forms.
_ID = re.compile(r"<[!-;=?A-~]+@[!-;=?A-~]+>")
_BETWEEN = re.compile(r"[\s,;\"'()]+")


def usable_id(text: str) -> bool:
    """Whether a message id can be written into a References field as it stands (RFC 5322 §3.6.4)."""
    return len(text) <= _LONGEST_ID and _ID.fullmatch(text) is not None


def ids_as_written(values: Iterable[str]) -> tuple[str, ...]:
    """The usable ids of some fields, in their order, no repeats: those that may be written on, since they stand so."""
    found = (token for value in values for token in re.findall(r"<[^<>\s]*>", value))
    return tuple(dict.fromkeys(token for token in found if usable_id(token)))


def ids_in(values: Iterable[str]) -> tuple[str, ...]:
    """The ids that some fields mean, in their order, no repeats; for looking up.

    Read leniently: ids folded in their middle, joined by commas, in quotes, or short of a bracket are told apart all
    the same. Linear in the text.
    """
    found = (f"<{word}>" for value in values for word in _words(value))
    return tuple(dict.fromkeys(token for token in found if usable_id(token)))


def _words(value: str) -> Iterable[str]:
    """What stands in brackets, whole; beside a single bracket, the word next to it; without any, every word."""
    pieces = re.split(r"([<>])", value)
    if len(pieces) == 1:
        yield from _BETWEEN.split(value)
    for index in range(0, len(pieces), 2):
        opened, closed = pieces[index - 1 : index] == ["<"], pieces[index + 1 : index + 2] == [">"]
        if opened and closed:
            # A blank inside is where some mailer folded the line.
            yield "".join(pieces[index].split())
        elif opened or closed:
            words = [word for word in _BETWEEN.split(pieces[index]) if word]
            yield from words[:1] if opened else words[-1:]
