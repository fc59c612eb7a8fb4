"""Ridge regression over many sparse features, solved among the examples, and what it would say without some of them.

With n examples, kernel K = XXᵀ, targets Y and G = (K + λI)⁻¹ the coefficients are C = GY and the weights XᵀC. Leaving
out a block b of examples needs no new solution (Rifkin & Lippert 2007, "Notes on Regularized Least Squares", for one
example; the same algebra holds for a block): C' = C − G[:,b] G[b,b]⁻¹ C[b], with C'[b] = 0. So the model can be judged
on every author's mails by what it would have learned from the others, at the price of one solution.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Solution:
    """The inverse of the ridged kernel, shape (n, n), and the coefficients, shape (n, targets)."""

    inverse: Matrix
    coefficients: Matrix


def solved(kernel: Matrix, targets: Matrix, ridge: float) -> Solution:
    """Solve for all targets at once; `kernel` is symmetric, shape (n, n), `targets` (n, targets)."""
    inverse = np.asarray(np.linalg.inv(kernel + ridge * np.eye(len(kernel))), dtype=np.float64)
    return Solution(inverse, inverse @ targets)


def without(solution: Solution, block: NDArray[np.int64]) -> Matrix:
    """The coefficients as if the examples of `block` had never been there, shape (n, targets)."""
    square = solution.inverse[np.ix_(block, block)]
    absent = np.linalg.solve(square, solution.coefficients[block])
    coefficients: Matrix = solution.coefficients - solution.inverse[:, block] @ absent
    coefficients[block] = 0.0
    return coefficients
