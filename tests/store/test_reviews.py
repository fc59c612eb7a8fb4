"""Reviews of automatic answers on both engines: judged, judged again, taken back, and never gone."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import TypeVar

import pytest
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import inbox, outbox, reviews
from responder.store.engine import open_engine, reading
from responder.store.outbox import DeliveryKind
from responder.store.reviews import Judgement, Review

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RIGHT, WRONG = Judgement.RIGHT, Judgement.WRONG
TANAKA = "tanaka@contractor.example"


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store with three automatic answers, to the mails 1 to 3, and one acknowledgement, to mail 4."""
    opened = open_engine(made_url)
    with opened.begin() as connection:
        mails = [(Envelope(TANAKA, ("support@example.jp",)), str(number).encode()) for number in range(1, 5)]
        inbox.accept(connection, mails, now=NOW)
        for number, entries in ((1, ["q04"]), (2, ["q07", "q04"]), (3, ["q01"]), (4, [])):
            outbox.enqueue(
                connection,
                Reply(f"<{number}@example.jp>", "", TANAKA, b"reply"),
                inquiry_id=number,
                kind=DeliveryKind.ANSWER if entries else DeliveryKind.ACKNOWLEDGEMENT,
                once=f"automatic:{number}",
                now=NOW,
                entries=entries,
            )
    yield opened
    opened.dispose()


def _judge(engine: Engine, number: int, said: Judgement, *, who: str = "sato", now: datetime = NOW) -> int | None:
    with engine.begin() as connection:
        return reviews.judge(connection, number, said, who=who, now=now)


def _undo(engine: Engine, number: int, *, who: str = "suzuki") -> Judgement | None:
    with engine.begin() as connection:
        return reviews.undo(connection, number, who=who, now=NOW + HOUR)


_T = TypeVar("_T")


def _read(engine: Engine, read: Callable[..., _T], *words: object) -> _T:
    with reading(engine) as connection:
        return read(connection, *words)


def test_a_review_keeps_what_was_sent_and_who_said_what_of_it(engine: Engine) -> None:
    number = _judge(engine, 2, WRONG)
    assert number is not None
    review = Review(number, 2, WRONG, ("q04", "q07"), NOW, "sato", None, None)
    assert _read(engine, reviews.in_force) == {2: review}
    assert _read(engine, reviews.in_force, [1, 2]) == {2: review}
    assert _read(engine, reviews.in_force, [1]) == {}


@pytest.mark.parametrize("number", [4, 99], ids=["a mail that was acknowledged only", "a mail that never came"])
def test_what_no_machine_answered_cannot_be_judged(engine: Engine, number: int) -> None:
    assert _judge(engine, number, RIGHT) is None
    assert _read(engine, reviews.history, number) == []


def test_judging_again_replaces_what_was_said_and_keeps_it_on_record(engine: Engine) -> None:
    _judge(engine, 1, RIGHT)
    _judge(engine, 1, WRONG, who="suzuki", now=NOW + HOUR)
    assert [review.judgement for review in _read(engine, reviews.in_force).values()] == [WRONG]
    first, second = _read(engine, reviews.history, 1)
    assert (first.judgement, first.undone_by, first.undone_at) == (RIGHT, "suzuki", NOW + HOUR)
    assert (second.judgement, second.reviewed_by, second.undone_at) == (WRONG, "suzuki", None)


def test_an_undo_gives_what_was_said_and_can_be_done_once(engine: Engine) -> None:
    assert _undo(engine, 1) is None
    _judge(engine, 1, WRONG)
    assert _undo(engine, 1) is WRONG
    assert _undo(engine, 1) is None
    assert _read(engine, reviews.in_force) == {}


def test_a_wrong_answer_counts_against_every_entry_that_stood_in_it(engine: Engine) -> None:
    _judge(engine, 1, RIGHT)
    _judge(engine, 2, WRONG)
    _judge(engine, 3, WRONG)
    _undo(engine, 3)
    assert _read(engine, reviews.by_entry) == {"q04": (2, 1), "q07": (1, 1)}
    assert _read(engine, reviews.tally) == {RIGHT: 1, WRONG: 1}


def test_the_stamp_changes_with_every_review_and_every_undo(engine: Engine) -> None:
    stamps = [_read(engine, reviews.stamp)]
    acts: list[Callable[[], object]] = [
        lambda: _judge(engine, 1, RIGHT),
        lambda: _judge(engine, 2, WRONG),
        lambda: _undo(engine, 1),
        lambda: _judge(engine, 2, RIGHT),
        lambda: _undo(engine, 2),
    ]
    for act in acts:
        act()
        stamps.append(_read(engine, reviews.stamp))
    assert len(set(stamps)) == len(stamps)
    _undo(engine, 2)
    assert _read(engine, reviews.stamp) == stamps[-1]


def test_of_people_who_judge_an_answer_at_once_one_is_in_force_and_all_are_on_record(engine: Engine) -> None:
    names = ["sato", "suzuki", "tanaka", "ito"]
    barrier = Barrier(len(names))

    def judge(who: str) -> None:
        barrier.wait(timeout=30)
        assert _judge(engine, 1, WRONG, who=who)

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(judge, names))
    assert len(_read(engine, reviews.in_force)) == 1
    assert {review.reviewed_by for review in _read(engine, reviews.history, 1)} == set(names)
