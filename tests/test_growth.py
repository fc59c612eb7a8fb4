"""Nothing that reads a stranger's text takes time that grows faster than the text does."""

import base64
import importlib
import os
import re
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import pytest

from responder.mail.address import domain_of, valid_address
from responder.mail.charset import decoded, decoded_field
from responder.mail.envelope import Envelope
from responder.mail.html import html_text
from responder.mail.markup import harmless
from responder.mail.message import Message, parse_message
from responder.mail.reply import Mailbox, build_reply
from responder.mail.rereading import rereadings_of
from responder.mail.view import view_of
from responder.triage.guard.arrival import Arrival
from responder.triage.guard.rules import suppression_of
from responder.triage.language import language_of
from responder.triage.questions import MAX_CHARACTERS, questions_of
from responder.triage.quotation import Answers
from responder.triage.text import char_ngrams, normalised, words
from tests.mail.test_message import read

NOTICED = 0.03
"""Seconds below which the clock says more of the machine than of the text."""

MOST_GROWTH = 9
"""From n to 4n: four times as long is linear, sixteen times is the square, and machines are noisy."""

MODULES = (
    *(
        f"responder.mail.{name}"
        for name in (
            "address",
            "body",
            "charset",
            "filenames",
            "html",
            "jis",
            "mailboxes",
            "markup",
            "message",
            "passages",
            "reply",
            "rereading",
            "transfer",
        )
    ),
    *(f"responder.triage.{name}" for name in ("cues", "language", "questions", "quotation", "text")),
    *(f"responder.triage.guard.{name}" for name in ("marks", "phrases", "senders", "words")),
)


def _members(value: object) -> Iterable[object]:
    match value:
        case dict():
            return value.values()
        case tuple() | list():
            return value
        case _:
            return [value]


def patterns() -> Iterator[tuple[str, re.Pattern[str] | re.Pattern[bytes]]]:
    """Every regular expression of these modules, also those in dictionaries and tuples."""
    for module in MODULES:
        for name, value in vars(importlib.import_module(module)).items():
            for number, found in enumerate(_members(value)):
                if isinstance(found, re.Pattern):
                    yield f"{module.removeprefix('responder.')}.{name}-{number}", found


THIN = 1 if "RESPONDER_TEST_FUZZ" in os.environ else 3
"""Each pattern meets a third of the units in a run of all tests, and all of them in `make fuzz`."""

UNITS = (
    *(
        " ",
        "\n",
        "\r\n",
        "\t",
        "\r",
        "a",
        "A",
        "0",
        "-",
        "- ",
        "=",
        "= ",
        ".",
        ",",
        ";",
        ":",
        "@",
        "a@",
        "a.",
        "a@a.",
        "<",
    ),
    *(
        ">",
        "> ",
        "(",
        ")",
        "()",
        '"',
        '"a',
        "\\",
        '\\"',
        "[",
        "{",
        "}",
        "*",
        "/*",
        "&",
        "%",
        "%4",
        "?",
        "=?",
        "=?a?q?",
        "'",
    ),
    *(
        "=?a?q?b",
        "=?a?b?Q?= ",
        ";a=",
        ';a="',
        "; a",
        "a: ",
        "a\n ",
        "x-a: b\r\n",
        "boundary",
        "boundary=",
        "--",
        "--a\n",
    ),
    *(
        "content-type:",
        "content-type: a\r\n ",
        "content-type:\n",
        "<!--",
        "</",
        "</script",
        "<a ",
        "<a b='",
        "display:",
    ),
    *(
        "display",
        "opacity:0.",
        "opacity:0.0",
        "left:-",
        "text-indent:-999",
        "position:",
        "\x1b",
        "\x1b$B",
        "\x1b(I",
        "\x0e",
    ),
    *(
        "\x81",
        "\x81@",
        "\xa4",
        "\x8f\xa1",
        "あ",
        "ア",
        "漢",
        "か",
        "か。",
        "か、",
        "様",
        "御中",
        "お世話",
        "いつも",
        "です",
    ),
    *(
        "ください",
        "伺い",
        "願いたい",
        "、また、",
        "また、",
        "(2)",
        "①",
        "1.",
        "・",
        "・ ",
        "--- ",
        "---",
        "from:",
        "on a wrote:",
    ),
    *(
        "2026年1月1日",
        "2026年1月1日 ",
        "original message",
        "tel",
        "tel ",
        "03-",
        "03-1234-",
        "http",
        "re:",
        "fwd",
        "(引用)",
    ),
    *(
        "no-reply",
        "bounce+",
        "owner-",
        "a-",
        "the ",
        "the. ",
        "\u0301",
        "\u0301\u0316",
        "a\u0301",
        "ｱ",
        "ﾞ",
        "一、",
        "Q1 ",
    ),
)


