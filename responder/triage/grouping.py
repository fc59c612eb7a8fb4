"""Mails that ask the same, put together without knowing what: what the FAQ lacks shows in what keeps coming."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.corpus import Entry
from responder.triage.space import Space
from responder.triage.text import char_ngrams, normalised, words
from responder.triage.verdict import Term, readable

MOST_MAILS = 3000
"""Of more, the newest are looked at: what is kept of each pair of mails grows with the square."""

LEAST_MAILS = 3
"""Fewer mails alike are no pattern yet."""

APART = 0.86
"""Cosine distance, on average, from which on two groups are not made one. Chosen on the examples (docs/why.md)."""

NEAR = 0.2
"""Cosine to an entry's wording, on average, from which on a group seems to ask what the entry answers."""

MOST_CHARACTERS = 2000
"""Of a mail's text: what it is about is said by then."""

SHOWN_WORDS = 5

_ENGLISH = re.compile(r"[a-z0-9]{2,}")
_SHOWN = re.compile(r"[ァ-ヺー]{2,}|[一-鿿々〇]{2,}|[a-z0-9]{2,}")


@dataclass(frozen=True, slots=True)
class Asked:
    """A mail that no machine answered."""

    id: int
    at: datetime
    subject: str
    text: str
    """What it asks, without greeting and signature."""
    answered_by: tuple[str, ...] | None = None
    """The entries that answer it, as people said or did; () for none, None where nobody has said."""


@dataclass(frozen=True, slots=True)
class Group:
    """Mails that ask much the same."""

    mails: tuple[Asked, ...]
    """The newest first."""
    typical: Asked
    """The one that is most like the others."""
    words: tuple[str, ...]
    """What many of them say and few others do."""
    nearest: str
    """The entry whose wording they are most like."""
    similarity: float
    """0..1: the mean of their cosines to that entry's question or phrasing most like each."""
    entry: str | None
    """What they might be a phrasing of; None: they ask for an entry of their own."""
    said: int
    """Of how many people said so by their answers; 0: it is a guess from the similarity."""

    @property
    def first_at(self) -> datetime:
        """When the oldest came."""
        return min(mail.at for mail in self.mails)

    @property
    def last_at(self) -> datetime:
        """When the newest came."""
        return max(mail.at for mail in self.mails)


def groups_of(mails: Sequence[Asked], entries: Sequence[Entry]) -> tuple[Group, ...]:
    """The groups, largest first; mails that are like too few others are in none. The same mails give the same groups.

    Two seconds of a processor for 1,500 mails; memory grows with the square of them, to some 200 MB at the most.
    """
    newest = sorted(mails, key=lambda mail: -mail.id)[:MOST_MAILS]
    if len(newest) < LEAST_MAILS or not entries:
        return ()
    texts = [normalised(f"{mail.subject}\n{mail.text[:MOST_CHARACTERS]}") for mail in newest]
    compared = _compared(texts, entries)
    if compared is None:
        return ()
    vectors, likeness = compared
    said = [frozenset(words(text)) for text in texts]
    common = Counter(word for spoken in said for word in spoken)
    found = []
    for members in _alike(vectors):
        own, middle = vectors[members], np.asarray(vectors[members].mean(axis=0)).ravel()
        typical = newest[members[int((own @ middle).argmax())]]
        shown = _words(members, said, common)
        found.append(_group([newest[at] for at in members], typical, shown, likeness[members].mean(axis=0), entries))
    return tuple(sorted(found, key=lambda group: (-len(group.mails), -group.mails[0].id)))


def _compared(texts: Sequence[str], entries: Sequence[Entry]) -> tuple[Any, NDArray[np.float64]] | None:
    """The texts as vectors, and the cosine of each to the text of each entry most like it, shape (texts, entries).

    None where no two texts have anything in common.
    """
    wordings = [_wording(entry) for entry in entries]
    phrased = [text for wording in wordings for text in wording]
    try:
        space = Space.fitted([*texts, *phrased], {"subject matter": _tokens}, least_texts=1)
    except ValueError:  # as scikit-learn says that there is no token to count
        return None
    vectors = space.vectors(texts)
    starts = np.cumsum([0, *(len(wording) for wording in wordings[:-1])])
    return vectors, np.maximum.reduceat((vectors @ space.vectors(phrased).T).toarray(), starts, axis=1)


def _wording(entry: Entry) -> list[str]:
    english = () if entry.english is None else (entry.english.question,)
    return [normalised(text) for text in (entry.question, *entry.phrasings, *english)]


def _tokens(text: str) -> list[str]:
    """Runs of characters as recognition compares them, but English by whole words, the common ones left out.

    All English mails are alike in their letters, and would make one group whatever they ask.
    """
    return [*char_ngrams(_ENGLISH.sub(" ", text)), *(word for word in _ENGLISH.findall(text) if not _is_common(word))]


def _is_common(word: str) -> bool:
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    return word in ENGLISH_STOP_WORDS


def _alike(vectors: Any) -> list[NDArray[np.int64]]:
    """The rows of each group that is large enough, ascending."""
    from sklearn.cluster import AgglomerativeClustering

    apart = np.clip(1 - (vectors @ vectors.T).toarray(), 0, None)
    clustering = AgglomerativeClustering(None, metric="precomputed", linkage="average", distance_threshold=APART)
    labels = clustering.fit_predict(apart)
    groups = (np.flatnonzero(labels == label) for label in range(labels.max() + 1))
    return [members for members in groups if len(members) >= LEAST_MAILS]


def _group(
    mails: Sequence[Asked],
    typical: Asked,
    shown: tuple[str, ...],
    likeness: NDArray[np.float64],
    entries: Sequence[Entry],
) -> Group:
    best = int(likeness.argmax())
    entry, said = _suggestion(mails, entries[best].id if likeness[best] >= NEAR else None)
    return Group(tuple(mails), typical, shown, entries[best].id, round(float(likeness[best]), 3), entry, said)


def _suggestion(mails: Sequence[Asked], near: str | None) -> tuple[str | None, int]:
    """What people answered most of the mails with whose answer is known; else the entry that is near."""
    counts = Counter(name for mail in mails if mail.answered_by is not None for name in mail.answered_by or (None,))
    if not counts:
        return near, 0
    # Of equally many the entry comes first: a phrasing more is the smaller change.
    name, said = min(counts.items(), key=lambda item: (-item[1], item[0] is None, item[0] or ""))
    return name, said


def _words(members: NDArray[np.int64], said: Sequence[frozenset[str]], common: Counter[str]) -> tuple[str, ...]:
    """What a third of them say at least, by how much more often than all mails do."""
    inside = Counter(word for member in members for word in said[member])
    terms = [
        Term(word, count / len(members) * float(np.log((1 + len(said)) / (1 + common[word]))))
        for word, count in inside.items()
        if count * 3 >= len(members) and count > 1 and _SHOWN.fullmatch(word) and not _is_common(word)
    ]
    ordered = readable(sorted(terms, key=lambda term: (-term.weight, term.text)))
    return tuple(term.text for term in ordered[:SHOWN_WORDS])
