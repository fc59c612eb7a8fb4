"""Which organisation a domain belongs to, by a rule small enough to be known by heart."""

import re

from responder.mail.address import correspondent_of, domain_of

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


# Where anybody has a mailbox, two addresses say nothing of one another. The large ones of Japan and of the world; of
# one that is missing here all users count as one organisation.
_PROVIDERS = frozenset(
    re.findall(
        r"\S+",
        "gmail.com googlemail.com yahoo.co.jp ymail.ne.jp yahoo.com ymail.com outlook.com outlook.jp "
        "hotmail.com hotmail.co.jp live.com live.jp msn.com icloud.com me.com mac.com aol.com gmx.com gmx.net "
        "proton.me protonmail.com mail.com qq.com 163.com 126.com naver.com docomo.ne.jp ezweb.ne.jp au.com "
        "softbank.ne.jp softbank.jp vodafone.ne.jp disney.ne.jp ymobile.ne.jp ymobile1.ne.jp emnet.ne.jp "
        "willcom.com pdx.ne.jp uqmobile.jp rakumail.jp rakuten.jp nifty.com nifty.ne.jp biglobe.ne.jp "
        "ocn.ne.jp so-net.ne.jp so-net.jp plala.or.jp dion.ne.jp odn.ne.jp asahi-net.or.jp eonet.ne.jp "
        "zaq.ne.jp jcom.home.ne.jp jcom.zaq.ne.jp home.ne.jp hi-ho.ne.jp wakwak.com tokai.or.jp commufa.jp "
        "infoseek.jp excite.co.jp goo.jp goo.ne.jp mail.goo.ne.jp livedoor.com freemail.ne.jp kcn.jp "
        "kcn.ne.jp mopera.net mopera.ne.jp",
    )
)


def party_of(address: str) -> str:
    """Whom somebody who writes from there belongs to: the organisation, or nobody else where it is a provider's
    mailbox; "" of ""."""
    organisation = organisation_of(domain_of(address))
    return correspondent_of(address) if organisation in _PROVIDERS else organisation
