"""Whom a letter calls by name: only what can be a name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.mail.addressee import LONGEST, addressee_of


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("佐藤 太郎", "佐藤 太郎"),
        ('"佐藤　太郎"', "佐藤 太郎"),
        ("'Taro Sato'", "Taro Sato"),
        ("株式会社山田建設", "株式会社山田建設"),
        ("Sato, Taro (経理課)", "Sato, Taro (経理課)"),
        ("佐藤\r\nBcc: x", "佐藤 Bcc: x"),
        ("佐藤\u202e郎太", "佐藤 郎太"),
        ("", ""),
        ("  ", ""),
        ("sato@contractor.example", ""),
        ("佐藤＠例", ""),
        ("https://evil.example/login", ""),
        ("www.evil.example", ""),
        ("evil.com", ""),
        ("至急 0120-1234-5678", ""),
        ("12 34", ""),
        ("佐" * (LONGEST + 1), ""),
    ],
)
def test_a_name_is_one_line_of_words(written: str, name: str) -> None:
    assert addressee_of(written) == name


@given(st.text())
def test_whatever_they_call_themselves_one_short_line_comes_out(written: str) -> None:
    name = addressee_of(written)
    assert len(name) <= LONGEST
    assert name == "" or name.isprintable()