def _uses(pattern: re.Pattern[str] | re.Pattern[bytes], text: str) -> None:
    # As octets a character is the one it stands for, or UTF-8; either way whatever the pattern looks for is in it.
    subject = text if isinstance(pattern.pattern, str) else text.encode("latin-1", "ignore") or text.encode()
    found: re.Pattern[str] = pattern  # type: ignore[assignment]  # the subject is of the pattern's own kind
    found.match(subject)  # type: ignore[arg-type]  # likewise
    found.fullmatch(subject)  # type: ignore[arg-type]  # likewise
    for _ in found.finditer(subject):  # type: ignore[arg-type]  # likewise
        pass


def _seconds(work: Callable[[], object]) -> float:
    # Of the processor's time, not of the clock's: what else the machine does is no growth.
    begun = time.thread_time()
    work()
    return time.thread_time() - begun


def _grows(make: Callable[[int], Callable[[], object]], length: int) -> str | None:
    """Why the work grows too fast, from `length` to four and sixteen times that; None where it does not."""
    for shorter, longer in ((length, 4 * length), (4 * length, 16 * length)):
        # Twice at most: another process may have had the processor once.
        for _ in range(3):
            after = _seconds(make(longer))
            if after < NOTICED or after < MOST_GROWTH * (before := max(_seconds(make(shorter)), NOTICED / 16)):
                break
        else:
            return f"{shorter}: {before:.3f} s, {longer}: {after:.3f} s"
    return None


