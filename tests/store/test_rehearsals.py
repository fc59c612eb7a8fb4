"""Changes that are tried before they are made, on both engines: who runs one, and how it ends."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.store import inbox, labels, rehearsals
from responder.store.engine import reading
from responder.store.rehearsals import Rehearsal
from responder.store.schema import reviews
from responder.triage.changes import Change, Comparison, Confirmation, Outcome

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ENVELOPE = Envelope("tanaka@contractor.example", ("support@example.jp",))
CHANGE = Change(
    7, Outcome(False, ("q05",), "no entry fits well enough", 0.2), Outcome(True, ("q04",), "recognised", 0.9)
)
RESULT = Comparison(3, 1, 0, 1, 0, (CHANGE,))


def _ask(engine: Engine, entry_id: str = "q04") -> int:
    with engine.begin() as connection:
        return rehearsals.ask(connection, entry_id, "id = 'q04'", note="clearer", who="sato", now=NOW)


def _claim(engine: Engine, now: datetime = NOW) -> int | None:
    with engine.begin() as connection:
        return rehearsals.claim(connection, now=now)


def _find(engine: Engine, number: int) -> Rehearsal:
    with reading(engine) as connection:
        found = rehearsals.find(connection, number)
    assert found is not None
    return found


def test_a_rehearsal_goes_from_waiting_to_applied(engine: Engine) -> None:
    number = _ask(engine)
    assert _find(engine, number).state == "waiting"
    assert _claim(engine) == number
    assert _claim(engine) is None
    with engine.begin() as connection:
        inbox.accept(connection, [(ENVELOPE, b"1"), (ENVELOPE, b"2")], now=NOW)
        assert rehearsals.begin(connection, number, corpus="abc", now=NOW)
        assert rehearsals.go_on(connection, number, done=1, now=NOW + MINUTE)
    running = _find(engine, number)
    assert (running.state, running.corpus, running.done, running.total) == ("running", "abc", 1, 2)
    with engine.begin() as connection:
        assert not rehearsals.apply(connection, number, now=NOW)
        assert rehearsals.settle(connection, number, RESULT, now=NOW)
        assert [one.id for one in rehearsals.unfinished(connection, "q04")] == [number]
        assert rehearsals.apply(connection, number, now=NOW)
        assert not rehearsals.apply(connection, number, now=NOW)
        assert not rehearsals.drop(connection, number, now=NOW)
        assert rehearsals.unfinished(connection, "q04") == []
    assert (_find(engine, number).state, _find(engine, number).result) == ("applied", RESULT)


def test_the_one_that_waits_longest_goes_first(engine: Engine) -> None:
    first, second = _ask(engine), _ask(engine, "q05")
    assert [_claim(engine), _claim(engine)] == [first, second]


def test_one_that_was_dropped_hears_so_and_keeps_nothing(engine: Engine) -> None:
    number = _ask(engine)
    _claim(engine)
    with engine.begin() as connection:
        assert rehearsals.drop(connection, number, now=NOW)
        assert not rehearsals.go_on(connection, number, done=1, now=NOW)
        assert not rehearsals.begin(connection, number, corpus="abc", now=NOW)
        assert not rehearsals.settle(connection, number, RESULT, now=NOW)
        assert not rehearsals.fail(connection, number, "too late", now=NOW)
        assert not rehearsals.release(connection, number, now=NOW)
    assert (_find(engine, number).state, _find(engine, number).result) == ("dropped", None)


def test_one_whose_process_is_silent_has_failed_and_others_go_on(engine: Engine) -> None:
    silent, alive = _ask(engine), _ask(engine)
    _claim(engine)
    _claim(engine, NOW + 2 * MINUTE)
    with engine.begin() as connection:
        assert rehearsals.any_due(connection, silent_since=NOW + MINUTE)
        assert rehearsals.fail_silent(connection, since=NOW + MINUTE, now=NOW + 3 * MINUTE) == 1
        assert not rehearsals.any_due(connection, silent_since=NOW + MINUTE)
    assert (_find(engine, silent).state, _find(engine, alive).state) == ("failed", "running")
    assert _find(engine, silent).problem == "its process ended without a word"


def test_one_that_was_released_is_taken_up_again(engine: Engine) -> None:
    number = _ask(engine)
    _claim(engine)
    with engine.begin() as connection:
        assert rehearsals.release(connection, number, now=NOW)
        assert rehearsals.any_due(connection, silent_since=NOW)
    assert _claim(engine) == number


def test_mails_come_in_batches_that_fit_into_memory(engine: Engine) -> None:
    mails = [b"x" * 51, b"x" * 51, b"small", b"x" * 101]
    with engine.begin() as connection:
        inbox.accept(connection, [(ENVELOPE, raw) for raw in mails], now=NOW)
    batches, last = [], 0
    with reading(engine) as connection:
        while batch := rehearsals.mails(connection, after=last, octets=100):
            batches.append([kept.id for kept in batch])
            last = batch[-1].id
            assert all(kept.raw == mails[kept.id - 1] and kept.envelope == ENVELOPE for kept in batch)
    assert batches == [[1], [2, 3], [4]]


@pytest.mark.parametrize(
    ("complete", "entries"),
    [
        pytest.param(True, {"q04"}, id="entries that answer all of it are the right answer"),
        pytest.param(False, set(), id="entries that leave something open are none"),
    ],
)
def test_what_people_taught_and_judged_is_known_until_they_take_it_back(
    engine: Engine, complete: bool, entries: set[str]
) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(ENVELOPE, b"1"), (ENVELOPE, b"2")], now=NOW)
        labels.teach(connection, 1, subject="", body="x", expected=["q04"], complete=complete, who="sato", now=NOW)
        for number, verdict in ((1, "right"), (2, "wrong")):
            signed = {"reviewed_at": NOW, "reviewed_by": "sato"}
            connection.execute(reviews.insert().values(inquiry_id=number, verdict=verdict, entries="q04,q05", **signed))
        assert rehearsals.confirmations(connection) == {
            1: [Confirmation(frozenset(entries), right=True), Confirmation(frozenset({"q04", "q05"}), right=True)],
            2: [Confirmation(frozenset({"q04", "q05"}), right=False)],
        }
        labels.undo(connection, 1, who="sato", now=NOW)
        connection.execute(reviews.update().values(undone_at=NOW, undone_by="sato"))
        assert rehearsals.confirmations(connection) == {}
