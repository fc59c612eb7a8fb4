"""The labelled mails that a text is most like: those that an entry answers, and those that a person had to."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_COMMON = 0.01
"""Share of the labelled mails above which a token makes no two of them alike.

Leaving these tokens out costs no accuracy and takes 99 % of the work away (docs/why.md).
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
        # After the texts stands one more that is like nothing, so that no label is without members.
        nothing = len(labels)
        members = [np.append(np.flatnonzero(column), nothing) for column in labels.T]
        self._members = np.concatenate(members)
        """The texts label by label; one with several labels stands several times."""
        self._lasts = np.cumsum([len(texts) for texts in members]) - 1
        self._starts = np.append(0, self._lasts[:-1] + 1)

    @classmethod
    def of(cls, vectors: Any, labels: NDArray[np.bool_]) -> "Neighbours":
        """From the labelled texts, shape (texts, features)."""
        from scipy.sparse import diags_array

        rare = vectors.getnnz(axis=0) <= MOST_COMMON * vectors.shape[0]
        scaled = diags_array(1 / _lengths(vectors, rare)) @ vectors @ diags_array(rare.astype(np.float64))
        scaled.eliminate_zeros()
        return cls(rare, scaled.T.tocsr().astype(np.float32), labels)

    def likeness(
        self, vectors: Any, apart_from: NDArray[np.int64] | None = None, first: int | None = None
    ) -> NDArray[np.float64]:
        """How like texts (the `first` of them) are to those of each label, shape (texts, entries + 1, 2).

        The cosine to the one most alike, and the mean of the three most alike. `apart_from`: labelled texts that are
        taken not to be there.
        """
        texts = vectors.shape[0] if first is None else first
        found = np.zeros((texts, len(self._starts), 2), dtype=np.float64)
        lengths = _lengths(vectors, self._rare)
        for text in range(len(found)):
            cosines = self._products(vectors, text) / lengths[text]
            if apart_from is not None:
                cosines[apart_from] = 0.0
            found[text] = self._most_alike(np.append(cosines, 0.0)[self._members])
        return np.asarray(np.round(found, _DIGITS), dtype=np.float64)

    def _most_alike(self, cosines: NDArray[np.float64]) -> NDArray[np.float64]:
        """The highest of each label, and the mean of its highest three, shape (entries + 1, 2).

        All labels at once: what is equal to a label's highest is counted, taken away, and the highest of the rest
        looked for. Most texts have nothing in common with this one, and are left out; each label keeps its last, which
        is like nothing.
        """
        some = cosines > 0
        some[self._lasts] = True
        lengths = np.add.reduceat(some, self._starts, dtype=np.int64)
        starts, cosines = np.append(0, np.cumsum(lengths)[:-1]), cosines[some]
        left = np.full(len(starts), COUNTED)
        ranks, total = [], np.zeros(len(left))
        for _ in range(COUNTED):
            highest = np.maximum.reduceat(cosines, starts)
            alike = cosines == np.repeat(highest, lengths)
            counted = np.minimum(np.add.reduceat(alike, starts, dtype=np.int64), left)
            total, left = total + counted * highest, left - counted
            cosines = np.where(alike, 0.0, cosines)
            ranks.append(highest)
        return np.column_stack([ranks[0], total / COUNTED])

    def _products(self, vectors: Any, text: int) -> NDArray[np.float64]:
        """Of one text with every labelled one: what stands in the rows of its features, added up text by text.

        scipy's sparse product of so few rows checks its arguments for twice as long as it works.
        """
        of_text = slice(vectors.indptr[text], vectors.indptr[text + 1])
        features, weights = vectors.indices[of_text], vectors.data[of_text]
        counted = self._rare[features]
        features, weights = features[counted], weights[counted]
        begins, rows = self._by_feature.indptr[features], self._by_feature
        lengths = rows.indptr[features + 1] - begins
        ends = np.cumsum(lengths)
        places = np.arange(lengths.sum()) + np.repeat(begins - ends + lengths, lengths)
        shares = rows.data[places] * np.repeat(weights, lengths)
        return np.bincount(rows.indices[places], shares, minlength=len(self._labels)).astype(np.float64, copy=False)

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
    counted = vectors.data * vectors.data * rare[vectors.indices]
    of_row = np.repeat(np.arange(vectors.shape[0]), np.diff(vectors.indptr))
    lengths: NDArray[np.float64] = np.sqrt(np.bincount(of_row, counted, minlength=vectors.shape[0]))
    lengths[lengths == 0] = 1.0
    return lengths
