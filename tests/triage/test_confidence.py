"""The probability that an interpretation is right."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from responder.triage.confidence import Confidence, Fit, Rows

Truths = NDArray[np.bool_]
COUNT = 600


@pytest.fixture(scope="module")
def evidence() -> Rows:
    return np.random.default_rng(1).normal(size=(COUNT, 5))


@pytest.fixture(scope="module")
def right(evidence: Rows) -> Truths:
    """Two doubts make a wrong one: neither number tells it alone."""
    chance = 1 / (1 + np.exp(-4 * evidence[:, 0] * evidence[:, 1]))
    truths: Truths = np.random.default_rng(2).uniform(size=COUNT) < chance
    return truths


def test_two_weak_doubts_make_a_strong_one(evidence: Rows, right: Truths) -> None:
    confidence = Fit(evidence.tolist(), right.tolist()).confidence
    strange = [[2.0, -2.0, 0, 0, 0], [2.0, 2.0, 0, 0, 0], [-2.0, -2.0, 0, 0, 0]]
    wrong, both, neither = confidence.of(strange)
    assert wrong < 0.3 < 0.6 < min(both, neither)


@pytest.mark.parametrize("share", [0.1, 0.5])
def test_what_is_left_out_has_never_been_there(evidence: Rows, right: Truths, share: float) -> None:
    away = np.arange(COUNT) < share * COUNT
    fit = Fit(evidence.tolist(), right.tolist())
    kept = fit.without(away)
    rows = kept.widened(evidence)[~away, :-1]
    again = LogisticRegression(C=0.003, solver="newton-cholesky", tol=1e-12).fit(rows, right[~away])
    assert kept.weights == pytest.approx(np.append(again.coef_[0], again.intercept_[0]), abs=1e-6)
    assert fit.confidence.weights != pytest.approx(kept.weights, abs=1e-3)


def test_it_is_read_back_as_it_was(evidence: Rows, right: Truths) -> None:
    confidence = Fit(evidence.tolist(), right.tolist()).confidence
    again = Confidence.of_arrays(confidence.arrays())
    assert again.of(evidence.tolist()).tolist() == confidence.of(evidence.tolist()).tolist()
