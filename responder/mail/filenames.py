"""The name under which something of a mail may be saved."""

import re
import unicodedata

from responder.mail.charset import one_line

_LONGEST = 120
_LONGEST_ENDING = 16
# What a path, a shell or Windows takes for something else than a letter of a name.
_SPECIAL = re.compile(r'[\\/:*?"<>|%$`;&~^\']+')
_BLANKS = re.compile(r"\s+")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\.|\Z)", re.IGNORECASE)
_UNSEEN = ("C", "Z")
"""Categories of Unicode: controls, formats that turn or hide what stands beside them, lone surrogates; separators."""


def filename_of(given: str, otherwise: str) -> str:
    """What was given, made harmless: no path, nothing unseen, and the true ending where people look for it.

    `otherwise` where nothing is left of it. Windows keeps some names for itself (https://learn.microsoft.com/
    windows/win32/fileio/naming-a-file).
    """
    plain = re.split(r"[\\/]", one_line(given))[-1]
    seen = "".join(" " if unicodedata.category(character)[0] in _UNSEEN else character for character in plain)
    # A row of blanks pushes the ending out of sight; dots at either end hide a file or go missing.
    name = _BLANKS.sub(" ", _SPECIAL.sub("_", seen)).strip(" .")
    return _shortened(f"_{name}" if _RESERVED.match(name) else name) if name.strip("_ .") else otherwise


def _shortened(name: str) -> str:
    stem, dot, ending = name.rpartition(".")
    if len(name) <= _LONGEST:
        return name
    if not dot or len(ending) > _LONGEST_ENDING:
        return name[:_LONGEST]
    return f"{stem[: _LONGEST - len(ending) - 1].rstrip(' .')}.{ending}"
