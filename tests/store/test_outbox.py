"""The outbox on both engines: nothing leaves twice, nothing is in two hands, and a person goes before a timer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine
from sqlalchemy.exc import IntegrityError

from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import automatic, inbox, outbox
from responder.store.engine import open_engine, reading
from responder.store.outbox import Delivery, DeliveryKind, Earlier

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=20)
MINUTE = timedelta(minutes=1)
TANAKA = "tanaka@contractor.example"
ENVELOPE = Envelope(TANAKA, ("support@example.jp",))


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store that three mails were taken into: their numbers are 1, 2 and 3."""
    opened = open_engine(made_url)
    with opened.begin() as connection:
        inbox.accept(connection, [(ENVELOPE, str(number).encode()) for number in (1, 2, 3)], now=NOW)
    yield opened
    opened.dispose()


def _reply(name: str, *, recipient: str = TANAKA, raw: bytes = b"mail") -> Reply:
    return Reply(f"<{name}@example.jp>", "", recipient, raw)


def _enqueue(
    engine: Engine,
    name: str,
    *,
    inquiry: int = 1,
    kind: DeliveryKind = DeliveryKind.ANSWER,
    once: str | None = None,
    recipient: str = TANAKA,
    now: datetime = NOW,
) -> int | None:
    with engine.begin() as connection:
        reply = _reply(name, recipient=recipient)
        return outbox.enqueue(connection, reply, inquiry_id=inquiry, kind=kind, once=once or name, now=now)


def _claim(engine: Engine, *, now: datetime = NOW, limit: int = 10) -> list[Delivery]:
    with engine.begin() as connection:
        return outbox.claim(connection, now=now, limit=limit, lease=LEASE)


def _one(engine: Engine, *, now: datetime = NOW) -> Delivery:
    (delivery,) = _claim(engine, now=now)
    return delivery


def _sent(engine: Engine, delivery: Delivery, *, now: datetime = NOW) -> bool:
    with engine.begin() as connection:
        return outbox.settle_sent(connection, delivery, reply="250 ok", now=now)


def _deferred(engine: Engine, delivery: Delivery, until: datetime, *, now: datetime = NOW) -> bool:
    with engine.begin() as connection:
        return outbox.settle_deferred(connection, delivery, reply="451 later", next_attempt_at=until, now=now)


def _bounced(engine: Engine, delivery: Delivery, *, now: datetime = NOW) -> bool:
    with engine.begin() as connection:
        return outbox.settle_failed(connection, delivery, state="bounced", reply="550 no", now=now)


def _hold(engine: Engine, number: int, *, now: datetime = NOW) -> bool:
    with engine.begin() as connection:
        return outbox.hold(connection, number, now=now)


def _retry(engine: Engine, number: int, *, now: datetime = NOW) -> bool:
    with engine.begin() as connection:
        return outbox.retry(connection, number, now=now)


def _rows(engine: Engine, *, state: str | None = None, inquiry: int | None = None) -> list[outbox.Listing]:
    with reading(engine) as connection:
        return outbox.listing(connection, state=state, inquiry_id=inquiry)


def _row(engine: Engine) -> outbox.Listing:
    (row,) = _rows(engine)
    return row


def test_what_is_enqueued_comes_to_the_courier_byte_by_byte(engine: Engine) -> None:
    raw = bytes(range(256))
    reply = Reply("<answer.1@example.jp>", "support@example.jp", TANAKA, raw)
    with engine.begin() as connection:
        number = outbox.enqueue(
            connection, reply, inquiry_id=2, kind=DeliveryKind.PERSON, once="person:2:1", now=NOW + MINUTE
        )
        assert number is not None
        assert outbox.raw_of(connection, number) == raw
        assert outbox.raw_of(connection, number + 1) is None
    assert _one(engine, now=NOW + MINUTE) == Delivery(
        id=number,
        inquiry_id=2,
        kind=DeliveryKind.PERSON,
        message_id="<answer.1@example.jp>",
        sender="support@example.jp",
        recipient=TANAKA,
        raw=raw,
        attempts=1,
        created_at=NOW + MINUTE,
        lease=1,
        lease_until=NOW + MINUTE + LEASE,
    )


def test_what_may_leave_once_is_not_enqueued_again(engine: Engine) -> None:
    first = _enqueue(engine, "first", once="automatic:d1")
    second = _enqueue(engine, "second", inquiry=2, once="automatic:d1", kind=DeliveryKind.ACKNOWLEDGEMENT)
    assert (first is not None, second) == (True, None)
    assert [row.message_id for row in _rows(engine)] == ["<first@example.jp>"]


