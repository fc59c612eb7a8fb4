"""Cases on both engines: open, taken, closed; whose they are, and what happened to them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Barrier

import pytest
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.exc import IntegrityError

from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import case_events, cases, casework, inbox, outbox
from responder.store.case_events import CaseEvent
from responder.store.cases import Case
from responder.store.engine import open_engine, reading
from responder.store.inbox import Lane, Settlement
from responder.store.outbox import DeliveryKind

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TANAKA = "tanaka@contractor.example"


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store that five mails were taken into: their numbers are 1 to 5."""
    opened = open_engine(made_url)
    envelope = Envelope(TANAKA, ("support@example.jp",))
    with opened.begin() as connection:
        inbox.accept(connection, [(envelope, str(number).encode()) for number in range(1, 6)], now=NOW)
    yield opened
    opened.dispose()


def _open(
    engine: Engine,
    number: int = 1,
    *,
    reason: str = "no entry fits well enough",
    now: datetime = NOW,
    caused_by: int | None = None,
) -> None:
    with engine.begin() as connection:
        cases.open_case(connection, number, reason=reason, now=now, caused_by=caused_by)


def _take(engine: Engine, who: str, number: int = 1, *, now: datetime = NOW) -> bool:
    with engine.begin() as connection:
        return casework.take(connection, number, who=who, now=now) is None


def _close(
    engine: Engine, who: str, number: int = 1, *, now: datetime = NOW, delivery: int | None = None, reason: str = "spam"
) -> bool:
    with engine.begin() as connection:
        if delivery is not None:
            return casework.close_answered(connection, number, delivery_id=delivery, who=who, now=now) is None
        return casework.close(connection, number, reason=reason, who=who, now=now) is None


def _case(engine: Engine, number: int = 1) -> Case:
    with reading(engine) as connection:
        case = cases.find(connection, number)
    assert case is not None
    return case


def _events(engine: Engine, number: int = 1) -> list[CaseEvent]:
    with reading(engine) as connection:
        return case_events.of_case(connection, number)


def _listed(engine: Engine, *states: str) -> list[int]:
    with reading(engine) as connection:
        found = cases.listing(connection, states=states) if states else cases.listing(connection)
    return [case.id for case in found]


def test_a_reference_is_the_number_in_a_form_that_can_be_read_out() -> None:
    assert (cases.reference_of(7), cases.reference_of(1_234_567)) == ("R-000007", "R-1234567")


def test_a_new_case_is_open_and_says_why(engine: Engine) -> None:
    _open(engine, 2, reason="two entries fit almost equally")
    assert _case(engine, 2) == Case(2, NOW, "two entries fit almost equally", "open", None, NOW, TANAKA, None)
    assert _events(engine, 2) == [
        CaseEvent(1, NOW, "opened", "responder", "two entries fit almost equally", None, None)
    ]


def test_a_case_shows_the_subject_once_the_mail_was_read(engine: Engine) -> None:
    _open(engine)
    with engine.begin() as connection:
        (inquiry,) = inbox.claim(connection, now=NOW, limit=1, lease=HOUR)
        settlement = Settlement(Lane.ESCALATED, "reason", None, {}, "お尋ね", TANAKA)
        assert inbox.settle(connection, inquiry, settlement, now=NOW)
    assert _case(engine).subject == "お尋ね"


def test_a_case_of_a_mail_that_never_came_is_refused(engine: Engine) -> None:
    with pytest.raises(IntegrityError):
        _open(engine, 99)


def test_a_case_opened_again_keeps_its_place_and_tells_the_new_reason(engine: Engine) -> None:
    _open(engine, reason="first")
    _open(engine, reason="second", now=NOW + HOUR)
    case = _case(engine)
    assert (case.state, case.opened_at, case.reason, case.changed_at) == ("open", NOW, "second", NOW + HOUR)
    assert [event.detail for event in _events(engine)] == ["first", "second"]


