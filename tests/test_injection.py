"""A stranger's header through the whole worker: the answer has our fields, his address, and nothing of his making."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.store import inbox, outbox
from responder.store.engine import open_engine, reading, upgrade
from responder.worker import triage_next
from tests.knowledge import ADDRESS, briefing, reader
from tests.mail.test_message import mail

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
TARO = "taro@contractor.example"
QUESTION = "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。".encode()

FIELDS = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "X-Auto-Response-Suppress", "Precedence"]
CONTENT = ["MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Content-Language"]
THREAD = ["In-Reply-To", "References"]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    opened = open_engine(f"sqlite:///{tmp_path / 'responder.db'}")
    upgrade(opened)
    yield opened
    opened.dispose()


def _sent(engine: Engine, raw: bytes, sender: str = TARO) -> list[tuple[str, bytes]]:
    """Recipient and octets of what was put into the outbox."""
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(sender, (ADDRESS,)), raw)], now=NOW)
    triage_next(engine, briefing(), reader(), now=NOW, limit=1, lease=timedelta(minutes=1))
    with reading(engine) as connection:
        assert inbox.balance(connection)["waiting"] == 0
        rows = outbox.listing(connection)
        return [(row.recipient, outbox.raw_of(connection, row.id) or b"") for row in rows]


@pytest.mark.parametrize(
    "field",
    [
        pytest.param(b"Subject: =?utf-8?Q?hi=0D=0ABcc:_v@example.com?=", id="RFC 2047: a line end in the subject"),
        pytest.param(b"Subject: =?iso-2022-jp?B?GyRCJCIbKEINCkJjYzogdkBleGFtcGxlLmNvbQ==?=", id="a line end in JIS"),
        pytest.param(b"Subject: =?utf-7?Q?hi+AA0ACg-Bcc:_v@example.com?=", id="a line end in UTF-7"),
        pytest.param("Subject: hi\u2028Bcc: v@example.com\x85X: y".encode(), id="other line ends in the subject"),
        pytest.param(b"Subject: hi\0\rBcc: v@example.com", id="NUL and a bare carriage return"),
        pytest.param("Subject: \u202eBcc\u2066: v".encode(), id="marks that turn the line round"),
        pytest.param(b"Subject: " + b"a" * 200_000, id="a subject of 200 KB"),
        pytest.param(
            b'From: "=?utf-8?Q?a=0D=0ABcc:_v@example.com?=" <u@contractor.example>', id="a line end in the name"
        ),
        pytest.param(b"Reply-To: victim@example.com\r\nSender: victim@example.com", id="RFC 3834 §4: Reply-To, Sender"),
        pytest.param(b"Cc: victim@example.com\r\nBcc: victim@example.com", id="Cc and Bcc"),
        pytest.param(b"Message-ID: =?utf-8?Q?<a@b=0D=0ABcc:_v>?=", id="a line end in the id"),
        pytest.param(b"Message-ID: <a@b>\rBcc: v@example.com", id="a bare carriage return behind the id"),
        pytest.param(b"References: <a@b> <c\td@e> <=?utf-8?Q?=0D=0ABcc:_v?=@x>", id="a line end in the references"),
        pytest.param(b"References: " + b"<a@b> " * 30_000, id="30,000 references"),
        pytest.param(b"References: " + b" ".join(b"<%d@b>" % n for n in range(10_000)), id="10,000 different ones"),
        pytest.param(b'Content-Type: text/plain; charset=utf-8; name="a\\r\\nBcc: v"', id="a line end in a name"),
        pytest.param(
            b"Content-Language: en\r\nX-Priority: 1\r\nAuto-Submitted: no", id="fields that an answer has too"
        ),
    ],
)
def test_rfc_3834_4_an_answer_has_the_fields_that_were_meant_and_goes_to_mail_from(
    engine: Engine, field: bytes
) -> None:
    sender = [] if field.startswith(b"From") else [b"From: " + TARO.encode()]
    ((recipient, raw),) = _sent(engine, mail(*sender, b"To: " + ADDRESS.encode(), field, body=QUESTION))
    answer = message_from_bytes(raw)
    names = [name for name in answer if name not in THREAD]
    assert names == [*FIELDS, "X-Loop", *CONTENT]
    assert (recipient, answer["To"]) == (TARO, TARO)
    assert b"victim" not in raw
    assert not any(line.lower().startswith((b"bcc", b"x:")) for line in raw.replace(b"\r", b"\n").split(b"\n"))


def test_rfc_3834_4_a_mail_of_two_authors_is_answered_by_nobody(engine: Engine) -> None:
    fields = (b"From: a@contractor.example, Bcc: v@example.com", b"To: " + ADDRESS.encode())
    assert _sent(engine, mail(*fields, body=QUESTION)) == []


@pytest.mark.parametrize(
    "sender",
    [
        "taro@contractor.example\r\nBcc: victim@example.com",
        '"a\r\nRCPT TO:<victim@example.com>"@contractor.example',
        "a@b.example, victim@example.com",
        "Taro <victim@example.com>",
        "田中@contractor.example",
        "a\0@contractor.example",
    ],
    ids=["a line end", "a command in quotes", "two addresses", "a name", "beyond ASCII", "NUL"],
)
def test_a_mail_from_that_is_no_plain_address_is_answered_by_nobody(engine: Engine, sender: str) -> None:
    assert _sent(engine, mail(b"From: " + TARO.encode(), b"To: " + ADDRESS.encode(), body=QUESTION), sender) == []
