"""Telling staff by mail, on both databases; and that nothing comes of it in return, whoever writes back."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Barrier
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from responder.corpus import load_corpus
from responder.desk.desk import Desk
from responder.desk.due import Calendar
from responder.desk.notices import Orders, run, tell
from responder.letters import Letters
from responder.mail.envelope import Envelope
from responder.store import automatic, cases, casework, inbox, muted, outbox
from responder.store.engine import reading
from responder.store.outbox import DeliveryKind
from responder.triage.cold import fit_cold
from responder.triage.policy import Thresholds
from responder.triage.reading import Knowledge
from responder.worker import Briefing, triage_next
from tests.knowledge import ADDRESS, AUTHOR, ROOT, cold_corpus, reader, shipped_letters

TOKYO = ZoneInfo("Asia/Tokyo")
# A Monday without holidays around it.
NOW = datetime(2026, 6, 1, 10, 0, tzinfo=TOKYO).astimezone(UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
STAFF = "staff@office.example"
TANAKA = "tanaka@contractor.example"
ORDERS = Orders((STAFF,))


def _desk(engine: Engine, **changes: Any) -> Desk:
    """Without what triage knows, which would have to be learned."""
    calendar = Calendar(TOKYO)
    url = "https://desk.example.jp"
    return Desk(engine, AUTHOR, shipped_letters, ROOT / "faq_corpus", lambda: NOW, calendar, **{"url": url, **changes})


def _accept(conn: Connection, raw: bytes, sender: str, now: datetime) -> int:
    inbox.accept(conn, [(Envelope(sender, (ADDRESS,)), raw)], now=now)
    return max(row.id for row in inbox.listing(conn))


def _case(
    engine: Engine,
    *,
    sender: str = TANAKA,
    subject: str = "契約書の送付先",
    reason: str = "no entry fits well enough",
    at: datetime = NOW,
) -> int:
    with engine.begin() as conn:
        number = _accept(conn, "Subject: x\r\n\r\n口座番号は1234567です。\r\n".encode(), sender, at)
        table = sa.table("inbox", sa.column("id"), sa.column("subject"), sa.column("from_address"))
        conn.execute(sa.update(table).where(table.c.id == number).values(subject=subject, from_address=sender))
        cases.open_case(conn, number, reason=reason, now=at)
    return number


def _notices(engine: Engine) -> list[EmailMessage]:
    with reading(engine) as conn:
        rows = [row for row in reversed(outbox.listing(conn)) if row.kind == "notice"]
        return [message_from_bytes(outbox.raw_of(conn, row.id) or b"", policy=default) for row in rows]


def _change(engine: Engine, number: int, **values: object) -> None:
    table = sa.table("cases", *map(sa.column, ("inquiry_id", *values)))
    with engine.begin() as conn:
        conn.execute(sa.update(table).where(table.c.inquiry_id == number).values(**values))


def test_everybody_named_is_told_once_of_a_new_case_and_not_of_its_words(engine: Engine) -> None:
    number = _case(engine)
    desk, orders = _desk(engine), Orders((STAFF, "lead@office.example"))
    assert [tell(desk, orders, now=NOW + day * DAY) for day in (0, 1)] == [1, 0]
    told = _notices(engine)
    assert [mail["To"] for mail in told] == [STAFF, "lead@office.example"]
    assert len({mail["Message-ID"] for mail in told}) == 2
    reference = cases.reference_of(number)
    assert told[0]["Subject"] == f"【お知らせ】未対応1件（{reference}）"
    body = told[0].get_content()
    for part in (
        reference,
        TANAKA,
        "契約書の送付先",
        "十分に合致するFAQがありません",
        "2026年6月4日（木）17:30",
        f"https://desk.example.jp/cases/{number}\r\n",
    ):
        assert part in body
    assert "1234567" not in body


def test_a_notice_is_marked_as_a_machines_and_counts_in_no_budget(engine: Engine) -> None:
    number = _case(engine)
    tell(_desk(engine), ORDERS, now=NOW)
    [mail] = _notices(engine)
    assert (mail["Auto-Submitted"], mail["Precedence"], mail["X-Loop"]) == ("auto-generated", "bulk", ADDRESS)
    assert mail["From"].addresses[0].addr_spec == ADDRESS
    with reading(engine) as conn:
        [delivery] = outbox.listing(conn)
        assert automatic.at_all(conn, since=NOW - DAY) == 0
        assert automatic.to(conn, STAFF, since=NOW - DAY) == []
        assert outbox.listing(conn, inquiry_id=number) == []
        assert outbox.written_about(conn, [number]) == frozenset()
    with engine.begin() as conn:
        [claimed] = outbox.claim(conn, now=NOW, limit=5, lease=HOUR)
    assert (claimed.id, claimed.sender, claimed.kind) == (delivery.id, "", DeliveryKind.NOTICE)


def test_what_comes_soon_after_a_notice_waits_and_stands_in_one_mail(engine: Engine) -> None:
    desk = _desk(engine)
    first = _case(engine)
    assert tell(desk, ORDERS, now=NOW) == 1
    later = [_case(engine, at=NOW + MINUTE) for _ in range(4)]
    assert tell(desk, ORDERS, now=NOW + 9 * MINUTE) == 0
    assert tell(desk, ORDERS, now=NOW + 10 * MINUTE) == 4
    mail = _notices(engine)[1]
    assert mail["Subject"].startswith("【お知らせ】未対応4件（")
    assert mail["Subject"].endswith("ほか）")
    assert all(cases.reference_of(number) in mail.get_content() for number in later)
    assert cases.reference_of(first) not in mail.get_content()


def test_only_cases_that_wait_are_told_of(engine: Engine) -> None:
    desk = _desk(engine)
    taken, closed, held, dropped = (_case(engine) for _ in range(4))
    with engine.begin() as conn:
        casework.take(conn, taken, who="sato", now=NOW)
        casework.close(conn, closed, who="sato", reason="済み", now=NOW)
    _change(engine, held, held_until=NOW + HOUR)
    assert tell(desk, ORDERS, now=NOW) == 1
    assert cases.reference_of(dropped) in _notices(engine)[0].get_content()
    assert tell(desk, ORDERS, now=NOW + HOUR) == 1
    assert cases.reference_of(held) in _notices(engine)[1].get_content()


def test_a_case_that_is_opened_again_is_told_of_again(engine: Engine) -> None:
    desk, number = _desk(engine), _case(engine)
    tell(desk, ORDERS, now=NOW)
    with engine.begin() as conn:
        casework.close(conn, number, who="sato", reason="済み", now=NOW + HOUR)
        cases.open_case(conn, number, reason="a reply to a mail of ours", now=NOW + DAY)
    assert [tell(desk, ORDERS, now=NOW + DAY + hour * HOUR) for hour in (0, 1)] == [1, 0]
    assert "当窓口のメールへの返信です" in _notices(engine)[1].get_content()


def _jst(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


def test_staff_are_warned_once_in_business_hours_before_a_case_is_due(engine: Engine) -> None:
    desk, orders = _desk(engine), Orders((STAFF,), on_escalation=False)
    number = _case(engine)  # due on Thursday at 17:30
    _case(engine, at=NOW + DAY)
    with engine.begin() as conn:
        casework.take(conn, number, who="sato", now=NOW)
    moments = ["2026-06-04 08:59", "2026-06-04 13:29", "2026-06-04 13:30", "2026-06-04 16:00"]
    assert [tell(desk, orders, now=_jst(moment)) for moment in moments] == [0, 0, 1, 0]
    [mail] = _notices(engine)
    assert mail["Subject"] == f"【お知らせ】期限間近・超過1件（{cases.reference_of(number)}）"
    assert "sato" in mail.get_content()
    assert "過ぎています）" not in mail.get_content()


def test_a_case_that_fell_due_in_the_night_is_told_of_in_the_morning(engine: Engine) -> None:
    desk, orders = _desk(engine), Orders((STAFF,), on_escalation=False)
    _case(engine)
    assert [tell(desk, orders, now=_jst(f"2026-06-0{moment}")) for moment in ("4 17:30", "5 09:00")] == [0, 1]
    assert "2026年6月4日（木）17:30（期限を過ぎています）" in _notices(engine)[0].get_content()


def test_a_new_case_that_is_due_already_is_told_of_as_that_alone(engine: Engine) -> None:
    desk, number = _desk(engine), _case(engine, at=NOW - 14 * DAY)
    assert [tell(desk, ORDERS, now=NOW + hour * HOUR) for hour in (0, 1)] == [1, 0]
    assert _notices(engine)[0]["Subject"] == f"【お知らせ】期限間近・超過1件（{cases.reference_of(number)}）"


@pytest.mark.parametrize(
    ("orders", "changes"),
    [
        pytest.param(Orders(()), {}, id="nobody is named"),
        pytest.param(Orders((STAFF,), on_escalation=False, before_due=None), {}, id="both are off"),
        pytest.param(Orders((STAFF,), on_escalation=False), {"reply_within": 0}, id="no days are promised"),
    ],
)
def test_nobody_is_told_of_what_is_turned_off(engine: Engine, orders: Orders, changes: dict[str, object]) -> None:
    _case(engine, at=NOW - 14 * DAY)
    assert tell(_desk(engine, **changes), orders, now=NOW) == 0
    assert _notices(engine) == []


def test_two_processes_at_the_same_moment_tell_once(engine: Engine) -> None:
    for _ in range(3):
        _case(engine)
    together = Barrier(2)

    def one(_: int) -> int:
        desk = _desk(engine)
        together.wait(10)
        return tell(desk, ORDERS, now=NOW)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(one, range(2))) == [0, 3]
    assert len(_notices(engine)) == 1


def test_no_subject_of_a_mail_makes_lines_of_its_own_or_a_long_notice(engine: Engine) -> None:
    subject = "x\r\nBcc: a@b\u2028R-000099\u202e" + "長" * 5000
    for _ in range(60):
        _case(engine, subject=subject, sender="")
    assert tell(_desk(engine), ORDERS, now=NOW) == 60
    [mail] = _notices(engine)
    assert "Bcc" not in mail
    lines = mail.get_content().splitlines()
    assert not any(line.startswith(("Bcc", "R-000099")) for line in lines)
    assert max(map(len, lines)) < 200
    assert "ほかに10件ございます。一覧の画面でご確認ください。" in lines
    assert sum(line == "  差出人：（不明）" for line in lines) == 50


# What comes back


@pytest.fixture(scope="module")
def briefed(tmp_path_factory: pytest.TempPathFactory) -> Briefing:
    """What the worker answers by, without having learned anything."""
    corpus = load_corpus(cold_corpus(tmp_path_factory.mktemp("cold")))
    knowledge = Knowledge(corpus, fit_cold(corpus), Thresholds(None, 0.0), frozenset({ADDRESS}))
    return Briefing(knowledge, shipped_letters(), AUTHOR)


def _comes_in(engine: Engine, briefed: Briefing, raw: bytes, sender: str, now: datetime) -> inbox.Listing:
    with engine.begin() as conn:
        number = _accept(conn, raw, sender, now)
    while triage_next(engine, briefed, reader(), now=now, limit=50, lease=HOUR):
        pass
    with reading(engine) as conn:
        return next(row for row in inbox.listing(conn) if row.id == number)


def _note(subject: str, sender: str = STAFF, **fields: str) -> bytes:
    """An absence note without any mark of a machine."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ADDRESS, subject
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("ただいま席を外しております。")
    return mail.as_bytes()


