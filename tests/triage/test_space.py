"""A space counts and weighs as scikit-learn does, to the last bit, and is the same again when it was kept."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import hstack

from responder.corpus import load_corpus
from responder.triage.space import VIEWS, Space
from responder.triage.text import normalised
from tests.knowledge import ROOT

CORPUS = load_corpus(ROOT / "faq_corpus")
PHRASINGS = [normalised(text) for entry in CORPUS.entries for text in (entry.question, *entry.phrasings)]
MAILS = [normalised(f"{example.subject}\n{example.body}") for example in CORPUS.examples[::7]]


def _vectorizer(analyzer: Callable[[str], list[str]], least: int) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    return TfidfVectorizer(analyzer=analyzer, sublinear_tf=True, min_df=least).fit(PHRASINGS)


def _assert_same(ours: Any, theirs: Any) -> None:
    assert ours.shape == theirs.shape
    assert ours.indptr.tolist() == theirs.indptr.tolist()
    assert ours.indices.tolist() == theirs.indices.tolist()
    assert ours.data.tobytes() == theirs.data.tobytes()


@pytest.mark.parametrize("least", [1, 2])
def test_vectors_are_those_of_scikit_learn_to_the_last_bit(least: int) -> None:
    theirs = [_vectorizer(analyzer, least) for analyzer in VIEWS.values()]
    space = Space.fitted(PHRASINGS, least_texts=least)
    for texts in (MAILS, PHRASINGS, ["", "zzz", PHRASINGS[0] * 40], []):
        expected = hstack([one.transform(texts or [""]) for one in theirs], format="csr")[: len(texts)]
        _assert_same(space.vectors(texts), expected)
    assert list(space.names) == [name for one in theirs for name in one.get_feature_names_out()]


def test_a_mail_has_the_same_vector_alone_and_among_others() -> None:
    space = Space.fitted(PHRASINGS)
    together = space.vectors(MAILS[:50])
    for row, text in enumerate(MAILS[:50]):
        _assert_same(space.vectors([text]), together[row])


def test_a_space_of_one_view_knows_that_view_only() -> None:
    words = {"words": VIEWS["words"]}
    theirs = _vectorizer(VIEWS["words"], 1)
    _assert_same(Space.fitted(PHRASINGS, words, least_texts=1).vectors(MAILS), theirs.transform(MAILS))


def test_a_space_that_was_kept_is_the_same() -> None:
    space = Space.fitted(PHRASINGS)
    again = Space.of_arrays(space.arrays())
    assert list(again.names) == list(space.names)
    assert again.first_word == space.first_word
    _assert_same(again.vectors(MAILS), space.vectors(MAILS))
    assert np.isclose(again.vectors(MAILS[:1]).multiply(again.vectors(MAILS[:1])).sum(), len(VIEWS))