def test_a_taken_case_stays_theirs_when_a_later_mail_comes(engine: Engine) -> None:
    _open(engine)
    _take(engine, "sato")
    _open(engine, reason="a reply", now=NOW + HOUR, caused_by=2)
    case = _case(engine)
    assert (case.state, case.taken_by, case.opened_at, case.reason) == ("taken", "sato", NOW, "a reply")
    assert not _take(engine, "suzuki")


def test_a_closed_case_that_is_opened_again_waits_from_now_and_is_anyones(engine: Engine) -> None:
    _open(engine)
    _take(engine, "sato")
    _close(engine, "sato", now=NOW + HOUR)
    _open(engine, reason="a reply", now=NOW + 2 * HOUR, caused_by=2)
    case = _case(engine)
    assert (case.state, case.opened_at, case.changed_at) == ("open", NOW + 2 * HOUR, NOW + 2 * HOUR)
    assert _take(engine, "suzuki", now=NOW + 3 * HOUR)
    assert _case(engine).taken_by == "suzuki"


def test_one_person_takes_a_case_and_may_say_so_twice(engine: Engine) -> None:
    _open(engine)
    assert _take(engine, "sato", now=NOW + HOUR)
    assert _take(engine, "sato", now=NOW + 2 * HOUR)
    assert not _take(engine, "suzuki")
    case = _case(engine)
    assert (case.state, case.taken_by) == ("taken", "sato")
    assert "suzuki" not in {event.who for event in _events(engine)}


@pytest.mark.parametrize("number", [1, 2], ids=["a closed case", "no case"])
def test_what_is_not_open_cannot_be_taken(engine: Engine, number: int) -> None:
    _open(engine, 1)
    _close(engine, "sato", 1)
    before = _events(engine, 1)
    assert not _take(engine, "sato", number)
    assert _events(engine, 1) == before


@pytest.mark.parametrize("taker", [None, "sato"], ids=["an open case", "a case of one's own"])
def test_a_case_is_closed_by_whoever_may(engine: Engine, taker: str | None) -> None:
    _open(engine)
    if taker:
        _take(engine, taker)
    assert _close(engine, "sato", now=NOW + HOUR, reason="called him")
    case = _case(engine)
    assert (case.state, case.changed_at) == ("closed", NOW + HOUR)
    assert _events(engine)[-1] == CaseEvent(
        _events(engine)[-1].id, NOW + HOUR, "closed", "sato", "called him", None, None
    )


def test_another_persons_case_cannot_be_closed(engine: Engine) -> None:
    _open(engine)
    _take(engine, "sato")
    assert not _close(engine, "suzuki")
    assert _case(engine).state == "taken"
    assert [event.event for event in _events(engine)] == ["opened", "taken"]


def test_a_closed_case_and_none_at_all_cannot_be_closed(engine: Engine) -> None:
    _open(engine)
    assert _close(engine, "sato")
    assert not _close(engine, "sato")
    assert not _close(engine, "sato", 2)
    assert [event.event for event in _events(engine)] == ["opened", "closed"]


def test_a_case_closed_by_an_answer_names_the_mail(engine: Engine) -> None:
    _open(engine)
    with engine.begin() as connection:
        reply = Reply("<person.1@example.jp>", "support@example.jp", TANAKA, b"mail")
        number = outbox.enqueue(connection, reply, inquiry_id=1, kind=DeliveryKind.PERSON, once="person:1:1", now=NOW)
    assert _close(engine, "sato", delivery=number)
    assert _events(engine)[-1] == CaseEvent(2, NOW, "answered", "sato", "", None, number)


def test_of_people_who_take_a_case_at_once_one_has_it(engine: Engine) -> None:
    names = ["sato", "suzuki", "tanaka", "ito"]
    barrier = Barrier(len(names))
    for number in range(1, 6):
        _open(engine, number)

    def take(who: str) -> list[bool]:
        taken = []
        for number in range(1, 6):
            barrier.wait(timeout=30)
            taken.append(_take(engine, who, number))
        return taken

    with ThreadPoolExecutor(len(names)) as pool:
        taken = dict(zip(names, pool.map(take, names), strict=True))
    for number in range(1, 6):
        winners = [name for name in names if taken[name][number - 1]]
        assert winners == [_case(engine, number).taken_by]
        assert [event.event for event in _events(engine, number)] == ["opened", "taken"]


