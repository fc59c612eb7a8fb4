"""When the office works, as it is written in config.toml."""

import re
from dataclasses import dataclass
from datetime import date, time
from typing import Annotated

from pydantic import PlainValidator

from responder.config.values import listed, quoted, unfit

_HOURS = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_DAY = re.compile(r"(\d\d)-(\d\d)")
_LEAP_YEAR = 2024
_MOST_CLOSED = 100


@dataclass(frozen=True, slots=True)
class Hours:
    """From and to on a wall clock, of one day."""

    opens: time
    closes: time

    def __str__(self) -> str:
        return f"{self.opens:%H:%M}-{self.closes:%H:%M}"


@dataclass(frozen=True, slots=True)
class YearDay:
    """A day of every year, or of every leap year."""

    month: int
    day: int

    def __str__(self) -> str:
        return f"{self.month:02}-{self.day:02}"


def _hours(value: object) -> Hours:
    remedy = 'Write from and to of one day: "09:00-17:30"'
    found = _HOURS.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise unfit(f"{quoted(value)} are no hours", remedy)
    hours = Hours(time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4])))
    if hours.opens >= hours.closes:
        raise unfit(f"{quoted(value)} ends before it begins", remedy)
    return hours


def _year_days(value: object) -> tuple[YearDay, ...]:
    remedy = 'Write month and day: ["12-29", "12-30"]'
    days = tuple(_year_day(one, remedy) for one in listed(value, remedy))
    if len(set(days)) > _MOST_CLOSED:
        raise unfit(f"{len(set(days))} days are too many", f"Name {_MOST_CLOSED} at most; holidays are known without")
    return days


def _year_day(value: object, remedy: str) -> YearDay:
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    try:
        if found is not None:
            day = date(_LEAP_YEAR, int(found[1]), int(found[2]))
            return YearDay(day.month, day.day)
    except ValueError:
        pass
    raise unfit(f"{quoted(value)} is no day of the year", remedy)


OfficeHours = Annotated[Hours, PlainValidator(_hours)]
YearDays = Annotated[tuple[YearDay, ...], PlainValidator(_year_days)]
