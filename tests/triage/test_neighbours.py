"""Likeness to labelled texts: what it counts, whom it leaves out, and that it survives the disk."""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from responder.triage.neighbours import MOST_COMMON, Neighbours

DRAW = np.random.default_rng(20261124)
TEXTS, FEATURES, LABELS = 900, 300, 3


def _vectors() -> csr_matrix:
    """Rare tokens at random, and a last one that every text has."""
    dense = np.where(DRAW.random((TEXTS, FEATURES)) < MOST_COMMON / 3, DRAW.random((TEXTS, FEATURES)), 0.0)
    dense[:, -1] = 5.0
    return csr_matrix(dense)


def _labels() -> NDArray[np.bool_]:
    labels = np.zeros((TEXTS, LABELS), dtype=np.bool_)
    labels[np.arange(TEXTS), np.arange(TEXTS) % LABELS] = True
    return labels


VECTORS, LABELLED = _vectors(), _labels()


def _expected(counted: NDArray[np.bool_]) -> NDArray[np.float64]:
    """By the definition, from dense arrays; only texts that are counted are there."""
    rare = VECTORS.toarray()[:, :-1]
    unit = rare / np.maximum(np.linalg.norm(rare, axis=1, keepdims=True), 1e-12)
    cosines = np.where(counted, unit @ unit.T, 0.0)
    best = [-np.sort(-cosines[:, column], axis=1)[:, :3] for column in LABELLED.T]
    return np.stack([np.stack([three[:, 0], three.mean(axis=1)], axis=-1) for three in best], axis=1)


def test_it_is_the_cosine_of_the_rarer_tokens() -> None:
    found = Neighbours.of(VECTORS, LABELLED).likeness(VECTORS)
    assert np.allclose(found, _expected(np.ones(TEXTS, dtype=np.bool_)), atol=1e-6)


def test_texts_apart_are_taken_not_to_be_there() -> None:
    apart = np.arange(0, TEXTS, 2)
    found = Neighbours.of(VECTORS, LABELLED).likeness(VECTORS, apart_from=apart)
    assert np.allclose(found, _expected(np.arange(TEXTS) % 2 == 1), atol=1e-6)


def test_a_label_that_few_texts_have_counts_those_and_one_that_none_has_is_far_from_all() -> None:
    labels = np.zeros((TEXTS, 2), dtype=np.bool_)
    labels[0, 0] = True
    found = Neighbours.of(VECTORS, labels).likeness(VECTORS[:1])
    assert found[0, 0, 0] == np.float64(1.0)
    assert found[0, 0, 1] == round(1 / 3, 6)
    assert not found[0, 1].any()


def test_read_back_it_says_the_same() -> None:
    here = Neighbours.of(VECTORS, LABELLED)
    back = Neighbours.of_arrays(here.arrays())
    assert np.array_equal(here.likeness(VECTORS), back.likeness(VECTORS))
