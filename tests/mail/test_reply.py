"""Answers as finished octets: what they say, and that nothing else can get into them."""

import email
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.mail.message import Message, parse_message
from responder.mail.reply import Mailbox, MalformedReply, Reply, build_reply

OURS = Mailbox("faq@example.co.jp", "電子契約サポート窓口")
NOON = datetime(2026, 1, 5, 12, 0, tzinfo=timezone(timedelta(hours=9)))
PARENT = parse_message(b"Message-ID: <parent@example.jp>\r\nReferences: <root@example.jp>\r\n\r\nhello\r\n")
OUTLOOK = "<TYAPR01MB1234ABCDEF0123456789ABCDEF0123456789ABCDEF@TYAPR01MB1234.jpnprd01.prod.outlook.com>"
FIELDS = ["Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References"]
AUTOMATIC = ["Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Loop"]
CONTENT = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"]


def parent(message_id: str | None = "<parent@example.jp>", references: tuple[str, ...] = ()) -> Message:
    assert isinstance(PARENT, Message)
    return replace(PARENT, message_id=message_id, references=references)


def reply(
    *,
    subject: str = "Re: ログインについて",
    body: str = "お問い合わせありがとうございます。\n\nパスワードの再設定はこちらです。\n",
    author: Mailbox = OURS,
    recipient: str = "taro@example.jp",
    message_id: str = "<answer-1@example.co.jp>",
    date: datetime = NOON,
    answers: Message | None = None,
    automatic: bool = True,
) -> Reply:
    return build_reply(
        subject=subject,
        body=body,
        author=author,
        recipient=recipient,
        message_id=message_id,
        date=date,
        answers=answers,
        automatic=automatic,
    )


def names(built: Reply) -> list[str]:
    return [line.partition(b":")[0].decode() for line in header(built).split(b"\r\n") if line[:1] != b" "]


def header(built: Reply) -> bytes:
    return built.raw.partition(b"\r\n\r\n")[0]


def subject_of(built: Reply) -> str:
    return str(make_header(decode_header(email.message_from_bytes(built.raw)["Subject"])))


def body_of(built: Reply) -> str:
    octets = email.message_from_bytes(built.raw).get_payload(decode=True)
    assert isinstance(octets, bytes)
    return octets.decode("utf-8")


def test_rfc_3834_an_automatic_answer_is_marked_and_sent_from_nobody() -> None:
    built = reply(answers=parent())
    assert (built.sender, built.recipient, built.message_id) == ("", "taro@example.jp", "<answer-1@example.co.jp>")
    assert names(built) == FIELDS + AUTOMATIC + CONTENT
    read = email.message_from_bytes(built.raw)
    assert [read[name] for name in AUTOMATIC] == ["auto-replied", "All", "bulk", "faq@example.co.jp"]


def test_an_answer_by_a_person_is_sent_from_our_address_and_not_marked() -> None:
    built = reply(answers=parent(), automatic=False)
    assert built.sender == "faq@example.co.jp"
    assert names(built) == FIELDS + CONTENT


def test_what_is_written_is_read_back_by_our_own_parser() -> None:
    read = parse_message(reply(answers=parent()).raw)
    assert isinstance(read, Message)
    assert (read.from_address, read.from_name) == (OURS.address, OURS.name)
    assert read.recipients == ("taro@example.jp",)
    assert read.subject == "Re: ログインについて"
    assert read.text.splitlines()[-1] == "パスワードの再設定はこちらです。"
    assert read.references == ("<parent@example.jp>",)
    assert read.values("date") == ("Mon, 05 Jan 2026 12:00:00 +0900",)


@pytest.mark.parametrize("recipient", [".taro@docomo.ne.jp", "taro..y@docomo.ne.jp", "taro.@ezweb.ne.jp"])
def test_an_old_address_with_dots_is_read_back(recipient: str) -> None:
    read = parse_message(reply(answers=parent(), recipient=recipient).raw)
    assert isinstance(read, Message)
    assert read.recipients == (recipient,)


def test_rfc_3834_5_what_a_machine_writes_unasked_is_marked_so() -> None:
    given = {"subject": "S", "body": "B", "author": OURS, "recipient": "a@example.jp", "message_id": "<1@example.jp>"}
    notice = build_reply(**given, date=NOON, answers=None, automatic=True)  # type: ignore[arg-type]  # by name
    read = email.message_from_bytes(notice.raw)
    assert (read["Auto-Submitted"], read["Precedence"], notice.sender) == ("auto-generated", "bulk", "")


