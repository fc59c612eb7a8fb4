"""HTML as a person sees it, and parameters as mailers write them."""

import email
import time
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.mail.body import html_text, parameter


@pytest.mark.parametrize(
    ("html", "text"),
    [
        pytest.param(
            "<p>パスワードを<b>忘れ</b><span>まし</span>た</p>",
            "パスワードを忘れました",
            id="words stay whole",
        ),
        pytest.param("<div>一行目<br>二行目</div><div>三行目</div>", "一行目\n二行目\n三行目", id="lines"),
        pytest.param("a &amp; b &lt;c&gt;&nbsp;d", "a & b <c> d", id="entities"),
        pytest.param("<html><head><title>T</title><style>p{}</style></head>x", "x", id="the head is not text"),
        pytest.param("<script>alert(1)</script>x<!-- y -->", "x", id="scripts and comments are not text"),
        pytest.param('<p>a</p><p style="color:red; DISPLAY : none">b</p>', "a", id="display:none"),
        pytest.param('<p style="display:none">a<b style="display:block">b</b></p>c', "c", id="inside of it"),
        pytest.param('a<span style="visibility:hidden">b</span>', "a", id="visibility:hidden"),
        pytest.param('a<span style="font-size:0px">b</span>', "a", id="font-size:0"),
        pytest.param('<table style="font-size:0"><tr><td>a</td></tr></table>', "a", id="a shrunk table"),
        pytest.param('a<span style="font-size:0.9em">b</span>', "ab", id="a small font can be read"),
        pytest.param("a<span hidden>b</span>", "a", id="the hidden attribute"),
        pytest.param('<?xml version="1.0" encoding="utf-8"?><p>あ</p>', "あ", id="an XML declaration"),
        pytest.param("<?xml:namespace prefix = o /><p>a<?x ?>b</p>", "ab", id="a declaration of Outlook's"),
        pytest.param("<div>" * 400 + "深い" + "</div>" * 400, "深い", id="400 tags deep"),
        pytest.param("<div>" * 3000 + "深い" + "</div>" * 3000, "深い", id="3000 tags deep"),
        pytest.param("<a " + "x=1 " * 5000 + ">a</a>", "a", id="a tag of 20,000 characters"),
        pytest.param('<p style="margin-left:99999em">a</p>', "a", id="a margin of a hundred thousand blanks"),
        pytest.param("", "", id="nothing"),
        pytest.param("  \n ", "", id="blanks only"),
        pytest.param("a < b", "a < b", id="no tag at all"),
        pytest.param("<div>" * 600 + "<style>x</STYLE>a<!-- b --> < c<br>d<script>e", "a < c\nd", id="cut out"),
    ],
)
def test_html_reads_as_it_looks(html: str, text: str) -> None:
    assert html_text(html) == text


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.lists(st.sampled_from(["<div>", "</div>", "<!--", "-->", "<", "<p hidden>", "&#0;", "<?", "あ", "<style>"])))
def test_any_markup_becomes_text(parts: list[str]) -> None:
    assert "\0" not in html_text("".join(parts))


@pytest.mark.parametrize(
    "unit",
    [
        "<!--",
        "<",
        "<div>",
        "</div>",
        "<script>",
        "<?",
        "<a ",
        "<td>",
        "<p>",
        "&amp;",
        "<a x='>' ",
        "<b>x</b>",
    ],
)
def test_hostile_markup_takes_seconds_at_most(unit: str) -> None:
    begun = time.perf_counter()
    html_text(unit * (500_000 // len(unit)))
    assert time.perf_counter() - begun < 10


@pytest.mark.parametrize(
    "html",
    [
        pytest.param("<a " + " ".join(f"x{n}=1" for n in range(50_000)) + ">a</a>", id="50,000 attributes"),
        pytest.param("<table><tr>" + "<td>x" * 99_000, id="99,000 cells"),
    ],
)
def test_tags_that_would_stall_the_layout_are_cut_out_instead(html: str) -> None:
    begun = time.perf_counter()
    assert html_text(html)
    assert time.perf_counter() - begun < 2


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
