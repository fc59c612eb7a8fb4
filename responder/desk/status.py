"""The page of figures: where mails ended, what waits, what stands in the way, and how sure the machine is."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.corpus import Entry
from responder.desk import charts
from responder.desk.charts import Column, Point
from responder.desk.rendering import Said
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit
from responder.store import automatic, breaker, cases, inbox, reviews, stats
from responder.store.accounts import Role
from responder.store.outbox import Listing
from responder.store.reviews import Judgement
from responder.store.stats import Answered, Backlog, Day
from responder.triage.reading import Knowledge
from responder.triage.trial import NEVER, Standing

DAYS = 30
"""As far back as figures by day go."""
BREAKER = "/status/breaker"


@dataclass(frozen=True, slots=True)
class Figures:
    """All that the store says, of one moment."""

    balance: dict[str, int]
    days: list[Day]
    backlog: Backlog
    cases: dict[str, int]
    answers: list[Answered]
    deliveries: dict[tuple[str, str], int]
    deferred: list[Listing]
    failed: list[Listing]
    reviews: Standing
    trip: breaker.Trip | None

    @property
    def automatic_share(self) -> float | None:
        """Of the mails of these days that wanted an answer, those that a machine gave it to."""
        return stats.automatic_share(self.days)

    @property
    def median(self) -> timedelta | None:
        """Of the waits for a person's answer."""
        return stats.quantile([answer.after for answer in self.answers], 0.5)

    @property
    def most(self) -> timedelta | None:
        """What nine waits in ten did not exceed."""
        return stats.quantile([answer.after for answer in self.answers], 0.9)


@dataclass(frozen=True, slots=True)
class EntryStanding:
    """How an entry does, and whether a machine may send it."""

    entry: Entry
    standing: Standing
    """In the trial and as people judged it."""
    judged: Standing
    wrong_at_most: float
    stopped: bool


async def show(visit: Visit) -> Response:
    """The figures."""
    zone = visit.desk.zone
    figures = await visit.read(lambda conn: _figures(conn, zone, visit.now))
    knowledge = visit.desk.knowledge()
    delta = visit.desk.delta if knowledge is None or knowledge.promise is None else knowledge.promise.delta
    return visit.page(
        "status.html",
        figures=figures,
        lanes=[
            Column(_label(day.date), (day.answered, day.escalated, day.suppressed, day.waiting)) for day in figures.days
        ],
        waits=waits_by_day(figures.answers, [day.date for day in figures.days], zone),
        charts=charts,
        refused=visit.desk.refused(),
        knowledge=knowledge,
        standings=standings_of(knowledge, delta),
        delta=delta,
        reviews_at_most=figures.reviews.wrong_at_most(delta),
        count=DAYS,
        breaker_page=BREAKER,
    )


def _figures(conn: Connection, zone: ZoneInfo, now: datetime) -> Figures:
    since = now - timedelta(days=DAYS)
    said = reviews.tally(conn)
    return Figures(
        balance=inbox.balance(conn),
        days=stats.by_day(conn, zone=zone, days=DAYS, now=now),
        backlog=stats.backlog(conn),
        cases=cases.waiting(conn),
        answers=stats.answers_of_people(conn, since=since),
        deliveries=stats.deliveries(conn, since=since),
        deferred=stats.deferred(conn),
        failed=stats.failed(conn, since=since),
        reviews=Standing(sum(said.values()), said[Judgement.WRONG]),
        trip=breaker.in_force(conn),
    )


def waits_by_day(answers: Sequence[Answered], days: Sequence[date], zone: ZoneInfo) -> list[Point]:
    """The median wait of each day's answers, in hours; none on a day without answers."""
    of_day: dict[date, list[timedelta]] = defaultdict(list)
    for answer in answers:
        of_day[answer.at.astimezone(zone).date()].append(answer.after)
    medians = [(day, stats.quantile(of_day[day], 0.5)) for day in days]
    return [Point(_label(day), None if wait is None else round(wait / timedelta(hours=1), 1)) for day, wait in medians]


def _label(day: date) -> str:
    return f"{day.month}/{day.day}"


def standings_of(knowledge: Knowledge | None, delta: float) -> list[EntryStanding]:
    """Of all entries in force, in their order; none where no worker runs in this process."""
    if knowledge is None:
        return []
    found = []
    for entry in knowledge.corpus.entries:
        standing, judged = knowledge.standings.get(entry.id, NEVER), knowledge.judged.get(entry.id, NEVER)
        stopped = entry.id in knowledge.thresholds.unproven
        found.append(EntryStanding(entry, standing, judged, standing.wrong_at_most(delta), stopped))
    return found


async def show_breaker(visit: Visit) -> Response:
    """What to look at before automatic mail leaves again, and the button for it."""
    hour = visit.now - timedelta(hours=1)
    trips, lately_sent = await visit.read(
        lambda conn: (breaker.listing(conn, limit=10), automatic.at_all(conn, since=hour))
    )
    trip = next((one for one in trips if one.reset_at is None), None)
    return visit.page("breaker.html", trips=trips, trip=trip, lately_sent=lately_sent, breaker_page=BREAKER)


async def reset_breaker(visit: Visit, form: Form) -> Response:
    """Let automatic mail leave again, if it is the trip that the page showed."""
    number = form.number("trip")

    def change(conn: Connection) -> bool | None:
        trip = breaker.in_force(conn)
        if trip is None or trip.id != number:
            return False
        visit.noted(conn, "breaker.reset", f"trip:{trip.id}", f"{trip.sent} mails in an hour")
        return breaker.reset(conn, who=visit.account.login, now=visit.now)

    if number is None:
        return not_found(visit)
    return visit.to("/status", said=Said.RESUMED if await visit.write(change) else Said.RESUMED_BEFORE)


ROUTES = [
    page("/status", show),
    page(BREAKER, show_breaker, Role.ADMINISTRATOR),
    action(BREAKER, reset_breaker, Role.ADMINISTRATOR),
]
