"""When a case is due: counted in business days, closed days and Japanese public holidays left out.

A mail counts as received on the business day on which it came, from midnight to the end of business; what comes later
counts as received on the next business day, as post through the door in the evening does. N business days after that
day, at the end of business, its case is due. That is the later of two fair readings by a few hours at most, and the
only one under which a contractor who writes in the night and one who writes at nine have the same day.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_NONE = timedelta(0)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When the office works: `opens` and `closes` are wall-clock times of one day in `zone`, `opens` the earlier."""

    zone: ZoneInfo
    opens: time = time(9)
    closes: time = time(17, 30)
    closed: frozenset[tuple[int, int]] = frozenset()
    """Months and days closed every year besides public holidays, as (12, 29)."""
    weekend: frozenset[int] = frozenset({5, 6})
    """As `date.weekday` counts: 0 is Monday."""


def is_business_day(day: date, calendar: Calendar) -> bool:
    """Neither weekend, nor closed by the calendar, nor a public holiday (substitutes and bridge days included)."""
    if day.weekday() in calendar.weekend or (day.month, day.day) in calendar.closed:
        return False
    return day not in _public_holidays(day.year)


def due_of(opened_at: datetime, calendar: Calendar, business_days: int) -> datetime | None:
    """The end of the last of `business_days` after the day of receipt, in UTC; None where 0 days promise nothing."""
    if business_days == 0:
        return None
    days = _business_days_from(_received_on(opened_at, calendar), calendar)
    return _moment(_nth(days, business_days), calendar.closes, calendar)


def remaining(now: datetime, due_at: datetime, calendar: Calendar) -> timedelta:
    """Business time left until the case is due; negative by the business time that has passed since."""
    return business_time(now, due_at, calendar) if now <= due_at else -business_time(due_at, now, calendar)


def overdue(now: datetime, due_at: datetime | None) -> bool:
    return due_at is not None and now > due_at


def in_business_hours(now: datetime, calendar: Calendar) -> bool:
    """The first instant of a business day's hours counts, the last does not."""
    return any(opens <= now < closes for opens, closes in _hours_of(now, now, calendar))


def business_time(start: datetime, end: datetime, calendar: Calendar) -> timedelta:
    """How much of the time from `start` to `end` lies in business hours; a day of 24 real hours is none the longer."""
    hours = _hours_of(start, end, calendar)
    return sum((max(_NONE, min(end, closes) - max(start, opens)) for opens, closes in hours), _NONE)


def _received_on(opened_at: datetime, calendar: Calendar) -> date:
    """The first business day that has not ended by then."""
    # Instants are compared, not wall clocks: where clocks are set back, a wall clock shows the same time twice, and
    # in some zones the same day. Starting a day early leaves out none of them.
    days = _business_days_from(opened_at.astimezone(calendar.zone).date() - _DAY, calendar)
    return next(day for day in days if opened_at <= _moment(day, calendar.closes, calendar))


def _hours_of(start: datetime, end: datetime, calendar: Calendar) -> Iterator[tuple[datetime, datetime]]:
    """Opening and closing of each business day that may share time with the span."""
    last = end.astimezone(calendar.zone).date() + _DAY
    for day in _business_days_from(start.astimezone(calendar.zone).date() - _DAY, calendar):
        if day > last:
            return
        yield _moment(day, calendar.opens, calendar), _moment(day, calendar.closes, calendar)


def _business_days_from(day: date, calendar: Calendar) -> Iterator[date]:
    while True:
        if is_business_day(day, calendar):
            yield day
        day += _DAY


def _nth(days: Iterator[date], number: int) -> date:
    """Counted from 0."""
    return next(day for place, day in enumerate(days) if place == number)


def _moment(day: date, clock: time, calendar: Calendar) -> datetime:
    return datetime.combine(day, clock, calendar.zone).astimezone(UTC)


@lru_cache(maxsize=16)
def _public_holidays(year: int) -> frozenset[date]:
    """Empty where the library knows no law for the year (before 1949, after 2099)."""
    # Here and not above: it reads in the holidays of every country, which takes most of a second.
    from holidays.countries.japan import Japan

    return frozenset(Japan(years=year))
