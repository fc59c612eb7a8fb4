"""Parameters as mailers write them."""

import email
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.mail.body import content_of, parameter


@pytest.mark.parametrize(
    ("field", "name"),
    [
        pytest.param(b'attachment; filename="a b.pdf"', "a b.pdf", id="RFC 2183: quoted"),
        pytest.param(b"attachment; filename=a.pdf; size=1", "a.pdf", id="a token"),
        pytest.param(b'attachment; filename="a\\"b;c.pdf"', 'a"b;c.pdf', id="quotes and a semicolon inside"),
        pytest.param(b"attachment; filename*=utf-8'ja'%E5%A5%91%E7%B4%84.pdf", "契約.pdf", id="RFC 2231 §4"),
        pytest.param(b"attachment; filename*0*=utf-8''%E5%A5; filename*1*=%91; filename*2=.pdf", "契.pdf", id="§4.1"),
        pytest.param(b"attachment; filename*1=b.pdf; filename*0=a", "ab.pdf", id="RFC 2231 §3: any order"),
        pytest.param(b"attachment; filename=x.pdf; filename*=utf-8''%E3%81%82", "あ", id="both forms"),
        pytest.param(
            b"attachment; filename*=iso-2022-jp''" + quote_from_bytes("契約".encode("iso2022_jp")).encode(),
            "契約",
            id="JIS by RFC 2231",
        ),
        pytest.param(b'attachment; filename="=?utf-8?B?5aWR57SELnBkZg==?="', "契約.pdf", id="RFC 2047 in quotes"),
        pytest.param(b'attachment; filename="' + "契約表".encode("cp932") + b'.pdf"', "契約表.pdf", id="raw Shift_JIS"),
        pytest.param(b'attachment; filename="a=0D\r\n b.pdf"', "a=0D b.pdf", id="folded"),
        pytest.param(b"attachment; filename*=utf-8''a%0D%0Ab", "a  b", id="an encoded line end"),
        pytest.param(b'attachment; filename="never ends', "never ends", id="a quote that never closes"),
        pytest.param(b"attachment", None, id="none"),
    ],
)
def test_a_parameter_is_read_as_mailers_write_it(field: bytes, name: str | None) -> None:
    part = email.message_from_bytes(b"Content-Disposition: " + field + b"\r\n\r\n")
    assert parameter(part, "content-disposition", "filename") == name


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.binary(max_size=300))
def test_a_parameter_of_any_octets_never_raises(octets: bytes) -> None:
    part = email.message_from_bytes(b"Content-Type: text/plain; name" + octets)
    assert isinstance(parameter(part, "content-type", "name"), str | None)


@pytest.mark.parametrize("encoding", [b"base64", b"BASE64 (x)", b'"base64"', b"base64;", b" base64 x"])
def test_a_transfer_encoding_is_its_first_token_rfc_2045_6_1(encoding: bytes) -> None:
    part = email.message_from_bytes(b"Content-Transfer-Encoding: " + encoding + b"\r\n\r\naGVsbG8=\r\n")
    assert content_of(part) == b"hello"