def test_a_notice_that_is_passed_on_to_us_ends_in_silence(engine: Engine, briefed: Briefing) -> None:
    _case(engine)
    tell(_desk(engine), ORDERS, now=NOW)
    for sender, reason in (("", "null sender"), (STAFF, "auto-submitted")):
        row = _comes_in(engine, briefed, _notices(engine)[0].as_bytes(), sender, NOW + HOUR)
        assert (row.lane, row.reason) == ("suppressed", reason)
    assert tell(_desk(engine), ORDERS, now=NOW + DAY) == 0
    assert len(_notices(engine)) == 1


def test_a_report_that_a_notice_did_not_arrive_opens_no_case_and_mutes_nobody(
    engine: Engine, briefed: Briefing
) -> None:
    number = _case(engine)
    tell(_desk(engine), ORDERS, now=NOW)
    report = (
        f"From: MAILER-DAEMON@office.example\r\nTo: {ADDRESS}\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.office.example\r\n\r\n"
        f"Final-Recipient: rfc822; {STAFF}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        "--b\r\nContent-Type: message/rfc822\r\n\r\n"
        f"Message-ID: {_notices(engine)[0]['Message-ID']}\r\n\r\nx\r\n--b--\r\n"
    )
    row = _comes_in(engine, briefed, report.encode(), "", NOW + HOUR)
    assert (row.lane, row.reason) == ("suppressed", "a delivery report of ours")
    with reading(engine) as conn:
        assert [delivery.state for delivery in outbox.listing(conn)] == ["bounced"]
        assert [case.id for case in cases.listing(conn)] == [number]
        assert not muted.is_muted(conn, STAFF, now=NOW + HOUR)
    assert tell(_desk(engine), ORDERS, now=NOW + DAY) == 0


