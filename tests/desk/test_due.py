from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.desk.due import Calendar, business_time, due_of, in_business_hours, is_business_day, overdue, remaining

TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YEAR = frozenset({(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)})
OFFICE = Calendar(TOKYO, closed=NEW_YEAR)
# Clocks go back at midnight there, so one day's last hour comes twice and the date steps back.
SANTIAGO = Calendar(ZoneInfo("America/Santiago"), opens=time(22), closes=time(23, 30), weekend=frozenset())


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=TOKYO)


@pytest.mark.parametrize(
    ("opened", "days", "due"),
    [
        pytest.param("2026-06-01 10:00", 1, "2026-06-02 17:30", id="in hours: the next day"),
        pytest.param("2026-06-01 03:00", 1, "2026-06-02 17:30", id="before opening: the day itself is that of receipt"),
        pytest.param("2026-06-01 17:30", 1, "2026-06-02 17:30", id="at the last instant: still that day"),
        pytest.param("2026-06-01 17:30:01", 1, "2026-06-03 17:30", id="after hours: received the next business day"),
        pytest.param("2026-06-05 18:00", 1, "2026-06-09 17:30", id="Friday evening: received on Monday"),
        pytest.param("2026-06-06 10:00", 3, "2026-06-11 17:30", id="Saturday: received on Monday"),
        pytest.param("2026-05-01 10:00", 1, "2026-05-07 17:30", id="Golden Week, with its substitute holiday on 6 May"),
        pytest.param("2026-09-18 10:00", 1, "2026-09-24 17:30", id="a bridge day between two holidays (22 September)"),
        pytest.param("2026-12-28 10:00", 1, "2027-01-04 17:30", id="the office's own closed days over the new year"),
        pytest.param("2026-12-28 18:00", 3, "2027-01-07 17:30", id="the last evening of the year's business"),
    ],
)
def test_a_case_is_due_at_the_end_of_a_business_day(opened: str, days: int, due: str) -> None:
    assert due_of(at(opened), OFFICE, days) == at(due)


def test_no_days_promised_is_no_due_time() -> None:
    assert due_of(at("2026-06-01 10:00"), OFFICE, 0) is None
    assert not overdue(at("2026-06-01 10:00"), None)


moments = st.integers(0, 78 * 365 * 86_400).map(lambda second: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(0, second))


@given(moments, st.timedeltas(timedelta(0), timedelta(days=9)), st.integers(1, 30), st.sampled_from([OFFICE, SANTIAGO]))
def test_what_comes_later_is_never_due_earlier(opened: datetime, later: timedelta, days: int, where: Calendar) -> None:
    first, second = due_of(opened, where, days), due_of(opened + later, where, days)
    assert first is not None
    assert second is not None
    assert opened < first <= second
    assert is_business_day(first.astimezone(where.zone).date(), where)
    assert first < (due_of(opened, where, days + 1) or first)


def test_what_comes_in_an_hour_that_clocks_show_twice_is_never_due_earlier() -> None:
    clock_back = datetime(2026, 4, 5, 3, tzinfo=UTC)
    moments = [clock_back + timedelta(minutes=10 * step) for step in range(-9, 9)]
    due = [due_of(moment, SANTIAGO, 1) or clock_back for moment in moments]
    assert due == sorted(due)
    assert len(set(due)) == 2


def test_the_hours_of_a_day_on_which_clocks_change_are_real_hours() -> None:
    night = Calendar(ZoneInfo("Europe/Berlin"), opens=time(1), closes=time(5), weekend=frozenset())
    march, october = (datetime(2026, *day, tzinfo=night.zone) for day in ((3, 29), (10, 25)))
    assert business_time(march, march + timedelta(days=1), night) == timedelta(hours=3)
    assert business_time(october, october + timedelta(days=1), night) == timedelta(hours=5)


@pytest.mark.parametrize(
    ("now", "left"),
    [
        pytest.param("2026-06-05 15:30", timedelta(hours=10, minutes=30), id="a weekend between is no time"),
        pytest.param("2026-06-08 17:00", timedelta(minutes=30), id="the last half hour"),
        pytest.param("2026-06-08 17:30", timedelta(0), id="now"),
        pytest.param("2026-06-09 08:00", timedelta(0), id="a night past it is no business time"),
        pytest.param("2026-06-09 10:00", timedelta(hours=-1), id="an hour of business past it"),
    ],
)
def test_what_remains_is_business_time(now: str, left: timedelta) -> None:
    assert remaining(at(now), at("2026-06-08 17:30"), OFFICE) == left


@given(moments, moments, moments)
def test_business_time_adds_up(one: datetime, two: datetime, three: datetime) -> None:
    start, middle, end = sorted((one, two, three))
    end = min(end, start + timedelta(days=40))
    middle = min(middle, end)
    parts = business_time(start, middle, OFFICE) + business_time(middle, end, OFFICE)
    assert parts == business_time(start, end, OFFICE)


def test_a_case_is_overdue_when_its_time_is_past() -> None:
    due = at("2026-06-08 17:30")
    assert [overdue(now, due) for now in (due, due + timedelta(seconds=1))] == [False, True]


@pytest.mark.parametrize(
    ("now", "open_then"),
    [("2026-06-01 08:59", False), ("2026-06-01 09:00", True), ("2026-06-01 17:30", False), ("2026-05-06 10:00", False)],
)
def test_business_hours_are_those_of_business_days(now: str, open_then: bool) -> None:
    assert in_business_hours(at(now), OFFICE) is open_then


def test_public_holidays_are_japans() -> None:
    assert not is_business_day(date(2026, 11, 3), OFFICE)
    assert is_business_day(date(2026, 11, 4), OFFICE)
