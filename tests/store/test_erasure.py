"""What comes after a mail was erased: nothing leaves twice, nothing of it comes back, and nobody works on nothing."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.desk.judging import judge
from responder.mail.envelope import Envelope
from responder.mail.report import Fate, Report
from responder.store import (
    case_events,
    cases,
    casework,
    drafts,
    erasure,
    escalations,
    inbox,
    labels,
    muted,
    notices,
    outbox,
    returned,
)
from responder.store.casework import Refusal
from responder.store.engine import reading
from responder.store.inbox import Lane, Settlement
from responder.store.notices import NoticeKind
from responder.store.outbox import DeliveryKind
from responder.store.reviews import Judgement
from responder.store.schema import outbox as outbox_table
from responder.store.threads import conversation
from responder.triage.thread import Clues
from tests.answered import TANAKA, answered, settled
from tests.knowledge import ADDRESS, AUTHOR

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=400)
THEIR_ID = "<1@tanaka.contractor.example>"


def _deliver(engine: Engine, *, state: str = "sent") -> None:
    with engine.begin() as connection:
        for delivery in outbox.claim(connection, now=NOW, limit=9, lease=timedelta(days=1)):
            if state == "sent":
                assert outbox.settle_sent(connection, delivery, reply="250 Ok", now=NOW)
            else:
                assert outbox.settle_failed(connection, delivery, state="bounced", reply="550 no", now=NOW)


def _erase(engine: Engine, *numbers: int) -> int:
    with engine.begin() as connection:
        over = erasure.ended(connection, numbers, lock=True)
        return erasure.erase(connection, over, examples=True, now=LATER)


def _case(engine: Engine, number: int, *, closed: bool = True) -> None:
    with engine.begin() as connection:
        cases.open_case(connection, number, reason="unsure", now=NOW)
        if closed:
            assert casework.close(connection, number, reason="called", who="sato", now=NOW) is None


def _told(engine: Engine, address: str = "sato@example.jp") -> None:
    """Staff are told by mail of all cases that there are; as `desk.notices.tell` does it."""
    with engine.begin() as connection:
        news = notices.untold(connection, NoticeKind.OPENED, now=NOW)
        assert notices.settle(connection, NoticeKind.OPENED, news, now=NOW)
        words = {"once": "notice:1", "message_id": "<n@example.jp>", "sender": "", "recipient": address}
        moments = {"created_at": NOW, "queued_at": NOW, "next_attempt_at": NOW}
        mail = {"inquiry_id": news[0].id, "kind": DeliveryKind.NOTICE.value, "raw": f"of {TANAKA}".encode()}
        connection.execute(sa.insert(outbox_table).values(**mail, **words, **moments))


def test_a_mail_that_goes_on_with_an_erased_one_is_still_known_to(engine: Engine) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(TANAKA, (ADDRESS,)), b"x")], now=NOW)
        (inquiry,) = inbox.claim(connection, now=NOW, limit=1, lease=timedelta(minutes=1))
        whole = Settlement(Lane.SUPPRESSED, "bulk", None, {}, "", TANAKA, message_id=THEIR_ID)
        inbox.settle(connection, inquiry, whole, now=NOW)
        connection.execute(sa.text("UPDATE inbox SET lane = 'answered'"))
    assert _erase(engine, 1) == 1
    with reading(engine) as connection:
        assert inbox.of_message_ids(connection, [THEIR_ID, "<2@other.example>"]) == {THEIR_ID: 1}
        assert "tanaka" not in str(connection.execute(sa.text("SELECT message_id FROM inbox")).scalar_one())
        # Whoever goes on with it gets no machine's mail, and no case of somebody's whom nobody knows any more.
        found = conversation(connection, Clues(ids=(THEIR_ID,), author=TANAKA), AUTHOR.key)
    assert found is not None
    assert found.inquiry is None


def test_what_is_left_of_a_reply_never_leaves_again(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    _deliver(engine, state="bounced")
    assert _erase(engine, 1) == 1
    with engine.begin() as connection:
        assert not outbox.retry(connection, 1, now=LATER)


def test_a_report_that_comes_after_it_brings_nothing_back(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    _deliver(engine)
    with reading(engine) as connection:
        (sent,) = outbox.listing(connection)
    report = Report((sent.message_id,), Fate.FAILED, "5.1.1", TANAKA, f"550 5.1.1 <{TANAKA}> unknown")
    with reading(engine) as connection:
        assert returned.delivery_of(connection, report, AUTHOR.key) is not None
    _erase(engine, 1)
    with reading(engine) as connection:
        assert returned.delivery_of(connection, report, AUTHOR.key) is None
        assert muted.listing(connection, now=NOW) == []


def test_staff_are_not_told_of_it_for_ever(engine: Engine) -> None:
    for _ in range(2):
        settled(engine, Lane.ESCALATED, now=NOW)
    _case(engine, 1, closed=False)
    _case(engine, 2, closed=False)
    _told(engine)
    with engine.begin() as connection:
        assert casework.close(connection, 2, reason="called", who="sato", now=NOW) is None
    assert _erase(engine, 2) == 0  # the notice is still to be sent
    _deliver(engine)
    assert _erase(engine, 2) == 1
    with reading(engine) as connection:
        assert outbox.raw_of(connection, 1) == b""
        assert [row.recipient for row in outbox.listing(connection)] == ["sato@example.jp"]
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE outbox SET state = 'bounced'"))
        assert not outbox.retry(connection, 1, now=LATER)


def test_nobody_works_on_what_was_erased(engine: Engine) -> None:
    settled(engine, Lane.ESCALATED, now=NOW)
    _case(engine, 1)
    settled(engine, Lane.SUPPRESSED, now=NOW)
    answered(engine, "q04", now=NOW)
    _deliver(engine)
    assert _erase(engine, 1, 2, 3) == 3
    with engine.begin() as connection:
        assert casework.reopen(connection, 1, who="sato", now=LATER) is Refusal.ERASED
        assert casework.note(connection, 1, text="x", who="sato", now=LATER) is Refusal.ERASED
        drafts.save(connection, 1, who="sato", salutation="", text="x", seen=1, now=LATER)
        assert drafts.load(connection, 1, who="sato") is None
        assert not cases.call_back(connection, 2, who="sato", now=LATER)
        assert not judge(connection, 3, Judgement.WRONG, who="sato", now=LATER)
        assert cases.find(connection, 3) is None
        taught: dict[str, Any] = {
            "subject": "x",
            "body": "y",
            "expected": ["q04"],
            "complete": True,
            "who": "sato",
            "now": LATER,
        }
        assert labels.teach(connection, 1, **taught) is None


def test_a_case_loses_its_notes_with_the_last_of_its_mails(engine: Engine) -> None:
    for _ in range(2):
        settled(engine, Lane.ESCALATED, now=NOW)
    with engine.begin() as connection:
        cases.open_case(connection, 1, reason="unsure", now=NOW)
        cases.open_case(connection, 1, reason="a reply", now=NOW, caused_by=2)
        assert casework.note(connection, 1, text="電話番号", who="sato", now=NOW) is None
        assert casework.close(connection, 1, reason="called", who="sato", now=NOW) is None
    assert _erase(engine, 1) == 1
    with engine.begin() as connection:  # there is a mail that can be worked on
        assert casework.note(connection, 1, text="携帯", who="sato", now=NOW) is None
    assert _erase(engine, 2) == 1
    with reading(engine) as connection:
        assert {event.detail for event in case_events.of_case(connection, 1)} == {""}


def test_what_people_are_asked_often_is_looked_for_in_what_is_left(engine: Engine) -> None:
    settled(engine, Lane.ESCALATED, now=NOW, reason="no entry fits well enough")
    _case(engine, 1)
    asked: dict[str, Any] = {"reasons": ["no entry fits well enough"], "since": NOW - timedelta(days=1), "limit": 9}
    with reading(engine) as connection:
        before = escalations.stamp(connection)
        assert [one.id for one in escalations.listing(connection, **asked)] == [1]
    assert _erase(engine, 1) == 1
    with reading(engine) as connection:
        assert escalations.stamp(connection) != before
        assert escalations.listing(connection, **asked) == []


def test_two_that_erase_at_the_same_moment_do_not_wait_for_each_other(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        pytest.skip("one writer at a time")
    for _ in range(2):
        settled(engine, Lane.SUPPRESSED, now=NOW)
    settled(engine, Lane.ESCALATED, now=NOW)
    _case(engine, 3)
    with engine.begin() as one, engine.begin() as other:
        assert erasure.ended(one, [1], lock=True) == [1]
        assert cases.find(one, 3, lock=True) is not None
        assert erasure.ended(other, [1, 2, 3], lock=True) == [2]


def test_a_person_is_found_by_every_address_of_theirs_and_by_our_answers(engine: Engine) -> None:
    settled(engine, Lane.SUPPRESSED, now=NOW)
    answered(engine, "q04", now=NOW)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE inbox SET mail_from = 'Tanaka+web@contractor.example' WHERE id = 1"))
        connection.execute(sa.text("UPDATE inbox SET from_address = 'x' WHERE id = 1"))
        connection.execute(sa.text("UPDATE inbox SET mail_from = 'form@example.jp', from_address = '' WHERE id = 2"))
        settled_by = erasure.traces_of(connection, TANAKA.upper())
    assert (settled_by.mails, settled_by.answers) == ([1, 2], 1)
