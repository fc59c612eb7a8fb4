"""Delivery reports of many systems, and that nothing else is taken for one."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.mail.report import Fate, Report, report_of

OURS = "<answer.42.0.0123456789abcdef.0123456789abcdef0123@example.jp>"
THEIRS = "<question@contractor.example>"
COPY = f"Received: from a by b\nMessage-ID: {OURS}\nReferences: {THEIRS}\nSubject: x\n"


def _dsn(block: str, returned: str = COPY, kind: str = "message/rfc822") -> bytes:
    return (
        (
            "From: MAILER-DAEMON@mx.example\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
            "--b\nContent-Type: text/plain\n\nThis is the mail system.\n"
            f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{block}\n"
            f"--b\nContent-Type: {kind}\n\n{returned}\nbody\n--b--\n"
        )
        .replace("\n", "\r\n")
        .encode()
    )


def _text(
    body: str, *, sender: str = "MAILER-DAEMON@mx.example", subject: str = "failure notice", more: str = ""
) -> bytes:
    header = f"From: {sender}\r\nSubject: {subject}\r\n{more}Content-Type: text/plain; charset=utf-8\r\n\r\n"
    return (header + body.replace("\n", "\r\n")).encode()


FAILED = (
    "Original-Recipient: rfc822;tanaka@contractor.example\nFinal-Recipient: rfc822; t@inner.example\n"
    "Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1 <t@inner.example>:\n    User unknown\n"
)


def _read(raw: bytes) -> Report:
    report = report_of(raw, null_sender=True)
    assert report is not None
    return report


def test_rfc_3464_every_field_is_read() -> None:
    assert _read(_dsn(FAILED)) == Report(
        (OURS,), Fate.FAILED, "5.1.1", "tanaka@contractor.example", "5.1.1 550 5.1.1 <t@inner.example>: User unknown"
    )


@pytest.mark.parametrize(
    ("block", "fate", "status", "hard"),
    [
        (FAILED, Fate.FAILED, "5.1.1", True),
        (
            "Final-Recipient: rfc822;a@b\nAction: FAILED (really)\nStatus: 5.2.2 (mailbox full)",
            Fate.FAILED,
            "5.2.2",
            True,
        ),
        ("Final-Recipient: rfc822;a@b\nAction: failed\nStatus: 4.4.7", Fate.FAILED, "4.4.7", False),
        ("Final-Recipient: rfc822;a@b\nAction: delayed\nStatus: 4.4.1", Fate.DELAYED, "4.4.1", False),
        ("Final-Recipient: rfc822;a@b\nAction: delayed\nStatus: 5.0.0", Fate.DELAYED, "5.0.0", False),
        ("Final-Recipient: rfc822;a@b\nStatus: 4.2.0", Fate.DELAYED, "4.2.0", False),
        ("Final-Recipient: rfc822;a@b\nStatus: 5.0.0", Fate.FAILED, "5.0.0", True),
        ("Final-Recipient: rfc822;a@b\nAction: failed", Fate.FAILED, "", False),
        ("Final-Recipient: rfc822;a@b\nAction: failed\nDiagnostic-Code: x; 5.7.1 no", Fate.FAILED, "5.7.1", True),
        ("Final-Recipient: rfc822;a@b\nAction: delayed\nStatus: 4.0.0\n\n" + FAILED, Fate.FAILED, "5.1.1", True),
    ],
    ids=[
        "RFC 3464 §2.3 failed",
        "RFC 3464 §2.3.3 in capitals, with comments",
        "RFC 3463 §3.5 given up after days: failed, and not for good",
        "RFC 3464 §2.3.3 delayed",
        "delayed outweighs the status",
        "no action and class 4",
        "no action and class 5",
        "no status",
        "the status in the diagnostic alone",
        "of two recipients the one that failed",
    ],
)
def test_the_action_and_the_status_say_how_bad_it_is(block: str, fate: Fate, status: str, hard: bool) -> None:
    report = _read(_dsn(block))
    assert (report.fate, report.status, report.hard) == (fate, status, hard)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_rfc_3464_a_success_is_no_report_of_trouble(action: str) -> None:
    assert report_of(_dsn(f"Final-Recipient: rfc822;a@b\nAction: {action}\nStatus: 2.0.0"), null_sender=True) is None


QMAIL = f"""Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<tanaka@contractor.example>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 user unknown

--- Below this line is a copy of the message.

Return-Path: <support@example.jp>
{COPY}
"""
EXIM = f"""This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  tanaka@contractor.example
    Unrouteable address

------ This is a copy of the message, including all the headers. ------

{COPY}
"""
EXCHANGE = f"""次の受信者またはグループへの配信に失敗しました:

tanaka@contractor.example
入力した電子メール アドレスが見つかりませんでした。メール アドレスを確認してから、もう一度送信してください。

管理者向けの診断情報:
#550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found ##

元のメッセージのヘッダー:

{COPY}
"""
DOCOMO = f"""The following address(es) failed:
<tanaka@docomo.example>: Unknown user

--- original
{COPY}
"""
AU = f"""Your mail sent on: Tue, 24 Nov 2026 18:00:00 +0900
    Could not be delivered to: <tanaka@ezweb.example>
    As their mailbox is full.

{COPY}
"""
SOFTBANK = f"""次のあて先にメールを送信できませんでした。
宛先不明です。
<tanaka@softbank.example>

> Message-ID: {OURS}
"""
POSTFIX = f"""This is the Postfix program at host mx.example.

I'm sorry to have to inform you that your message could not be delivered.

<tanaka@contractor.example>: host mx.example[192.0.2.1] said: 550 <tanaka@contractor.example>: no

{COPY}
"""
WARNING = f"""Your message has been delayed and is still trying: 4.4.1 connection timed out
You do not need to resend your message.

{COPY}
"""


@pytest.mark.parametrize(
    ("raw", "fate", "status", "recipient"),
    [
        (_text(QMAIL), Fate.FAILED, "5.1.1", "tanaka@contractor.example"),
        (
            _text(EXIM, more="X-Failed-Recipients: tanaka@contractor.example\r\n", subject="Mail delivery failed"),
            Fate.FAILED,
            "",
            "tanaka@contractor.example",
        ),
        (
            _text(EXCHANGE, sender="postmaster@contractor.example", subject="配信不能: x"),
            Fate.FAILED,
            "5.1.10",
            "tanaka@contractor.example",
        ),
        (_text(DOCOMO), Fate.FAILED, "5.1.1", "tanaka@docomo.example"),
        (
            _text(AU, sender="no-reply@ezweb.example", subject="Mail System Error - Returned Mail"),
            Fate.FAILED,
            "",
            "tanaka@ezweb.example",
        ),
        (_text(SOFTBANK), Fate.FAILED, "5.1.1", "tanaka@softbank.example"),
        (_text(POSTFIX), Fate.FAILED, "5.0.0", "tanaka@contractor.example"),
        (_text(WARNING), Fate.DELAYED, "4.4.1", ""),
    ],
    ids=["qmail", "Exim", "Exchange in Japanese", "docomo", "au", "softbank", "Postfix in words", "a delay in words"],
)
def test_reports_in_plain_words_are_read(raw: bytes, fate: Fate, status: str, recipient: str) -> None:
    report = _read(raw)
    assert (report.ids, report.fate, report.status, report.recipient) == ((OURS,), fate, status, recipient)
    assert report.diagnostic


@pytest.mark.parametrize(
    ("raw", "ids"),
    [
        (_dsn(FAILED, kind="text/rfc822-headers"), (OURS,)),
        (_dsn(FAILED, kind="message/rfc822-headers"), (OURS,)),
        (_dsn(FAILED, returned=f"Message-ID: {THEIRS}\nReferences: {OURS}\n"), (THEIRS,)),
        (b"In-Reply-To: " + OURS.encode() + b"\r\n" + _dsn(FAILED, returned="Subject: x\n"), (OURS,)),
        (f"References: {THEIRS} {OURS}\r\n".encode() + _dsn(FAILED, returned="Subject: x\n"), (OURS, THEIRS)),
        (_text(f"User unknown\nyour mail {OURS} came back"), (OURS,)),
        (_text("User unknown"), ()),
    ],
    ids=[
        "RFC 3462 the header alone",
        "the header under another name",
        "the returned mail is not ours although its thread is",
        "its own In-Reply-To",
        "its own References, from the right",
        "anywhere in its words",
        "nowhere",
    ],
)
def test_the_mail_that_came_back_is_named_wherever_that_stands(raw: bytes, ids: tuple[str, ...]) -> None:
    assert _read(raw).ids == ids


@pytest.mark.parametrize(
    "raw",
    [
        _text(
            "お問い合わせのメールが届きません。 User unknown", sender="tanaka@contractor.example", subject="Re: お尋ね"
        ),
        _text("ただいま不在にしております。", sender="tanaka@contractor.example", subject="自動応答: お尋ね"),
        _text("All is well.", subject="hello"),
        _dsn("X-Nothing: here"),
        b"",
        b"\x00\xff" * 500,
    ],
    ids=["a person's words", "an absence note", "a daemon without trouble", "an empty status", "nothing", "noise"],
)
def test_what_reports_no_trouble_is_no_report(raw: bytes) -> None:
    assert report_of(raw, null_sender=True) is None


VACATION = f"配信に失敗することがあるため、宛先不明の場合はご連絡ください。\n\n> {OURS}"


@pytest.mark.parametrize(
    ("sender", "subject", "more", "null_sender", "is_report"),
    [
        ("tanaka@contractor.example", "Re: 配信不能の件", "", False, False),
        ("tanaka@contractor.example", "自動返信: Re: 配送についてのお尋ね", "", True, False),
        ("tanaka@contractor.example", "自動返信: Re: 契約書の配信について", "", True, False),
        ("no-reply@desk.example", "[#42] お尋ね", "", False, False),
        ("Mailer-Daemon@mx <tanaka@contractor.example>", "お尋ね", "", False, False),
        ("my-postmaster@contractor.example", "お尋ね", "", False, False),
        ("no-reply@ezweb.example", "お尋ね", "", True, True),
        ("tanaka@contractor.example", "配信不能: お尋ね", "", True, True),
        ("tanaka@contractor.example", "配信エラー", "", True, True),
        ("tanaka@contractor.example", "送信失敗のお知らせ", "", True, True),
        ("MAILER-DAEMON", "x", "", False, True),
        ("Mail System <postmaster@mx.example>", "x", "", False, True),
        ("tanaka@contractor.example", "x", "X-Failed-Recipients: a@b.example\r\n", False, True),
    ],
)
def test_words_are_a_report_only_where_a_mail_system_speaks_rfc_5321_s6_1(
    sender: str, subject: str, more: str, null_sender: bool, is_report: bool
) -> None:
    raw = _text(VACATION, sender=sender, subject=subject, more=more)
    assert (report_of(raw, null_sender=null_sender) is not None) is is_report


@pytest.mark.parametrize(
    ("more", "body", "hard"),
    [
        (f"In-Reply-To: {OURS}\r\n", "User unknown", False),
        (f"References: {THEIRS} {OURS}\r\n", "User unknown", False),
        (f"References: {THEIRS} {OURS}\r\n", f"User unknown\n{THEIRS}", False),
        (f"In-Reply-To: {OURS}\r\n", f"User unknown\n{OURS}", True),
        (f"In-Reply-To: {OURS}\r\n", f"User unknown\n\nMessage-ID: {OURS}", True),
        ("", f"User unknown\n{OURS}", True),
    ],
)
def test_a_report_that_names_a_mail_by_its_thread_alone_mutes_nobody(more: str, body: str, hard: bool) -> None:
    assert _read(_text(body, more=more)).hard is hard


def test_a_diagnostic_is_one_printable_line() -> None:
    report = _read(
        _dsn("Final-Recipient: rfc822;a@b\nAction: failed\nDiagnostic-Code: smtp; 550 a\x00\x07b\n\t" + "c" * 900)
    )
    assert report.diagnostic.isprintable()
    assert len(report.diagnostic) <= 500


def test_the_shipped_example_is_read() -> None:
    raw = (Path(__file__).parents[2] / "examples" / "delivery-report.eml").read_bytes()
    assert _read(raw).status == "5.1.1"


SEEDS = [_dsn(FAILED), _dsn(FAILED, kind="text/rfc822-headers"), _text(QMAIL), _text(EXCHANGE)]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=6)), max_size=8))
def test_a_report_with_any_octets_in_it_never_raises(seed: bytes, strokes: list[tuple[int, bytes]]) -> None:
    raw = bytearray(seed)
    for place, octets in strokes:
        raw[place : place + len(octets)] = octets
    report = report_of(bytes(raw), null_sender=True)
    assert report is None or report.diagnostic.isprintable()


@given(st.binary(max_size=400))
def test_any_octets_at_all_never_raise(raw: bytes) -> None:
    report_of(b"From: mailer-daemon@x\r\nX-Failed-Recipients: a\r\n" + raw, null_sender=True)


@pytest.mark.parametrize("unit", ["> ", "a@", "message-id: <a", "delivery ", "5.1.", "<a@b>", "配信"])
def test_long_words_are_read_in_time(unit: str) -> None:
    report_of(_text(unit * 60_000), null_sender=True)


def test_a_report_of_many_large_pages_is_read_in_time() -> None:
    """It is read beside the store's transaction: 190 pages of 130 KB took 51 s before their markup was bounded."""
    page = b"--x\r\nContent-Type: text/html\r\n\r\n" + b"<p>" * 43_000 + b"\r\n"
    raw = b"Subject: Undelivered\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" + page * 60 + b"--x--\r\n"
    began = time.process_time()
    report_of(raw, null_sender=True)
    assert time.process_time() - began < 5
