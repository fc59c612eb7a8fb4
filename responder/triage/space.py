"""Texts as TF-IDF vectors, seen in two ways side by side: as character n-grams and as words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.triage.text import char_ngrams, words

VIEWS: Mapping[str, Callable[[str], list[str]]] = {"chars": char_ngrams, "words": words}

LEAST_TEXTS = 2
"""A token that a single text has teaches nothing about the next."""


class Space:
    """Fitted on texts; each view has length 1, so that both weigh the same."""

    def __init__(self, vectorizers: Mapping[str, Any]) -> None:
        self._vectorizers = dict(vectorizers)
        parts = [vectorizer.get_feature_names_out() for vectorizer in self._vectorizers.values()]
        self.names: NDArray[np.str_] = np.concatenate(parts).astype(np.str_)
        """What each feature is, as a text; those of the words come last."""
        self.first_word = len(parts[0])
        """The index of the first feature that a person can read."""

    @classmethod
    def fitted(cls, texts: Sequence[str]) -> "Space":
        """Count the tokens of these texts."""
        return cls({name: _vectorizer(name, min_df=LEAST_TEXTS).fit(texts) for name in VIEWS})

    def vectors(self, texts: Sequence[str]) -> Any:
        """A sparse matrix, shape (texts, features)."""
        from scipy.sparse import hstack

        return hstack([vectorizer.transform(texts) for vectorizer in self._vectorizers.values()]).tocsr()

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is needed to make it again."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, vectorizer in self._vectorizers.items():
            tokens = "\n".join(vectorizer.get_feature_names_out()).encode()
            arrays[f"{name}_tokens"] = np.frombuffer(tokens, dtype=np.uint8)
            arrays[f"{name}_idf"] = vectorizer.idf_
        return arrays

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Space":
        """What `arrays` gave."""
        vectorizers = {}
        for name in VIEWS:
            tokens = arrays[f"{name}_tokens"].tobytes().decode().split("\n")
            vectorizers[name] = _vectorizer(name, vocabulary=tokens)
            vectorizers[name].idf_ = arrays[f"{name}_idf"]
        return cls(vectorizers)


def _vectorizer(view: str, **options: Any) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer=VIEWS[view], sublinear_tf=True, **options)
