"""The form of what leaves, rule by rule, on mails that the worker and a person really made."""

import email
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.header import Header, decode_header, make_header
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.desk.answering import Queued
from responder.mail.envelope import Envelope
from responder.mail.message import Message, parse_message
from responder.store import inbox, outbox
from responder.store.engine import open_engine, reading, upgrade
from responder.worker import triage_next
from tests.answered import answer_case
from tests.knowledge import ADDRESS, briefing, reader

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
TANAKA = "tanaka@xn--p8j9a0d9c9a.example"
OUTLOOK = "<TYAPR01MB1234ABCDEF0123456789ABCDEF0123456789ABCDEF@TYAPR01MB1234.jpnprd01.prod.outlook.com>"
ANOTHER = OUTLOOK.replace("ABCDEF", "FEDCBA", 1)
CHAIN = [f"<{number}.{'x' * 90}@contractor.example>" for number in range(60)]
SHARED = (
    "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"
    "契約締結権限者の分も同じ共有アドレスになります。"
)
SUBJECT = Header("Re: RE: 返信: お尋ね" + "…" * 300).encode() + "=?utf-8?Q?=0D=0ABcc:_v=40x.example=E2=80=AE?="
OWN_ID = r"<\w+\.[12]\.0\.[0-9a-f]{16}\.[0-9a-f]{20}@example\.jp>"
UNKNOWN = "先月分のお振込みはいつ頃になりますでしょうか。"


def _asked(text: str) -> bytes:
    """A question whose header tries to have its answer go elsewhere, and look otherwise."""
    # Every mail has an id of its own; the same would be the same mail by another way.
    own = OUTLOOK if text == SHARED else ANOTHER
    references = "\n ".join(["<not an id>", "<a@b>\x0b", *CHAIN])
    fields = f"""\
From: =?utf-8?Q?Bcc:_v=40x.example=0D=0ABcc:_w=40x.example?= <other@xn--p8j9a0d9c9a.example>
Sender: secretary@contractor.example
Reply-To: elsewhere@contractor.example
To: {ADDRESS}
Cc: boss@contractor.example
Message-ID: {own}
References: {references}
Subject: {SUBJECT}
Content-Type: text/plain; charset=utf-8
""".replace("\n", "\r\n")
    return f"{fields}\r\n{text}\r\n".encode()


@dataclass(frozen=True, slots=True)
class Left:
    """One mail of the outbox, and the same read by the standard library."""

    sender: str
    recipient: str
    raw: bytes

    @property
    def names(self) -> list[str]:
        return email.message_from_bytes(self.raw).keys()

    def __getitem__(self, name: str) -> str | None:
        value = email.message_from_bytes(self.raw)[name]
        return None if value is None else str(value)

    @property
    def subject(self) -> str:
        return str(make_header(decode_header(self["Subject"] or "")))

    @property
    def field_lines(self) -> list[bytes]:
        return self.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")


def _store(folder: Path, *raws: bytes) -> Engine:
    engine = open_engine(f"sqlite:///{folder / 'responder.db'}")
    upgrade(engine)
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(TANAKA, (ADDRESS,)), raw) for raw in raws], now=NOW)
    return engine


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Left]:
    engine = _store(tmp_path_factory.mktemp("leaving"), _asked(SHARED), _asked(UNKNOWN))
    for hours in (0, 2):  # an acknowledgement waits for an hour after an answer to the same sender
        triage_next(engine, briefing(), reader(), now=NOW + timedelta(hours=hours), limit=1, lease=LEASE)
    assert isinstance(answer_case(engine, 2, "翌月末です。", who="sato", now=NOW), Queued)
    with engine.begin() as connection:
        claimed = outbox.claim(connection, now=NOW + timedelta(hours=3), limit=9, lease=LEASE)
    engine.dispose()
    return {one.kind.value: Left(one.sender, one.recipient, one.raw) for one in claimed}


