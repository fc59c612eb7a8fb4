"""Texts as TF-IDF vectors, seen in two ways side by side: as character n-grams and as words."""

from array import array
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.triage.text import char_ngrams, words

VIEWS: Mapping[str, Callable[[str], list[str]]] = {"chars": char_ngrams, "words": words}

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

    def counted(self, text: str) -> tuple[list[int], list[int]]:
        """The columns of the tokens that stand in a text, ascending, and how often each does."""
        columns = map(self._columns.get, self._analyzer(text))
        counts = Counter(column for column in columns if column is not None)
        found = sorted(counts)
        return found, [counts[column] for column in found]


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
        from sklearn.utils.sparsefuncs_fast import inplace_csr_row_normalize_l2

        columns, counts, ends = array("i"), array("i"), [0]
        for text in texts:
            for first, view in zip(self._firsts, self._vocabularies.values(), strict=True):
                found, often = view.counted(text)
                columns.extend([first + column for column in found])
                counts.extend(often)
                ends.append(len(columns))
        indices, pointers = np.array(columns, dtype=np.int32), np.array(ends, dtype=np.int32)
        weights = (np.log(np.array(counts, dtype=np.float64)) + 1.0) * self._idf[indices]
        # A row for each view of each text, brought to length 1; then the views of a text make one row.
        by_view = csr_matrix((weights, indices, pointers), shape=(len(ends) - 1, len(self._idf)))
        inplace_csr_row_normalize_l2(by_view)
        together = pointers[:: len(self._vocabularies)]
        return csr_matrix((by_view.data, by_view.indices, together), shape=(len(texts), len(self._idf)))

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
