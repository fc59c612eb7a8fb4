"""Texts as TF-IDF vectors, seen in two ways side by side: as character n-grams and as words."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.triage.text import char_ngrams, runs, words

VIEWS: Mapping[str, Callable[[str], list[str]]] = {"chars": char_ngrams, "words": words}
"""Each gives the tokens of a text, none of which goes beyond one of its `runs`."""

_TOGETHER = 500
"""Texts that are counted at once: all that is learned from would take hundreds of megabytes."""

LEAST_TEXTS = 2
"""A token that a single text has teaches nothing about the next."""


class Vocabulary:
    """The tokens of one view that count, and how rare each is."""

    def __init__(self, analyzer: Callable[[str], list[str]], tokens: Sequence[str], idf: NDArray[np.float64]) -> None:
        self.tokens = list(tokens)
        self.idf = idf
        """Shape (tokens,)."""
        self._analyzer = analyzer
        self._columns = {token: column for column, token in enumerate(self.tokens)}

    @classmethod
    def fitted(cls, analyzer: Callable[[str], list[str]], texts: Sequence[str], least_texts: int) -> "Vocabulary":
        """Of the tokens that so many texts have."""
        from sklearn.feature_extraction.text import TfidfVectorizer

        vectorizer = TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, min_df=least_texts).fit(texts)
        return cls(analyzer, vectorizer.get_feature_names_out().tolist(), vectorizer.idf_)

    def columns(self, texts: Sequence[Sequence[str]]) -> list[list[int]]:
        """Of the tokens in texts, given as their runs, each as often as it stands there; -1 is one that does not count.

        The clauses of a mail repeat what stands in the mail: each run is looked up once.
        """
        known: dict[str, list[int]] = {}
        for run in set(chain.from_iterable(texts)):
            known[run] = list(map(self._columns.get, self._analyzer(run), repeat(-1)))
        return [list(chain.from_iterable(map(known.__getitem__, text))) for text in texts]


class Space:
    """Fitted on texts; each view has length 1, so that both weigh the same."""

    def __init__(self, vocabularies: Mapping[str, Vocabulary]) -> None:
        self._vocabularies = dict(vocabularies)
        views = list(self._vocabularies.values())
        self._firsts = np.cumsum([0, *(len(view.tokens) for view in views[:-1])]).tolist()
        self._idf: NDArray[np.float64] = np.concatenate([view.idf for view in views])
        self.names: Sequence[str] = [token for view in views for token in view.tokens]
        """What each feature is, as a text; those of the words come last."""
        self.first_word = len(views[0].tokens)
        """The index of the first feature that a person can read."""

    @classmethod
    def fitted(
        cls,
        texts: Sequence[str],
        views: Mapping[str, Callable[[str], list[str]]] = VIEWS,
        least_texts: int = LEAST_TEXTS,
    ) -> "Space":
        """Count the tokens of these texts."""
        return cls({name: Vocabulary.fitted(analyzer, texts, least_texts) for name, analyzer in views.items()})

    def vectors(self, texts: Sequence[str]) -> Any:
        """A sparse matrix, shape (texts, features): to the last bit what scikit-learn's TfidfVectorizer gives.

        That one checks its arguments for longer than it works where it is given one mail at a time.
        """
        from scipy.sparse import csr_matrix

        # A row for each view of each text, brought to length 1; then the views of a text make one row.
        blocks = [self._counted(texts[start : start + _TOGETHER]) for start in range(0, len(texts) or 1, _TOGETHER)]
        indices, counts, lengths = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
        pointers = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
        weights = _of_length_one((np.log(counts) + 1.0) * self._idf[indices], lengths)
        together = pointers[:: len(self._vocabularies)]
        return csr_matrix((weights, indices, together), shape=(len(texts), len(self._idf)))

    def _counted(self, texts: Sequence[str]) -> tuple[NDArray[np.int32], NDArray[np.float64], NDArray[np.int64]]:
        """Columns, how often each, and how many of them a row has: the views of the first text, then of the next."""
        in_runs = [runs(text) for text in texts]
        by_view = [view.columns(in_runs) for view in self._vocabularies.values()]
        rows = list(chain.from_iterable(zip(*by_view, strict=True)))
        sizes = np.array(list(map(len, rows)), dtype=np.int64)
        found = np.fromiter(chain.from_iterable(rows), np.int64, sizes.sum())
        # Counted all at once, as numbers that hold row and column: a count for each text by itself takes twice as long.
        width = len(self._idf)
        begins = np.arange(len(rows), dtype=np.int64) * width
        keys = found + np.repeat(begins + np.tile(self._firsts, len(texts)), sizes)
        keys, counts = np.unique(keys[found >= 0], return_counts=True)
        lengths = np.bincount(keys // width, minlength=len(rows))
        return (keys % width).astype(np.int32), counts.astype(np.float64), lengths

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is needed to make it again."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, vocabulary in self._vocabularies.items():
            arrays[f"{name}_tokens"] = np.frombuffer("\n".join(vocabulary.tokens).encode(), dtype=np.uint8)
            arrays[f"{name}_idf"] = vocabulary.idf
        return arrays

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Space":
        """What `arrays` gave."""
        return cls(
            {
                name: Vocabulary(
                    analyzer, arrays[f"{name}_tokens"].tobytes().decode().split("\n"), arrays[f"{name}_idf"]
                )
                for name, analyzer in VIEWS.items()
            }
        )


def _of_length_one(weights: NDArray[np.float64], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
    """Rows that stand one after the other, each brought to length 1.

    `bincount` adds up in the order of the row, as scikit-learn does; to import that takes a second and 60 MB.
    """
    of_row = np.repeat(np.arange(len(lengths)), lengths)
    norms = np.sqrt(np.bincount(of_row, weights * weights, minlength=len(lengths)))
    return weights / norms[of_row]