def test_a_conflict_leaves_the_transaction_around_it_whole(engine: Engine) -> None:
    _enqueue(engine, "first", once="automatic:d1")
    with engine.begin() as connection:
        kind = DeliveryKind.ANSWER
        assert outbox.enqueue(connection, _reply("b"), inquiry_id=1, kind=kind, once="automatic:d1", now=NOW) is None
        assert outbox.enqueue(connection, _reply("c"), inquiry_id=1, kind=kind, once="automatic:d2", now=NOW)
    assert len(_rows(engine)) == 2


def test_what_was_sent_still_may_not_leave_again(engine: Engine) -> None:
    _enqueue(engine, "first", once="automatic:d1")
    assert _sent(engine, _one(engine))
    assert _enqueue(engine, "second", once="automatic:d1") is None


def test_two_connections_that_race_enqueue_one_mail(engine: Engine) -> None:
    barrier = Barrier(4)

    def enqueue(number: int) -> list[int | None]:
        found = []
        for turn in range(10):
            barrier.wait(timeout=30)
            found.append(_enqueue(engine, f"{turn}.{number}", once=f"automatic:{turn}"))
        return found

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(enqueue, range(4)))
    for turn in range(10):
        assert sum(numbers[turn] is not None for numbers in found) == 1
    assert len(_rows(engine)) == 10


def test_a_second_transaction_waits_for_the_first_and_then_finds_it_taken(engine: Engine) -> None:
    with ThreadPoolExecutor(1) as pool:
        with engine.begin() as connection:
            assert outbox.enqueue(
                connection, _reply("a"), inquiry_id=1, kind=DeliveryKind.ANSWER, once="automatic:d1", now=NOW
            )
            other = pool.submit(_enqueue, engine, "b", once="automatic:d1")
        assert other.result(timeout=30) is None


def test_what_was_rolled_back_may_still_leave(engine: Engine) -> None:
    with engine.connect() as connection:
        assert outbox.enqueue(
            connection, _reply("a"), inquiry_id=1, kind=DeliveryKind.ANSWER, once="automatic:d1", now=NOW
        )
        connection.rollback()
    assert _enqueue(engine, "b", once="automatic:d1") is not None


def test_an_inquiry_that_is_none_gets_no_mail(engine: Engine) -> None:
    with pytest.raises(IntegrityError):
        _enqueue(engine, "first", inquiry=99)


@pytest.mark.parametrize("broken", ["state = 'lost'", "kind = 'advert'", "recipient = NULL"])
def test_the_database_itself_refuses_a_row_that_cannot_be(engine: Engine, broken: str) -> None:
    _enqueue(engine, "first")
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE outbox SET {broken}")  # noqa: S608 - the words stand above


def test_any_due_says_what_a_claim_would_find(engine: Engine) -> None:
    def any_due(now: datetime = NOW) -> bool:
        with reading(engine) as connection:
            return outbox.any_due(connection, now=now)

    assert not any_due()
    _enqueue(engine, "first", now=NOW + MINUTE)
    assert (any_due(), any_due(NOW + MINUTE)) == (False, True)
    delivery = _one(engine, now=NOW + MINUTE)
    assert (any_due(NOW + MINUTE), any_due(NOW + MINUTE + LEASE)) == (False, True)
    _sent(engine, delivery)
    assert not any_due(NOW + 2 * LEASE)


def test_what_has_been_due_longest_is_claimed_first(engine: Engine) -> None:
    late = _enqueue(engine, "late", now=NOW + 2 * MINUTE)
    early = _enqueue(engine, "early", now=NOW)
    same = _enqueue(engine, "same", now=NOW)
    _enqueue(engine, "not yet", now=NOW + 4 * MINUTE)
    claims = [_claim(engine, now=NOW + 3 * MINUTE, limit=1) for _ in range(4)]
    assert [[delivery.id for delivery in claim] for claim in claims] == [[early], [same], [late], []]


def test_a_claim_takes_no_more_than_its_limit(engine: Engine) -> None:
    for name in ("a", "b", "c"):
        _enqueue(engine, name)
    assert [len(_claim(engine, limit=2)) for _ in range(3)] == [2, 1, 0]


