"""Recognition with nothing but the entries: one merged TF-IDF vector each, and the raw score as confidence."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any

from responder.corpus import Corpus
from responder.triage.postings import Postings
from responder.triage.questions import Question, Questions
from responder.triage.space import Space
from responder.triage.text import char_ngrams, normalised, words
from responder.triage.verdict import Candidate, Recognition, Term, Verdict, readable

RECIPE = "tfidf-2"
"""Changes whenever the same corpus would give other numbers."""

SHOWN_CANDIDATES = 3

# The question as cleaned, and the same with its surroundings: either alone is worse (docs/why.md).
_TEXT_SHARE, _CONTEXT_SHARE = 0.6, 0.4


class View:
    """One way of looking at text: its tokens weighted by TF-IDF, and one merged vector per entry."""

    def __init__(self, tokens: Callable[[str], list[str]]) -> None:
        self._tokens = {"": tokens}

    def fit(self, units: Sequence[str], merged: Sequence[str]) -> "View":
        """`units` are texts to count a token's rarity in, `merged` one text per entry."""
        self._space = Space.fitted(units, self._tokens, least_texts=1)
        self.entries = self.vectors(merged)
        return self

    def vectors(self, texts: Sequence[str]) -> Any:
        """A sparse matrix, shape (texts, tokens); a row's product with one of `entries` is the cosine of both."""
        return self._space.vectors(texts)

    def terms(self, text: str, entry: int) -> list[Term]:
        """The tokens of the text that the entry shares, the one that counts most first."""
        shared = self.vectors([text]).multiply(self.entries[entry]).tocoo()
        names = self._space.names
        terms = [Term(names[column], float(value)) for column, value in zip(shared.col, shared.data, strict=True)]
        return sorted(terms, key=lambda term: (-term.weight, term.text))


class ColdClassifier:
    """Fitted on a corpus; the same corpus and question give the same verdict, to the last digit (Law 4)."""

    def __init__(self, entries: Sequence[str], views: Sequence[View], fingerprint: str) -> None:
        self.entries = tuple(entries)
        self.fingerprint = fingerprint
        self._views = tuple(views)
        self._postings = Postings(_side_by_side([view.entries for view in views]))

    def classify(self, questions: Questions) -> Recognition:
        """What a mail asks, as a whole and in its units."""
        whole, *units = self.verdicts([questions.whole, *questions.units])
        agree = all(unit.entry == whole.entry for unit in units)
        return Recognition(whole, () if agree else tuple(units))

    def verdicts(self, questions: Sequence[Question]) -> tuple[Verdict, ...]:
        """One verdict per question, in order; at least one question."""
        vectors = self._vectors([*(question.text for question in questions), *(one.context for one in questions)])
        asked = _TEXT_SHARE * vectors[: len(questions)] + _CONTEXT_SHARE * vectors[len(questions) :]
        return tuple(self._verdict(question, row) for question, row in zip(questions, asked, strict=True))

    def _vectors(self, texts: Sequence[str]) -> Any:
        """A row's product with one of the entries' is the mean of the views' cosines."""
        return _side_by_side([view.vectors(texts) for view in self._views]) / len(self._views)

    def _verdict(self, question: Question, asked: Any) -> Verdict:
        # Entries that are equally sure stand in the corpus's order on every machine.
        order, scores = self._postings.best(asked, SHOWN_CANDIDATES)
        best, first = int(order[0]), float(scores[0])
        second = float(scores[1]) if len(order) > 1 else 0.0
        found = zip(order, scores, strict=True)
        return Verdict(
            question=question.text,
            entry=self.entries[best],
            confidence=round(first, 6),
            margin=round(first - second, 6),
            candidates=tuple(
                Candidate(self.entries[entry], round(float(score), 6), self._terms(question.text, int(entry)))
                for entry, score in found
            ),
            terms=self._terms(question.text, best),
        )

    def _terms(self, text: str, entry: int) -> tuple[Term, ...]:
        # Of the last view, whose tokens are words that a person can read.
        return readable(self._views[-1].terms(text, entry))


def _side_by_side(matrices: Sequence[Any]) -> Any:
    from scipy.sparse import hstack

    return hstack(matrices, format="csr")


def fit_cold(corpus: Corpus) -> ColdClassifier:
    """Learn a corpus; about a tenth of a second for 15 entries."""
    phrased = [[normalised(text) for text in (entry.question, *entry.phrasings)] for entry in corpus.entries]
    units = [text for texts in phrased for text in texts]
    merged = ["\n".join(texts) for texts in phrased]
    views = [View(tokens).fit(units, merged) for tokens in (char_ngrams, words)]
    fingerprint = hashlib.sha256(f"{RECIPE} {corpus.fingerprint}".encode()).hexdigest()
    return ColdClassifier([entry.id for entry in corpus.entries], views, fingerprint)
