"""The inbox on both engines: nothing is lost, nothing is in two hands, and the balance closes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from responder.mail.envelope import Envelope
from responder.store import inbox
from responder.store.engine import reading
from responder.store.inbox import Inquiry, Lane, Settlement

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
ENVELOPE = Envelope("tanaka@contractor.example", ("support@example.jp",))
ANSWERED = Settlement(
    Lane.ANSWERED, "recognised", None, {"entries": ["q04"]}, "共有アドレス", "tanaka@contractor.example"
)


def _accept(engine: Engine, *raws: bytes) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(ENVELOPE, raw) for raw in raws], now=NOW)


def _claim(engine: Engine, *, now: datetime = NOW, limit: int = 10) -> list[Inquiry]:
    with engine.begin() as connection:
        return inbox.claim(connection, now=now, limit=limit, lease=LEASE)


def _settle(engine: Engine, inquiry: Inquiry) -> bool:
    with engine.begin() as connection:
        return inbox.settle(connection, inquiry, ANSWERED, now=NOW)


def test_what_is_accepted_comes_back_byte_by_byte(engine: Engine) -> None:
    raw = bytes(range(256))
    _accept(engine, raw)
    (inquiry,) = _claim(engine)
    assert (inquiry.raw, inquiry.envelope, inquiry.received_at, inquiry.lease) == (raw, ENVELOPE, NOW, 1)


def test_a_rolled_back_acceptance_leaves_nothing(engine: Engine) -> None:
    with engine.connect() as connection:
        inbox.accept(connection, [(ENVELOPE, b"mail")], now=NOW)
        connection.rollback()
    assert _claim(engine) == []


def test_the_oldest_are_claimed_first_and_only_once(engine: Engine) -> None:
    _accept(engine, b"1", b"2", b"3")
    assert [inquiry.raw for inquiry in _claim(engine, limit=2)] == [b"1", b"2"]
    assert [inquiry.raw for inquiry in _claim(engine, limit=2)] == [b"3"]
    assert _claim(engine) == []


def test_a_lease_that_ended_is_given_to_the_next(engine: Engine) -> None:
    _accept(engine, b"mail")
    (first,) = _claim(engine)
    assert _claim(engine, now=NOW + LEASE - timedelta(seconds=1)) == []
    (second,) = _claim(engine, now=NOW + LEASE)
    assert (second.id, second.lease) == (first.id, 2)


def test_one_that_was_leased_before_comes_alone_and_those_behind_it_together(engine: Engine) -> None:
    _accept(engine, b"1", b"2", b"3", b"4", b"5")
    _claim(engine, limit=2)
    _claim(engine, now=NOW + LEASE, limit=1)
    # The second waits for its second lease, the first for its third; three were never in hand.
    later = NOW + 2 * LEASE
    claimed = [[(one.raw, one.lease) for one in _claim(engine, now=later)] for _ in range(4)]
    assert claimed == [[(b"1", 3)], [(b"2", 2)], [(b"3", 1), (b"4", 1), (b"5", 1)], []]


def test_those_that_were_never_leased_do_not_wait_behind_one_that_was(engine: Engine) -> None:
    _accept(engine, b"1", b"2")
    first, second = _claim(engine)
    with engine.begin() as connection:
        inbox.release(connection, [first])
    assert [one.raw for one in _claim(engine, now=NOW + LEASE)] == [b"1"]
    assert [(one.raw, one.lease) for one in _claim(engine, now=NOW + LEASE)] == [(b"2", second.lease + 1)]


def test_a_worker_whose_lease_was_lost_can_settle_nothing(engine: Engine) -> None:
    _accept(engine, b"mail")
    (slow,) = _claim(engine)
    (quick,) = _claim(engine, now=NOW + LEASE)
    with engine.begin() as connection:
        assert not inbox.hold(connection, [slow])
    assert not _settle(engine, slow)
    assert _settle(engine, quick)
    assert not _settle(engine, quick)


def test_a_released_inquiry_counts_as_never_leased(engine: Engine) -> None:
    _accept(engine, b"mail")
    with engine.begin() as connection:
        inbox.release(connection, _claim_in(connection))
    assert [inquiry.lease for inquiry in _claim(engine)] == [1]


def _claim_in(connection: sa.Connection) -> list[Inquiry]:
    return inbox.claim(connection, now=NOW, limit=1, lease=LEASE)


def test_any_waiting_says_what_a_claim_would_find(engine: Engine) -> None:
    with reading(engine) as connection:
        assert not inbox.any_waiting(connection, now=NOW)
    _accept(engine, b"mail")
    with reading(engine) as connection:
        assert inbox.any_waiting(connection, now=NOW)
    _claim(engine)
    with reading(engine) as connection:
        assert not inbox.any_waiting(connection, now=NOW)
        assert inbox.any_waiting(connection, now=NOW + LEASE)


def test_the_balance_closes_whatever_has_happened(engine: Engine) -> None:
    _accept(engine, *(str(number).encode() for number in range(5)))
    for inquiry, lane in zip(_claim(engine, limit=3), Lane, strict=True):
        with engine.begin() as connection:
            inbox.settle(connection, inquiry, Settlement(lane, "reason", None, {}, "", ""), now=NOW)
    with reading(engine) as connection:
        balance = inbox.balance(connection)
    assert balance == {"accepted": 5, "answered": 1, "escalated": 1, "suppressed": 1, "waiting": 2}


def test_workers_at_once_never_hold_the_same_inquiry(engine: Engine) -> None:
    _accept(engine, *(str(number).encode() for number in range(60)))
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: _claim(engine, limit=5), range(16)))
    ids = [inquiry.id for claim in claims for inquiry in claim]
    assert len(ids) == len(set(ids)) == 60


@pytest.mark.parametrize(
    "broken", ["lane = 'lost'", "lane = 'answered', reason = NULL, settled_at = NULL", "reason = 'half'"]
)
def test_the_database_itself_refuses_a_half_settled_row(engine: Engine, broken: str) -> None:
    _accept(engine, b"mail")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE inbox SET {broken}")  # noqa: S608 - the words stand above


def test_a_list_shows_the_newest_first_and_one_lane_where_asked(engine: Engine) -> None:
    _accept(engine, b"1", b"2")
    _settle(engine, _claim(engine, limit=1)[0])
    with reading(engine) as connection:
        assert [row.lane for row in inbox.listing(connection)] == [None, "answered"]
        assert [row.subject for row in inbox.listing(connection, lane="answered")] == ["共有アドレス"]
        assert [row.size for row in inbox.listing(connection, lane="waiting")] == [1]


def test_one_inquiry_is_found_with_all_that_is_kept(engine: Engine) -> None:
    _accept(engine, b"mail")
    (inquiry,) = _claim(engine)
    _settle(engine, inquiry)
    with reading(engine) as connection:
        record = inbox.find(connection, inquiry.id)
        assert inbox.find(connection, inquiry.id + 1) is None
    assert record is not None
    assert (record.raw, record.envelope, record.decision, record.settled_at) == (
        b"mail",
        ENVELOPE,
        {"entries": ["q04"]},
        NOW,
    )


@pytest.mark.parametrize(
    ("other", "same"),
    [
        (Envelope("tanaka@contractor.example", ("support@example.jp",)), True),
        (Envelope("suzuki@contractor.example", ("support@example.jp",)), False),
        (Envelope("tanaka@contractor.example", ("support@example.jp", "faq@example.jp")), False),
        (Envelope("tanaka@contractor.examples", ("upport@example.jp",)), False),
    ],
    ids=["the same mail again", "another sender", "another recipient", "the same letters cut elsewhere"],
)
def test_a_digest_tells_a_repetition_from_another_mail(other: Envelope, same: bool) -> None:
    assert (inbox.digest_of(ENVELOPE, b"mail") == inbox.digest_of(other, b"mail")) is same
    assert inbox.digest_of(ENVELOPE, b"mail") != inbox.digest_of(ENVELOPE, b"mail ")


def test_another_way_here_is_no_other_mail() -> None:
    mail = b"Subject: x\r\n\r\nReceived: text\r\n"
    assert inbox.digest_of(ENVELOPE, b"Received: by x;\r\n\tnow\r\n" + mail) == inbox.digest_of(ENVELOPE, mail)
    assert inbox.digest_of(ENVELOPE, mail) != inbox.digest_of(ENVELOPE, mail.replace(b"Received: ", b""))


def test_a_moment_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(sa.exc.StatementError, match="needs a zone"), engine.begin() as connection:
        inbox.accept(connection, [(ENVELOPE, b"mail")], now=datetime(2026, 11, 24))  # noqa: DTZ001 - the point of it


@pytest.mark.parametrize(
    ("days", "repeated"),
    [
        pytest.param(0, True, id="at once"),
        pytest.param(7, True, id="a client that tries for a week"),
        pytest.param(8, False, id="after that somebody asks again"),
        pytest.param(120, False, id="months later"),
    ],
)
def test_the_same_bytes_are_a_repetition_for_a_week(engine: Engine, days: int, *, repeated: bool) -> None:
    _accept(engine, b"mail")
    _settle(engine, *_claim(engine))
    later = NOW + timedelta(days=days)
    with engine.begin() as connection:
        inbox.accept(connection, [(ENVELOPE, b"mail")], now=later)
    (again,) = _claim(engine, now=later)
    with reading(engine) as connection:
        assert inbox.settled_before(connection, again) is repeated
