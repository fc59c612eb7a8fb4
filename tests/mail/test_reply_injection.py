"""No text of anybody's becomes a field, a line end or a command of ours, whatever it decodes to (CWE-93)."""

import base64
import email
import re
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.letters import Letters
from responder.mail.message import Message, parse_message
from responder.mail.reply import Mailbox, MalformedReply, Reply, build_reply
from responder.mail.subject import topic_of
from tests.knowledge import shipped_letters

NOW = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
FIELDS = ["Date", "From", "To", "Subject", "Message-ID"]
CONTENT = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"]
MARKS = ["Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Loop"]
BREAKS = {
    "CR": "\r",
    "LF": "\n",
    "CRLF": "\r\n",
    "CRLF and a blank": "\r\n ",
    "NUL": "\0",
    "VT": "\x0b",
    "FF": "\x0c",
    "FS": "\x1c",
    "NEL": "\x85",
    "LS": "\u2028",
    "PS": "\u2029",
    "a lone surrogate": "\ud800",
    "an octet that is no UTF-8": "\udcff",
    "an encoded word in Q": "=?utf-8?Q?=0D=0A?=",
    "an encoded word in B": "=?utf-8?B?" + base64.b64encode("\r\n\u2028\x85".encode()).decode() + "?=",
    "an encoded word of ISO-2022-JP": "=?iso-2022-jp?B?DQo=?=",
    "an encoded word in an encoded word": "=?utf-8?Q?=3D=3Futf-8=3FQ=3F=3D0D=3D0A=3F=3D?=",
}
SMUGGLED = "Bcc: victim@x.example"


def _reply(**changes: Any) -> Reply:
    usual: dict[str, Any] = {
        "subject": "Re: seal",
        "body": "text\n",
        "author": Mailbox("faq@example.co.jp", "Desk"),
        "recipient": "taro@example.jp",
        "message_id": "<answer-1@example.co.jp>",
        "date": NOW,
        "answers": None,
        "automatic": True,
    }
    return build_reply(**(usual | changes))


def _parent(**changes: Any) -> Message:
    read = parse_message(b"Message-ID: <parent@example.jp>\r\n\r\nhello\r\n")
    assert isinstance(read, Message)
    return replace(read, **changes)


def _names(reply: Reply) -> list[str]:
    """The names as a stranger's server reads them: every octet that any of them takes for a line end is one."""
    header = reply.raw.partition(b"\r\n\r\n")[0]
    assert not re.search(rb"[\0\x0b\x0c\x1c-\x1e\x80-\xff]|\r(?!\n)|(?<!\r)\n", header)
    by_line = [line.partition(b":")[0].decode() for line in header.split(b"\r\n") if line[:1] not in b" \t"]
    assert email.message_from_bytes(reply.raw).keys() == by_line
    return by_line


