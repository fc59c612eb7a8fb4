"""Raw mail to a `Message`: what people send, what machines send, and what nobody should."""

import base64
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.mail.message import Attachment, Message, Unreadable, parse_message, usable_id

SENTENCE = "パスワードを忘れてログインできません。"


def mail(*fields: bytes, body: bytes = b"hello\r\n") -> bytes:
    return b"".join(field + b"\r\n" for field in fields) + b"\r\n" + body


def multipart(subtype: bytes, *parts: bytes, boundary: bytes = b"edge") -> bytes:
    inside = b"".join(b"--" + boundary + b"\r\n" + part + b"\r\n" for part in parts)
    return mail(
        b"Content-Type: multipart/" + subtype + b'; boundary="' + boundary + b'"',
        body=inside + b"--" + boundary + b"--\r\n",
    )


def read(raw: bytes) -> Message:
    message = parse_message(raw)
    assert isinstance(message, Message), message
    return message


# --- text ---


@pytest.mark.parametrize(
    ("fields", "body", "text", "charset"),
    [
        pytest.param(
            (b"Content-Type: text/plain; charset=ISO-2022-JP", b"Content-Transfer-Encoding: 7bit"),
            SENTENCE.encode("iso2022_jp"),
            SENTENCE,
            "iso-2022-jp",
            id="RFC 1468: ISO-2022-JP, 7bit",
        ),
        pytest.param(
            (b"Content-Type: text/plain; charset=ISO-2022-JP",),
            SENTENCE.encode("iso2022_jp"),
            SENTENCE,
            "iso-2022-jp",
            id="RFC 2045 §6.1: ISO-2022-JP without a transfer encoding",
        ),
        pytest.param((), SENTENCE.encode("iso2022_jp"), SENTENCE, "iso-2022-jp", id="no MIME fields at all"),
        pytest.param(
            (b"Content-Type: text/plain; charset=iso-2022-jp",),
            b"\x1b$B-!-j|b\x1b(B \x1b(IC=D\x1b(B",
            "①㈱髙 ﾃｽﾄ",
            "iso-2022-jp",
            id="Microsoft's cells and half-width kana",
        ),
        pytest.param(
            (b"Content-Type: text/plain; charset=Shift_JIS", b"Content-Transfer-Encoding: base64"),
            base64.encodebytes("①㈱髙橋です。".encode("cp932")),
            "①㈱髙橋です。",
            "cp932",
            id="Shift_JIS with vendor cells",
        ),
        pytest.param(
            (b"Content-Type: text/plain; charset=Shift_JIS",),
            SENTENCE.encode(),
            SENTENCE,
            "utf-8",
            id="UTF-8 under the label of Shift_JIS",
        ),
        pytest.param(
            (b'Content-Type: text/plain; charset="utf-8\0"',),
            SENTENCE.encode(),
            SENTENCE,
            "utf-8",
            id="NUL in the charset",
        ),
        pytest.param(
            (b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: quoted-printable"),
            b"=E3=81=82=\r\n=E3=81=84",
            "あい",
            "utf-8",
            id="RFC 2045 §6.7: quoted-printable",
        ),
        pytest.param(
            (b"Content-Type: text/plain; charset=utf-8", b"Content-Transfer-Encoding: base64"),
            b"44GC4",
            "あ",
            "utf-8",
            id="base64 that was cut off",
        ),
        pytest.param(
            (b"Content-Type: text/html; charset=utf-8",),
            "<p>あ</p><p style='display:none'>い</p>".encode(),
            "あ",
            "utf-8",
            id="HTML only",
        ),
        pytest.param(
            (b"Content-Type: multipart/mixed; boundary=edge",),
            b"hello",
            "hello",
            "us-ascii",
            id="no start boundary",
        ),
        pytest.param((b"Content-Type: nonsense",), b"hello", "hello", "us-ascii", id="RFC 2045 §5.2: a broken type"),
    ],
)
def test_a_text_is_read(fields: tuple[bytes, ...], body: bytes, text: str, charset: str) -> None:
    message = read(mail(b"From: taro@example.jp", *fields, body=body + b"\r\n"))
    assert (message.text.strip(), message.charset, message.replaced) == (text, charset, 0)


PLAIN = b"Content-Type: text/plain\r\n\r\nplain"
EMPTY = b"Content-Type: text/plain\r\n\r\n \r\n"
HTML = b"Content-Type: text/html\r\n\r\n<b>html</b>"
PDF = (
    b"Content-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n"
    b"Content-Transfer-Encoding: base64\r\n\r\nAAAA"
)
ATTACHED = b'Content-Type: text/plain\r\nContent-Disposition: attachment; filename="../../b.txt"\r\n\r\nattached'
FORWARDED = b"Content-Type: message/rfc822\r\nContent-Disposition: inline\r\n\r\n" + mail(b"Subject: x", body=b"inner")
HANGING_PDF = Attachment("a.pdf", "application/pdf", 3)
HANGING_TEXT = Attachment("b.txt", "text/plain", 8)
HANGING_MAIL = Attachment("", "message/rfc822", 5)


@pytest.mark.parametrize(
    ("raw", "text", "attachments"),
    [
        pytest.param(multipart(b"alternative", PLAIN, HTML), "plain", (), id="§5.1.4: plain before HTML"),
        pytest.param(multipart(b"alternative", EMPTY, HTML), "html", (), id="an empty plain part"),
        pytest.param(multipart(b"alternative", HTML), "html", (), id="one alternative"),
        pytest.param(multipart(b"alternative", EMPTY), "", (), id="no text in any alternative"),
        pytest.param(
            multipart(b"alternative", PLAIN, multipart(b"related", HTML, PDF, boundary=b"inner")),
            "plain",
            (HANGING_PDF,),
            id="the attachments of an alternative not chosen",
        ),
        pytest.param(multipart(b"mixed", PLAIN, PDF, PLAIN), "plain\n\nplain", (HANGING_PDF,), id="text in two parts"),
        pytest.param(multipart(b"mixed", PLAIN, HTML), "plain\n\nhtml", (), id="two texts of two kinds"),
        pytest.param(
            multipart(b"mixed", PLAIN, b"Content-Type: text/html\r\n\r\n<i>plain</i>"),
            "plain",
            (),
            id="a text told twice",
        ),
        pytest.param(multipart(b"mixed", PLAIN, ATTACHED), "plain", (HANGING_TEXT,), id="RFC 2183: an attached text"),
        pytest.param(multipart(b"mixed", PLAIN, FORWARDED), "plain", (HANGING_MAIL,), id="§5.2.1: a mail, even inline"),
        pytest.param(
            multipart(b"digest", mail(b"Subject: x")), "", (Attachment("", "message/rfc822", 7),), id="digest"
        ),
        pytest.param(multipart(b"mixed"), "", (), id="no parts"),
    ],
)
def test_rfc_2046_parts_are_text_or_attachment(raw: bytes, text: str, attachments: tuple[Attachment, ...]) -> None:
    message = read(raw)
    assert message.text.strip() == text
    assert message.attachments == attachments


def test_the_html_of_a_mail_is_rendered_up_to_half_a_million_characters() -> None:
    part = b"Content-Type: text/html\r\n\r\n" + b"<p>x</p>" * 12_000
    assert 60_000 < read(multipart(b"mixed", *[part] * 12)).text.count("x") < 63_000


def test_a_text_is_cut_at_a_million_characters() -> None:
    message = read(mail(b"Content-Type: text/plain; charset=utf-8", body="あ".encode() * 1_500_000))
    assert len(message.text) == 1_000_000
    assert message.replaced <= 1


# --- fields ---


@pytest.mark.parametrize(
    ("field", "address", "name"),
    [
        pytest.param(b"taro@example.jp", "taro@example.jp", "", id="a bare address"),
        pytest.param(b"Taro Yamada <taro@example.jp>", "taro@example.jp", "Taro Yamada", id="a name"),
        pytest.param(b'"Yamada, Taro" <taro@example.jp>', "taro@example.jp", "Yamada, Taro", id="a quoted comma"),
        pytest.param(b'"a \\"b\\"" <taro@example.jp>', "taro@example.jp", 'a "b"', id="quotes in quotes"),
        pytest.param(b"taro@example.jp (Taro)", "taro@example.jp", "Taro", id="RFC 822: the name in a comment"),
        pytest.param(b"abc.@docomo.ne.jp", "abc.@docomo.ne.jp", "", id="Docomo, a dot before the at sign"),
        pytest.param(b"T <a..b@docomo.ne.jp>", "a..b@docomo.ne.jp", "T", id="Docomo, two dots"),
        pytest.param(b'<"abc."@docomo.ne.jp>', "abc.@docomo.ne.jp", "", id="Docomo, quoted by the phone"),
        pytest.param(b"<@relay.example:taro@example.jp>", "taro@example.jp", "", id="RFC 5322 §4.4: a source route"),
        pytest.param(b"=?utf-8?B?5bGx55Sw?= <taro@example.jp>", "taro@example.jp", "山田", id="RFC 2047 §5: a phrase"),
        pytest.param(b'"=?utf-8?B?5bGx55Sw?=" <t@example.jp>', "t@example.jp", "山田", id="an encoded word in quotes"),
        pytest.param(b"=?utf-8?Q?A,_B?= <t@example.jp>", "t@example.jp", "A, B", id="a comma in an encoded word"),
        pytest.param("山田表 <t@example.jp>".encode("cp932"), "t@example.jp", "山田表", id="raw Shift_JIS"),
        pytest.param('"山田表" <t@example.jp>'.encode("cp932"), "t@example.jp", "山田表", id="Shift_JIS in quotes"),
        pytest.param("処、山田 <t@example.jp>".encode("iso2022_jp"), "t@example.jp", "処、山田", id="raw JIS"),
        pytest.param(
            b'"=?utf-8?Q?a=0D=0ABcc:_victim@example.com?=" <u@example.jp>',
            "u@example.jp",
            "a  Bcc: victim@example.com",
            id="CRLF in an encoded name",
        ),
        pytest.param(b"a@example.jp, b@example.jp", "", "", id="RFC 5322 §3.6.2: two mailboxes"),
        pytest.param(b"<a@example.jp> <b@example.jp>", "", "", id="two addresses in one mailbox"),
        pytest.param(b"a@example.jp b@example.jp", "", "", id="two addresses and no comma"),
        pytest.param(b"all: a@example.jp;", "", "", id="RFC 6854: a group"),
        pytest.param(b"undisclosed-recipients:;", "", "", id="an empty group"),
        pytest.param(b"Taro", "", "", id="no address"),
        pytest.param(b"<>", "", "", id="the null path is not a mailbox"),
        pytest.param(b"=?utf-8?Q?a=40example.jp?=", "", "", id="an address is never an encoded word"),
        pytest.param(b"", "", "", id="nothing"),
        pytest.param(b"x" * 2000 + b" <a@example.jp>", "", "", id="longer than any name"),
    ],
)
def test_from_names_one_mailbox_or_nobody(field: bytes, address: str, name: str) -> None:
    message = read(mail(b"From: " + field))
    assert (message.from_address, message.from_name) == (address, name)


def test_two_from_fields_name_nobody() -> None:
    message = read(mail(b"From: a@example.jp", b"From: a@example.jp"))
    assert message.from_address == ""
    assert message.values("From") == ("a@example.jp", "a@example.jp")


def test_recipients_come_from_all_four_fields_once_each() -> None:
    message = read(
        mail(
            b"To: A <a@example.jp>, b@example.jp",
            b"cc: team: c@example.jp, a@example.jp; , nonsense",
            b"Resent-To: d@example.jp",
            b"Resent-Cc: e@example.jp",
            b"Reply-To: f@example.jp",
        )
    )
    assert message.recipients == tuple(f"{letter}@example.jp" for letter in "abcde")
    assert message.reply_to == ("f@example.jp",)


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"], ids=["CR LF", "LF", "CR"])
@pytest.mark.parametrize("blanks", [b" ", b"\t", b" \t" * 300], ids=["a blank", "a tab", "many"])
def test_rfc_5322_s4_5_blanks_before_the_colon_hide_no_field_and_end_no_header(end: bytes, blanks: bytes) -> None:
    fields = (
        b"From%b: a@example.jp",
        b"Subject: x : y",
        b" folded : z",
        b"List-Id%b: <l.example>",
        b"To%b: b@example.jp",
    )
    raw = end.join([field.replace(b"%b", blanks) for field in fields] + [b"", b"text : as it stands", b"", b"a : b"])
    message = read(raw)
    assert [name for name, _ in message.fields] == ["from", "subject", "list-id", "to"]
    assert (message.from_address, message.subject, message.recipients) == (
        "a@example.jp",
        "x : y folded : z",
        ("b@example.jp",),
    )
    assert message.text.split("\n")[0].split("\r")[0] == "text : as it stands"


def test_blanks_before_a_colon_hide_no_part_from_the_bounds() -> None:
    assert isinstance(parse_message(b"Content-Type : text/plain; x=" + b"y" * 20_000 + b"\r\n\r\n"), Unreadable)


@pytest.mark.parametrize("unit", [b" ", b"a ", b"a", b"a :", b"a :\r\n", b"a \r\n", b"a\r", b":"])
def test_blanks_before_colons_are_dropped_in_time_in_proportion(unit: bytes) -> None:
    times = []
    for size in (50_000, 200_000):
        began = time.process_time()
        parse_message(b"X" + unit * (size // len(unit)))
        times.append(time.process_time() - began)
    # Four times the octets; a square would be sixteen times.
    assert times[1] < 12 * times[0] + 0.1


@pytest.mark.parametrize(
    ("fields", "return_path"),
    [
        pytest.param((), None, id="no field"),
        pytest.param((b"Return-Path: <>",), "", id="RFC 5321 §4.5.5: the null reverse-path"),
        pytest.param((b"Return-Path: <a@example.jp>",), "a@example.jp", id="a path"),
        pytest.param((b"Return-Path: a@example.jp",), "a@example.jp", id="without brackets"),
        pytest.param((b"Return-Path: <MAILER-DAEMON>",), "MAILER-DAEMON", id="no address"),
        pytest.param((b"Return-Path: <>", b"Return-Path: <a@example.jp>"), "", id="the topmost of two"),
    ],
)
def test_the_return_path_is_read(fields: tuple[bytes, ...], return_path: str | None) -> None:
    assert read(mail(*fields)).return_path == return_path


OUTLOOK = "<TYAPR01MB1234ABCDEF0123456789ABCDEF0123456789ABCDEF@TYAPR01MB1234.jpnprd01.prod.outlook.com>"


@pytest.mark.parametrize(
    ("value", "message_id"),
    [
        pytest.param("<a@example.jp>", "<a@example.jp>", id="an id"),
        pytest.param(f"\r\n {OUTLOOK}", OUTLOOK, id="folded before a long id"),
        pytest.param("<a b@example.jp>", None, id="a blank inside"),
        pytest.param("a@example.jp", None, id="no brackets"),
        pytest.param("<abc>", None, id="no at sign"),
        pytest.param("<あ@example.jp>", None, id="not ASCII"),
        pytest.param(f"<{'a' * 900}@example.jp>", None, id="too long for a line"),
        pytest.param("=?utf-8?Q?=3Ca@example.jp=0D=0ABcc:_v=3E?=", None, id="an encoded line end"),
    ],
)
def test_rfc_5322_3_6_4_a_message_id_is_usable_or_absent(value: str, message_id: str | None) -> None:
    assert read(mail(f"Message-ID: {value}".encode())).message_id == message_id


def test_references_come_before_in_reply_to_without_repeats() -> None:
    message = read(
        mail(
            f"References: <a@x> <b@x>\r\n\t{OUTLOOK}<bad id@x> <a@x>".encode(),
            b"In-Reply-To: Your mail of today <c@x>, <b@x>",
        )
    )
    assert message.references == ("<a@x>", "<b@x>", OUTLOOK, "<c@x>")


def test_fields_keep_their_order_and_lose_their_controls() -> None:
    message = read(
        mail(
            b"Subject: =?utf-8?Q?hi=0D=0ABcc:_v@example.com?=",
            b"X-One: a\r\n b",
            b"SUBJECT: second",
            "X-Raw: 件名\u2028\u202e".encode(),
            "Comments: 件名".encode("cp932"),
        )
    )
    assert message.subject == "hi  Bcc: v@example.com"
    assert message.fields == (
        ("subject", "hi  Bcc: v@example.com"),
        ("x-one", "a b"),
        ("subject", "second"),
        ("x-raw", "件名"),
        ("comments", "件名"),
    )
    assert message.values("Subject") == ("hi  Bcc: v@example.com", "second")
    assert message.values("absent") == ()


@pytest.mark.parametrize(
    ("field", "content_type"),
    [
        (b"Content-Type: Multipart/Report; report-type=delivery-status", "multipart/report"),
        (b"Content-Type: text", "text/plain"),
        (b"Content-Type: te xt/p\x01lain", "text/plain"),
        (b"X: y", "text/plain"),
    ],
)
def test_the_content_type_is_lower_case_or_text_plain(field: bytes, content_type: str) -> None:
    assert read(mail(field)).content_type == content_type


# --- hostile mail ---

NESTED = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(40))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        pytest.param(mail(b"X: " + b"y" * 300_000), "256 KiB", id="a long header"),
        pytest.param(b"X: y\r\n" * 50_000, "256 KiB", id="a header that never ends"),
        pytest.param(mail(*[b"X: y"] * 1001), "1000 fields", id="many fields"),
        pytest.param(multipart(b"mixed", *[PLAIN] * 100_000), "200 parts", id="100,000 parts"),
        pytest.param(multipart(b"mixed", *[PLAIN] * 200), "200 parts", id="201 parts with their container"),
        pytest.param(NESTED, "nested deeper than 30", id="nested multiparts"),
        pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 100, "nested deeper than 30", id="nested mails"),
        pytest.param(b"Content-Type: message/rfc822\r\n\r\n" * 5000, "200 parts", id="mails nested 5000 deep"),
        pytest.param(multipart(b"mixed", b"Content-Type: text/plain" + b";" * 20_000), "16 KiB", id="a long type"),
    ],
)
def test_mail_beyond_bounds_is_unreadable_and_says_why(raw: bytes, reason: str) -> None:
    message = parse_message(raw)
    assert isinstance(message, Unreadable)
    assert reason in message.reason


