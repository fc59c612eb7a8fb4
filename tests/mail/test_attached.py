"""What hangs on a mail comes out as it went in."""

import base64

import pytest

from responder.mail.attached import File, file_in
from responder.mail.message import Unreadable
from responder.mail.view import View, view_of
from tests.mail.test_message import PLAIN, mail, multipart

OCTETS = bytes(range(256)) * 40
ZIPPED = b"Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
INNER = (
    "Subject: 見積の件\r\nFrom: 山田 <a@example.jp>\r\nX-Long: ".encode("cp932")
    + b"a b " * 100
    + b"\r\n\r\nbody\r\n.\r\n"
)


def _names(raw: bytes) -> list[str]:
    view = view_of(raw)
    assert isinstance(view, View)
    return [attachment.name for attachment in view.attachments]


def test_an_attachment_is_handed_out_octet_by_octet_by_its_place_in_the_list() -> None:
    raw = multipart(b"mixed", PLAIN, ZIPPED + base64.encodebytes(OCTETS), b"Content-Type: image/png\r\n\r\nPNG")
    assert _names(raw) == ["a.zip", "attachment-2.bin"]
    assert file_in(raw, 0) == File("a.zip", OCTETS)
    assert file_in(raw, 1) == File("attachment-2.bin", b"PNG")


@pytest.mark.parametrize("index", [-1, 1, 10**9])
def test_a_place_that_is_none_gives_nothing(index: int) -> None:
    raw = multipart(b"mixed", PLAIN, ZIPPED + b"UEsD")
    assert file_in(raw, index) == Unreadable("it has no such attachment")


def test_a_packed_attachment_is_not_unpacked() -> None:
    bomb = b"PK\x03\x04" + b"\0" * 1000
    assert file_in(multipart(b"mixed", ZIPPED + base64.encodebytes(bomb)), 0) == File("a.zip", bomb)


def test_an_attached_mail_comes_out_as_it_was_under_its_subject() -> None:
    raw = multipart(b"mixed", PLAIN, b"Content-Type: message/rfc822\r\n\r\n" + INNER)
    assert _names(raw) == ["見積の件.eml"]
    found = file_in(raw, 0)
    assert isinstance(found, File)
    assert found.octets.rstrip() == INNER.rstrip()


def test_a_mail_that_is_attached_in_base64_comes_out_as_a_mail() -> None:
    typed = b"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    found = file_in(multipart(b"mixed", PLAIN, typed + base64.encodebytes(INNER)), 0)
    assert isinstance(found, File)
    assert found.octets == INNER


def test_the_parts_of_an_attached_mail_are_no_attachments_of_ours() -> None:
    inner = multipart(b"mixed", PLAIN, ZIPPED + b"UEsD")
    raw = multipart(b"mixed", PLAIN, b"Content-Type: message/rfc822\r\n\r\n" + inner.replace(b"edge", b"inner"))
    assert len(_names(raw)) == 1


def test_a_mail_that_is_one_attachment_hands_it_out() -> None:
    raw = mail(b"Content-Type: application/pdf", b"Content-Transfer-Encoding: base64", body=base64.encodebytes(OCTETS))
    assert file_in(raw, 0) == File("attachment-1.bin", OCTETS)


def test_a_mail_beyond_bounds_hands_out_nothing_and_says_why() -> None:
    assert file_in(multipart(b"mixed", *[PLAIN] * 500), 0) == Unreadable("it has more than 200 parts")
