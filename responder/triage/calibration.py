"""The threshold above which a machine may answer, with a bound on how often it is wrong there."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The quantile of the beta distribution, as scipy.stats.beta.ppf has it; to import that takes most of a second.
from scipy.special import betaincinv as _of_beta


@dataclass(frozen=True, slots=True)
class Threshold:
    """P(share of wrong answers among all mails > alpha) <= delta, for mails like those it was found on."""

    floor: float | None
    """The least confidence that may answer; None: none may, for there are too few mails to promise anything."""
    alpha: float
    delta: float
    mails: int
    answered: int
    wrong: int

    def __str__(self) -> str:
        promise = f"wrong answers <= {self.alpha:.1%} of all mails (certainty {1 - self.delta:.0%})"
        if self.floor is None:
            missing = max(least_mails(self.alpha, self.delta) - self.mails, 0)
            lack = f"{missing} labelled mails are missing" if missing else f"{self.mails} labelled mails do not allow"
            return f"none: {lack} to promise {promise}"
        return (
            f"{self.floor:.4f} for {promise}, from {self.mails} labelled mails by authors the model had not seen: "
            f"{self.answered} answered, {self.wrong} wrong"
        )


def least_mails(alpha: float, delta: float) -> int:
    """How many mails without a single wrong answer it takes to promise `alpha` at all: 299 for 1 % and 5 %."""
    return math.ceil(math.log(delta) / math.log1p(-alpha))


def wrong_at_most(wrong: int, among: int, delta: float) -> float:
    """Clopper and Pearson's upper bound on a share of which `wrong` in `among` were seen; 1 where nothing was."""
    return float(_of_beta(wrong + 1, among - wrong, 1 - delta)) if among > wrong else 1.0


def wrong_at_least(wrong: int, among: int, delta: float) -> float:
    """Their lower bound on the same share; 0 where nothing was wrong."""
    return float(_of_beta(wrong, among - wrong + 1, delta)) if wrong else 0.0


def threshold_of(
    confidences: NDArray[np.float64], right: NDArray[np.bool_], *, alpha: float, delta: float
) -> Threshold:
    """The lowest floor that keeps the promise, by Learn-then-Test (Angelopoulos et al. 2021).

    `confidences` and `right` are of the best answer to each mail, found without that mail's label. Floors are tested
    from the strictest on, each by the exact bound of Clopper and Pearson on the share of wrong answers among all
    mails, and the first that fails ends it: the order is fixed beforehand, so nothing is paid for testing many. The
    bound only grows with the count of wrong answers, so the first to fail is the first with one too many.
    """
    order = np.argsort(-confidences, kind="stable")
    sorted_confidences = confidences[order]
    wrong = np.cumsum(~right[order])
    mails, most = len(order), most_wrong(len(order), alpha, delta)
    allowed = max((last for last in _ends_of_ties(sorted_confidences) if wrong[last] <= most), default=-1)
    if allowed < 0:
        return Threshold(None, alpha, delta, mails, 0, 0)
    return Threshold(float(sorted_confidences[allowed]), alpha, delta, mails, allowed + 1, int(wrong[allowed]))


def most_wrong(mails: int, alpha: float, delta: float) -> int:
    """How many wrong answers among so many mails still allow the promise; -1: not even none."""
    most = -1
    while most < mails and wrong_at_most(most + 1, mails, delta) <= alpha:
        most += 1
    return most


def _ends_of_ties(values: NDArray[np.float64]) -> list[int]:
    """The last index of each run of equal values: a floor takes all of them or none."""
    if len(values) == 0:
        return []
    return [*(int(index) for index in np.flatnonzero(np.diff(values))), len(values) - 1]