@pytest.mark.parametrize("forwarded", [False, True])
def test_who_answers_a_notice_gets_no_machines_word_and_calls_forth_no_other(
    engine: Engine, briefed: Briefing, forwarded: bool
) -> None:
    _case(engine)
    desk, orders = _desk(engine), ORDERS
    for turn in range(1, 4):
        now = NOW + turn * HOUR
        tell(desk, orders, now=now)
        [mail] = _notices(engine)
        # From a member's own mailbox behind the shared one, so that only the thread tells.
        member = f"member{turn}@office.example"
        prefix = "Fwd: " if forwarded else "Re: "
        note = _note(f"{prefix}{mail['Subject']}", member, References=mail["Message-ID"])
        row = _comes_in(engine, briefed, note, member, now)
        assert (row.lane, row.reason) == ("escalated", "a reply to a notice to staff")
        with reading(engine) as conn:
            assert [delivery.kind for delivery in outbox.listing(conn)] == ["notice"]
            assert row.id in [case.id for case in cases.listing(conn)]


def test_what_a_told_address_sends_out_of_the_thread_is_not_told_of(engine: Engine, briefed: Briefing) -> None:
    desk, orders = _desk(engine), Orders(("Staff+desk@office.example",))
    for turn in range(4):
        now = NOW + turn * HOUR
        row = _comes_in(engine, briefed, _note("不在のご連絡", Message_ID=f"<{turn}@office.example>"), STAFF, now)
        assert row.lane == "escalated"
        assert tell(desk, orders, now=now + MINUTE) == 0
    assert _notices(engine) == []


