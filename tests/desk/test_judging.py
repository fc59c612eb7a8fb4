"""What follows from a judgement: a wrong answer is put right by a person, in a case, from a prepared text."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy.engine import Engine

from responder.corpus import load_entries
from responder.desk.drafting import Draft, prepared_for
from responder.desk.judging import judge, take_back
from responder.store import case_events, cases, casework, corrections, reviews
from responder.store.cases import Case
from responder.store.engine import reading
from responder.store.reviews import Judgement
from responder.triage.language import Language
from tests.answered import answered
from tests.knowledge import ROOT, shipped_letters

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RIGHT, WRONG = Judgement.RIGHT, Judgement.WRONG


def _judge(engine: Engine, number: int, said: Judgement, who: str = "sato") -> bool:
    with engine.begin() as connection:
        return judge(connection, number, said, who=who, now=NOW)


def _take_back(engine: Engine, number: int) -> Judgement | None:
    with engine.begin() as connection:
        return take_back(connection, number, who="sato", now=NOW)


def _case(engine: Engine, number: int = 1) -> Case | None:
    with reading(engine) as connection:
        return cases.find(connection, number)


def _state(engine: Engine) -> tuple[str, str] | None:
    case = _case(engine)
    return None if case is None else (case.state, case.reason)


def _draft(engine: Engine) -> Draft | None:
    with reading(engine) as connection:
        return prepared_for(connection, 1, load_entries(ROOT / "faq_corpus"), shipped_letters())


def test_a_right_answer_needs_nobody_and_a_wrong_one_comes_before_people(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    assert _judge(engine, 1, RIGHT)
    assert _state(engine) is None
    assert _judge(engine, 1, WRONG)
    assert _state(engine) == ("open", corrections.REASON)
    with reading(engine) as connection:
        assert [(event.event, event.who) for event in case_events.of_case(connection, 1)] == [("opened", "sato")]
    assert not _judge(engine, 9, WRONG)
    assert _case(engine, 9) is None


def test_the_correction_is_drafted_with_what_was_sent_and_cannot_be_sent_as_it_is(engine: Engine) -> None:
    answered(engine, "q04", "q07", now=NOW)
    _judge(engine, 1, WRONG)
    draft = _draft(engine)
    assert draft is not None
    assert draft.unanswered == 1
    assert "お詫び申し上げます" in draft.text
    for entry in (one for one in load_entries(ROOT / "faq_corpus") if one.id in ("q04", "q07")):
        assert f"FAQ No.{entry.number}「{entry.title}」" in draft.text
    assert shipped_letters().unfinished(draft.text)


def test_who_wrote_in_english_is_corrected_in_english(engine: Engine) -> None:
    answered(engine, "q04", now=NOW, language=Language.ENGLISH)
    _judge(engine, 1, WRONG)
    draft = _draft(engine)
    assert draft is not None
    assert "We sincerely apologise" in draft.text
    assert "FAQ No. 4" in draft.text


@pytest.mark.parametrize("undo", [True, False], ids=["taken back", "said to be right after all"])
def test_a_judgement_that_is_taken_back_closes_the_case_that_nobody_has_begun(engine: Engine, undo: bool) -> None:
    answered(engine, "q04", now=NOW)
    _judge(engine, 1, WRONG)
    _judge(engine, 1, WRONG, who="suzuki")  # a second press of the same key changes nothing
    assert _take_back(engine, 1) is WRONG if undo else _judge(engine, 1, RIGHT)
    assert _state(engine) == ("closed", corrections.REASON)


def test_of_two_who_find_an_answer_wrong_at_once_one_is_heard_and_may_take_it_back(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    barrier = Barrier(2)

    def say(who: str) -> bool:
        barrier.wait(timeout=30)
        return _judge(engine, 1, WRONG, who)

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(say, ("sato", "suzuki"))) == [True, True]
    with reading(engine) as connection:
        assert [event.event for event in case_events.of_case(connection, 1)] == ["opened"]
    assert _take_back(engine, 1) is WRONG
    assert _state(engine) == ("closed", corrections.REASON)


def test_a_case_that_somebody_has_taken_is_theirs_whatever_becomes_of_the_judgement(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    _judge(engine, 1, WRONG)
    with engine.begin() as connection:
        casework.take(connection, 1, who="suzuki", now=NOW)
    _take_back(engine, 1)
    assert _state(engine) == ("taken", corrections.REASON)


def test_what_a_person_has_answered_since_is_not_opened_again(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    with engine.begin() as connection:
        cases.open_case(connection, 1, reason="a reply to a mail of ours", now=NOW)
        casework.close_answered(connection, 1, who="sato", now=NOW, delivery_id=1)
    assert _judge(engine, 1, WRONG)
    assert _state(engine) == ("closed", "a reply to a mail of ours")


def test_an_answer_that_was_withdrawn_has_put_nothing_right(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    with engine.begin() as connection:
        cases.open_case(connection, 1, reason="a reply to a mail of ours", now=NOW)
        casework.close_answered(connection, 1, who="sato", now=NOW, delivery_id=1)
        casework.take_back(connection, 1, who="sato", now=NOW, delivery_id=1)
    assert _judge(engine, 1, WRONG)
    assert _state(engine) == ("taken", corrections.REASON)


def test_a_case_that_was_closed_without_an_answer_comes_again(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    with engine.begin() as connection:
        cases.open_case(connection, 1, reason="a reply to a mail of ours", now=NOW)
        casework.close(connection, 1, who="sato", reason="nothing to do", now=NOW)
    assert _judge(engine, 1, WRONG)
    assert _state(engine) == ("open", corrections.REASON)


def test_nothing_is_left_of_a_judgement_that_never_was(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    assert _take_back(engine, 1) is None
    with reading(engine) as connection:
        assert reviews.history(connection, 1) == []
