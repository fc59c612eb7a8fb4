"""The path in MAIL and RCPT (RFC 5321 §4.1.2), read by characters.

aiosmtpd asks Python's parser of header fields, which decodes encoded words inside an address: what comes out may hold
line ends. Here nothing is decoded.
"""

import re

_PATH = re.compile(r"<(?:@[^<>:]*:)?([^<>]*)>(?:[ \t]+(.*))?")
_WITHOUT_BRACKETS = re.compile(r"([^<>\s]+)(?:[ \t]+(.*))?")


def path_of(argument: str) -> tuple[str, str] | None:
    """The address and what follows it; None where there is no path.

    The null reverse-path is "<>", as aiosmtpd has it. A source route is left out, as RFC 5321 §3.6.1 and appendix C
    ask. The brackets may be missing, as with some old programs.
    """
    found = _PATH.fullmatch(argument) or _WITHOUT_BRACKETS.fullmatch(argument)
    return (found[1] or "<>", found[2] or "") if found else None
