"""Replies with their enhanced status codes (RFC 2034, RFC 3463): advertised, so every one has to have one."""

import re

TROUBLE = "451 4.3.0 Temporary trouble, please try again later"
TIMEOUT = "421 4.4.2 Timeout, closing the connection"
CLOSING = "421 4.3.2 Closing down"

_PLAIN = re.compile(r"(?P<code>[245][0-9][0-9])(?P<mark>[ -])(?![245]\.[0-9]{1,3}\.[0-9]{1,3}(?: |$))")
_STATUS = {
    "500": "5.5.2",
    "501": "5.5.4",
    "502": "5.5.1",
    "503": "5.5.1",
    "530": "5.7.0",
    "552": "5.3.4",
    "553": "5.1.3",
    "555": "5.5.4",
}


def enhanced(reply: str) -> str:
    """The reply with a status in it: its own, else what its code says in general. 3xx replies have none."""
    found = _PLAIN.match(reply)
    if found is None:
        return reply
    code = found["code"]
    return f"{code}{found['mark']}{_STATUS.get(code, f'{code[0]}.0.0')} {reply[4:]}"
