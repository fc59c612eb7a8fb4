"""Octets to text: Japanese mail under every label that mailers put on it."""

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.mail.charset import Decoded, decoded, decoded_field, one_line
from responder.mail.transfer import unbase64

SENTENCE = "パスワードを忘れてログインできません。契約書の電子署名について教えてください。"
JIS = SENTENCE.encode("iso2022_jp")
SJIS = SENTENCE.encode("cp932")
EUC = SENTENCE.encode("euc_jp")
UTF8 = SENTENCE.encode()
LABELS = (
    *(None, "", "utf-8", "iso-2022-jp", "Shift_JIS", "euc-jp", "us-ascii", "iso-8859-1", "windows-1252"),
    *("unknown-8bit", "x-no-such-charset", "utf-8\0", "\0", '"utf-8"', "idna", "zlib", "x" * 10_000),
)


@pytest.mark.parametrize("declared", LABELS)
@pytest.mark.parametrize(
    ("raw", "charset"),
    [
        pytest.param(JIS, "iso-2022-jp", id="ISO-2022-JP"),
        pytest.param(SJIS, "cp932", id="Shift_JIS"),
        pytest.param(EUC, "euc-jp", id="EUC-JP"),
        pytest.param(UTF8, "utf-8", id="UTF-8"),
    ],
)
def test_a_japanese_sentence_is_read_whatever_the_label_says(raw: bytes, charset: str, declared: str | None) -> None:
    assert decoded(raw, declared) == Decoded(SENTENCE, charset, 0)


@pytest.mark.parametrize(
    ("raw", "declared", "text"),
    [
        pytest.param(b"\x1b$B-!-j|b\x1b(B", "iso-2022-jp", "①㈱髙", id="Microsoft's cells in ISO-2022-JP"),
        pytest.param(b"\x1b$@%F%9%H\x1b(J", None, "テスト", id="JIS C 6226-1978 and JIS-Roman (RFC 1468)"),
        pytest.param(b"\x1b(J\\100~\x1b(B\\", None, "¥100‾\\", id="the yen sign of JIS-Roman"),
        pytest.param(b"\x1b(IC=D\x1b(B.", None, "ﾃｽﾄ.", id="half-width kana by escape sequence"),
        pytest.param(b"a \x0eC=D\x0f b", "iso-2022-jp", "a ﾃｽﾄ b", id="half-width kana by SO and SI"),
        pytest.param(b"\x1b$B%F%9%H\nabc", None, "テスト\nabc", id="no way back to ASCII at a line end"),
        pytest.param(b"\x1b$B%F %9\x1b(B", None, "テ ス", id="a blank between two cells"),
        pytest.param(b"\x1b$B%F%\x1b(B.", None, "テ\ufffd.", id="half a cell"),
        pytest.param(b"\x1b$(D\x22\x2f\x1b(B", None, "˘", id="JIS X 0212 (RFC 1554)"),
        pytest.param("①㈱髙﨑".encode("cp932"), "Shift_JIS", "①㈱髙﨑", id="Microsoft's cells in Shift_JIS"),
        pytest.param("①㈱髙﨑".encode("cp932"), "x-sjis", "①㈱髙﨑", id="Shift_JIS by an old name"),
        pytest.param("ﾃｽﾄﾒｰﾙ".encode("cp932"), "Shift_JIS", "ﾃｽﾄﾒｰﾙ", id="half-width kana in Shift_JIS"),
        pytest.param(b"\xad\xa1\xad\xea\xfc\xe2", "euc-jp", "①㈱髙", id="Microsoft's cells in EUC-JP"),
        pytest.param("résumé".encode("latin-1"), "iso-8859-1", "résumé", id="ISO-8859-1 that is meant so"),
        pytest.param(b"\x93hi\x94", "iso-8859-1", "“hi”", id="ISO-8859-1 that is Windows-1252"),
        pytest.param("Привет".encode("koi8-r"), "koi8-r", "Привет", id="a charset of another script"),
        pytest.param("合同".encode("gbk"), "gb2312", "合同", id="Chinese"),
        pytest.param("résumé".encode(), "iso-8859-1", "résumé", id="UTF-8 under the label of ISO-8859-1"),
        pytest.param("ください".encode(), "Shift_JIS", "ください", id="UTF-8 that Shift_JIS could decode"),
        pytest.param("はい、テスト".encode("euc_jp"), "Shift_JIS", "はい、テスト", id="EUC-JP that it could decode"),
        pytest.param("齋".encode("cp932"), "Shift_JIS", "齋", id="one rare kanji under its own label"),
        pytest.param(b"\xef\xbb\xbfabc", "utf-8", "abc", id="a byte order mark"),
        pytest.param(b"a\0b", None, "ab", id="NUL"),
        pytest.param(b"", "utf-8", "", id="nothing"),
    ],
)
def test_single_cells_and_labels(raw: bytes, declared: str | None, text: str) -> None:
    assert decoded(raw, declared).text == text


