"""A mail that repeats an answer of ours is told from one that asks for it."""

from responder.triage.quotation import LENGTH, Answers
from responder.triage.text import normalised

ANSWER = "三者間の契約でもご利用いただけます。"
ANSWERS = Answers([ANSWER, "保管期間に制限はございません。"])


def test_an_answer_is_found_under_marks_of_quotation_and_broken_over_lines() -> None:
    share, runs = ANSWERS.repeated_in(normalised(f"届きました。\n> {ANSWER[:9]}\n> {ANSWER[9:]}\nありがとう。"))
    assert share == 1.0
    assert runs == len(ANSWER) - LENGTH + 1


def test_half_of_an_answer_is_half_of_it() -> None:
    share, _ = ANSWERS.repeated_in(normalised(ANSWER[: LENGTH + 4]))
    assert 0 < share < 1


def test_a_question_in_the_same_words_repeats_nothing() -> None:
    assert ANSWERS.repeated_in(normalised("三者間の契約は可能ですか。")) == (0.0, 0)


def test_no_answers_and_no_text_are_no_trouble() -> None:
    assert Answers([]).repeated_in("三者間の契約") == (0.0, 0)
    assert Answers(["短い"]).repeated_in("") == (0.0, 0)