def test_rfc_3282_an_answer_names_its_language_where_that_is_known() -> None:
    given = {
        "subject": "S",
        "body": "B",
        "author": OURS,
        "recipient": "taro@example.jp",
        "message_id": "<1@example.jp>",
    }
    spoken = build_reply(**given, date=NOON, answers=None, automatic=True, language="ja, en")  # type: ignore[arg-type]
    assert email.message_from_bytes(spoken.raw)["Content-Language"] == "ja, en"
    assert "Content-Language" not in names(reply())
    with pytest.raises(MalformedReply):
        build_reply(**given, date=NOON, answers=None, automatic=True, language="en\r\nBcc: a@b")  # type: ignore[arg-type]


def test_an_answer_to_nothing_has_no_thread() -> None:
    assert not {"In-Reply-To", "References"} & set(names(reply()))


@pytest.mark.parametrize(
    ("message_id", "references", "in_reply_to", "chain"),
    [
        pytest.param("<c@x>", ("<a@x>", "<b@x>"), "<c@x>", ["<a@x>", "<b@x>", "<c@x>"], id="parent last"),
        pytest.param("<b@x>", ("<a@x>", "<b@x>"), "<b@x>", ["<a@x>", "<b@x>"], id="no repeats"),
        pytest.param(None, ("<a@x>",), None, ["<a@x>"], id="a parent without an id"),
        pytest.param(None, (), None, [], id="nothing to refer to"),
        pytest.param("<c@x>\r\nBcc: v@x", ("<a b@x>", "<あ@x>"), None, [], id="ids that cannot be written"),
        pytest.param(
            "<p@x>",
            tuple(f"<{n}@x>" for n in range(50)),
            "<p@x>",
            ["<0@x>", *(f"<{n}@x>" for n in range(31, 50)), "<p@x>"],
            id="the first and the last twenty",
        ),
        pytest.param(OUTLOOK, (OUTLOOK[:-1] + "x>",), OUTLOOK, [OUTLOOK[:-1] + "x>", OUTLOOK], id="long ids"),
        pytest.param("<" + "a" * 895 + "@x>", (), "<" + "a" * 895 + "@x>", ["<" + "a" * 895 + "@x>"], id="899 octets"),
    ],
)
def test_rfc_5322_3_6_4_the_thread_is_kept(
    message_id: str | None, references: tuple[str, ...], in_reply_to: str | None, chain: list[str]
) -> None:
    built = reply(answers=parent(message_id, references))
    read = email.message_from_bytes(built.raw)
    assert read["In-Reply-To"] == in_reply_to
    assert (read["References"] or "").split() == chain
    # Outlook does not decode encoded words there: each id stands whole on a line.
    for known in chain:
        assert re.search(rb"(?m)^(?:References:)? " + re.escape(known.encode()) + rb"\r$", header(built))


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        pytest.param("Re: hello", "Re: hello", id="ASCII"),
        pytest.param("自動返信: パスワードについて", "自動返信: パスワードについて", id="Japanese"),
        pytest.param("a\r\nBcc: victim@example.com", "a  Bcc: victim@example.com", id="a line end"),
        pytest.param("a\u2028b\u0085c\x0bd\u202ee\0f", "a b c d e f", id="separators, bidi and NUL"),
        pytest.param("=?utf-8?Q?a=0D=0ABcc:_v?=", "=?utf-8?Q?a=0D=0ABcc:_v?=", id="a literal encoded word"),
        pytest.param("あ" * 300, "あ" * 200, id="300 characters"),
        pytest.param("𠮷🙂" * 80, "𠮷🙂" * 80, id="characters beyond the first plane"),
        pytest.param("a" * 300, "a" * 200, id="300 letters"),
        pytest.param("\ud800", "?", id="half a surrogate pair"),
        pytest.param("", "", id="none"),
        pytest.param(" \r\n ", "", id="blanks"),
    ],
)
def test_a_subject_stays_one_field(subject: str, shown: str) -> None:
    built = reply(subject=subject)
    assert subject_of(built) == shown
    assert names(built).count("Subject") == 1
    # RFC 2047 §2: no line with an encoded word is longer than 76.
    assert all(len(line) <= 76 for line in header(built).split(b"\r\n") if b"=?" in line)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        pytest.param("Support", b'From: "Support" <faq@example.co.jp>', id="ASCII"),
        pytest.param('a "b" \\c', b'From: "a \\"b\\" \\\\c" <faq@example.co.jp>', id="quotes and a backslash"),
        pytest.param("", b"From: <faq@example.co.jp>", id="none"),
        pytest.param("a\r\nBcc: v@x", b'From: "a  Bcc: v@x" <faq@example.co.jp>', id="a line end"),
        pytest.param("窓口", b"From: =?utf-8?B?56qT5Y+j?=\r\n <faq@example.co.jp>", id="Japanese"),
    ],
)
def test_our_name_stands_before_our_address(name: str, field: bytes) -> None:
    assert field in reply(author=Mailbox("faq@example.co.jp", name)).raw


