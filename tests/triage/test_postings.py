"""Finding the best entries gives what scoring every one of them would have given."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from responder.triage.postings import FEW, Postings

ENTRIES = 10 * FEW
TERMS = 300


def _vectors(seed: int, entries: int = ENTRIES) -> Any:
    """Few terms that nearly every entry holds, and many that hardly any does, as in writing; each of length 1."""
    draw = np.random.default_rng(seed)
    shares = np.minimum(0.9, 3 / np.arange(1, TERMS + 1))
    dense = draw.random((entries, TERMS)) * (draw.random((entries, TERMS)) < shares) * (1.2 - shares)
    return csr_matrix(dense / np.maximum(np.linalg.norm(dense, axis=1, keepdims=True), 1e-9))


def _every(vectors: Any, query: Any, most: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    scores = (vectors @ query.T).toarray().ravel()
    order = np.argsort(-scores, kind="stable")[:most]
    return order, scores[order]


def _assert_best(vectors: Any, query: Any, most: int) -> None:
    entries, scores = Postings(vectors).best(query, most)
    expected, products = _every(vectors, query, most)
    assert entries.tolist() == expected.tolist()
    assert np.allclose(scores, products, rtol=0, atol=1e-14)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.sampled_from([5, FEW, FEW + 1, ENTRIES]))
def test_the_best_are_those_of_the_whole_product(seed: int, most: int, entries: int) -> None:
    _assert_best(_vectors(seed, entries), _vectors(seed + 1, 1), most)


@pytest.mark.parametrize("terms", [[0], [0, 1, 2], [299], [0, 299], list(range(TERMS))])
def test_texts_of_common_or_of_rare_terms_alone_are_no_exception(terms: list[int]) -> None:
    weights = np.zeros((1, TERMS))
    weights[0, terms] = 1 / len(terms)
    _assert_best(_vectors(11), csr_matrix(weights), 3)


def test_a_text_that_nothing_is_known_of_is_as_near_to_all() -> None:
    entries, scores = Postings(_vectors(5)).best(csr_matrix((1, TERMS)), 3)
    assert entries.tolist() == [0, 1, 2]
    assert scores.tolist() == [0, 0, 0]


@pytest.mark.parametrize("copies", [3, ENTRIES])
def test_entries_that_are_equal_stand_in_their_order(copies: int) -> None:
    vectors = _vectors(7, ENTRIES // copies + 1)
    same = vectors[np.arange(ENTRIES) // copies]
    entries, scores = Postings(same).best(vectors[0], 3)
    assert entries.tolist() == [0, 1, 2]
    assert len(set(scores.tolist())) == 1


def test_where_fewer_share_anything_the_first_entries_come_next() -> None:
    dense = np.zeros((ENTRIES, TERMS))
    dense[:, 1] = 1.0
    dense[700, 0] = 1.0
    query = csr_matrix(np.eye(1, TERMS))
    entries, scores = Postings(csr_matrix(dense)).best(query, 3)
    assert entries.tolist() == [700, 0, 1]
    assert scores.tolist() == [1, 0, 0]


@pytest.mark.parametrize("entries", [1, 4, FEW, FEW + 1])
def test_more_than_there_are_is_all_of_them(entries: int) -> None:
    vectors = _vectors(3, entries)
    _assert_best(vectors, vectors[0], FEW + 50)


def test_the_same_question_gives_the_same_numbers() -> None:
    vectors, query = _vectors(13), _vectors(14, 1)
    one, other = Postings(vectors).best(query, 5), Postings(vectors.copy()).best(query, 5)
    assert one[0].tolist() == other[0].tolist()
    assert one[1].tolist() == other[1].tolist()
