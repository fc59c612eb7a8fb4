"""Which entries are most like a text, without looking at most of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

COMMON = 0.2
"""A term is common that more than this share of entries holds: a few hundred terms, four in five of all postings."""

FEW = 200
"""Up to here it is quicker to score every entry than to ask which of them to score."""

_MANY = 0.01
"""Where more than this share of entries may still win, adding the common terms up is quicker than scoring each."""

_STEP = float(np.finfo(np.float32).eps)


class Postings:
    """The entries' vectors twice: entry by entry in full, and term by term in single precision, to find with.

    No weight may be negative, as none of TF-IDF is. What `best` gives is exact, although most entries are not looked
    at. The rare terms of a text are added up for the entries that hold them. What the common ones can add to an entry
    is at most the length of the text's vector in the common terms times that of the entry's (Cauchy and Schwarz), and
    only entries that could reach the best few with that are scored in full.
    """

    def __init__(self, vectors: Any) -> None:
        """`vectors` is a sparse matrix, shape (entries, terms); it is kept."""
        self._rows = vectors.tocsr()
        self._by_term = self._rows.astype(np.float32).T.tocsr()
        entries, terms = self._rows.shape
        self._common: NDArray[np.bool_] = np.diff(self._by_term.indptr) > COMMON * entries
        squares = self._rows.multiply(self._rows) @ self._common.astype(np.float64)
        self._common_lengths: NDArray[np.float32] = np.sqrt(squares).astype(np.float32)
        self.shape = (int(entries), int(terms))

    def best(self, query: Any, most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """The entries whose product with a sparse row of terms is highest, best first, and these products.

        At most `most` of them, a few: each costs a look over all entries. Entries that are equal stand in their order.
        """
        terms, weights = query.indices, query.data
        entries, width = self.shape
        dense = np.zeros(width)
        dense[terms] = weights
        most = min(most, entries)
        found = np.arange(entries) if entries <= FEW else self._promising(terms, weights, dense, most)
        scores = self._scores(found, dense)
        order = np.argsort(-scores, kind="stable")[:most]
        return found[order], scores[order]

    def _promising(
        self, terms: NDArray[Any], weights: NDArray[np.float64], dense: NDArray[np.float64], most: int
    ) -> NDArray[np.int64]:
        """Entries in order, all of the best among them."""
        entries = self.shape[0]
        common = self._common[terms]
        sums = self._sums(terms[~common], weights[~common])
        reach = sums + np.float32(np.linalg.norm(weights[common])) * self._common_lengths
        # Each of so many sums in single precision may be off by a step for each term, and by a few for the rest.
        doubt = (len(terms) + 8) * _STEP
        found = self._within(reach, dense, most, doubt)
        if len(found) > _MANY * entries:
            found = self._within(sums + self._sums(terms[common], weights[common]), dense, most, doubt)
        return found

    def _within(
        self, reach: NDArray[np.float32], dense: NDArray[np.float64], most: int, doubt: float
    ) -> NDArray[np.int64]:
        """Entries that can reach what those that seem best are known to have."""
        least = float(self._scores(_highest(reach, most), dense).min()) * (1 - doubt)
        # The first entries are always among them: where less than `most` share anything with the text, they come next.
        reaching = (reach >= least) & (reach > 0)
        reaching[:most] = True
        return np.flatnonzero(reaching)

    def _sums(self, terms: NDArray[Any], weights: NDArray[np.float64]) -> NDArray[np.float32]:
        """What these terms alone add to every entry."""
        sums: NDArray[np.float32] = self._by_term[terms].T @ weights.astype(np.float32)
        return sums

    def _scores(self, entries: Sequence[int] | NDArray[np.int64], dense: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = self._rows if len(entries) == self.shape[0] else self._rows[entries]
        scores: NDArray[np.float64] = rows @ dense
        return scores


def _highest(values: NDArray[np.float32], most: int) -> list[int]:
    """For a few, looking for the next highest is ten times as quick as any sort."""
    left = values.copy()
    found: list[int] = []
    for _ in range(most):
        found.append(int(left.argmax()))
        left[found[-1]] = -np.inf
    return found