ORDER = ["Date", "From", "To", "Subject", "Message-ID", "In-Reply-To", "References"]
MARKS = ["Auto-Submitted", "X-Auto-Response-Suppress", "Precedence", "X-Loop"]
CONTENT = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding"]

EVERY = ("answer", "acknowledgement", "person")
AUTOMATIC = EVERY[:2]
PERSON = EVERY[2:]

RULES: list[tuple[str, tuple[str, ...], Callable[[Left], bool]]] = [
    (
        "20, RFC 3834 §4: to MAIL FROM alone, whatever Reply-To, Sender, From and Cc say",
        AUTOMATIC,
        lambda mail: mail.recipient == TANAKA and not re.search(rb"elsewhere|secretary|boss|other@", mail.raw),
    ),
    ("21, RFC 3834 §3.3: from the null reverse-path", AUTOMATIC, lambda mail: mail.sender == ""),
    ("22, RFC 3834 §3.1.7: Auto-Submitted", AUTOMATIC, lambda mail: mail["Auto-Submitted"] == "auto-replied"),
    (
        "22, MS-OXCMAIL 2.1.3.2.20: no answer is wanted",
        AUTOMATIC,
        lambda mail: mail["X-Auto-Response-Suppress"] == "All",
    ),
    ("22, RFC 3834 §3.1.8: Precedence", AUTOMATIC, lambda mail: mail["Precedence"] == "bulk"),
    (
        "23, RFC 3834 §3.1.1: From is where people read, and there is no Reply-To",
        EVERY,
        lambda mail: (mail["From"] or "").endswith(f" <{ADDRESS}>") and mail["Reply-To"] is None,
    ),
    (
        "24, RFC 5322 §3.6.4: In-Reply-To is the parent, whole",
        EVERY,
        lambda mail: mail["In-Reply-To"] in {OUTLOOK, ANOTHER},
    ),
    (
        "24, RFC 5322 §3.6.4: References has the first, the last and the parent, each id whole on a line",
        EVERY,
        lambda mail: (mail["References"] or "").split() == ["<a@b>", *CHAIN[-19:], mail["In-Reply-To"]],
    ),
    ("24, RFC 5322 §2.1.1: no line is beyond 998", EVERY, lambda mail: max(map(len, mail.raw.split(b"\r\n"))) <= 998),
    ("25, RFC 3834 §3.1.5: our prefix", ("answer",), lambda mail: mail.subject.startswith("自動返信: お尋ね")),
    (
        "25, RFC 3834 §3.1.5: our prefix and the reference behind it",
        ("acknowledgement",),
        lambda mail: bool(re.fullmatch(r"受付のお知らせ: お尋ね.*（受付番号 R-000002）", mail.subject)),
    ),
    (
        "25, RFC 5322 §3.6.5: a person's prefix, once",
        PERSON,
        lambda mail: bool(re.fullmatch(r"Re: お尋ね.*（受付番号 R-000002）", mail.subject)),
    ),
    (
        "25: no control, no mark that turns the text around, 200 characters at most",
        EVERY,
        lambda mail: mail.subject.isprintable() and len(mail.subject) <= 200,
    ),
    (
        "25, RFC 2047 §5: every encoded word is whole characters, on a line of at most 76",
        EVERY,
        lambda mail: all(
            len(line) <= 76 and str(make_header(decode_header(line.decode().partition(": ")[2] or line.decode())))
            for line in mail.field_lines
            if b"=?" in line
        ),
    ),
    ("26, RFC 3834 §3.2: plain text", EVERY, lambda mail: mail["Content-Type"] == "text/plain; charset=utf-8"),
    ("26, RFC 2045 §6.8: in base64", EVERY, lambda mail: mail["Content-Transfer-Encoding"] == "base64"),
    ("26, RFC 3834 §2: a few kB", EVERY, lambda mail: len(mail.raw) < 8192),
    ("26, RFC 3834 §3.2: nothing of the question", EVERY, lambda mail: _without(mail, SHARED, UNKNOWN)),
    ("27: To is bare, no name of their choosing", AUTOMATIC, lambda mail: mail["To"] == TANAKA),
    (
        "27: the fields that were meant, and no others",
        AUTOMATIC,
        lambda mail: mail.names[:-1] == ORDER + MARKS + CONTENT,
    ),
    ("27: the fields that were meant, and no others", PERSON, lambda mail: mail.names == ORDER + CONTENT),
    ("27: no bare line end", EVERY, lambda mail: not re.search(rb"\r(?!\n)|(?<!\r)\n", mail.raw)),
    (
        "28, RFC 3834 §3.1.4: the date of the question",
        AUTOMATIC,
        lambda mail: mail["Date"] == "Tue, 24 Nov 2026 09:00:00 +0000",
    ),
    (
        "28, RFC 3834 §3.1.4: a Message-ID from the mail's number and digest",
        AUTOMATIC,
        lambda mail: bool(re.fullmatch(OWN_ID, mail["Message-ID"] or "")),
    ),
    ("29, RFC 6531 §3: nothing beyond ASCII on the wire", EVERY, lambda mail: mail.raw.isascii()),
    ("29, RFC 5890 §2.3.2.1: a name in A-labels stays one", AUTOMATIC, lambda mail: "@xn--" in mail.recipient),
    ("a person: from our address, so that a bounce comes back", PERSON, lambda mail: mail.sender == ADDRESS),
    ("a person: to From, as mail programs do", PERSON, lambda mail: mail.recipient == "other@xn--p8j9a0d9c9a.example"),
    ("a person: not marked as automatic", PERSON, lambda mail: not set(mail.names) & {*MARKS}),
]


