"""Which domains belong together."""

import pytest

from responder.mail.address import correspondent_of
from responder.mail.organisation import organisation_of, party_of


@pytest.mark.parametrize(
    ("domain", "organisation"),
    [
        ("contractor.example", "contractor.example"),
        ("mail.contractor.example", "contractor.example"),
        ("Contractor.Example.", "contractor.example"),
        ("himawari.co.jp", "himawari.co.jp"),
        ("mx1.himawari.co.jp", "himawari.co.jp"),
        ("city.yokohama.lg.jp", "yokohama.lg.jp"),
        ("a.b.u-tokyo.ac.jp", "u-tokyo.ac.jp"),
        ("ezweb.ne.jp", "ezweb.ne.jp"),
        ("softbank.jp", "softbank.jp"),
        ("news.bbc.co.uk", "bbc.co.uk"),
        ("www.example.com.au", "example.com.au"),
        ("example.com", "example.com"),
        ("co.jp", "co.jp"),
        ("t.co", "t.co"),
        ("localhost", "localhost"),
        ("", ""),
    ],
)
def test_an_organisation_is_two_labels_or_three_under_a_registry(domain: str, organisation: str) -> None:
    assert organisation_of(domain) == organisation


@pytest.mark.parametrize(
    ("address", "party"),
    [
        ("tanaka@contractor.example", "contractor.example"),
        ("suzuki@mail.contractor.example", "contractor.example"),
        ("yamada.komuten@gmail.com", "yamada.komuten@gmail.com"),
        ("Yamada.Komuten+work@Gmail.com", "yamada.komuten@gmail.com"),
        ("sato-denki@ezweb.ne.jp", "sato-denki@ezweb.ne.jp"),
        ("sato@user.plala.or.jp", "sato@user.plala.or.jp"),
        ("", ""),
    ],
)
def test_two_mailboxes_of_one_provider_are_two_parties(address: str, party: str) -> None:
    assert party_of(address) == party


def test_two_customers_of_one_registry_are_two_organisations() -> None:
    assert organisation_of("himawari.co.jp") != organisation_of("tanpopo.co.jp")


@pytest.mark.parametrize(
    ("address", "correspondent"),
    [
        ("Tanaka@Contractor.Example", "tanaka@contractor.example"),
        ("tanaka+keiyaku@contractor.example", "tanaka@contractor.example"),
        ("tanaka+a+b@contractor.example", "tanaka@contractor.example"),
        ("+tanaka@contractor.example", "+tanaka@contractor.example"),
        ("a..b@docomo.ne.jp", "a..b@docomo.ne.jp"),
        ("", ""),
    ],
)
def test_a_tag_makes_no_other_correspondent(address: str, correspondent: str) -> None:
    assert correspondent_of(address) == correspondent
