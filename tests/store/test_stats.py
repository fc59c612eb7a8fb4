"""The figures on both engines: they add up, days are the organisation's, what was taken back does not count."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import cases, casework, inbox, outbox, stats
from responder.store.engine import reading
from responder.store.inbox import Lane, Settlement
from responder.store.outbox import DeliveryKind
from responder.store.stats import Answered, Backlog, Day

TOKYO = ZoneInfo("Asia/Tokyo")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
TANAKA = "tanaka@contractor.example"

_T = TypeVar("_T")


def _read(engine: Engine, read: Callable[..., _T], *words: Any, **named: Any) -> _T:
    with reading(engine) as connection:
        return read(connection, *words, **named)


def _take_in(engine: Engine, at: datetime, lane: Lane | None = None) -> int:
    """A mail taken in then, and its number; it is settled where a lane is given."""
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(TANAKA, ("support@example.jp",)), str(at).encode())], now=at)
        (newest, *_) = inbox.listing(connection, limit=1)
        if lane is not None:
            (inquiry,) = inbox.claim(connection, now=at, limit=1, lease=HOUR)
            settled = inbox.settle(connection, inquiry, Settlement(lane, "reason", None, {}, "", TANAKA), now=at)
            assert settled
            assert inquiry.id == newest.id
    return newest.id


def _days(engine: Engine, days: int = 3) -> list[Day]:
    return _read(engine, stats.by_day, zone=TOKYO, days=days, now=NOW)


def test_days_begin_at_the_organisations_midnight(engine: Engine) -> None:
    midnight = datetime(2026, 11, 24, tzinfo=TOKYO)
    for at in (midnight - timedelta(seconds=1), midnight, midnight + DAY - timedelta(seconds=1), midnight + DAY):
        _take_in(engine, at, Lane.ANSWERED)
    assert [(day.date, day.answered) for day in _days(engine)] == [
        (date(2026, 11, 22), 0),
        (date(2026, 11, 23), 1),
        (date(2026, 11, 24), 2),
    ]


def test_a_day_of_twenty_three_hours_has_its_own_mails_and_no_others(engine: Engine) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    spring = datetime(2026, 3, 29, 22, 30, tzinfo=UTC)  # half past midnight of the 30th
    _take_in(engine, spring - HOUR, Lane.ANSWERED)
    _take_in(engine, spring, Lane.ANSWERED)
    days = _read(engine, stats.by_day, zone=berlin, days=2, now=spring)
    assert [(day.date.day, day.answered) for day in days] == [(29, 1), (30, 1)]


def test_the_lanes_of_all_days_and_what_waits_add_up_to_what_was_accepted(engine: Engine) -> None:
    for number, lane in enumerate((*Lane, Lane.ANSWERED, None, None)):
        _take_in(engine, NOW - number * DAY, lane)
    days, balance = _days(engine, 7), _read(engine, inbox.balance)
    for name in ("answered", "escalated", "suppressed", "waiting", "accepted"):
        assert sum(getattr(day, name) for day in days) == balance[name]
    assert balance["accepted"] == 6
    assert (balance["waiting"], balance["answered"]) == (2, 2)


@pytest.mark.parametrize(
    ("answered", "escalated", "share"),
    [(3, 1, 0.75), (0, 2, 0.0), (0, 0, None)],
    ids=["three of four", "none of two", "none of none"],
)
def test_the_automatic_share_is_of_the_mails_that_wanted_an_answer(
    answered: int, escalated: int, share: float | None
) -> None:
    assert stats.automatic_share([Day(NOW.date(), answered, escalated, 50, 7)]) == share


def test_the_backlog_names_the_oldest_mail_and_the_oldest_case(engine: Engine) -> None:
    assert _read(engine, stats.backlog) == Backlog(0, None, 0, None)
    for number, hours in enumerate((5, 4, 3), 1):
        _take_in(engine, NOW - hours * HOUR, Lane.ESCALATED)
        _open(engine, number, NOW - hours * HOUR)
    _close(engine, 1, NOW)
    _take_in(engine, NOW - 2 * HOUR)
    _take_in(engine, NOW - HOUR)
    assert _read(engine, stats.backlog) == Backlog(2, NOW - 2 * HOUR, 2, NOW - 4 * HOUR)


def _open(engine: Engine, number: int, at: datetime) -> None:
    with engine.begin() as connection:
        cases.open_case(connection, number, reason="no entry fits well enough", now=at)


def _close(engine: Engine, number: int, at: datetime) -> None:
    with engine.begin() as connection:
        assert casework.close(connection, number, who="sato", reason="done", now=at) is None


def _answer(engine: Engine, number: int, at: datetime) -> None:
    """A person's answer, as it is enqueued with the case's end."""
    delivery = _write(engine, number, DeliveryKind.PERSON, at)
    with engine.begin() as connection:
        assert casework.close_answered(connection, number, who="sato", now=at, delivery_id=delivery) is None


def _write(engine: Engine, number: int, kind: DeliveryKind, at: datetime) -> int:
    with engine.begin() as connection:
        reply = Reply(f"<{kind}.{number}.{at.timestamp()}@example.jp>", "", TANAKA, b"reply")
        once = reply.message_id
        delivery = outbox.enqueue(connection, reply, inquiry_id=number, kind=kind, once=once, now=at)
    assert delivery is not None
    return delivery


def _answers(engine: Engine, since: datetime = NOW - 30 * DAY) -> list[Answered]:
    return _read(engine, stats.answers_of_people, since=since)


def test_the_wait_counts_from_the_opening_and_a_second_mail_does_not_begin_it_anew(engine: Engine) -> None:
    number = _take_in(engine, NOW - 8 * HOUR, Lane.ESCALATED)
    _open(engine, number, NOW - 8 * HOUR)
    _open(engine, number, NOW - 2 * HOUR)
    _answer(engine, number, NOW)
    assert _answers(engine) == [Answered(NOW, 8 * HOUR)]


def test_a_case_that_comes_again_counts_from_then_and_the_time_it_was_closed_does_not(engine: Engine) -> None:
    number = _take_in(engine, NOW - 50 * HOUR, Lane.ESCALATED)
    _open(engine, number, NOW - 50 * HOUR)
    _answer(engine, number, NOW - 49 * HOUR)
    _open(engine, number, NOW - 3 * HOUR)
    _close(engine, number, NOW - 2 * HOUR)
    _open(engine, number, NOW - HOUR)
    _answer(engine, number, NOW)
    assert _answers(engine) == [Answered(NOW - 49 * HOUR, HOUR), Answered(NOW, HOUR)]
    assert _answers(engine, NOW - 5 * HOUR) == [Answered(NOW, HOUR)]


def test_what_was_spam_waited_for_nobody_and_waits_anew_once_somebody_opens_it_again(engine: Engine) -> None:
    number = _take_in(engine, NOW - 9 * HOUR, Lane.ESCALATED)
    _open(engine, number, NOW - 9 * HOUR)
    with engine.begin() as connection:
        casework.close_as_spam(connection, number, who="sato", now=NOW - 8 * HOUR)
        casework.reopen(connection, number, who="sato", now=NOW - 2 * HOUR)
    _answer(engine, number, NOW)
    assert _answers(engine) == [Answered(NOW, 2 * HOUR)]


def test_an_answer_that_was_taken_back_is_none_and_its_case_waits_on(engine: Engine) -> None:
    number = _take_in(engine, NOW - 5 * HOUR, Lane.ESCALATED)
    _open(engine, number, NOW - 5 * HOUR)
    _answer(engine, number, NOW - 4 * HOUR)
    with engine.begin() as connection:
        casework.take_back(connection, number, delivery_id=1, who="sato", now=NOW - 4 * HOUR)
    assert _answers(engine) == []


@pytest.mark.parametrize(
    ("hours", "median", "most"),
    [([], None, None), ([4], 4, 4), ([1, 9], 1, 9), ([*range(1, 11)], 5, 9), ([*range(1, 12)], 6, 10)],
    ids=["of none", "of one", "of two", "of ten", "of eleven"],
)
def test_median_and_ninth_tenth_are_waits_that_there_were(
    hours: list[int], median: int | None, most: int | None
) -> None:
    waits = [hour * HOUR for hour in reversed(hours)]
    expected = tuple(None if found is None else found * HOUR for found in (median, most))
    assert (stats.quantile(waits, 0.5), stats.quantile(waits, 0.9)) == expected


def test_deliveries_are_told_by_kind_and_state_and_those_in_trouble_with_the_last_reply(engine: Engine) -> None:
    for each in range(1, 5):
        _take_in(engine, NOW - each * HOUR, Lane.ESCALATED)
        _write(engine, each, DeliveryKind.ACKNOWLEDGEMENT, NOW - each * HOUR)
    old = _write(engine, 1, DeliveryKind.PERSON, NOW - 9 * DAY)
    with engine.begin() as connection:
        due = {one.inquiry_id: one for one in outbox.claim(connection, now=NOW, limit=9, lease=HOUR) if one.id != old}
        outbox.settle_sent(connection, due[1], reply="250 ok", now=NOW)
        outbox.settle_deferred(connection, due[2], reply="451 later", next_attempt_at=NOW + HOUR, now=NOW)
        outbox.settle_failed(connection, due[3], state="bounced", reply="550 no such user", now=NOW)
    assert _read(engine, stats.deliveries, since=NOW - DAY) == {
        ("acknowledgement", "sent"): 1,
        ("acknowledgement", "bounced"): 1,
        ("acknowledgement", "queued"): 2,
    }
    assert _read(engine, stats.queued) == {"acknowledgement": 2, "person": 1}
    assert [(one.inquiry_id, one.reply) for one in _read(engine, stats.deferred)] == [(2, "451 later")]
    (came_back,) = _read(engine, stats.failed, since=NOW - DAY)
    assert (came_back.inquiry_id, came_back.state, came_back.reply) == (3, "bounced", "550 no such user")