def test_a_lease_that_ended_goes_to_the_next_courier_and_counts_as_an_attempt(engine: Engine) -> None:
    _enqueue(engine, "first")
    first = _one(engine)
    assert _claim(engine, now=NOW + LEASE - timedelta(seconds=1)) == []
    second = _one(engine, now=NOW + LEASE)
    assert (second.id, second.lease, second.attempts) == (first.id, 2, 2)


def test_a_courier_whose_lease_was_lost_can_settle_nothing(engine: Engine) -> None:
    _enqueue(engine, "first")
    slow = _one(engine)
    quick = _one(engine, now=NOW + LEASE)
    before = _row(engine)
    assert not _sent(engine, slow)
    assert not _bounced(engine, slow)
    assert not _deferred(engine, slow, NOW + 2 * LEASE)
    assert _row(engine) == before
    assert _sent(engine, quick)


def test_a_lease_that_ended_and_went_to_nobody_still_settles(engine: Engine) -> None:
    _enqueue(engine, "first")
    delivery = _one(engine)
    assert _sent(engine, delivery, now=NOW + 2 * LEASE)


def test_what_is_settled_is_settled_once(engine: Engine) -> None:
    _enqueue(engine, "first")
    delivery = _one(engine)
    assert _sent(engine, delivery)
    assert not _bounced(engine, delivery)
    assert not _deferred(engine, delivery, NOW)
    assert (_row(engine).state, _row(engine).reply, _row(engine).next_attempt_at) == ("sent", "250 ok", None)
    assert _claim(engine, now=NOW + 2 * LEASE) == []


def test_couriers_at_once_never_hold_the_same_mail(engine: Engine) -> None:
    for number in range(40):
        _enqueue(engine, str(number))
    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: _claim(engine, limit=4), range(14)))
    ids = [delivery.id for claim in claims for delivery in claim]
    assert len(ids) == len(set(ids)) == 40


def test_a_deferred_mail_waits_until_its_moment(engine: Engine) -> None:
    _enqueue(engine, "first")
    assert _deferred(engine, _one(engine), NOW + MINUTE)
    row = _row(engine)
    assert (row.state, row.reply, row.next_attempt_at) == ("queued", "451 later", NOW + MINUTE)
    assert _claim(engine, now=NOW + MINUTE - timedelta(seconds=1)) == []
    again = _one(engine, now=NOW + MINUTE)
    assert (again.attempts, again.lease, again.created_at) == (2, 2, NOW)


def test_a_mail_is_never_deferred_into_the_past(engine: Engine) -> None:
    _enqueue(engine, "first")
    assert _deferred(engine, _one(engine), NOW - MINUTE, now=NOW + MINUTE)
    assert _row(engine).next_attempt_at == NOW + MINUTE


@pytest.mark.parametrize("state", ["bounced", "expired"])
def test_a_failed_mail_is_not_tried_again_by_itself(engine: Engine, state: str) -> None:
    _enqueue(engine, "first")
    with engine.begin() as connection:
        delivery = outbox.claim(connection, now=NOW, limit=1, lease=LEASE)[0]
        assert outbox.settle_failed(
            connection, delivery, state="bounced" if state == "bounced" else "expired", reply="550 no", now=NOW
        )
    row = _row(engine)
    assert (row.state, row.reply, row.next_attempt_at) == (state, "550 no", None)
    assert _claim(engine, now=NOW + timedelta(days=9)) == []


