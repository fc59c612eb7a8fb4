"""Metrics: the store's figures as Prometheus reads them, on both engines."""

from datetime import UTC, datetime, timedelta

from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.engine import Engine

from responder.desk.metrics import exposition, registry_of
from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import breaker, cases, inbox, outbox, reviews
from responder.store.engine import open_engine
from responder.store.inbox import Lane, Settlement
from responder.store.outbox import DeliveryKind
from responder.store.reviews import Judgement

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TANAKA = "tanaka@contractor.example"


def _scraped(engine: Engine) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels, which are in alphabetical order."""
    text = exposition(registry_of(engine, lambda: NOW)).decode()
    assert TANAKA not in text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _fill(engine: Engine) -> None:
    envelope = Envelope(TANAKA, ("support@example.jp",))
    with engine.begin() as connection:
        inbox.accept(connection, [(envelope, str(number).encode()) for number in range(3)], now=NOW - 2 * HOUR)
        for lane, inquiry in zip(
            (Lane.ANSWERED, Lane.ESCALATED),
            inbox.claim(connection, now=NOW, limit=2, lease=HOUR),
            strict=True,
        ):
            inbox.settle(connection, inquiry, Settlement(lane, "reason", None, {}, "", TANAKA), now=NOW)
        cases.open_case(connection, 2, reason="reason", now=NOW - HOUR)
        kinds = ((1, DeliveryKind.ANSWER, NOW, "q04"), (2, DeliveryKind.ACKNOWLEDGEMENT, NOW - 48 * HOUR, ""))
        for number, kind, at, entry in kinds:
            reply = Reply(f"<{number}@example.jp>", "", TANAKA, b"reply")
            once = f"automatic:{number}"
            outbox.enqueue(connection, reply, inquiry_id=number, kind=kind, once=once, now=at, entries=entry.split())
        new, old = outbox.claim(connection, now=NOW, limit=2, lease=HOUR)
        outbox.settle_sent(connection, new, reply="250 ok", now=NOW)
        outbox.settle_deferred(connection, old, reply="451 later", next_attempt_at=NOW, now=NOW)
        reviews.judge(connection, 1, Judgement.WRONG, who="sato", now=NOW)
        breaker.trip(connection, sent=200, now=NOW)


def test_what_the_store_holds_is_told_under_the_usual_names_and_adds_up(engine: Engine) -> None:
    _fill(engine)
    samples = _scraped(engine)
    expected = {
        ("responder_store_available",): 1,
        ("responder_inquiries_total", "answered"): 1,
        ("responder_inquiries_total", "escalated"): 1,
        ("responder_inquiries_total", "suppressed"): 0,
        ("responder_waiting",): 1,
        ("responder_oldest_waiting_seconds",): 7200,
        ("responder_cases", "open"): 1,
        ("responder_oldest_case_seconds",): 3600,
        ("responder_deliveries", "answer", "sent"): 1,
        ("responder_deliveries", "acknowledgement", "queued"): 1,
        ("responder_breaker_tripped",): 1,
        ("responder_reviews", "wrong"): 1,
        ("responder_reviews", "right"): 0,
    }
    assert {key: samples[key] for key in expected} == expected
    assert any(name.startswith("process_") for name, *_ in samples)


def test_an_empty_store_has_waited_for_nothing(engine: Engine) -> None:
    samples = _scraped(engine)
    names = ("responder_waiting", "responder_oldest_waiting_seconds", "responder_breaker_tripped")
    assert [samples[(name,)] for name in names] == [0, 0, 0]


def test_a_store_that_is_away_is_a_figure_and_the_process_still_tells_of_itself() -> None:
    engine = open_engine("postgresql://nobody@127.0.0.1:9/nothing")
    samples = _scraped(engine)
    assert samples[("responder_store_available",)] == 0
    assert not any(name == "responder_waiting" for name, *_ in samples)
    assert any(name.startswith("process_") for name, *_ in samples)
