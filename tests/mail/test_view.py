"""A mail as it is shown: what its fields say, however they were written, and no more of it than a page can hold."""

from datetime import UTC, datetime

import pytest

from responder.mail.message import Unreadable, parse_message
from responder.mail.view import Correspondent, View, view_of
from tests.hostile import HOSTILE, Hostile
from tests.mail.test_message import PLAIN, mail, multipart


def _view(*fields: bytes, body: bytes = b"hello") -> View:
    found = view_of(mail(*fields, body=body))
    assert isinstance(found, View)
    return found


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_mail_is_shown_or_the_reason_why_it_is_not(case: Hostile) -> None:
    found = view_of(case.raw)
    if case.unreadable:
        assert isinstance(found, Unreadable)
        assert case.unreadable in found.reason
        return
    assert isinstance(found, View)
    assert found.subject == case.subject
    assert len(found.attachments) == len(case.attachments)
    assert all(attachment.name for attachment in found.attachments)


def test_who_wrote_to_whom_is_told_as_it_stands() -> None:
    view = _view(
        b"From: =?iso-2022-jp?b?GyRCOzNFRBsoQg==?= <Taro@Example.JP>",
        b"Reply-To: other@example.jp",
        "To: 窓口 <a@example.jp>, b@example.jp".encode("cp932"),
        b'Cc: "x\xe2\x80\xaey" <not an address>',
    )
    assert view.author == (Correspondent("山田", "Taro@Example.JP"),)
    assert view.reply_to == (Correspondent("", "other@example.jp"),)
    assert view.to == (Correspondent("窓口", "a@example.jp"), Correspondent("", "b@example.jp"))
    assert view.cc == (Correspondent("x y", "not an address"),)


def test_of_many_recipients_some_are_shown_and_the_rest_is_counted() -> None:
    view = _view(b"To: " + b"a@b.example, " * 300)
    assert (len(view.to), view.more) == (50, 250)


@pytest.mark.parametrize(
    ("written", "date"),
    [
        (b"Tue, 24 Nov 2026 10:00:00 +0900", datetime(2026, 11, 24, 1, tzinfo=UTC)),
        (b"Tue, 24 Nov 2026 10:00:00 -0000", datetime(2026, 11, 24, 10, tzinfo=UTC)),
        (b"Tue, 24 Nov 2026 10:00:00 +9999999999", None),
        (b"Tue, 24 Nov 9999 10:00:00 -2359", None),
        (b"soon", None),
        (b"", None),
    ],
)
def test_the_date_is_what_the_sender_says_if_that_is_one(written: bytes, date: datetime | None) -> None:
    assert _view(b"Date: " + written).date == date


def test_its_text_is_what_the_worker_reads() -> None:
    raw = mail(b"Content-Type: text/html; charset=euc-jp", body="<p>質問です。</p><p>二行目</p>".encode("euc-jp"))
    view, message = view_of(raw), parse_message(raw)
    assert isinstance(view, View)
    assert not isinstance(message, Unreadable)
    assert (view.text, view.declared, view.charset, view.replaced, view.has_html) == (
        message.text,
        "euc-jp",
        "euc-jp",
        0,
        True,
    )


def test_a_mail_that_is_garbled_says_so() -> None:
    assert _view(b"Content-Type: text/plain; charset=utf-8", body=b"\x82\xa0\xff\xff\xfe" * 3).garbled
    assert not _view(b"Content-Type: text/plain; charset=utf-8", body="質問です。".encode()).garbled


def test_a_long_text_is_cut_and_says_so() -> None:
    assert _view(b"Subject: x", body=b"a\r\n" * 600_000).cut
    assert not _view(body=b"a" * 1_000).cut


def test_html_that_hangs_on_a_mail_is_none_of_its_text() -> None:
    hung = b"Content-Type: text/html\r\nContent-Disposition: attachment; filename=a.html\r\n\r\n<p>x"
    view = view_of(multipart(b"mixed", PLAIN, hung))
    assert isinstance(view, View)
    assert not view.has_html
    assert [attachment.name for attachment in view.attachments] == ["a.html"]