ENGLISH = "I don’t know why it’s “gone”. We can’t log in."
FRENCH = "C’est au cœur de l’affaire, n’est-ce pas ?"
GERMAN = "Grüße aus München: Wie lösche ich ein Konto für ‚Gäste‘?"


@pytest.mark.parametrize("declared", ["windows-1252", "iso-8859-1", "ISO-8859-15", "us-ascii", None])
@pytest.mark.parametrize("text", [ENGLISH, FRENCH, GERMAN], ids=["English", "French", "German"])
def test_no_kanji_are_read_out_of_western_quotes_and_accents(text: str, declared: str | None) -> None:
    read = decoded(text.encode("cp1252"), declared)
    assert not any("\u3000" <= character <= "\u9fff" for character in read.text)
    if declared in ("windows-1252", "iso-8859-1"):
        assert read == Decoded(text, "cp1252", 0)


@pytest.mark.parametrize("declared", ["windows-1252", "iso-8859-1", None])
@pytest.mark.parametrize("codec", ["cp932", "euc_jp"])
@pytest.mark.parametrize("text", ["見積書", "Web会議 (東京)", "はい", "OK、承知", "URL の件"])
def test_a_few_japanese_characters_are_enough(text: str, codec: str, declared: str | None) -> None:
    assert decoded(text.encode(codec), declared).text == text


def test_one_broken_octet_does_not_cost_the_sentence() -> None:
    read = decoded(UTF8 + b"\xff" + UTF8, "utf-8")
    assert read == Decoded(f"{SENTENCE}\ufffd{SENTENCE}", "utf-8", 1)


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.binary(max_size=300), st.one_of(st.none(), st.text(max_size=30)))
def test_any_octets_under_any_label_become_text(raw: bytes, declared: str | None) -> None:
    read = decoded(raw, declared)
    assert "\0" not in read.text
    assert read.replaced == read.text.count("\ufffd")
    assert read.text.encode("utf-8").decode("utf-8") == read.text


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.sampled_from(["iso-2022-jp", "hz", "iso-2022-kr", "utf-16", "utf-32", "gb18030", "utf-7"]), st.binary())
def test_charsets_with_a_state_never_raise(declared: str, raw: bytes) -> None:
    for octets in (raw, b"\x1b$B" + raw, b"\x1b$(C" + raw, b"+2AA-" + raw):
        assert isinstance(decoded(octets, declared).text.encode("utf-8"), bytes)


