"""What Prometheus collects: the figures of the store, read when it asks, and those of this process.

Every process that serves the pages gives the same figures of one store. None of them tells of a person or a mail.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from responder.store import breaker, cases, inbox, reviews, stats
from responder.store.engine import reading

CONTENT_TYPE = CONTENT_TYPE_LATEST

LATELY = timedelta(days=1)
"""Deliveries are counted over a day: all that there ever were would cost a look at each at every scrape."""


class StoreCollector(Collector):
    """Reads a store at each scrape; one that is away is a figure too."""

    def __init__(self, engine: Engine, clock: Callable[[], datetime]) -> None:
        self._engine, self._clock = engine, clock

    def describe(self) -> list[Metric]:
        """Nothing: the registry would ask the store at the start to learn the names."""
        return []

    def collect(self) -> Iterator[Metric]:
        """All figures, or that there are none."""
        try:
            with reading(self._engine) as connection:
                found = list(_figures(connection, self._clock()))
        except SQLAlchemyError:
            found = []
        yield _gauge("responder_store_available", "1 where the store can be read.", float(bool(found)))
        yield from found


Figures = Mapping[tuple[str, ...], int]


def registry_of(engine: Engine, clock: Callable[[], datetime]) -> CollectorRegistry:
    """The figures of a store and of this process."""
    registry = CollectorRegistry()
    registry.register(StoreCollector(engine, clock))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return registry


def exposition(registry: CollectorRegistry) -> bytes:
    """In the text format of Prometheus 0.0.4, UTF-8; asks the store."""
    return generate_latest(registry)


def _figures(conn: Connection, now: datetime) -> Iterator[Metric]:
    balance, backlog, states = inbox.balance(conn), stats.backlog(conn), cases.waiting(conn)
    lanes: Figures = {(lane.value,): balance[lane.value] for lane in inbox.Lane}
    yield _counter("responder_inquiries", "Mails that ended in a lane.", ["lane"], lanes)
    yield _gauge("responder_waiting", "Mails that have no lane yet.", backlog.waiting)
    oldest = _age(backlog.waiting_since, now)
    yield _gauge("responder_oldest_waiting_seconds", "Since the oldest of them came; 0 where there is none.", oldest)
    yield _gauges("responder_cases", "Cases by state.", ["state"], {(state,): n for state, n in states.items()})
    oldest = _age(backlog.cases_since, now)
    yield _gauge("responder_oldest_case_seconds", "Since the oldest case not closed opened; 0: none.", oldest)
    yield from _deliveries(conn, now)
    tripped = float(breaker.in_force(conn) is not None)
    yield _gauge("responder_breaker_tripped", "1 where automatic mail is stopped.", tripped)
    judged: Figures = {(judgement.value,): n for judgement, n in reviews.tally(conn).items()}
    yield _gauges("responder_reviews", "Automatic answers that people judged, by what they said.", ["verdict"], judged)


def _deliveries(conn: Connection, now: datetime) -> Iterator[Metric]:
    known = stats.deliveries(conn, since=now - LATELY)
    ended: Figures = {(state, kind): n for (kind, state), n in known.items() if state != "queued"}
    queued: Figures = {("queued", kind): n for kind, n in stats.queued(conn).items()}
    words = "Mails that leave: the queued ones, and what became of those written in the last day."
    yield _gauges("responder_deliveries", words, ["state", "kind"], {**queued, **ended})


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max((now - since).total_seconds(), 0.0)


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(name, words, value=value)


def _gauges(name: str, words: str, labels: list[str], values: Figures) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family


def _counter(name: str, words: str, labels: list[str], values: Figures) -> Metric:
    family = CounterMetricFamily(name, words, labels=labels)
    for label, value in values.items():
        family.add_metric(label, value)
    return family
