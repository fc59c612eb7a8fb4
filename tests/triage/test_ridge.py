"""Leaving a block out of the solution is the same as never having had it."""

import numpy as np
import pytest

from responder.triage.ridge import solved, without


@pytest.mark.parametrize("block", [[0], [3, 4, 5], [1, 7, 19], list(range(10))])
def test_a_block_left_out_leaves_what_the_others_teach(block: list[int]) -> None:
    draw = np.random.default_rng(20261124)
    features, targets = draw.normal(size=(20, 6)), draw.normal(size=(20, 3))
    kernel = features @ features.T
    kept = [row for row in range(20) if row not in block]
    alone = solved(kernel[np.ix_(kept, kept)], targets[kept], 0.3)
    coefficients = without(solved(kernel, targets, 0.3), np.array(block))
    assert np.allclose(features.T @ coefficients, features[kept].T @ alone.coefficients)
    assert not coefficients[block].any()


def test_the_solution_is_that_of_ridge_regression() -> None:
    from sklearn.linear_model import Ridge

    draw = np.random.default_rng(7)
    features, targets = draw.normal(size=(30, 5)), draw.normal(size=(30, 2))
    weights = features.T @ solved(features @ features.T, targets, 0.3).coefficients
    assert np.allclose(weights.T, Ridge(alpha=0.3, fit_intercept=False).fit(features, targets).coef_)