def test_a_contractor_who_had_a_copy_of_a_notice_still_joins_the_case(engine: Engine, briefed: Briefing) -> None:
    first = _comes_in(engine, briefed, _note("お尋ね", TANAKA), TANAKA, NOW)
    tell(_desk(engine), ORDERS, now=NOW)
    with reading(engine) as conn:
        [acknowledgement] = outbox.listing(conn, inquiry_id=first.id)
    ids = f"{acknowledgement.message_id} {_notices(engine)[0]['Message-ID']}"
    row = _comes_in(engine, briefed, _note("Re: お尋ね", TANAKA, References=ids), TANAKA, NOW + HOUR)
    assert row.reason == "a reply to a mail of ours"
    with reading(engine) as conn:
        assert cases.case_of(conn, row.id) == first.id


async def test_a_letter_that_breaks_stops_nothing_and_is_tried_again(engine: Engine) -> None:
    _case(engine)
    stop, tries = asyncio.Event(), 0

    def letters() -> Letters:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError("broken")
        return shipped_letters()

    desk = replace(_desk(engine), letters=letters)
    running = asyncio.create_task(run(desk, ORDERS, stop=stop, pause=timedelta(milliseconds=10)))
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(_notices, engine):
            await asyncio.sleep(0.01)
    stop.set()
    await running
    assert tries == 2
