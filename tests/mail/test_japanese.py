"""Japanese mail in every form that mailers have given it: what is read, and what is kept of how it was read."""

import base64
import quopri

import pytest

from responder.mail.message import Attachment
from tests.mail.test_message import mail, multipart, read

SENTENCE = "契約書のパスワードを忘れました。〜再送してください。"
VENDOR = "①㈱髙橋様、№Ⅳの件"
KANA = "ﾃｽﾄﾒｰﾙﾃﾞｽ"

JIS = SENTENCE.encode("iso2022_jp")
SJIS = SENTENCE.replace("〜", "～").encode("cp932")
EUC = SENTENCE.encode("euc_jp")
UTF8 = SENTENCE.encode()

# Cells that JIS X 0208 leaves free and Microsoft filled, which Python's own codec cannot write.
VENDOR_JIS = b'\x1b$B-!-j|b66\x4d\x4d!"-b-8$N7o\x1b(B'
VENDOR_SJIS = VENDOR.encode("cp932")
VENDOR_EUC = b"\xad\xa1\xad\xea\xfc\xe2\xb6\xb6\xcd\xcd\xa1\xa2\xad\xe2\xad\xb8\xa4\xce\xb7\xef"
KANA_JIS = b"\x1b(I" + bytes(octet & 0x7F for octet in KANA.encode("cp932")) + b"\x1b(B"
KANA_SO = b"\x0e" + bytes(octet & 0x7F for octet in KANA.encode("cp932")) + b"\x0f"

WAVE = SENTENCE.replace("〜", "～")
"""What Microsoft's tables make of the same character."""


def _body(charset: str | None, encoding: str | None, octets: bytes) -> bytes:
    kind = [b"Content-Type: text/plain" + (f"; charset={charset}".encode() if charset else b"")]
    match encoding:
        case "base64":
            octets = base64.encodebytes(octets)
        case "quoted-printable":
            octets = quopri.encodestring(octets)
    cte = [f"Content-Transfer-Encoding: {encoding}".encode()] if encoding else []
    return mail(b"From: taro@example.jp", *kind, *cte, body=octets + b"\r\n")