@pytest.mark.parametrize(("name", "pattern"), [pytest.param(*found, id=found[0]) for found in patterns()])
def test_a_regular_expression_takes_time_in_proportion(name: str, pattern: re.Pattern[str] | re.Pattern[bytes]) -> None:
    for unit in UNITS[len(name) % THIN :: THIN]:
        for head, tail in (("", ""), ('"a', "\x00!\n")):

            def make(length: int, unit: str = unit, head: str = head, tail: str = tail) -> Callable[[], object]:
                return partial(_uses, pattern, head + unit * (length // len(unit)) + tail)

            assert (grown := _grows(make, 500)) is None, (name, unit, head, grown)


def test_a_regular_expression_that_grows_is_noticed() -> None:
    pattern = re.compile(r"[\w.+-]+@[\w-]+\.")
    assert _grows(lambda length: partial(_uses, pattern, "a" * length), 500) is not None


# --- whole functions ---


def _mail(fields: bytes, body: bytes = b"") -> bytes:
    return b"From: taro@example.jp\r\n" + fields + b"\r\n\r\n" + body


def _base64(body: bytes) -> bytes:
    return _mail(
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64", base64.encodebytes(body)
    )


def _parts(length: int, part: bytes) -> bytes:
    # The number of parts is bounded, so that they grow.
    inside = b"".join(b"--edge\r\n" + part + b"a" * (length // 100) + b"\r\n" for _ in range(90))
    return _mail(b"Content-Type: multipart/mixed; boundary=edge", inside + b"--edge--\r\n")


MAILS: dict[str, Callable[[int], bytes]] = {
    "quotes in From": lambda n: b"From: " + b'"' * n + b"\r\n\r\n",
    "comments in To": lambda n: _mail(b"To: " + b"(" * n),
    "addresses": lambda n: _mail(b"To: " + b"a@b.example, " * (n // 13)),
    "groups": lambda n: _mail(b"To: " + b"a:b@c.example;" * (n // 14)),
    "encoded words that never end": lambda n: _mail(b"Subject: " + b"=?a?q?" * (n // 6)),
    "encoded words": lambda n: _mail(b"Subject: " + b"=?utf-8?q?a?= " * (n // 14)),
    "Received": lambda n: _mail(b"\r\n".join([b"Received: from a by b; c" + b"d " * (n // 900)] * 450)),
    "References": lambda n: _mail(b"References: " + b"<a@b> " * (n // 6)),
    "semicolons in a type": lambda n: _mail(b"Content-Type: text/plain" + b";" * (n // 16)),
    "parameters": lambda n: _mail(b"Content-Type: text/plain" + b"; a=b" * (n // 80)),
    "pieces of a name": lambda n: _mail(
        b"Content-Type: a/b" + b"".join(b"; name*%d*=%%41" % k for k in range(n // 300))
    ),
    "marks in a field": lambda n: _mail(b"Subject: " + "\u0316\u0301".encode() * (n // 4)),
    "marks in a body": lambda n: _mail(b"Content-Type: text/plain; charset=utf-8", "\u0316\u0301".encode() * n),
    "marks behind base64": lambda n: _base64("\u0316\u0301".encode() * n),
    "parts": lambda n: _parts(n * 10, b"Content-Type: text/plain\r\n\r\n"),
    "attached mails": lambda n: _parts(n * 10, b"Content-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n"),
    "boundaries in a line": lambda n: _mail(b"Content-Type: multipart/mixed; boundary=a", b"--a" * n),
    "a boundary that never comes": lambda n: _mail(b"Content-Type: multipart/mixed; boundary=a", b"-a\r\n" * n),
    "empty lines": lambda n: _mail(b"", b"\r\n" * n),
    "bare carriage returns": lambda n: _mail(b"", b"\r" * n),
    "padding": lambda n: _mail(b"Content-Transfer-Encoding: base64", b"=" * (10 * n)),
    "padding after each digit": lambda n: _mail(b"Content-Transfer-Encoding: base64", b"A=" * n),
    "quoted-printable": lambda n: _mail(b"Content-Transfer-Encoding: quoted-printable", b"=" * (10 * n)),
    "uuencode": lambda n: _mail(b"Content-Transfer-Encoding: x-uuencode", b"begin 666 a\n" + b"M\n" * n),
    "escape sequences": lambda n: _mail(b"Content-Type: text/plain; charset=iso-2022-jp", b"\x1b$B" * n),
    "idna": lambda n: _mail(b"Content-Type: text/plain; charset=idna", b"xn--a." * n),
    "punycode": lambda n: _mail(b"Content-Type: text/plain; charset=punycode", b"a" * (10 * n)),
    "UTF-7": lambda n: _mail(b"Content-Type: text/plain; charset=utf-7", b"+MEI-" * n),
}


@pytest.mark.parametrize("work", [view_of, rereadings_of], ids=["shown", "read otherwise"])
@pytest.mark.parametrize("unit", ["> a\n", "差出人:\n", "-----\n", "\n", "$B", "$B!!", "$@(B", "é", "縺"])
def test_a_mail_is_shown_in_time_in_proportion(unit: str, work: Callable[[bytes], object]) -> None:
    assert _grows(lambda length: partial(work, _mail(b"", (unit * (length // len(unit))).encode())), 10_000) is None


@pytest.mark.parametrize(
    "unit", ["&", "&nbsp;", "<p>", "<a href=http://a>x</a>", "<img alt=x>", "<b></b>", '<p style="color:red">']
)
def test_html_is_made_harmless_in_time_in_proportion(unit: str) -> None:
    # A sixteenth of what the bounds let through.
    assert _grows(lambda length: partial(harmless, unit * (length // len(unit))), 3_000) is None


@pytest.mark.parametrize("make", MAILS.values(), ids=MAILS)
def test_parsing_takes_time_in_proportion_to_the_mail(make: Callable[[int], bytes]) -> None:
    assert isinstance(parse_message(make(1000)), Message)
    assert _grows(lambda length: partial(parse_message, make(length)), 14_000) is None


@pytest.mark.parametrize(
    "unit", [*UNITS, "<div>", "<p>", "<td>", "<li>", "<ul><li>", "&amp;", "<style>.a{", "<b a=1>x"]
)
def test_html_takes_time_in_proportion(unit: str) -> None:
    assert _grows(lambda length: partial(html_text, unit * (length // len(unit))), 10_000) is None


@pytest.mark.parametrize("unit", UNITS)
def test_what_is_asked_and_in_which_language_is_found_in_time_in_proportion(unit: str) -> None:
    answers = Answers(["電子契約で締結した契約について、紙の契約書への押印は必要ございません。" * 10])

    def work(text: str) -> None:
        questions = questions_of(text, text)
        language_of(questions)
        normal = normalised(text)
        words(normal)
        char_ngrams(normal)
        answers.repeated_in(normal)

    for each in (unit, f"{unit}\n"):

        def make(length: int, each: str = each) -> Callable[[], object]:
            return partial(work, each * (length // len(each)))

        assert _grows(make, MAX_CHARACTERS // 16) is None


@pytest.mark.parametrize("unit", UNITS)
def test_octets_and_fields_are_decoded_in_time_in_proportion(unit: str) -> None:
    octets = unit.encode("latin-1", "ignore") or unit.encode()

    def work(raw: bytes) -> None:
        decoded_field(raw)
        for declared in (None, "iso-2022-jp", "euc-jp", "shift_jis", "utf-7"):
            decoded(raw, declared)

    assert _grows(lambda length: partial(work, octets * (length // len(octets))), 5_000) is None


@pytest.mark.parametrize("unit", ["(", "(a", "a;", "all,", "<", " ", "no-", "-request", "a-", "bounce+"])
def test_the_guard_takes_time_in_proportion(unit: str) -> None:
    def work(text: str) -> None:
        names = (b"Auto-Submitted", b"Precedence", b"X-Auto-Response-Suppress", b"Return-Path", b"List-Id")
        fields = b"\r\n".join(name + b": " + text.encode() for name in names)
        arrival = Arrival(Envelope(f"{text}@example.jp", ()), read(_mail(fields)), frozenset({"a@example.jp"}))
        suppression_of(arrival)
        valid_address(text)
        domain_of(text)

    assert _grows(lambda length: partial(work, unit * (length // len(unit))), 3_000) is None


@pytest.mark.parametrize("unit", ["a", "あ", '"', "=?", "\r\n", "<a@b>", "\u0301"])
def test_a_reply_is_built_in_time_in_proportion(unit: str) -> None:
    from datetime import UTC, datetime

    def work(text: str) -> None:
        build_reply(
            subject=text,
            body=text,
            author=Mailbox("support@example.jp", text),
            recipient="taro@example.jp",
            message_id="<a@example.jp>",
            date=datetime(2026, 11, 24, tzinfo=UTC),
            answers=None,
            automatic=True,
        )

    assert _grows(lambda length: partial(work, unit * (length // len(unit))), 20_000) is None
