"""Leaving a block out of the solution is the same as never having had it."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from responder.triage.ridge import kernel_of, solved, without


@pytest.mark.parametrize("block", [[0], [3, 4, 5], [1, 7, 19], list(range(10))])
def test_a_block_left_out_leaves_what_the_others_teach(block: list[int]) -> None:
    draw = np.random.default_rng(20261124)
    features, targets = draw.normal(size=(20, 6)), draw.normal(size=(20, 3))
    kernel = features @ features.T
    kept = [row for row in range(20) if row not in block]
    alone = solved(kernel[np.ix_(kept, kept)].copy(), targets[kept], 0.3)
    coefficients = without(solved(kernel, targets, 0.3), np.array(block))
    assert np.allclose(features.T @ coefficients, features[kept].T @ alone.coefficients)
    assert not coefficients[block].any()


def test_a_kernel_made_in_slices_is_the_product() -> None:
    draw = np.random.default_rng(5)
    dense = np.where(draw.random((1203, 50)) < 0.1, draw.random((1203, 50)), 0.0)
    assert np.allclose(kernel_of(csr_matrix(dense)), dense @ dense.T)


def test_the_inverse_of_a_kernel_larger_than_a_slice_is_whole() -> None:
    features = np.random.default_rng(3).normal(size=(1203, 40))
    kernel = features @ features.T
    inverse = solved(kernel.copy(), np.ones((1203, 1)), 0.3).inverse
    assert np.allclose(inverse @ (kernel + 0.3 * np.eye(1203)), np.eye(1203), atol=1e-7)
    assert np.array_equal(inverse, inverse.T)


def test_the_solution_is_that_of_ridge_regression() -> None:
    from sklearn.linear_model import Ridge

    draw = np.random.default_rng(7)
    features, targets = draw.normal(size=(30, 5)), draw.normal(size=(30, 2))
    weights = features.T @ solved(features @ features.T, targets, 0.3).coefficients
    assert np.allclose(weights.T, Ridge(alpha=0.3, fit_intercept=False).fit(features, targets).coef_)