@pytest.mark.parametrize(
    ("declared", "encoding", "octets", "text", "charset"),
    [
        pytest.param("ISO-2022-JP", "7bit", JIS, SENTENCE, "iso-2022-jp", id="ISO-2022-JP, 7bit"),
        pytest.param("ISO-2022-JP", None, JIS, SENTENCE, "iso-2022-jp", id="ISO-2022-JP without an encoding"),
        pytest.param("ISO-2022-JP", "8bit", JIS, SENTENCE, "iso-2022-jp", id="ISO-2022-JP, 8bit"),
        pytest.param("ISO-2022-JP", "base64", JIS, SENTENCE, "iso-2022-jp", id="ISO-2022-JP, base64"),
        pytest.param(
            "ISO-2022-JP", "quoted-printable", JIS, SENTENCE, "iso-2022-jp", id="ISO-2022-JP, quoted-printable"
        ),
        pytest.param("ISO-2022-JP", "7bit", VENDOR_JIS, VENDOR, "iso-2022-jp", id="vendor characters in ISO-2022-JP"),
        pytest.param("ISO-2022-JP-MS", "7bit", VENDOR_JIS, VENDOR, "iso-2022-jp", id="ISO-2022-JP-MS"),
        pytest.param("CP50220", "7bit", VENDOR_JIS, VENDOR, "iso-2022-jp", id="CP50220"),
        pytest.param("CP50221", "7bit", KANA_JIS, KANA, "iso-2022-jp", id="CP50221: half-width kana by escape"),
        pytest.param("CP50222", "7bit", KANA_SO, KANA, "iso-2022-jp", id="CP50222: half-width kana by shift"),
        pytest.param("iso-2022-jp", None, KANA_JIS, KANA, "iso-2022-jp", id="half-width kana in ISO-2022-JP"),
        pytest.param("ISO-2022-JP-1", "7bit", b"\x1b$(D\x22\x2f\x1b(B", "˘", "iso-2022-jp", id="RFC 2237: JIS X 0212"),
        pytest.param("ISO-2022-JP-2", "7bit", JIS, SENTENCE, "iso-2022-jp", id="RFC 1554: ISO-2022-JP-2"),
        pytest.param(None, None, JIS, SENTENCE, "iso-2022-jp", id="JIS without a charset"),
        pytest.param("us-ascii", "7bit", JIS, SENTENCE, "iso-2022-jp", id="JIS as us-ascii"),
        pytest.param("unknown-8bit", "7bit", JIS, SENTENCE, "iso-2022-jp", id="JIS as unknown-8bit (RFC 1428)"),
        pytest.param("UTF-8", "7bit", JIS, SENTENCE, "iso-2022-jp", id="JIS as UTF-8"),
        pytest.param("Shift_JIS", "8bit", SJIS, WAVE, "cp932", id="Shift_JIS, 8bit"),
        pytest.param("Shift_JIS", "base64", SJIS, WAVE, "cp932", id="Shift_JIS, base64"),
        pytest.param("Shift_JIS", "quoted-printable", SJIS, WAVE, "cp932", id="Shift_JIS, quoted-printable"),
        pytest.param("Shift_JIS", "8bit", VENDOR_SJIS, VENDOR, "cp932", id="vendor characters in Shift_JIS"),
        pytest.param("x-sjis", "8bit", VENDOR_SJIS, VENDOR, "cp932", id="x-sjis"),
        pytest.param("Windows-31J", "8bit", VENDOR_SJIS, VENDOR, "cp932", id="Windows-31J"),
        pytest.param("Shift_JIS", "8bit", KANA.encode("cp932"), KANA, "cp932", id="half-width kana in Shift_JIS"),
        pytest.param(None, "8bit", SJIS, WAVE, "cp932", id="Shift_JIS without a charset"),
        pytest.param("us-ascii", "8bit", SJIS, WAVE, "cp932", id="Shift_JIS as us-ascii"),
        pytest.param("unknown-8bit", "8bit", SJIS, WAVE, "cp932", id="Shift_JIS as unknown-8bit"),
        pytest.param("UTF-8", "8bit", SJIS, WAVE, "cp932", id="Shift_JIS as UTF-8"),
        pytest.param("iso-8859-1", "8bit", SJIS, WAVE, "cp932", id="Shift_JIS as ISO-8859-1"),
        pytest.param("iso-2022-jp", "8bit", SJIS, WAVE, "cp932", id="Shift_JIS as ISO-2022-JP"),
        pytest.param("EUC-JP", "8bit", EUC, SENTENCE, "euc-jp", id="EUC-JP, 8bit"),
        pytest.param("EUC-JP", "base64", EUC, SENTENCE, "euc-jp", id="EUC-JP, base64"),
        pytest.param("CP51932", "8bit", VENDOR_EUC, VENDOR, "euc-jp", id="CP51932"),
        pytest.param("eucJP-ms", "8bit", VENDOR_EUC, VENDOR, "euc-jp", id="eucJP-ms"),
        pytest.param("x-euc-jp", "8bit", EUC, SENTENCE, "euc-jp", id="x-euc-jp"),
        pytest.param(None, "8bit", EUC, SENTENCE, "euc-jp", id="EUC-JP without a charset"),
        pytest.param("Shift_JIS", "8bit", EUC, SENTENCE, "euc-jp", id="EUC-JP as Shift_JIS"),
        pytest.param("UTF-8", "8bit", UTF8, SENTENCE, "utf-8", id="UTF-8, 8bit"),
        pytest.param("UTF-8", "base64", UTF8, SENTENCE, "utf-8", id="UTF-8, base64"),
        pytest.param("UTF-8", "quoted-printable", UTF8, SENTENCE, "utf-8", id="UTF-8, quoted-printable"),
        pytest.param("UTF-8", "base64", b"\xef\xbb\xbf" + UTF8, SENTENCE, "utf-8", id="UTF-8 with a byte order mark"),
        pytest.param("ISO-2022-JP", "8bit", UTF8, SENTENCE, "utf-8", id="UTF-8 as ISO-2022-JP"),
        pytest.param(None, None, UTF8, SENTENCE, "utf-8", id="UTF-8 without a charset"),
        pytest.param("UTF-16", "base64", SENTENCE.encode("utf-16"), SENTENCE, "utf-16", id="UTF-16, base64"),
        pytest.param("UTF-7", "7bit", SENTENCE.encode("utf-7"), SENTENCE, "utf-7", id="RFC 2152: UTF-7, 7bit"),
    ],
)
def test_a_body_is_read_and_what_was_declared_and_done_is_kept(
    declared: str | None, encoding: str | None, octets: bytes, text: str, charset: str
) -> None:
    message = read(_body(declared, encoding, octets))
    assert (message.text.strip(), message.declared, message.charset, message.replaced) == (
        text,
        declared or "",
        charset,
        0,
    )


