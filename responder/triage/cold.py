"""Recognition with nothing but the entries: one merged TF-IDF vector each, and the raw score as confidence."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.corpus import Corpus
from responder.triage.questions import Question, Questions
from responder.triage.text import char_ngrams, normalised, words
from responder.triage.verdict import Candidate, Recognition, Term, Verdict, readable

RECIPE = "tfidf-1"
"""Changes whenever the same corpus would give other numbers."""

# The question as cleaned, and the same with its surroundings: either alone is worse (docs/why.md).
_TEXT_SHARE, _CONTEXT_SHARE = 0.6, 0.4


class View:
    """One way of looking at text: its tokens weighted by TF-IDF, and one merged vector per entry."""

    def __init__(self, tokens: Callable[[str], list[str]]) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer

        self._vectorizer = TfidfVectorizer(analyzer=tokens, sublinear_tf=True)
        self._entries: Any = None

    def fit(self, units: Sequence[str], merged: Sequence[str]) -> "View":
        """`units` are texts to count a token's rarity in, `merged` one text per entry."""
        self._vectorizer.fit(units)
        self._entries = self._vectorizer.transform(merged)
        return self

    def scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Cosine of every text with every entry, shape (texts, entries)."""
        product = self._vectorizer.transform(texts) @ self._entries.T
        dense: NDArray[np.float64] = np.asarray(product.todense(), dtype=np.float64)
        return dense

    def terms(self, text: str, entry: int) -> list[Term]:
        """The tokens of the text that the entry shares, the one that counts most first."""
        shared = self._vectorizer.transform([text]).multiply(self._entries[entry]).tocoo()
        names = self._vectorizer.get_feature_names_out()
        terms = [Term(str(names[column]), float(value)) for column, value in zip(shared.col, shared.data, strict=True)]
        return sorted(terms, key=lambda term: (-term.weight, term.text))


class ColdClassifier:
    """Fitted on a corpus; the same corpus and question give the same verdict, to the last digit (Law 4)."""

    def __init__(self, entries: Sequence[str], views: Sequence[View], fingerprint: str) -> None:
        self.entries = tuple(entries)
        self.fingerprint = fingerprint
        self._views = tuple(views)

    def classify(self, questions: Questions) -> Recognition:
        """What a mail asks, as a whole and in its units."""
        whole, *units = self.verdicts([questions.whole, *questions.units])
        agree = all(unit.entry == whole.entry for unit in units)
        return Recognition(whole, () if agree else tuple(units))

    def verdicts(self, questions: Sequence[Question]) -> tuple[Verdict, ...]:
        """One verdict per question, in order; at least one question."""
        by_text = self._scores([question.text for question in questions])
        by_context = self._scores([question.context for question in questions])
        scores = _TEXT_SHARE * by_text + _CONTEXT_SHARE * by_context
        return tuple(self._verdict(question, row) for question, row in zip(questions, scores, strict=True))

    def _scores(self, texts: Sequence[str]) -> NDArray[np.float64]:
        total: NDArray[np.float64] = np.mean([view.scores(texts) for view in self._views], axis=0)
        return total

    def _verdict(self, question: Question, scores: NDArray[np.float64]) -> Verdict:
        # A stable sort: entries that are equally sure stand in the corpus's order on every machine.
        order = np.argsort(-scores, kind="stable")
        best = int(order[0])
        second = float(scores[order[1]]) if len(order) > 1 else 0.0
        return Verdict(
            question=question.text,
            entry=self.entries[best],
            confidence=round(float(scores[best]), 6),
            margin=round(float(scores[best]) - second, 6),
            candidates=tuple(Candidate(self.entries[i], round(float(scores[i]), 6)) for i in order[:3]),
            terms=self._terms(question.text, best),
        )

    def _terms(self, text: str, entry: int) -> tuple[Term, ...]:
        # Of the last view, whose tokens are words that a person can read.
        return readable(self._views[-1].terms(text, entry))


def fit_cold(corpus: Corpus) -> ColdClassifier:
    """Learn a corpus; about a tenth of a second for 15 entries."""
    phrased = [[normalised(text) for text in (entry.question, *entry.phrasings)] for entry in corpus.entries]
    units = [text for texts in phrased for text in texts]
    merged = ["\n".join(texts) for texts in phrased]
    views = [View(tokens).fit(units, merged) for tokens in (char_ngrams, words)]
    fingerprint = hashlib.sha256(f"{RECIPE} {corpus.fingerprint}".encode()).hexdigest()
    return ColdClassifier([entry.id for entry in corpus.entries], views, fingerprint)
