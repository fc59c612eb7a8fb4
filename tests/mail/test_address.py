"""Which addresses a machine may write to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.mail.address import domain_of, harmless_address, normalised, valid_address, without_needless_quotes


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("taro@example.co.jp", id="a plain address"),
        pytest.param("taro.yamada+keiyaku@example.jp", id="dots and a tag"),
        pytest.param("!#$%&'*+/=?^_`{|}~-@example.jp", id="every atom of RFC 5321 §4.1.2"),
        pytest.param("abc.@docomo.ne.jp", id="a dot before the at sign, as Docomo gave out"),
        pytest.param("a..b@docomo.ne.jp", id="two dots together, as Docomo gave out"),
        pytest.param(".taro@docomo.ne.jp", id="a dot before everything, likewise"),
        pytest.param("root@localhost", id="a bare host name"),
        pytest.param("a@xn--fsq.example", id="an A-label (RFC 5890)"),
        pytest.param("a" * 64 + "@example.jp", id="the longest local part (RFC 5321 §4.5.3.1.1)"),
        pytest.param("aa@" + ".".join(["b" * 62] * 4), id="the longest path (RFC 5321 §4.5.3.1.3)"),
    ],
)
def test_an_address_that_can_be_written_is_valid(address: str) -> None:
    assert valid_address(address)


@pytest.mark.parametrize(
    "address",
    [
        pytest.param("", id="nothing"),
        pytest.param("taro", id="no domain"),
        pytest.param("@example.jp", id="no local part"),
        pytest.param("taro@", id="an empty domain"),
        pytest.param("a@b@example.jp", id="two at signs"),
        pytest.param("taro@example..jp", id="an empty label"),
        pytest.param("taro@-example.jp", id="a label that begins with a hyphen (RFC 1123 §2.1)"),
        pytest.param("taro@example-.jp", id="a label that ends with a hyphen"),
        pytest.param("taro@exa_mple.jp", id="an underscore in the domain"),
        pytest.param("taro@[192.0.2.1]", id="an address literal"),
        pytest.param("taro yamada@example.jp", id="a blank"),
        pytest.param('"taro"@example.jp', id="a quoted local part"),
        pytest.param("taro@example.jp\n", id="a line end after it"),
        pytest.param("taro@example.jp\r\nBcc: v@example.com", id="a header field after it"),
        pytest.param("ta\0ro@example.jp", id="NUL"),
        pytest.param("<taro@example.jp>", id="angle brackets"),
        pytest.param("太郎@example.jp", id="a local part that needs SMTPUTF8 (RFC 6531)"),
        pytest.param("taro@例え.jp", id="a U-label"),
        pytest.param("taro＠example.jp", id="a full-width at sign"),
        pytest.param("a" * 65 + "@example.jp", id="a local part of 65"),
        pytest.param("a@" + "b" * 64 + ".jp", id="a label of 64"),
        pytest.param("aaa@" + ".".join(["b" * 62] * 4), id="255 characters"),
    ],
)
def test_an_address_that_cannot_be_written_is_not_valid(address: str) -> None:
    assert not valid_address(address)


@given(st.text())
def test_whatever_is_valid_is_printable_ascii_with_one_at_sign(text: str) -> None:
    for candidate in (text, f"{text}@example.jp", f"a@{text}"):
        if valid_address(candidate):
            assert candidate.isascii()
            assert candidate.isprintable()
            assert candidate.count("@") == 1
            assert not set(candidate) & set(' <>()",;:\\')


@given(st.text())
def test_whatever_is_harmless_is_printable_ascii_with_one_at_sign(text: str) -> None:
    for candidate in (text, f"{text}@example.jp", f"a@{text}", f"a@[{text}]"):
        if harmless_address(candidate):
            assert candidate.isascii()
            assert candidate.isprintable()
            assert candidate.count("@") == 1
            assert not set(candidate) & set(' <>()",;\\')


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ('"taro..y"@docomo.ne.jp', "taro..y@docomo.ne.jp"),
        ("taro@example.jp", "taro@example.jp"),
        (r'"a\"b"@example.jp', r'"a\"b"@example.jp'),
        ('"taro', '"taro'),
    ],
)
def test_quotes_are_taken_off_where_nothing_in_them_is_escaped(address: str, bare: str) -> None:
    assert without_needless_quotes(address) == bare


def test_addresses_are_compared_without_case_and_with_their_tag() -> None:
    assert normalised(" Taro+Keiyaku@Example.JP") == "taro+keiyaku@example.jp"


@pytest.mark.parametrize(
    ("address", "domain"), [("taro@Example.JP", "example.jp"), ("a@b@c.jp", "c.jp"), ("taro", ""), ("", "")]
)
def test_the_domain_is_what_follows_the_last_at_sign(address: str, domain: str) -> None:
    assert domain_of(address) == domain
