"""Recognition learned from labelled mails: linear scores over TF-IDF, and a confidence that the scores are right."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.corpus import Corpus, Example
from responder.triage.calibration import Threshold, threshold_of
from responder.triage.interpretation import Sighting, evidence, interpretations
from responder.triage.questions import Questions, questions_of
from responder.triage.ridge import Matrix, solved, without
from responder.triage.space import Space
from responder.triage.text import normalised
from responder.triage.verdict import Candidate, Recognition, Term, Verdict, readable

RECIPE = "ridge-1"
"""Changes whenever the same corpus would give other numbers."""

LEAST_EXAMPLES = 300
"""Under a hundred labelled mails the raw score is better (docs/why.md), and fewer than 299 promise nothing."""

_RIDGE = 0.3

# Where sums are made in another order (another machine, other threads) the last digits differ; these are cut off.
_DIGITS = 7


@dataclass(frozen=True, slots=True)
class Trial:
    """What the model said of the labelled mails when their author was kept from it."""

    confidences: NDArray[np.float64]
    right: NDArray[np.bool_]

    def threshold(self, *, alpha: float, delta: float) -> Threshold:
        """The floor that these mails allow."""
        return threshold_of(self.confidences, self.right, alpha=alpha, delta=delta)


@dataclass(frozen=True, slots=True)
class Confidence:
    """A logistic regression from evidence to the probability that an interpretation is right."""

    mean: NDArray[np.float64]
    scale: NDArray[np.float64]
    weights: NDArray[np.float64]
    """With the intercept last."""

    def of(self, rows: Sequence[Sequence[float]]) -> NDArray[np.float64]:
        """One probability per row of evidence."""
        standard = (np.asarray(rows, dtype=np.float64) - self.mean) / self.scale
        logits: NDArray[np.float64] = standard @ self.weights[:-1] + self.weights[-1]
        return np.round(1 / (1 + np.exp(-logits)), 6)


class LearnedClassifier:
    """Fitted on entries and labelled mails."""

    def __init__(
        self,
        entries: Sequence[str],
        space: Space,
        weights: Matrix,
        confidence: Confidence,
        trial: Trial,
        fingerprint: str,
    ) -> None:
        self.entries = tuple(entries)
        self.fingerprint = fingerprint
        self.trial = trial
        self._space = space
        self._weights = weights
        self._confidence = confidence

    def classify(self, questions: Questions) -> Recognition:
        """What a mail asks: the interpretation that is most probably right."""
        sighting = _sightings([questions], self._space, self._weights)[0]
        found = interpretations(sighting)
        chances = self._confidence.of([evidence(sighting, entries) for entries in found])
        best = int(np.argmax(chances))
        confidence = float(chances[best])
        whole = self._verdict(questions.whole.text, sighting.whole, found[0][0], confidence)
        units: list[Verdict] = []
        for entry in found[best] if len(found[best]) > 1 else ():
            asking = int(sighting.units[:, entry].argmax())
            units.append(self._verdict(questions.units[asking].text, sighting.units[asking], entry, confidence))
        return Recognition(whole, tuple(units))

    def _verdict(self, question: str, scores: NDArray[np.float64], entry: int, confidence: float) -> Verdict:
        order = np.argsort(-scores[:-1], kind="stable")
        rivals = [float(scores[other]) for other in order if other != entry]
        return Verdict(
            question=question,
            entry=self.entries[entry],
            confidence=confidence,
            margin=round(float(scores[entry]) - max(rivals, default=0.0), 6),
            candidates=tuple(Candidate(self.entries[i], round(float(scores[i]), 6)) for i in order[:3]),
            terms=self._terms(question, entry),
        )

    def _terms(self, text: str, entry: int) -> tuple[Term, ...]:
        """The words that added most to the entry's score."""
        vector = self._space.vectors([text]).tocoo()
        names, first = self._space.names, self._space.first_word
        shares = [
            Term(str(names[column]), float(value * self._weights[column, entry]))
            for column, value in zip(vector.col, vector.data, strict=True)
            if column >= first and self._weights[column, entry] > 0
        ]
        return readable(sorted(shares, key=lambda term: (-term.weight, term.text)))

    def to_bytes(self) -> bytes:
        """All of it as plain arrays, for a file."""
        arrays: dict[str, NDArray[Any]] = {
            "entries": np.array(self.entries),
            "fingerprint": np.array(self.fingerprint),
            "weights": self._weights.astype(np.float32),
            "mean": self._confidence.mean,
            "scale": self._confidence.scale,
            "logistic": self._confidence.weights,
            "confidences": self.trial.confidences,
            "right": self.trial.right,
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
                Confidence(arrays["mean"], arrays["scale"], arrays["logistic"]),
                Trial(arrays["confidences"], arrays["right"]),
                str(arrays["fingerprint"]),
            )


