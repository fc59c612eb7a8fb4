"""What a mail may be asking: sets of entries that would answer it, and what speaks for and against each."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Sighting:
    """How a mail scores: near 1 where an entry answers it, near 0 where it does not.

    The last column of each is "nobody": near 1 where a person must answer.
    """

    whole: Scores
    """The mail without its frame, shape (entries + 1,)."""
    units: Scores
    """Its questions one by one, shape (units, entries + 1); no rows where it asks one thing."""
    clauses: Scores
    """Its clauses one by one, shape (clauses, entries + 1)."""
    likeness: Scores
    """Of the whole and each of its units to labelled mails, shape (1 + units, entries + 1, 2); see `neighbours`."""
    form: tuple[float, ...]
    """Its length, how many things it asks, whether it repeats an answer of ours, and what its wording gives away."""


def interpretations(sighting: Sighting) -> list[tuple[int, ...]]:
    """Sets of entries worth weighing, as indices in the order of the questions; the best single entry comes first."""
    order = np.argsort(-sighting.whole[:-1], kind="stable")
    found: list[tuple[int, ...]] = [(int(order[0]),)]
    if len(sighting.units):
        tops = tuple(dict.fromkeys(int(top) for top in sighting.units[:, :-1].argmax(axis=1)))
        pair = _as_asked((int(order[0]), int(order[1])), sighting.units) if len(order) > 1 else tops
        for several in (tops, pair):
            if len(several) > 1 and all(set(several) != set(other) for other in found):
                found.append(several)
    return found


def _as_asked(entries: Sequence[int], units: Scores) -> tuple[int, ...]:
    """Entries in the order of the units that ask for them most."""
    return tuple(sorted(entries, key=lambda entry: (int(units[:, entry].argmax()), entry)))


def evidence(sighting: Sighting, entries: Sequence[int]) -> list[float]:
    """Numbers that tell a right interpretation from a wrong one; always as many.

    For the whole, its units and its clauses: the least of the entries' scores, the best of those left out, and how
    much speaks for a person. A wrong single answer to two questions shows in the units, or in the clauses where they
    are one sentence; a near miss in "nobody", and in the mails that it is most like.
    """
    chosen = list(entries)
    others = [entry for entry in range(len(sighting.whole) - 1) if entry not in chosen]
    whole = sighting.whole[np.newaxis, :]
    least, rival = float(sighting.whole[chosen].min()), float(_best(whole[:, others])[0])
    return [
        float(len(chosen) > 1),
        least,
        rival,
        least - rival,
        float(sighting.whole[-1]),
        *_of_pieces(sighting.units if len(sighting.units) else whole, chosen, others),
        *_of_pieces(sighting.clauses if len(sighting.clauses) else whole, chosen, others),
        *_of_likeness(sighting.likeness, chosen, others),
        *sighting.form,
    ]


def _of_pieces(scores: Scores, chosen: Sequence[int], others: Sequence[int]) -> list[float]:
    """Of pieces of the mail, shape (pieces, entries + 1): whether each is the entries' own, another's, or nobody's."""
    inside, outside, nobody = scores[:, chosen].max(axis=1), _best(scores[:, others]), scores[:, -1]
    return [
        float(inside.min()),
        float(inside.max()),
        float(outside.max()),
        float((inside - outside).min()),
        float(nobody.max()),
        float((inside - nobody).min()),
        float((inside > np.maximum(outside, nobody)).mean()),
    ]


def _of_likeness(likeness: Scores, chosen: Sequence[int], others: Sequence[int]) -> list[float]:
    """The same of the mails that it is like, by the one most alike and by the three."""
    whole, units = likeness[0], likeness[1:] if len(likeness) > 1 else likeness
    nobody = whole[-1]
    least = whole[chosen].min(axis=0)
    lead = units[:, chosen].max(axis=1) - units[:, -1]
    ahead = units[:, chosen, 1].max(axis=1) - _best(units[:, others, 1])
    return [
        *map(float, least),
        *map(float, nobody),
        float(_best(whole[np.newaxis, others, 0])[0]),
        *map(float, least - nobody),
        *map(float, lead.min(axis=0)),
        float(ahead.min()),
    ]


def _best(scores: Scores) -> Scores:
    """The highest score of each row; 0 where no entry is left out."""
    return scores.max(axis=1) if scores.shape[1] else np.zeros(len(scores))