def test_what_no_charset_explains_is_counted() -> None:
    message = read(_body("utf-8", "8bit", UTF8 + b"\xff\xff" + UTF8))
    assert (message.declared, message.charset, message.replaced) == ("utf-8", "utf-8", 2)


def test_what_is_declared_is_kept_as_one_short_line() -> None:
    message = read(_body("x" * 500 + "\x1b[31m", None, b"hello"))
    assert message.declared == "x" * 60


def _word(octets: bytes, charset: str, encoding: bytes = b"B") -> bytes:
    said = base64.b64encode(octets) if encoding == b"B" else "".join(f"={octet:02X}" for octet in octets).encode()
    return b"=?" + charset.encode() + b"?" + encoding + b"?" + said + b"?="


LONG = "".join(f"{number}番目の契約の件について、" for number in range(20))
LONG_WORDS = b"\r\n ".join(_word(LONG[start : start + 10].encode(), "UTF-8") for start in range(0, len(LONG), 10))


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        pytest.param(SJIS, WAVE, id="raw Shift_JIS"),
        pytest.param(JIS, SENTENCE, id="raw ISO-2022-JP"),
        pytest.param(EUC, SENTENCE, id="raw EUC-JP"),
        pytest.param(UTF8, SENTENCE, id="RFC 6532: raw UTF-8"),
        pytest.param(VENDOR_SJIS, VENDOR, id="raw Shift_JIS with vendor characters"),
        pytest.param(_word(JIS, "ISO-2022-JP"), SENTENCE, id="ISO-2022-JP, B"),
        pytest.param(_word(JIS, "ISO-2022-JP", b"Q"), SENTENCE, id="ISO-2022-JP, Q"),
        pytest.param(_word(VENDOR_JIS, "ISO-2022-JP"), VENDOR, id="vendor characters in ISO-2022-JP"),
        pytest.param(_word(KANA_JIS, "ISO-2022-JP"), KANA, id="half-width kana in ISO-2022-JP"),
        pytest.param(_word(VENDOR_SJIS, "Shift_JIS"), VENDOR, id="vendor characters in Shift_JIS"),
        pytest.param(_word(SJIS, "UTF-8"), WAVE, id="Shift_JIS as UTF-8"),
        pytest.param(
            _word(UTF8[:10], "UTF-8") + b"\r\n " + _word(UTF8[10:], "UTF-8"), SENTENCE, id="split in a character"
        ),
        pytest.param(_word(JIS[:9], "ISO-2022-JP") + b" " + _word(JIS[9:], "ISO-2022-JP"), SENTENCE, id="split in JIS"),
        pytest.param(_word(SJIS[:7], "Shift_JIS") + b" " + _word(SJIS[7:], "Shift_JIS"), WAVE, id="split in Shift_JIS"),
        pytest.param(LONG_WORDS, LONG, id="many words"),
        pytest.param(
            _word("一行\r\nBcc: a@b".encode("iso2022_jp"), "ISO-2022-JP"), "一行  Bcc: a@b", id="a line end in JIS"
        ),
        pytest.param(_word(b"hi +MEI-", "utf-7", b"Q"), "hi あ", id="UTF-7"),
    ],
)
def test_a_subject_is_read(subject: bytes, text: str) -> None:
    assert read(mail(b"From: taro@example.jp", b"Subject: " + subject)).subject == text


@pytest.mark.parametrize(
    "octets",
    [
        "契約書.pdf".encode("iso2022_jp"),
        "契約書.pdf".encode("cp932"),
        "契約書.pdf".encode(),
        _word("契約書.pdf".encode("iso2022_jp"), "ISO-2022-JP"),
    ],
    ids=["raw ISO-2022-JP", "raw Shift_JIS", "raw UTF-8", "RFC 2047 in quotes"],
)
def test_a_japanese_name_of_an_attachment_is_read(octets: bytes) -> None:
    part = b'Content-Type: application/pdf; name="' + octets + b'"\r\n\r\nx'
    assert read(multipart(b"mixed", part)).attachments == (Attachment("契約書.pdf", "application/pdf", 1),)


@pytest.mark.parametrize("address", ["abc.@docomo.ne.jp", "a..b@docomo.ne.jp", "-a.-@ezweb.ne.jp"])
def test_an_address_that_rfc_5321_forbids_and_phones_had_can_be_answered(address: str) -> None:
    message = read(mail(b"From: =?ISO-2022-JP?B?GyRCOzNFRBsoQg==?= <" + address.encode() + b">"))
    assert (message.from_address, message.from_name) == (address, "山田")
