"""A corpus in, a classifier and its trial out: everything is learned, and tried on authors it was not learned from."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.corpus import Corpus, Example
from responder.triage.confidence import Fit
from responder.triage.interpretation import Sighting, evidence, interpretations
from responder.triage.learned import (
    DIGITS,
    LearnedClassifier,
    fingerprint_of,
    scores_of,
    sighting_of,
    texts_of,
)
from responder.triage.neighbours import Neighbours
from responder.triage.questions import Questions, questions_of
from responder.triage.quotation import Answers
from responder.triage.ridge import Matrix, Solution, kernel_of, solved, without
from responder.triage.space import Space
from responder.triage.text import normalised
from responder.triage.trial import Trial

_RIDGE = 0.3

LARGEST_BLOCK = 0.2
"""Share of all examples above which one author's are divided: what is kept away must leave enough to learn from."""

PARTS = 2
"""With one author's mails in ten parts, the floor that they allowed let 1.4 to 1.8 % wrong through on strangers' mails.
Judged by half of his mails the author is less of an acquaintance: 0.2 to 0.9 %."""

_GROUPS = 5
"""Several authors are kept from one confidence, which is hardly changed by one author more."""

_PHRASING = -1
"""In place of a mail's index: a phrasing is of no mail, and never kept away."""

_NOBODY = ""
"""In place of an entry."""

Indices = NDArray[np.int64]


class _Pieces:
    """Texts of mails, side by side."""

    def __init__(self, by_mail: Iterable[Sequence[str]]) -> None:
        pieces = list(by_mail)
        self.texts = [text for of_mail in pieces for text in of_mail]
        ends = np.cumsum([len(of_mail) for of_mail in pieces], dtype=np.int64)
        self.rows = [np.arange(end - len(of_mail), end) for end, of_mail in zip(ends, pieces, strict=True)]
        """Of each mail, the indices of its texts."""

    def rows_of(self, block: Indices) -> Indices:
        """The indices of all their texts."""
        return np.concatenate([self.rows[mail] for mail in block])