def _at_once(*deeds: Callable[[Connection], object], engine: Engine) -> list[object]:
    """What each gives, all begun at the same moment, each in a transaction of its own."""
    barrier = Barrier(len(deeds))

    def do(deed: Callable[[Connection], object]) -> object:
        barrier.wait(timeout=30)
        with engine.begin() as connection:
            return deed(connection)

    with ThreadPoolExecutor(len(deeds)) as pool:
        return list(pool.map(do, deeds))  # and raises what one of them raised


def test_a_case_that_several_open_at_once_is_one(engine: Engine) -> None:
    for number in range(1, 6):
        _at_once(*[partial(cases.open_case, inquiry_id=number, reason="x", now=NOW)] * 4, engine=engine)
        assert [event.event for event in _events(engine, number)] == ["opened"] * 4


def test_a_mail_that_two_call_back_at_once_has_one_case(engine: Engine) -> None:
    with engine.begin() as connection:
        for inquiry in inbox.claim(connection, now=NOW, limit=5, lease=HOUR):
            settlement = Settlement(Lane.SUPPRESSED, "auto-submitted", None, {}, "", "")
            inbox.settle(connection, inquiry, settlement, now=NOW)
    for number in range(1, 6):
        call = partial(cases.call_back, inquiry_id=number, who="sato", now=NOW)
        assert sorted(_at_once(call, call, call, engine=engine), key=bool) == [False, False, True]
        assert [event.event for event in _events(engine, number)] == ["opened"]


def test_events_are_told_oldest_first_with_the_mail_that_caused_them(engine: Engine) -> None:
    _open(engine)
    _open(engine, reason="a reply", caused_by=3, now=NOW + HOUR)
    with engine.begin() as connection:
        case_events.record(connection, 1, "noted", who="sato", detail="はい", now=NOW)
    assert [(event.event, event.inquiry_id, event.at) for event in _events(engine)] == [
        ("opened", None, NOW),
        ("opened", 3, NOW + HOUR),
        ("noted", None, NOW),
    ]
    assert _events(engine, 2) == []


def test_an_inquiry_belongs_to_the_case_that_it_began_or_joined(engine: Engine) -> None:
    _open(engine, 1)
    _open(engine, 1, caused_by=3)
    _open(engine, 1, caused_by=4)
    _open(engine, 2)
    with reading(engine) as connection:
        assert [cases.case_of(connection, number) for number in range(1, 6)] == [1, 2, 1, 1, None]


def test_a_list_shows_what_waits_longest_first_and_closed_ones_only_where_asked(engine: Engine) -> None:
    for number, hours in ((1, 3), (2, 1), (3, 2), (4, 1), (5, 0)):
        _open(engine, number, now=NOW + hours * HOUR)
    _take(engine, "sato", 3)
    _close(engine, "sato", 5)
    assert _listed(engine) == [2, 4, 3, 1]
    assert _listed(engine, "taken") == [3]
    assert _listed(engine, "open", "taken", "closed") == [5, 2, 4, 3, 1]
    with reading(engine) as connection:
        assert [case.id for case in cases.listing(connection, limit=2)] == [2, 4]
        assert cases.find(connection, 6) is None
        assert cases.waiting(connection) == {"open": 3, "taken": 1, "closed": 1}


def test_an_empty_store_has_no_case_in_any_state(engine: Engine) -> None:
    with reading(engine) as connection:
        assert cases.waiting(connection) == {"open": 0, "taken": 0, "closed": 0}


@pytest.mark.parametrize("broken", ["state = 'lost'", "state = 'taken', taken_by = NULL"])
def test_the_database_itself_refuses_a_case_that_cannot_be(engine: Engine, broken: str) -> None:
    _open(engine)
    with pytest.raises(IntegrityError), engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE cases SET {broken}")  # noqa: S608 - the words stand above
