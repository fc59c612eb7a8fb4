"""Trace fields: ours, others' and how many."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.mail.message import Message, parse_message
from responder.mail.trace import MOST_HOPS, hops, received_field, traced, untraced

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MAIL = b"From: tanaka@contractor.example\r\nSubject: question\r\n\r\nReceived: no field\r\n"


def _field(helo: str = "mail.contractor.example", client: str | None = "192.0.2.1") -> bytes:
    return received_field(helo=helo, client=client, by="mx.example.jp", protocol="ESMTPS", number="5f3a", at=AT)


def _untraced(raw: bytes) -> bytes:
    header, rest = untraced(raw)
    return header + rest


def test_our_field_says_who_what_and_when_rfc_5321_4_4() -> None:
    assert _field() == (
        b"Received: from mail.contractor.example ([192.0.2.1])\r\n"
        b"\tby mx.example.jp with ESMTPS id 5f3a;\r\n"
        b"\tTue, 24 Nov 2026 09:00:00 +0000\r\n"
    )


@pytest.mark.parametrize(
    ("helo", "client", "source"),
    [
        ("[192.0.2.7]", "2001:db8::1", b"from [192.0.2.7] ([IPv6:2001:db8::1])"),
        ("a_b.example", None, b"from a_b.example (unix)"),
        ("a b", "192.0.2.1", b"from unknown ([192.0.2.1])"),
        ("a\r\nBcc:x", "192.0.2.1", b"from unknown ([192.0.2.1])"),
        ("(", "192.0.2.1", b"from unknown ([192.0.2.1])"),
        ("\udcff", "192.0.2.1", b"from unknown ([192.0.2.1])"),
        ("x" * 256, "192.0.2.1", b"from unknown ([192.0.2.1])"),
    ],
    ids=["IPv6", "Unix socket", "a blank", "a line end", "a comment", "no ASCII", "too long"],
)
def test_a_name_that_could_be_more_than_a_name_is_left_out(helo: str, client: str | None, source: bytes) -> None:
    assert _field(helo, client).split(b"\r\n")[0] == b"Received: " + source


@pytest.mark.parametrize(
    "raw",
    [
        MAIL,
        b"\r\n" + MAIL,
        b"no field at all\r\n\r\nSubject: text\r\n",
        b"From tanaka@contractor.example Tue Nov 24 09:00:00 2026\r\n" + MAIL,
        b" continued\r\n" + MAIL,
        b"",
    ],
    ids=["a mail", "no header", "no field", "an mbox's line", "a line that goes on", "nothing"],
)
def test_our_field_does_not_change_how_the_rest_is_read(raw: bytes) -> None:
    before, after = parse_message(raw), parse_message(traced(_field(), raw))
    assert isinstance(before, Message)
    assert isinstance(after, Message)
    assert (after.subject, after.text, after.from_address) == (before.subject, before.text, before.from_address)
    assert _untraced(traced(_field(), raw)) == _untraced(raw)


@pytest.mark.parametrize(
    "added",
    [
        _field(),
        b"RECEIVED: x\r\n\ty\r\n",
        b"Return-Path: <a@b.example>\r\n",
        b"ARC-Seal: i=1;\r\n b=xx\r\n",
        b"Authentication-Results: mx; spf=pass\r\n",
    ],
)
def test_what_servers_add_under_way_does_not_count_for_a_repetition(added: bytes) -> None:
    first, _, others = MAIL.partition(b"\r\n")
    assert _untraced(added + MAIL) == MAIL
    assert _untraced(first + b"\r\n" + added + others) == MAIL
    assert _untraced(b"Subject: x\r\n" + added) == b"Subject: x\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        MAIL,
        MAIL.replace(b"\r\n", b"\n"),
        b"\r\nReceived: x\r\n",
        b"X-Received: y\r\n\r\n",
        b"Subject: q\r\nhello there\r\nReceived: contract 17, how do I sign it?\r\n",
        b"Subject: q\r\nhello there\r\nReceived: contract 17\r\n\r\nbye\r\n",
        b"Subject: q\r\nReturn-Path : we read this\r\n\r\nbye\r\n",
    ],
)
def test_everything_else_counts(raw: bytes) -> None:
    assert _untraced(raw) == raw


@given(raw=st.binary(max_size=200), piece=st.sampled_from([b"\r\n\r\n", b"\n", b"Received:", b" "]))
def test_any_octets_have_a_rest(raw: bytes, piece: bytes) -> None:
    text = piece.join(raw[i : i + 5] for i in range(0, len(raw), 5))
    assert _untraced(_untraced(text)) == _untraced(text) or b"eceived" in text
    assert hops(text) <= len(text)


def test_hops_are_counted_in_the_header_and_no_further_than_needed() -> None:
    assert [hops(b"Received: x\r\nreceived : y\r\n" * n + MAIL) for n in (0, 1, 50)] == [0, 2, 100]
    assert hops(b"Received: x\r\n" * 50_000 + MAIL) == MOST_HOPS + 1
