"""What our own border says about a sender: Authentication-Results of one trusted server (RFC 8601)."""

from collections.abc import Iterator
from dataclasses import dataclass

import authres

from responder.mail.message import Message

# The parser recompiles its patterns and copies what is left at each step: on longer fields that takes seconds, and no
# border writes any.
_LONGEST_FIELD = 4000
_MOST_FIELDS = 10


@dataclass(frozen=True, slots=True)
class Authentication:
    """Results in lower case (RFC 8601 §2.7); "" where a method was not tried."""

    spf: str = ""
    dkim: tuple[str, ...] = ()
    """One of each signature."""
    dmarc: str = ""

    @property
    def failed(self) -> bool:
        """DMARC failed; or, where it says nothing, one of SPF and DKIM failed and neither passed."""
        if self.dmarc in {"pass", "fail"}:
            return self.dmarc == "fail"
        results = {self.spf, *self.dkim}
        return "pass" not in results and bool(results & _FAILURES)


_FAILURES = {"fail", "softfail", "hardfail", "permerror", "policy"}


def authentication_of(message: Message, authserv_id: str) -> Authentication | None:
    """What the server of that name found; None where there is no such server or it said nothing that can be read.

    Anybody can write such a field. Those of the trusted server stand on top, as it was the last to add one; from the
    first that is not its own on, none is believed (RFC 8601 §5 and §7.1).
    """
    found: list[tuple[str, str]] = []
    read = False
    for value in message.values("authentication-results")[:_MOST_FIELDS] if authserv_id else ():
        parsed = _parsed(value)
        if parsed is None or parsed[0] != authserv_id.lower():
            break
        read = True
        found.extend(parsed[1])
    if not read:
        return None
    of = {method: [result for name, result in found if name == method] for method in ("spf", "dkim", "dmarc")}
    return Authentication(next(iter(of["spf"]), ""), tuple(of["dkim"]), next(iter(of["dmarc"]), ""))


def _parsed(value: str) -> tuple[str, list[tuple[str, str]]] | None:
    """The server's name, and method and result of all that it tried; None for what authres cannot read."""
    if len(value) > _LONGEST_FIELD:
        return None
    try:
        field = authres.AuthenticationResultsHeader.parse_value(value)
    except (authres.AuthResError, RecursionError, ValueError, TypeError, AttributeError):
        return None
    return field.authserv_id, list(_results(field))


def _results(field: authres.AuthenticationResultsHeader) -> Iterator[tuple[str, str]]:
    for result in field.results:
        yield str(result.method).lower(), str(result.result).lower()
