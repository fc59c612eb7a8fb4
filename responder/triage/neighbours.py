"""The labelled mails that a text is most like: those that an entry answers, and those that a person had to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_COMMON = 0.03
"""Share of the labelled mails above which a token makes no two of them alike.

Leaving these tokens out costs no accuracy and takes 96 % of the work away (docs/why.md).
"""

COUNTED = 3

_DIGITS = 6


class Neighbours:
    """Labelled texts as vectors of their rarer tokens, each of length 1."""

    def __init__(self, rare: NDArray[np.bool_], by_feature: Any, labels: NDArray[np.bool_]) -> None:
        self._rare = rare
        """The features that count, shape (features,)."""
        self._by_feature = by_feature
        """Sparse, shape (features, texts); nothing stands in the row of a feature that does not count."""
        self._labels = labels
        """Shape (texts, entries + 1); the last says that no entry answers it."""
        self._members = [np.flatnonzero(column) for column in labels.T]

    @classmethod
    def of(cls, vectors: Any, labels: NDArray[np.bool_]) -> "Neighbours":
        """From the labelled texts, shape (texts, features)."""
        from scipy.sparse import diags_array

        rare = vectors.getnnz(axis=0) <= MOST_COMMON * vectors.shape[0]
        scaled = diags_array(1 / _lengths(vectors, rare)) @ vectors @ diags_array(rare.astype(np.float64))
        scaled.eliminate_zeros()
        return cls(rare, scaled.T.tocsr().astype(np.float32), labels)

    def likeness(self, vectors: Any, apart_from: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """How like texts are to those of each label, shape (texts, entries + 1, 2).

        The cosine to the one most alike, and the mean of the three most alike. `apart_from`: labelled texts that are
        taken not to be there.
        """
        cosines = (vectors @ self._by_feature).toarray() / _lengths(vectors, self._rare)[:, np.newaxis]
        if apart_from is not None:
            cosines[:, apart_from] = 0.0
        found = np.zeros((len(cosines), len(self._members), 2), dtype=np.float64)
        for label, members in enumerate(self._members):
            alike = cosines[:, members]
            if len(members) > COUNTED:
                alike = np.partition(alike, -COUNTED, axis=1)[:, -COUNTED:]
            if len(members):
                found[:, label, 0] = alike.max(axis=1)
                found[:, label, 1] = alike.sum(axis=1) / COUNTED
        rounded: NDArray[np.float64] = np.round(found, _DIGITS)
        return rounded

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is needed to make it again."""
        return {
            "neighbour_rare": self._rare,
            "neighbour_data": self._by_feature.data,
            "neighbour_indices": self._by_feature.indices.astype(np.int32),
            "neighbour_indptr": self._by_feature.indptr.astype(np.int32),
            "neighbour_labels": self._labels,
        }

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Neighbours":
        """What `arrays` gave."""
        from scipy.sparse import csr_matrix

        rare, labels = arrays["neighbour_rare"], arrays["neighbour_labels"]
        parts = tuple(arrays[f"neighbour_{part}"] for part in ("data", "indices", "indptr"))
        return cls(rare, csr_matrix(parts, shape=(len(rare), len(labels))), labels)


def _lengths(vectors: Any, rare: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Of the rarer part of each vector; 1 where there is none."""
    lengths: NDArray[np.float64] = np.sqrt(vectors.power(2) @ rare.astype(np.float64))
    lengths[lengths == 0] = 1.0
    return lengths