def fingerprint_of(corpus: Corpus) -> str:
    """Names the model that `fit_learned` makes of a corpus, before it is made."""
    return hashlib.sha256(f"{RECIPE} {corpus.fingerprint}".encode()).hexdigest()


def fit_learned(corpus: Corpus) -> LearnedClassifier:
    """Learn entries and examples: some five seconds and 700 MB for a moment with 4,000 examples."""
    entries = [entry.id for entry in corpus.entries]
    phrasings = [
        (normalised(text), entry.id) for entry in corpus.entries for text in (entry.question, *entry.phrasings)
    ]
    asked = [questions_of(example.subject, example.body) for example in corpus.examples]
    texts = [*(text for text, _ in phrasings), *(_text(questions) for questions in asked)]
    space = Space.fitted(texts)
    vectors = space.vectors(texts)
    targets = np.array(
        [[*(entry == other for other in entries), False] for _, entry in phrasings]
        + [[*(entry in example.expected for entry in entries), not example.answerable] for example in corpus.examples],
        dtype=np.float64,
    )
    solution = solved((vectors @ vectors.T).toarray(), targets, _RIDGE)
    rows: list[_Row] = []
    for block in _blocks(corpus.examples):
        kept_away = _weights(vectors, without(solution, block + len(phrasings)))
        sightings = _sightings([asked[index] for index in block], space, kept_away)
        for index, sighting in zip(block, sightings, strict=True):
            rows.extend(_rows(int(index), sighting, corpus.examples[index], entries))
    confidence = _confidence(rows)
    return LearnedClassifier(
        entries,
        space,
        _weights(vectors, solution.coefficients),
        confidence,
        _trial(rows, corpus.examples),
        fingerprint_of(corpus),
    )


def _text(questions: Questions) -> str:
    """The question with the subject, which often says in two words what the body circles around."""
    return f"{questions.whole.text}\n{questions.subject}"


def _weights(vectors: Any, coefficients: Matrix) -> Matrix:
    """Rounded as they are kept on disk, so that a model read back says the same."""
    weights: Matrix = np.round(vectors.T @ coefficients, _DIGITS).astype(np.float32).astype(np.float64)
    return weights


def _sightings(asked: Sequence[Questions], space: Space, weights: Matrix) -> list[Sighting]:
    """How mails score; all their texts are looked at together, which is what makes it quick."""
    texts: list[str] = []
    for questions in asked:
        texts += [_text(questions), questions.whole.context, *(unit.text for unit in questions.units)]
    scores = np.round(np.asarray(space.vectors(texts) @ weights), _DIGITS)
    sightings: list[Sighting] = []
    start = 0
    for questions in asked:
        end = start + 2 + len(questions.units)
        sightings.append(Sighting(scores[start], scores[start + 1], scores[start + 2 : end], len(questions.whole.text)))
        start = end
    return sightings


def _blocks(examples: Sequence[Example]) -> list[NDArray[np.int64]]:
    """The indices of each author's mails."""
    authors = dict.fromkeys(example.author for example in examples)
    named = np.array([example.author for example in examples])
    return [np.flatnonzero(named == author) for author in authors]


@dataclass(frozen=True, slots=True)
class _Row:
    """One interpretation of one labelled mail, seen by a model that did not learn from its author."""

    mail: int
    author: str
    evidence: list[float]
    right: bool


def _rows(mail: int, sighting: Sighting, example: Example, entries: Sequence[str]) -> list[_Row]:
    return [
        _Row(mail, example.author, evidence(sighting, found), example.allows(entries[entry] for entry in found))
        for found in interpretations(sighting)
    ]


def _confidence(rows: Sequence[_Row]) -> Confidence:
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler()
    standard = scaler.fit_transform([row.evidence for row in rows])
    logistic = LogisticRegression(C=0.1, max_iter=1000).fit(standard, [row.right for row in rows])
    weights = np.append(logistic.coef_[0], logistic.intercept_[0])
    return Confidence(*(np.round(values, _DIGITS) for values in (scaler.mean_, scaler.scale_, weights)))


def _trial(rows: Sequence[_Row], examples: Sequence[Example]) -> Trial:
    """Each mail's best interpretation, by a confidence that did not learn from its author either."""
    confidences, right = np.zeros(len(examples)), np.zeros(len(examples), dtype=np.bool_)
    for author in dict.fromkeys(row.author for row in rows):
        confidence = _confidence([row for row in rows if row.author != author])
        own = [row for row in rows if row.author == author]
        for row, chance in zip(own, confidence.of([row.evidence for row in own]), strict=True):
            if chance > confidences[row.mail]:
                confidences[row.mail], right[row.mail] = chance, row.right
    return Trial(confidences, right)
