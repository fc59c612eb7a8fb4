"""Ridge regression over many sparse features, solved among the examples, and what it would say without some of them.

With n examples, kernel K = XXᵀ, targets Y and G = (K + λI)⁻¹ the coefficients are C = GY and the weights XᵀC. Leaving
out a block b of examples needs no new solution (Rifkin & Lippert 2007, "Notes on Regularized Least Squares", for one
example; the same algebra holds for a block): C' = C − G[:,b] G[b,b]⁻¹ C[b], with C'[b] = 0. So the model can be judged
on every author's mails by what it would have learned from the others, at the price of one solution.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

_SLICE = 500
"""Rows that are worked on at a time."""

_COMMON = 0.15
"""Share of rows that have a feature above which it is common."""


@dataclass(frozen=True, slots=True)
class Solution:
    """The inverse of the ridged kernel, shape (n, n), and the coefficients, shape (n, targets)."""

    inverse: Matrix
    coefficients: Matrix


def kernel_of(vectors: Any) -> Matrix:
    """XXᵀ of a sparse matrix, shape (n, n), a slice at a time: as a sparse matrix it would be twice as large.

    Features that many rows have are multiplied as a dense matrix, which is what they nearly are.
    """
    common = vectors.getnnz(axis=0) > _COMMON * vectors.shape[0]
    dense, rest = vectors[:, common].toarray(), vectors[:, ~common].tocsr()
    kernel: Matrix = dense @ dense.T
    transposed = rest.T.tocsr()
    for start in range(0, len(kernel), _SLICE):
        kernel[start : start + _SLICE] += (rest[start : start + _SLICE] @ transposed).toarray()
    return kernel


def solved(kernel: Matrix, targets: Matrix, ridge: float) -> Solution:
    """Solve for all targets at once; `kernel` is symmetric, shape (n, n), `targets` (n, targets); it is used up."""
    from scipy.linalg.lapack import dpotrf, dpotri

    # In the transposed view LAPACK works on the array itself. Half the memory and the time of a general inverse.
    inverse = kernel.T
    inverse[np.diag_indices_from(inverse)] += ridge
    factor, failed = dpotrf(inverse, lower=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError(f"the kernel is not positive: leading minor {failed}")
    inverse, _ = dpotri(factor, lower=1, overwrite_c=1)
    for start in range(0, len(inverse), _SLICE):
        end = start + _SLICE
        inverse[start:end, end:] = inverse[end:, start:end].T
        square = inverse[start:end, start:end]
        square[:] = np.tril(square) + np.tril(square, -1).T
    return Solution(inverse, inverse @ targets)


def without(solution: Solution, block: NDArray[np.int64]) -> Matrix:
    """The coefficients as if the examples of `block` had never been there, shape (n, targets)."""
    square = solution.inverse[np.ix_(block, block)]
    absent = np.linalg.solve(square, solution.coefficients[block])
    coefficients: Matrix = solution.coefficients - solution.inverse[:, block] @ absent
    coefficients[block] = 0.0
    return coefficients