class _Mails:
    """The labelled mails, and the texts that are looked at of them."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self.examples = tuple(examples)
        self.asked: list[Questions] = [questions_of(mail.subject, mail.body) for mail in examples]
        self.questions = _Pieces(texts_of(questions) for questions in self.asked)
        """The whole of each, and its units."""
        self.clauses = _Pieces(questions.clauses for questions in self.asked)

    @property
    def wholes(self) -> Indices:
        """Of each mail, the index of the whole."""
        return np.array([rows[0] for rows in self.questions.rows], dtype=np.int64)

    def blocks(self) -> list[Indices]:
        """Mails that are kept away together: those of one author, who is like himself."""
        largest = LARGEST_BLOCK * len(self.examples)
        blocks = []
        for author in dict.fromkeys(mail.author for mail in self.examples):
            block = [index for index, mail in enumerate(self.examples) if mail.author == author]
            parts = [_part(self.examples[index]) if len(block) > largest else 0 for index in block]
            blocks += [np.array(block)[np.array(parts) == part] for part in sorted(set(parts))]
        return blocks


def _part(mail: Example) -> int:
    """By its words, so that a mail stays in its part when others are added."""
    return hashlib.sha256(f"{mail.subject}\n{mail.body}".encode()).digest()[0] % PARTS


@dataclass(frozen=True, slots=True)
class _Lessons:
    """What is learned from: a row a text."""

    vectors: Any
    """Sparse, shape (rows, features)."""
    labels: NDArray[np.bool_]
    """Shape (rows, entries + 1); the last says that no entry answers it."""
    mails: Indices
    """Which mail each row is of."""

    def rows_of(self, block: Indices) -> Indices:
        """The rows that come from these mails."""
        return np.flatnonzero(np.isin(self.mails, block))

    def solution(self) -> Solution:
        """What all of it teaches."""
        return solved(kernel_of(self.vectors), self.labels.astype(np.float64), _RIDGE)

    def weights(self, coefficients: Matrix) -> Matrix:
        """Shape (features, entries + 1); rounded as they are kept on disk, so that a model read back says the same."""
        weights: Matrix = np.round(self.vectors.T @ coefficients, DIGITS).astype(np.float32).astype(np.float64)
        return weights


def fit_learned(corpus: Corpus) -> LearnedClassifier:
    """Learn entries and examples: some ten seconds with 4,000 examples; half a minute, and 2 GB, with 10,000."""
    mails, entries = _Mails(corpus.examples), [entry.id for entry in corpus.entries]
    phrasings = [
        (normalised(text), asked)
        for entry in corpus.entries
        for asked, texts in ((entry.id, (entry.question, *entry.phrasings)), (_NOBODY, entry.counterexamples))
        for text in texts
    ]
    space = Space.fitted([*(text for text, _ in phrasings), *(mails.questions.texts[whole] for whole in mails.wholes)])
    texts = space.vectors(mails.questions.texts)
    asked = _of_phrasings(phrasings, space, entries)
    of_mails = _of_mails(mails, texts, entries)
    whole = _joined(asked, of_mails)
    # What was learned of the phrasings alone tells which unit of a mail asks for which entry.
    first = scores_of(texts, asked.weights(asked.solution().coefficients))
    lessons = _joined(whole, _of_units(mails, of_mails.labels, first, texts))
    spoken = (text for entry in corpus.entries for text in (entry, entry.english) if text is not None)
    taught = _Taught(
        lessons,
        lessons.solution(),
        whole,
        Neighbours.of(whole.vectors, whole.labels),
        Answers(t.answer for t in spoken),
    )
    blocks = mails.blocks()
    sightings = _sightings(mails, texts, space.vectors(mails.clauses.texts), taught, blocks)
    rows = [
        row for mail, sighting in enumerate(sightings) for row in _rows(mail, sighting, corpus.examples[mail], entries)
    ]
    fit = Fit([row.evidence for row in rows], [row.right for row in rows])
    return LearnedClassifier(
        entries,
        space,
        lessons.weights(taught.solution.coefficients),
        taught.neighbours,
        taught.answers,
        fit.confidence,
        _trial(rows, fit, mails, blocks, len(entries)),
        fingerprint_of(corpus),
    )


def _of_phrasings(phrasings: Sequence[tuple[str, str]], space: Space, entries: Sequence[str]) -> _Lessons:
    return _Lessons(
        space.vectors([text for text, _ in phrasings]),
        np.array([[*(entry == asked for entry in entries), asked == _NOBODY] for _, asked in phrasings]),
        np.full(len(phrasings), _PHRASING),
    )


def _of_mails(mails: _Mails, texts: Any, entries: Sequence[str]) -> _Lessons:
    return _Lessons(
        texts[mails.wholes],
        np.array([[*(entry in mail.expected for entry in entries), not mail.answerable] for mail in mails.examples]),
        np.arange(len(mails.examples)),
    )


def _of_units(mails: _Mails, labels: NDArray[np.bool_], scores: Matrix, texts: Any) -> _Lessons:
    """The units of mails that ask several things, each with what it asks.

    `labels` are those of the whole mails. They say what a mail asks, not where: an entry is taken to be asked by the
    unit that scores highest for it. What is left over in a mail that entries answer in part is what they do not answer.
    """
    rows, taught, of = [], [], []
    for index, mail in enumerate(mails.examples):
        units = mails.questions.rows[index][1:]
        several = len(mail.expected) > 1 or (mail.expected and not mail.complete)
        if not several or not len(units):
            continue
        asked = np.zeros((len(units), labels.shape[1]), dtype=np.bool_)
        for entry in np.flatnonzero(labels[index, :-1]):
            asked[int(scores[units, entry].argmax()), entry] = True
        asked[:, -1] = ~asked.any(axis=1) & (not mail.complete)
        for unit in np.flatnonzero(asked.any(axis=1)):
            rows.append(units[unit])
            taught.append(asked[unit])
            of.append(index)
    picked = np.array(rows, dtype=np.int64)
    return _Lessons(
        texts[picked],
        np.array(taught, dtype=np.bool_).reshape(-1, labels.shape[1]),
        np.array(of, dtype=np.int64),
    )


def _joined(first: _Lessons, second: _Lessons) -> _Lessons:
    from scipy.sparse import vstack

    return _Lessons(
        vstack([first.vectors, second.vectors]).tocsr(),
        np.vstack([first.labels, second.labels]),
        np.concatenate([first.mails, second.mails]),
    )


@dataclass(frozen=True, slots=True)
class _Taught:
    """All that was learned, whole enough to tell what would have been learned without some of the mails."""

    lessons: _Lessons
    solution: Solution
    whole: _Lessons
    """Those of `lessons` that are no units; the texts of `neighbours`, row by row."""
    neighbours: Neighbours
    answers: Answers


def _sightings(mails: _Mails, texts: Any, clauses: Any, taught: _Taught, blocks: Sequence[Indices]) -> list[Sighting]:
    """How each mail scores for who did not learn from its author; the vectors are of the pieces in `mails`."""
    labels = taught.lessons.labels.shape[1]
    scores, of_clauses = np.zeros((texts.shape[0], labels)), np.zeros((clauses.shape[0], labels))
    likeness = np.zeros((texts.shape[0], labels, 2))
    for block in blocks:
        weights = taught.lessons.weights(without(taught.solution, taught.lessons.rows_of(block)))
        rows, rows_of_clauses = mails.questions.rows_of(block), mails.clauses.rows_of(block)
        scores[rows] = scores_of(texts[rows], weights)
        of_clauses[rows_of_clauses] = scores_of(clauses[rows_of_clauses], weights)
        likeness[rows] = taught.neighbours.likeness(texts[rows], apart_from=taught.whole.rows_of(block))
    return [
        sighting_of(asked, scores[rows], of_clauses[rows_of_clauses], likeness[rows], taught.answers)
        for asked, rows, rows_of_clauses in zip(mails.asked, mails.questions.rows, mails.clauses.rows, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class _Row:
    """One interpretation of one labelled mail, seen by a model that did not learn from its author."""

    mail: int
    entries: tuple[int, ...]
    evidence: list[float]
    right: bool


def _rows(mail: int, sighting: Sighting, example: Example, entries: Sequence[str]) -> list[_Row]:
    return [
        _Row(mail, found, evidence(sighting, found), example.allows(entries[entry] for entry in found))
        for found in interpretations(sighting)
    ]


def _trial(rows: Sequence[_Row], fit: Fit, mails: _Mails, blocks: Sequence[Indices], entries: int) -> Trial:
    """The best interpretation of each mail of the sample, by a confidence that did not learn from its author either.

    Without a sample the examples are taken for one.
    """
    count = len(mails.examples)
    confidences, right = np.zeros(count), np.zeros(count, dtype=np.bool_)
    sent = np.zeros((count, entries), dtype=np.bool_)
    sampled = np.array([mail.sampled for mail in mails.examples])
    tried = sampled if sampled.any() else ~sampled
    of_tried = [block for block in blocks if tried[block].any()]
    for first in range(min(_GROUPS, len(of_tried))):
        own = {mail for block in of_tried[first::_GROUPS] for mail in block.tolist()}
        confidence = fit.without(np.array([row.mail in own for row in rows]))
        kept_away = [row for row in rows if row.mail in own]
        for row, chance in zip(kept_away, confidence.of([row.evidence for row in kept_away]), strict=True):
            if chance > confidences[row.mail]:
                confidences[row.mail], right[row.mail] = chance, row.right
                sent[row.mail] = False
                sent[row.mail, list(row.entries)] = True
    return Trial(confidences[tried], right[tried], sent[tried])