@pytest.mark.parametrize("unit", [b"\x1b$B", b"\x1b(I\x0e", b"\x83", b"\xa4", b"\xe3\x81", b"=?a?q?", b'"'])
def test_the_time_grows_with_the_length_and_not_with_its_square(unit: bytes) -> None:
    # A quadratic reading of a megabyte takes minutes; the bound is loose for slow machines.
    raw = unit * (1_000_000 // len(unit))
    begun = time.process_time()
    decoded(raw, None)
    decoded_field(raw)
    assert time.process_time() - begun < 10


# --- header fields ---


def word(octets: bytes, charset: str = "iso-2022-jp") -> bytes:
    return b"=?" + charset.encode() + b"?B?" + base64.b64encode(octets) + b"?="


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(b"Re: plain", "Re: plain", id="ASCII"),
        pytest.param(word(JIS), SENTENCE, id="RFC 2047 §2: B"),
        pytest.param(b"=?utf-8?Q?=E3=81=82_=3F?=", "あ ?", id="RFC 2047 §4.2: Q"),
        pytest.param(b"=?utf-8*ja?Q?=E3=81=82?=", "あ", id="RFC 2231 §5: a language"),
        pytest.param(b"a =?utf-8?Q?b?= c", "a b c", id="text before and after a word"),
        pytest.param(b"=?utf-8?Q?a?=\t =?utf-8?Q?b?=", "ab", id="RFC 2047 §6.2: blanks between words"),
        pytest.param(word(UTF8[:4], "UTF-8") + b" " + word(UTF8[4:], "utf-8"), SENTENCE, id="a split character"),
        pytest.param(word(JIS[:13]) + b" " + word(JIS[13:]), SENTENCE, id="a shift state over two words"),
        pytest.param(word(JIS) + b" " + word(UTF8, "utf-8"), SENTENCE * 2, id="two charsets side by side"),
        pytest.param(word(SJIS, "utf-8"), SENTENCE, id="a word with the wrong label"),
        pytest.param(word(b"\x1b$B-!-j|b\x1b(B"), "①㈱髙", id="Microsoft's cells"),
        pytest.param(word(b"\x1b(IC=D\x1b(B"), "ﾃｽﾄ", id="half-width kana"),
        pytest.param(word("①㈱髙".encode("cp932"), "Shift_JIS"), "①㈱髙", id="Shift_JIS with vendor cells"),
        pytest.param(SJIS, SENTENCE, id="raw Shift_JIS"),
        pytest.param(JIS, SENTENCE, id="raw ISO-2022-JP"),
        pytest.param(UTF8, SENTENCE, id="raw UTF-8 (RFC 6532)"),
        pytest.param(b"=?utf-8?B?44GC44GE", "=?utf-8?B?44GC44GE", id="a word that never ends"),
        pytest.param(b"=?utf-8?B?44GC=44GE=?=", "あい", id="padding in the middle of base64"),
        pytest.param(b"=?x?Q?a?=", "a", id="an unknown charset"),
        pytest.param(b"=?utf-8?Q?hi=0D=0ABcc:_v?=", "hi  Bcc: v", id="an encoded line end"),
        pytest.param(b"hi\r\nBcc: v", "hi  Bcc: v", id="a raw line end"),
        pytest.param("a\u2028b\u2029c\u202ed\u2066e\x85f\x00g".encode(), "a b c d e fg", id="separators and bidi"),
    ],
)
def test_a_field_is_read_as_one_line(value: bytes, text: str) -> None:
    assert decoded_field(value) == text


def test_words_beyond_the_thousandth_stay_as_they_are() -> None:
    assert decoded_field(b"=?a?q?b?= " * 1001) == "b" * 1000 + " =?a?q?b?="


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.binary(max_size=200))
def test_a_field_of_any_octets_is_one_line_without_controls(octets: bytes) -> None:
    for value in (octets, b"=?utf-8?B?" + octets + b"?=", b"=?" + octets + b"?Q?=0D=0A?="):
        text = decoded_field(value)
        assert text == one_line(text)
        assert len(text.splitlines()) <= 1
        assert not any(ord(character) < 32 or 127 <= ord(character) < 160 for character in text)


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.binary())
def test_base64_is_read_back(octets: bytes) -> None:
    encoded = base64.encodebytes(octets)
    assert unbase64(encoded) == octets
    assert unbase64(encoded.replace(b"=", b"").replace(b"\n", b"\r\n !")) == octets
