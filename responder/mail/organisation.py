"""Which organisation a domain belongs to, by a rule small enough to be known by heart."""

import re

# Registries sell names one level deeper under these labels of a country: example.co.jp, example.com.au. A list of all
# registries (publicsuffix.org) is longer than the rest of this program and changes weekly; what it would tell apart
# beyond this are single places, and the price of not telling them apart is that two names there count as one.
_REGISTRY_LABELS = frozenset(
    re.findall(
        r"\w+",
        "ac ad asn co com ed edu gen go gob gov gouv gr ind info lg ltd me mil ne net nhs nom or org plc pol re sch",
    )
)


def organisation_of(domain: str) -> str:
    """The last two labels, three under a registry's own label: subdomains give the same (RFC 7489 §3.2); "" of ""."""
    labels = domain.strip(".").lower().split(".")
    deeper = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _REGISTRY_LABELS
    return ".".join(labels[-3 if deeper else -2 :])
