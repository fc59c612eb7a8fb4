"""Message-IDs of others, read leniently, and our own, known by their key."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.mail.ids import ids_in, usable_id
from responder.mail.keyed import OwnId, own_id, recognised

KEY = b"a key of ours"
DIGEST = "0123456789abcdef" * 4
OUTLOOK = "<TYAPR01MB1234ABCDEF0123456789ABCDEF0123456789ABCDEF@TYAPR01MB1234.jpnprd01.prod.outlook.com>"


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("<a@x> <b@x>", ["<a@x>", "<b@x>"]),
        ("<a@x>,<b@x>, <c@x>", ["<a@x>", "<b@x>", "<c@x>"]),
        ("<a@x><b@x>", ["<a@x>", "<b@x>"]),
        (f"<a@x> {OUTLOOK[:40]} {OUTLOOK[40:]}", ["<a@x>", OUTLOOK]),
        ("\"<a@x>\" '<b@x>'", ["<a@x>", "<b@x>"]),
        ("a@x b@x", ["<a@x>", "<b@x>"]),
        ("a@x, b@x; c@x", ["<a@x>", "<b@x>", "<c@x>"]),
        ("<a@x <b@x>", ["<a@x>", "<b@x>"]),
        ("a@x> <b@x>", ["<a@x>", "<b@x>"]),
        ('Your mail of "Tue" <c@x> (Tanaka)', ["<c@x>"]),
        ("<a@x> <a@x>", ["<a@x>"]),
        ("", []),
        ("<> < > <no at sign> <あ@x>", []),
    ],
    ids=[
        "RFC 5322 §3.6.4 as it should be",
        "joined by commas",
        "without a blank",
        "folded in the middle of a long id of Outlook",
        "in quotes",
        "without brackets",
        "without brackets, with commas",
        "the first not closed",
        "the first not opened",
        "RFC 5322 §4.5.4 a phrase before it",
        "twice the same",
        "nothing",
        "no ids at all",
    ],
)
def test_references_are_read_as_they_were_meant(value: str, ids: list[str]) -> None:
    assert list(ids_in([value])) == ids


@given(st.lists(st.text(alphabet="<>@ab ,\"'\n\0あ", max_size=40)))
def test_whatever_stands_there_only_usable_ids_come_out(values: list[str]) -> None:
    assert all(usable_id(known) for known in ids_in(values))


@pytest.mark.parametrize("unit", ["<", ">", "a", "a@x ", "<a@x", ",", "<a "])
def test_a_field_four_times_as_long_takes_no_more_than_its_share(unit: str) -> None:
    def took(count: int) -> float:
        began = time.process_time()
        ids_in([unit * count])
        return time.process_time() - began

    assert took(80_000) < 40 * took(20_000) + 0.2


def test_an_id_of_ours_is_the_same_each_time_and_says_what_it_answers() -> None:
    made = own_id(KEY, "answer", 42, DIGEST, host="Example.JP")
    assert made == own_id(KEY, "answer", 42, DIGEST, host="example.jp")
    assert usable_id(made)
    assert made.endswith("@example.jp>")
    assert recognised(KEY, made) == OwnId("answer", 42, 0, DIGEST[:16])
    assert (
        len({own_id(KEY, kind, 42, DIGEST, host="x", turn=turn) for kind in ("answer", "person") for turn in (0, 1)})
        == 4
    )


def test_an_id_of_ours_is_known_in_capitals_and_under_another_host() -> None:
    made = own_id(KEY, "person", 7, DIGEST, host="example.jp", turn=3)
    expected = OwnId("person", 7, 3, DIGEST[:16])
    assert recognised(KEY, made.upper()) == expected
    assert recognised(KEY, made.replace("example.jp", "gateway.example")) == expected


@pytest.mark.parametrize(
    "forged",
    [
        own_id(b"another key", "answer", 42, DIGEST, host="example.jp"),
        own_id(KEY, "answer", 42, DIGEST, host="example.jp").replace("answer.42.", "answer.43."),
        own_id(KEY, "answer", 42, DIGEST, host="example.jp").replace("answer", "person"),
        own_id(KEY, "answer", 42, DIGEST, host="example.jp").replace(DIGEST[:16], DIGEST[1:17]),
        "<answer.42.0123456789abcdef0123@example.jp>",
        "<answer.42.0.0123456789abcdef.@example.jp>",
        "<a@b>",
        "",
    ],
    ids=[
        "another key",
        "another number",
        "another kind",
        "another digest",
        "no tag",
        "an empty tag",
        "foreign",
        "none",
    ],
)
def test_an_id_that_the_key_did_not_make_is_not_ours(forged: str) -> None:
    assert recognised(KEY, forged) is None


def test_without_a_key_nothing_is_ours() -> None:
    assert recognised(b"", own_id(b"", "answer", 42, DIGEST, host="example.jp")) is None
