"""The threshold keeps its promise, and promises nothing on too few mails."""

import numpy as np
import pytest

from responder.triage.calibration import least_mails, most_wrong, threshold_of
from tests.knowledge import shipped_classifier


@pytest.mark.parametrize(
    ("alpha", "delta", "mails"), [(0.01, 0.05, 299), (0.02, 0.05, 149), (0.05, 0.05, 59), (0.01, 0.10, 230)]
)
def test_so_many_mails_without_a_mistake_allow_the_promise(alpha: float, delta: float, mails: int) -> None:
    assert least_mails(alpha, delta) == mails
    confidences = np.linspace(0.1, 0.9, mails)
    assert threshold_of(confidences, np.ones(mails, dtype=bool), alpha=alpha, delta=delta).floor == pytest.approx(0.1)
    one_less = threshold_of(confidences[1:], np.ones(mails - 1, dtype=bool), alpha=alpha, delta=delta)
    assert one_less.floor is None
    assert "1 labelled mails are missing" in str(one_less)


@pytest.mark.parametrize(("wrong", "mails"), [(1, 473), (2, 628), (3, 773)])
def test_the_floor_stands_above_the_mistakes_that_are_too_many(wrong: int, mails: int) -> None:
    """Mails needed for so many wrong answers at 1 % and 5 %: measured beforehand in a table of its own."""
    confidences = np.linspace(1.0, 0.1, mails)
    right = np.ones(mails, dtype=bool)
    right[50 : 50 + wrong] = False
    right[100] = False
    found = threshold_of(confidences, right, alpha=0.01, delta=0.05)
    assert (found.answered, found.wrong) == (100, wrong)
    assert found.floor == pytest.approx(confidences[99])


def test_mails_of_one_confidence_are_answered_together_or_not_at_all() -> None:
    confidences = np.full(400, 0.8)
    right = np.ones(400, dtype=bool)
    assert threshold_of(confidences, right, alpha=0.01, delta=0.05).floor == 0.8
    right[399] = False
    assert threshold_of(confidences, right, alpha=0.01, delta=0.05).floor is None


def test_no_mails_promise_nothing() -> None:
    assert threshold_of(np.array([]), np.array([], dtype=bool), alpha=0.01, delta=0.05).floor is None


@pytest.mark.parametrize(("mails", "most"), [(298, -1), (299, 0), (472, 0), (473, 1), (773, 3), (0, -1)])
def test_so_many_wrong_answers_still_allow_the_promise(mails: int, most: int) -> None:
    assert most_wrong(mails, 0.01, 0.05) == most


def test_the_promise_is_kept_on_mails_like_those_it_was_found_on() -> None:
    """Of 300 thresholds found on 600 mails each, no more than delta let too many wrong answers through afterwards."""
    draw = np.random.default_rng(20261124)
    broken = 0
    for _ in range(300):
        chances = draw.beta(2, 1, size=600)
        found = threshold_of(chances, draw.random(600) < chances, alpha=0.02, delta=0.05)
        # What is above the floor is wrong with 1 - chance: the true share, not another sample of it.
        fresh = draw.beta(2, 1, size=20_000)
        wrong = ((fresh >= (2.0 if found.floor is None else found.floor)) * (1 - fresh)).mean()
        broken += wrong > 0.02
    assert broken <= 0.05 * 300


def test_the_promise_is_kept_where_it_is_made() -> None:
    """Thresholds found on drawn mails, judged on what they are drawn from: `benchmarks/bound.py` draws more of them."""
    from benchmarks.bound import draws, outcome

    trial = shipped_classifier().trial
    rates = [outcome(drawn, whole, alpha=0.01, delta=0.05) for drawn, whole in draws(trial, 400)]
    assert np.mean([wrong > 0.01 for wrong, _ in rates]) <= 0.05
    assert np.mean([right for _, right in rates]) > 0.3
