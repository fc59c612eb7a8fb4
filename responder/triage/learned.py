"""Recognition learned from labelled mails: linear scores over TF-IDF, and a confidence that the scores are right."""

import hashlib
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.corpus import Corpus
from responder.triage.confidence import Confidence
from responder.triage.interpretation import Sighting, evidence, interpretations
from responder.triage.neighbours import Neighbours
from responder.triage.questions import Questions
from responder.triage.quotation import Answers
from responder.triage.ridge import Matrix
from responder.triage.space import Space
from responder.triage.trial import Trial
from responder.triage.verdict import Candidate, Part, Recognition, Term, Verdict, readable

RECIPE = "ridge-3"
"""Changes whenever the same corpus would give other numbers."""

LEAST_EXAMPLES = 300
"""Under a hundred labelled mails the raw score is better (docs/why.md), and fewer than 299 promise nothing."""

_LIKELY = 0.5
"""Confidence above which a mail is more probably covered as a whole than not, so that its parts need no other word."""

_COVERS = 0.25
"""Score that a unit needs for an entry to be prepared for it."""

_Words = list[tuple[str, int, float]]
_Row = list[tuple[int, float]]

# Where sums are made in another order (another machine, other threads) the last digits differ; these are cut off.
DIGITS = 7


class LearnedClassifier:
    """Fitted on entries and labelled mails."""

    def __init__(
        self,
        entries: Sequence[str],
        space: Space,
        weights: Matrix,
        neighbours: Neighbours,
        answers: Answers,
        confidence: Confidence,
        trial: Trial,
        fingerprint: str,
    ) -> None:
        self.entries = tuple(entries)
        self.fingerprint = fingerprint
        self.trial = trial
        self._space = space
        self._weights = weights
        self._neighbours = neighbours
        self._answers = answers
        self._confidence = confidence

    def classify(self, questions: Questions) -> Recognition:
        """What a mail asks: the interpretation that is most probably right."""
        texts = texts_of(questions)
        vectors = self._space.vectors([*texts, *questions.clauses])
        scores = scores_of(vectors, self._weights)
        sighting = sighting_of(
            questions,
            scores[: len(texts)],
            scores[len(texts) :],
            self._neighbours.likeness(vectors, first=len(texts)),
            self._answers,
        )
        found = interpretations(sighting)
        chances = self._confidence.of([evidence(sighting, entries) for entries in found])
        best = int(np.argmax(chances))
        confidence = float(chances[best])
        whole = self._verdict(questions.whole.text, _row(vectors, 0), sighting.whole, found[0][0], confidence)
        units: list[Verdict] = []
        for entry in found[best] if len(found[best]) > 1 else ():
            asking = int(sighting.units[:, entry].argmax())
            text, vector = questions.units[asking].text, _row(vectors, 1 + asking)
            units.append(self._verdict(text, vector, sighting.units[asking], entry, confidence))
        return Recognition(whole, tuple(units), () if confidence > _LIKELY else self._parts(questions, sighting))

    def _parts(self, questions: Questions, sighting: Sighting) -> tuple[Part, ...]:
        """Each unit with the entry that covers it: what can be prepared of a mail that a person must answer."""
        parts = []
        for unit, scores in zip(questions.units, sighting.units, strict=True):
            best = int(scores[:-1].argmax())
            covered = scores[best] > max(float(scores[-1]), _COVERS)
            parts.append(Part(unit.text, self.entries[best] if covered else None, round(float(scores[best]), 6)))
        return tuple(parts)

    def _verdict(
        self, question: str, vector: _Row, scores: NDArray[np.float64], entry: int, confidence: float
    ) -> Verdict:
        order = np.argsort(-scores[:-1], kind="stable")
        rivals = [float(scores[other]) for other in order if other != entry]
        words = self._words(question, vector)
        terms = {place: self._terms(words, place) for place in {entry, *order[:3].tolist()}}
        return Verdict(
            question=question,
            entry=self.entries[entry],
            confidence=confidence,
            margin=round(float(scores[entry]) - max(rivals, default=0.0), 6),
            candidates=tuple(
                Candidate(self.entries[place], round(float(scores[place]), 6), *terms[place])
                for place in order[:3].tolist()
            ),
            terms=terms[entry][0],
        )

    def _words(self, question: str, vector: _Row) -> _Words:
        """The words of a question, each with its column and its weight in the vector."""
        names, first = self._space.names, self._space.first_word
        # The vector is of the question with its subject, and may be of folded kana.
        return [(names[at], at, value) for at, value in vector if at >= first and names[at] in question]

    def _terms(self, words: _Words, entry: int) -> tuple[tuple[Term, ...], tuple[Term, ...]]:
        """Those that added most to the entry's score, and those that took most from it."""
        weights = self._weights[[at for _, at, _ in words], entry].tolist()
        shares = [(value * weight, text) for (text, _, value), weight in zip(words, weights, strict=True)]
        rising = sorted((-share, text) for share, text in shares if share)
        split = sum(share < 0 for share, _ in rising)
        said = readable(Term(text, -share) for share, text in rising[:split])
        against = readable(Term(text, -share) for share, text in reversed(rising[split:]))
        return said, against

    def to_bytes(self) -> bytes:
        """All of it as plain arrays, for a file."""
        arrays: dict[str, NDArray[Any]] = {
            "entries": np.array(self.entries),
            "fingerprint": np.array(self.fingerprint),
            "weights": self._weights.astype(np.float32),
            "answers": np.array(self._answers.texts),
            **self._confidence.arrays(),
            **self.trial.arrays(),
            **self._neighbours.arrays(),
            **self._space.arrays(),
        }
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    @classmethod
    def of_bytes(cls, content: bytes) -> "LearnedClassifier":
        """What `to_bytes` gave. Raises ValueError, KeyError, EOFError or BadZipFile where it is not that."""
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return cls(
                [str(entry) for entry in arrays["entries"]],
                Space.of_arrays(arrays),
                arrays["weights"].astype(np.float64),
                Neighbours.of_arrays(arrays),
                Answers(str(text) for text in arrays["answers"]),
                Confidence.of_arrays(arrays),
                Trial.of_arrays(arrays),
                str(arrays["fingerprint"]),
            )