def test_a_held_mail_waits_for_a_person(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    assert _hold(engine, number)
    assert not _hold(engine, number)
    assert _row(engine).state == "held"
    assert _claim(engine, now=NOW + timedelta(days=9)) == []
    assert _retry(engine, number, now=NOW + MINUTE)
    assert _one(engine, now=NOW + MINUTE).id == number


def test_what_is_in_the_couriers_hand_is_neither_held_nor_retried(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    delivery = _one(engine)
    assert not _hold(engine, number)
    assert not _retry(engine, number)
    assert _sent(engine, delivery)


def test_a_mail_whose_courier_died_can_be_held_or_retried_once_its_lease_ends(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    _claim(engine)
    assert _hold(engine, number, now=NOW + LEASE)
    assert _retry(engine, number, now=NOW + LEASE)
    assert _one(engine, now=NOW + LEASE).attempts == 1


def test_a_courier_that_sent_a_mail_held_meanwhile_is_believed(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    slow = _one(engine)
    assert _hold(engine, number, now=NOW + LEASE)
    assert _sent(engine, slow, now=NOW + LEASE)
    assert _row(engine).state == "sent"
    assert not _retry(engine, number, now=NOW + LEASE)


def test_a_held_mail_stays_held_although_a_late_courier_defers_it(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    slow = _one(engine)
    assert _hold(engine, number, now=NOW + LEASE)
    assert _deferred(engine, slow, NOW + LEASE + MINUTE, now=NOW + LEASE)
    assert _row(engine).state == "held"
    assert _claim(engine, now=NOW + 3 * LEASE) == []


def test_what_was_sent_failed_or_never_was_cannot_be_held(engine: Engine) -> None:
    sent, bounced = _enqueue(engine, "sent"), _enqueue(engine, "bounced")
    assert sent is not None
    assert bounced is not None
    first, second = _claim(engine)
    _sent(engine, first)
    _bounced(engine, second)
    assert [_hold(engine, number, now=NOW + LEASE) for number in (sent, bounced, 99)] == [False, False, False]


def test_a_sent_mail_or_none_at_all_cannot_be_retried(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    _sent(engine, _one(engine))
    assert not _retry(engine, number, now=NOW + LEASE)
    assert not _retry(engine, 99)
    assert _row(engine).state == "sent"


def test_a_retry_begins_the_time_to_live_anew(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    _bounced(engine, _one(engine))
    later = NOW + timedelta(days=3)
    assert _retry(engine, number, now=later)
    row = _row(engine)
    assert (row.state, row.attempts, row.next_attempt_at, row.created_at) == ("queued", 0, later, NOW)
    again = _one(engine, now=later)
    assert (again.attempts, again.created_at, again.lease) == (1, later, 2)
    assert _sent(engine, again, now=later)


def test_a_retry_does_not_wait_for_the_moment_a_mail_was_deferred_to(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    _deferred(engine, _one(engine), NOW + timedelta(hours=1))
    assert _retry(engine, number, now=NOW + MINUTE)
    assert _one(engine, now=NOW + MINUTE).id == number


def test_a_courier_that_lost_its_mail_to_a_retry_can_settle_nothing(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    slow = _one(engine)
    _bounced(engine, _one(engine, now=NOW + LEASE))
    _retry(engine, number, now=NOW + LEASE)
    assert not _sent(engine, slow, now=NOW + LEASE)
    assert _row(engine).state == "queued"


def test_our_mails_are_found_by_their_ids_newest_first(engine: Engine) -> None:
    _enqueue(engine, "a", inquiry=1)
    _enqueue(engine, "b", inquiry=3, kind=DeliveryKind.PERSON)
    ids = ["<a@example.jp>", "<unknown@contractor.example>", "<b@example.jp>"]
    with reading(engine) as connection:
        assert outbox.of_message_ids(connection, ids) == [
            Earlier(2, "<b@example.jp>", 3, DeliveryKind.PERSON, TANAKA),
            Earlier(1, "<a@example.jp>", 1, DeliveryKind.ANSWER, TANAKA),
        ]
        assert outbox.of_message_ids(connection, []) == []
        assert outbox.of_message_ids(connection, ["<A@example.jp>"]) == []


def test_automatic_mails_to_one_address_are_counted_from_a_moment_on(engine: Engine) -> None:
    _enqueue(engine, "long ago", now=NOW - 2 * MINUTE)
    _enqueue(engine, "at the moment", now=NOW - MINUTE)
    _enqueue(engine, "answer", now=NOW)
    _enqueue(engine, "acknowledgement", kind=DeliveryKind.ACKNOWLEDGEMENT, now=NOW)
    _enqueue(engine, "person", kind=DeliveryKind.PERSON, now=NOW)
    _enqueue(engine, "other", recipient="suzuki@contractor.example", now=NOW)
    _enqueue(engine, "tagged", recipient="Tanaka+keiyaku@Contractor.Example", now=NOW)
    _enqueue(engine, "a subdomain", recipient="tanaka@mail.contractor.example", now=NOW)
    _enqueue(engine, "elsewhere", recipient="tanaka@client.example", now=NOW)
    with reading(engine) as connection:
        assert len(automatic.to(connection, TANAKA, since=NOW - MINUTE)) == 3
        assert automatic.to(connection, "nobody@contractor.example", since=NOW - MINUTE) == []
        assert automatic.there(connection, "nobody@contractor.example", since=NOW - MINUTE) == 5
        assert automatic.at_all(connection, since=NOW - MINUTE) == 6


def test_a_retry_does_not_make_a_mail_count_as_new(engine: Engine) -> None:
    number = _enqueue(engine, "first")
    assert number is not None
    _bounced(engine, _one(engine))
    _retry(engine, number, now=NOW + timedelta(hours=2))
    with reading(engine) as connection:
        assert automatic.to(connection, TANAKA, since=NOW + timedelta(hours=1)) == []


def test_a_list_shows_the_newest_first_and_one_state_or_inquiry_where_asked(engine: Engine) -> None:
    first, second = _enqueue(engine, "a", inquiry=1), _enqueue(engine, "b", inquiry=2)
    third = _enqueue(engine, "c", inquiry=1, kind=DeliveryKind.PERSON)
    assert second is not None
    _hold(engine, second)
    assert [row.id for row in _rows(engine)] == [third, second, first]
    assert [row.id for row in _rows(engine, state="held")] == [second]
    assert [row.id for row in _rows(engine, inquiry=1)] == [third, first]
    assert [row.id for row in _rows(engine, inquiry=1, state="held")] == []
    with reading(engine) as connection:
        assert [row.id for row in outbox.listing(connection, limit=1)] == [third]


def test_a_moment_without_a_zone_is_refused(engine: Engine) -> None:
    with pytest.raises(sa.exc.StatementError, match="needs a zone"):
        _enqueue(engine, "first", now=datetime(2026, 11, 24))  # noqa: DTZ001 - the point of it


def _withdraw(engine: Engine, number: int, *, now: datetime = NOW) -> bool:
    with engine.begin() as connection:
        return outbox.withdraw(connection, number, now=now)


def _standing(engine: Engine) -> list[tuple[str, datetime | None]]:
    with reading(engine) as connection:
        return [(row.standing, row.next_attempt_at) for row in outbox.listing(connection)]


def test_no_courier_takes_a_mail_before_its_moment(engine: Engine) -> None:
    with engine.begin() as connection:
        later = NOW + MINUTE
        given: dict[str, Any] = {"inquiry_id": 1, "kind": DeliveryKind.PERSON, "once": "a", "now": NOW}
        outbox.enqueue(connection, _reply("a"), not_before=later, **given)
    assert _claim(engine) == []
    assert len(_claim(engine, now=later)) == 1


def test_a_withdrawn_mail_never_leaves_and_nothing_revives_it(engine: Engine) -> None:
    number = _enqueue(engine, "a")
    assert number is not None
    assert _withdraw(engine, number)
    assert not _withdraw(engine, number)
    with engine.begin() as connection:
        assert not outbox.retry(connection, number, now=NOW)
        assert not outbox.hold(connection, number, now=NOW)
        assert not outbox.settle_returned(connection, number, reply="550", now=NOW)
        assert outbox.written_about(connection, [1]) == frozenset()
    assert _claim(engine, now=NOW + 99 * MINUTE) == []
    assert _standing(engine) == [("withdrawn", None)]


def test_what_a_courier_has_had_in_hand_is_not_withdrawn(engine: Engine) -> None:
    number = _enqueue(engine, "a")
    assert number is not None
    delivery = _one(engine)
    assert not _withdraw(engine, number)
    assert not _withdraw(engine, number, now=NOW + 99 * MINUTE)
    assert _deferred(engine, delivery, NOW + MINUTE)
    assert not _withdraw(engine, number)
    assert _standing(engine) == [("deferred", NOW + MINUTE)]


def test_what_was_tried_once_is_not_withdrawn_though_it_is_to_be_tried_anew(engine: Engine) -> None:
    number = _enqueue(engine, "a")
    assert number is not None
    assert _deferred(engine, _one(engine), NOW + MINUTE)
    with engine.begin() as connection:
        assert outbox.retry(connection, number, now=NOW)
    # Nobody knows whether the next hop has it from the first attempt.
    assert not _withdraw(engine, number)


def test_a_mail_is_withdrawn_or_claimed_and_never_both(engine: Engine) -> None:
    numbers = [number for number in (_enqueue(engine, f"m{i}") for i in range(12)) if number is not None]
    barrier = Barrier(2)

    def withdraw() -> list[bool]:
        barrier.wait(timeout=30)
        return [_withdraw(engine, number) for number in numbers]

    def claim() -> set[int]:
        barrier.wait(timeout=30)
        return {one.id for _ in numbers for one in _claim(engine, limit=1)}

    with ThreadPoolExecutor(2) as pool:
        withdrawn, claimed = pool.submit(withdraw), pool.submit(claim)
    gone = {number for number, done in zip(numbers, withdrawn.result(), strict=True) if done}
    assert gone.isdisjoint(claimed.result())
    assert gone | claimed.result() == set(numbers)