def _without(mail: Left, *texts: str) -> bool:
    body = email.message_from_bytes(mail.raw).get_payload(decode=True)
    assert isinstance(body, bytes)
    return not any(text in body.decode() for text in texts)


@pytest.mark.parametrize(
    ("kind", "holds"),
    [pytest.param(kind, holds, id=f"{rule} ({kind})") for rule, kinds, holds in RULES for kind in kinds],
)
def test_rule(left: dict[str, Left], kind: str, holds: Callable[[Left], bool]) -> None:
    assert holds(left[kind])


def test_what_left_is_read_back_by_our_own_parser(left: dict[str, Left]) -> None:
    for mail in left.values():
        read = parse_message(mail.raw)
        assert isinstance(read, Message)
        assert (read.from_address, read.recipients) == (ADDRESS, (mail.recipient,))


def test_rule_28_the_same_mail_decided_again_gives_the_same_octets(tmp_path: Path, left: dict[str, Left]) -> None:
    engine = _store(tmp_path, _asked(SHARED), _asked(UNKNOWN))
    for hours in (5, 7):
        triage_next(engine, briefing(), reader(), now=NOW + timedelta(hours=hours), limit=1, lease=LEASE)
    with reading(engine) as connection:
        assert [outbox.raw_of(connection, number) for number in (1, 2)] == [left[kind].raw for kind in AUTOMATIC]
    engine.dispose()


def test_rule_30_an_answer_is_not_queued_where_the_mail_cannot_be_marked_as_answered(tmp_path: Path) -> None:
    engine = _store(tmp_path, _asked(SHARED))
    with engine.begin() as connection:
        connection.execute(
            sa.text(
                "CREATE TRIGGER refused BEFORE UPDATE OF lane ON inbox WHEN NEW.lane IS NOT NULL"
                " BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            )
        )
    with pytest.raises(sa.exc.DBAPIError):
        triage_next(engine, briefing(), reader(), now=NOW, limit=50, lease=LEASE)
    with reading(engine) as connection:
        assert outbox.listing(connection) == []
    with engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER refused"))
    triage_next(engine, briefing(), reader(), now=NOW + LEASE, limit=50, lease=LEASE)
    with reading(engine) as connection:
        assert len(outbox.listing(connection)) == 1
    engine.dispose()
