"""The lists to read on both engines: newest first, piece by piece, each answer and each silence once."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.store import answers, automatic, cases, reviews, silence, slices
from responder.store.engine import reading
from responder.store.inbox import Lane
from responder.store.reviews import Judgement
from tests.answered import TANAKA, answered, settled

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def _answers(engine: Engine, *, entry: str = "", unjudged: bool = False, limit: int = 9) -> list[int]:
    """The numbers of all answers, piece by piece."""
    found: list[int] = []
    before: int | None = None
    with reading(engine) as connection:
        while True:
            piece = answers.listing(connection, entry=entry, unjudged=unjudged, before=before, limit=limit)
            found.extend(row.inquiry_id for row in piece.rows)
            if piece.older is None:
                return found
            before = piece.older


@pytest.fixture
def three(engine: Engine) -> Engine:
    """Answers of q04, of q04 and q07, and of q01, to the mails 1 to 3."""
    for entries in (("q04",), ("q07", "q04"), ("q01",)):
        answered(engine, *entries, now=NOW)
    return engine


def test_an_answer_comes_with_its_question_what_was_sent_and_what_was_said_of_it(three: Engine) -> None:
    with three.begin() as connection:
        reviews.judge(connection, 2, Judgement.RIGHT, who="sato", now=NOW)
        reviews.undo(connection, 2, who="sato", now=NOW)
        reviews.judge(connection, 2, Judgement.WRONG, who="suzuki", now=NOW + HOUR)
        cases.open_case(connection, 2, reason="reason", now=NOW)
        second = answers.find(connection, 2)
        assert second == answers.listing(connection, limit=9).rows[1]
        assert answers.find(connection, 9) is None
        assert automatic.entries_answered(connection, 2) == {"q04", "q07"}
        assert automatic.entries_answered(connection, 9) == frozenset()
    assert second is not None
    assert (second.entries, second.recipient, second.created_at) == (("q04", "q07"), TANAKA, NOW)
    assert (second.verdict, second.reviewed_by, second.case_id) == ("wrong", "suzuki", 2)
    assert second.decision is not None
    assert second.decision["questions"][0]["text"] == "質問です。"


@pytest.mark.parametrize("limit", [1, 2, 3, 9])
def test_the_pieces_together_are_the_whole_list_newest_first(three: Engine, limit: int) -> None:
    assert _answers(three, limit=limit) == [3, 2, 1]
    assert _answers(three, entry="q04", limit=limit) == [2, 1]
    assert _answers(three, entry="q0", limit=limit) == []


def test_only_what_nobody_judged_is_left_to_judge(three: Engine) -> None:
    with three.begin() as connection:
        for number, said in ((1, Judgement.RIGHT), (2, Judgement.WRONG)):
            reviews.judge(connection, number, said, who="sato", now=NOW)
    assert _answers(three, unjudged=True) == [3]
    with three.begin() as connection:
        reviews.undo(connection, 1, who="sato", now=NOW)
    assert _answers(three, unjudged=True) == [3, 1]


def test_a_piece_may_be_empty_and_not_the_last(three: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slices, "SPAN", 1)
    with reading(three) as connection:
        piece = answers.listing(connection, entry="q07", limit=9)
    assert (piece.rows, piece.older) == ([], 3)
    assert _answers(three, entry="q07") == [2]


def test_silence_is_listed_with_its_reason_and_whether_somebody_called_it_back(engine: Engine) -> None:
    for reason in ("null sender", "auto-submitted", "auto-submitted"):
        settled(engine, Lane.SUPPRESSED, now=NOW, reason=reason)
    settled(engine, Lane.ESCALATED, now=NOW)
    with engine.begin() as connection:
        cases.call_back(connection, 2, who="sato", now=NOW)
        rows = silence.listing(connection, limit=9).rows
        assert [(row.id, row.reason, row.case_id) for row in rows] == [
            (3, "auto-submitted", None),
            (2, "auto-submitted", 2),
            (1, "null sender", None),
        ]
        assert [row.id for row in silence.listing(connection, reason="null sender", limit=9).rows] == [1]
        assert [row.id for row in silence.listing(connection, before=3, limit=1).rows] == [2]
        assert silence.reasons(connection) == {"auto-submitted": 2, "null sender": 1}


def test_a_mail_whose_number_is_gone_ends_no_list(three: Engine) -> None:
    with three.begin() as connection:
        connection.execute(sa.text("DELETE FROM outbox WHERE inquiry_id = 2"))
    assert _answers(three, limit=1) == [3, 1]
