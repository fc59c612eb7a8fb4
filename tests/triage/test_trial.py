"""How each entry stands: what counts as its answer, and what as its mistake."""

import numpy as np
import pytest

from responder.triage.trial import Standing, Trial

# Four mails, two entries: q1 right, q1 wrong, both in one right answer, q2 under the floor.
TRIAL = Trial(
    np.array([0.9, 0.8, 0.7, 0.2]),
    np.array([True, False, True, False]),
    np.array([[True, False], [True, False], [True, True], [False, True]]),
)


def test_only_answers_above_the_floor_count_and_each_entry_of_an_answer() -> None:
    assert TRIAL.standings(0.5) == (Standing(3, 1), Standing(1, 0))
    assert TRIAL.standings(0.1) == (Standing(3, 1), Standing(2, 1))


def test_without_a_floor_nothing_is_answered() -> None:
    assert TRIAL.standings(None) == (Standing(0, 0), Standing(0, 0))


@pytest.mark.parametrize(("answers", "wrong", "bound"), [(0, 0, 1.0), (1, 1, 1.0), (59, 0, 0.05), (299, 0, 0.01)])
def test_the_bound_is_that_of_clopper_and_pearson(answers: int, wrong: int, bound: float) -> None:
    assert Standing(answers, wrong).wrong_at_most(0.05) == pytest.approx(bound, abs=1e-3)


def test_it_survives_the_disk() -> None:
    back = Trial.of_arrays(TRIAL.arrays())
    assert back.standings(0.5) == TRIAL.standings(0.5)
    assert back.threshold(alpha=0.5, delta=0.5) == TRIAL.threshold(alpha=0.5, delta=0.5)