def fingerprint_of(corpus: Corpus) -> str:
    """Names the model that `fit_learned` makes of a corpus, before it is made."""
    return hashlib.sha256(f"{RECIPE} {corpus.fingerprint}".encode()).hexdigest()


def _row(vectors: Any, row: int) -> _Row:
    """Columns and values: to slice a sparse matrix takes longer than to read them."""
    of_row = slice(vectors.indptr[row], vectors.indptr[row + 1])
    return list(zip(vectors.indices[of_row].tolist(), vectors.data[of_row].tolist(), strict=True))


def texts_of(questions: Questions) -> list[str]:
    """What is looked at of a mail: the question as a whole, and its units."""
    # The subject often says in two words what the body circles around.
    whole = f"{questions.whole.text}\n{questions.subject}"
    return [whole, *(unit.text for unit in questions.units)]


def scores_of(vectors: Any, weights: Matrix) -> Matrix:
    """How texts score for each entry and for nobody."""
    scores: Matrix = np.round(np.asarray(vectors @ weights), DIGITS)
    return scores


def sighting_of(
    questions: Questions, scores: Matrix, clauses: Matrix, likeness: NDArray[np.float64], answers: Answers
) -> Sighting:
    """All that speaks for and against; `scores` and `likeness` are of `texts_of`, `clauses` are scores as well."""
    share, runs = answers.repeated_in(questions.everything)
    form = (
        np.log1p(len(questions.whole.text)),
        len(questions.units),
        questions.requests,
        questions.joins,
        questions.reply,
        share,
        np.log1p(runs),
        *questions.cues,
    )
    return Sighting(scores[0], scores[1:], clauses, likeness, tuple(map(float, form)))