def test_mail_within_bounds_is_read() -> None:
    assert len(read(mail(*[b"X: y"] * 1000)).fields) == 1000
    assert read(multipart(b"mixed", *[PLAIN] * 199)).text.count("plain") == 199


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(b"=?a?q?" * 40_000, id="encoded words that never end"),
        pytest.param(b'"' * 240_001, id="quotes"),
        pytest.param(b'"\\' * 120_000, id="escapes"),
        pytest.param(b"(" * 240_000, id="comments"),
        pytest.param(b"<" * 240_000, id="brackets"),
        pytest.param(b"a@b.example," * 20_000, id="addresses"),
    ],
)
@pytest.mark.parametrize("name", [b"To: ", b"Subject: ", b"References: "])
def test_hostile_fields_take_seconds_at_most(name: bytes, value: bytes) -> None:
    begun = time.process_time()
    assert isinstance(parse_message(mail(name + value)), Message)
    assert time.process_time() - begun < 10


SAMPLES = (
    multipart(b"mixed", multipart(b"alternative", PLAIN, HTML, boundary=b"in"), PDF, ATTACHED, FORWARDED),
    multipart(b"report", PLAIN, b"Content-Type: message/delivery-status\r\n\r\nStatus: 5.1.1\r\n\r\nAction: failed"),
    mail(
        b"From: =?iso-2022-jp?B?GyRCO3NFRBsoQg==?= <taro@example.jp>",
        b"Subject: =?utf-8?Q?=E3=81=82?=",
        b"Content-Type: text/plain; charset=iso-2022-jp",
        body=SENTENCE.encode("iso2022_jp"),
    ),
)


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.binary(max_size=400))
def test_any_octets_are_a_message_or_unreadable(raw: bytes) -> None:
    assert isinstance(parse_message(raw), Message | Unreadable)


@settings(deadline=None)  # the first run imports codecs and layout engine
@given(st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 1), st.integers(0, 5), st.binary(max_size=8))))
def test_any_mutated_mail_is_read(raw: bytes, changes: list[tuple[float, int, bytes]]) -> None:
    for place, removed, inserted in changes:
        start = int(place * len(raw))
        raw = raw[:start] + inserted + raw[start + removed :]
    message = read(raw)
    for _, value in message.fields:
        assert len(value.splitlines()) <= 1
    assert all(usable_id(known) for known in (*message.references, message.message_id or "<a@b>"))
    assert "\0" not in message.text
    assert all("/" not in attachment.name for attachment in message.attachments)