@pytest.mark.parametrize(
    ("body", "sent"),
    [
        pytest.param("a\nb\r\nc\rd", "a\r\nb\r\nc\r\nd\r\n", id="RFC 2045 §6.8: canonical line ends"),
        pytest.param("a\0b\x1b[31m\x07", "ab[31m\r\n", id="controls"),
        pytest.param("a\u2028b\x85c\td", "a\r\nb\r\nc\td\r\n", id="other line ends, and a tab"),
        pytest.param("", "\r\n", id="nothing"),
        pytest.param("\ud800あ", "?あ\r\n", id="half a surrogate pair"),
        pytest.param(".\n.\n", ".\r\n.\r\n", id="dots"),
    ],
)
def test_a_body_arrives_as_text(body: str, sent: str) -> None:
    assert body_of(reply(body=body)) == sent


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"recipient": "taro@example.jp\r\nBcc: v@example.com"}, id="a line end in the recipient"),
        pytest.param({"recipient": "Taro <taro@example.jp>"}, id="a name in the recipient"),
        pytest.param({"recipient": "a@example.jp, b@example.jp"}, id="two recipients"),
        pytest.param({"recipient": ""}, id="nobody"),
        pytest.param({"author": Mailbox("no address", "x")}, id="no author"),
        pytest.param({"message_id": "answer@example.jp"}, id="an id without brackets"),
        pytest.param({"message_id": "<a@example.jp>\r\nBcc: v@example.com"}, id="a line end in the id"),
        pytest.param({"date": NOON.replace(tzinfo=None)}, id="a date without an offset"),
    ],
)
def test_what_cannot_be_written_is_malformed(change: dict[str, object]) -> None:
    with pytest.raises(MalformedReply):
        reply(**change)  # type: ignore[arg-type]  # a table of one wrong argument each


ANY_TEXT = st.text(st.characters(codec=None), max_size=300)  # surrogates too: a lone one must not stop an answer


@given(
    subject=ANY_TEXT,
    body=ANY_TEXT,
    name=ANY_TEXT,
    message_id=st.none() | ANY_TEXT | st.from_regex(r"<[!-;=?-~]+@x>", fullmatch=True),
    references=st.lists(ANY_TEXT | st.from_regex(r"<[!-~]+@x>\s*", fullmatch=True), max_size=30),
    automatic=st.booleans(),
)
def test_nothing_in_the_arguments_adds_a_field_or_breaks_a_line(
    subject: str, body: str, name: str, message_id: str | None, references: list[str], automatic: bool
) -> None:
    answers = parent(message_id, tuple(references))
    built = reply(subject=subject, body=body, author=Mailbox(OURS.address, name), answers=answers, automatic=automatic)
    thread = [field for field in ("In-Reply-To", "References") if field in names(built)]
    assert names(built) == FIELDS[:5] + thread + (AUTOMATIC if automatic else []) + CONTENT
    assert not re.search(rb"\r(?!\n)|(?<!\r)\n|\0|[\x80-\xff]", built.raw)
    assert all(len(line) <= 998 for line in built.raw.split(b"\r\n"))
    assert all(len(line) <= 76 for line in built.raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))
    encoded = [line for line in header(built).split(b"\r\n") if b"=?utf-8?B?" in line]
    assert all(len(line) <= 76 for line in encoded)
    assert len(subject_of(built)) <= 200
    read = parse_message(built.raw)
    assert isinstance(read, Message)
    assert (read.from_address, read.recipients) == (OURS.address, ("taro@example.jp",))


@given(ANY_TEXT, ANY_TEXT)
def test_the_same_arguments_give_the_same_octets(subject: str, body: str) -> None:
    moment = datetime(2026, 1, 5, 3, 0, tzinfo=UTC)
    assert reply(subject=subject, body=body, date=moment) == reply(subject=subject, body=body, date=moment)