@pytest.mark.parametrize("how", BREAKS)
class TestABreakIn:
    def test_a_subject(self, how: str) -> None:
        assert _names(_reply(subject=f"a{BREAKS[how]}{SMUGGLED}")) == FIELDS + MARKS + CONTENT

    def test_our_own_name_as_it_is_configured(self, how: str) -> None:
        author = Mailbox("faq@example.co.jp", f"Desk{BREAKS[how]}{SMUGGLED}")
        assert _names(_reply(author=author)) == FIELDS + MARKS + CONTENT

    def test_the_ids_of_the_parent(self, how: str) -> None:
        evil = f"<a@b>{BREAKS[how]}{SMUGGLED}"
        built = _reply(answers=_parent(message_id=evil, references=(evil, f"<a{BREAKS[how]}@b>", "<c@d>")))
        names = _names(built)
        assert [name for name in names if name not in ("In-Reply-To", "References")] == FIELDS + MARKS + CONTENT
        assert SMUGGLED.encode() not in built.raw

    def test_a_body(self, how: str) -> None:
        built = _reply(body=f"a{BREAKS[how]}{SMUGGLED}\r\n.\r\nMAIL FROM:<v@x.example>")
        assert _names(built) == FIELDS + MARKS + CONTENT
        # RFC 5321 §4.5.2: no line of base64 is a dot, so nothing in a body ends DATA.
        assert not re.search(rb"(?m)^\.", built.raw)

    @pytest.mark.parametrize("field", ["recipient", "author", "message_id", "language"])
    def test_what_must_be_a_word_makes_no_mail(self, how: str, field: str) -> None:
        words: dict[str, Any] = {
            "recipient": f"taro@example.jp{BREAKS[how]}{SMUGGLED}",
            "author": Mailbox(f"faq@example.co.jp{BREAKS[how]}{SMUGGLED}", "Desk"),
            "message_id": f"<a@example.jp>{BREAKS[how]}{SMUGGLED}",
            "language": f"ja{BREAKS[how]}{SMUGGLED}",
        }
        with pytest.raises(MalformedReply):
            _reply(**{field: words[field]})

    def test_the_mail_that_is_answered(self, how: str) -> None:
        """Through the parser and a letter, as the worker does it."""
        raw = "\r\n".join(
            [
                f'From: "a{BREAKS[how]}{SMUGGLED}" <taro@example.jp>',
                f"Reply-To: b{BREAKS[how]}{SMUGGLED} <b@example.jp>",
                f"Message-ID: <a@b>{BREAKS[how]}{SMUGGLED}",
                f"References: <c@d>{BREAKS[how]}{SMUGGLED} <e@f>",
                f"Subject: Re: a{BREAKS[how]}{SMUGGLED}",
                "",
                "hello",
            ]
        ).encode("utf-8", "surrogatepass")
        message = parse_message(raw)
        assert isinstance(message, Message)
        for letter in _letters(shipped_letters(), message.subject):
            names = _names(_reply(subject=letter, answers=message))
            assert [name for name in names if name not in ("In-Reply-To", "References")] == FIELDS + MARKS + CONTENT


def _letters(letters: Letters, subject: str) -> list[str]:
    given: dict[str, Any] = {"subject": subject, "reference": "R-000001"}
    return [letters.acknowledgement(**given).subject, letters.person("x", **given).subject]


PIECES = st.lists(st.sampled_from([*BREAKS.values(), SMUGGLED, "=?", "?=", ":", "<", ">", "@", '"', "あ", "a"])).map(
    "".join
)


@given(PIECES, PIECES, PIECES, st.lists(PIECES, max_size=4), st.booleans())
def test_no_mixture_of_them_adds_a_field(
    subject: str, name: str, message_id: str, references: list[str], automatic: bool
) -> None:
    answers = _parent(message_id=message_id, references=tuple(references))
    built = _reply(
        subject=topic_of(subject), author=Mailbox("faq@example.co.jp", name), answers=answers, automatic=automatic
    )
    thread = [field for field in ("In-Reply-To", "References") if field in _names(built)]
    assert _names(built) == FIELDS + thread + (MARKS if automatic else []) + CONTENT


@given(
    field=st.sampled_from(["recipient", "message_id", "language"]),
    text=PIECES | st.text(st.characters(codec=None), max_size=60),
)
def test_a_word_is_written_whole_or_not_at_all(field: str, text: str) -> None:
    try:
        built = _reply(**{field: text})
    except MalformedReply:
        return
    name = {"recipient": "To", "message_id": "Message-ID", "language": "Content-Language"}[field]
    assert (email.message_from_bytes(built.raw)[name] or "") == text
    assert len(_names(built)) == len(FIELDS + MARKS + CONTENT) + (field == "language" and text != "")


def test_two_breaks_in_two_fields_add_none_either() -> None:
    for one, other in product(BREAKS.values(), repeat=2):
        author = Mailbox("faq@example.co.jp", other + SMUGGLED)
        assert _names(_reply(subject=f"{one}{other}{SMUGGLED}", author=author)) == FIELDS + MARKS + CONTENT
