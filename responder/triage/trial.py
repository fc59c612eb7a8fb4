"""What a model said of labelled mails that were kept from it while it learned."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from responder.triage.calibration import Threshold, threshold_of, wrong_at_least, wrong_at_most


@dataclass(frozen=True, slots=True)
class Standing:
    """How an entry did where it answered, in a trial or as people judged it."""

    answers: int
    wrong: int
    """Answers in which it stood and that were wrong, whichever entry was to blame."""

    def wrong_at_most(self, delta: float) -> float:
        """The share of its answers that are wrong, at most; certain to 1 - delta."""
        return wrong_at_most(self.wrong, self.answers, delta)

    def wrong_at_least(self, delta: float) -> float:
        """The same from below."""
        return wrong_at_least(self.wrong, self.answers, delta)

    def __add__(self, other: "Standing") -> "Standing":
        return Standing(self.answers + other.answers, self.wrong + other.wrong)


NEVER = Standing(0, 0)
"""Of what never answered."""


@dataclass(frozen=True, slots=True)
class Trial:
    """The best interpretation of each mail of the sample, by a model that did not learn from its author."""

    confidences: NDArray[np.float64]
    right: NDArray[np.bool_]
    sent: NDArray[np.bool_]
    """Shape (mails, entries): which entries it would send."""

    def threshold(self, *, alpha: float, delta: float) -> Threshold:
        """The floor that these mails allow."""
        return threshold_of(self.confidences, self.right, alpha=alpha, delta=delta)

    def standings(self, floor: float | None) -> tuple[Standing, ...]:
        """Of each entry, in the order of the corpus."""
        answered = self.sent & (self.confidences >= (2.0 if floor is None else floor))[:, np.newaxis]
        wrong = answered & ~self.right[:, np.newaxis]
        counts = zip(answered.sum(axis=0), wrong.sum(axis=0), strict=True)
        return tuple(Standing(int(answers), int(failed)) for answers, failed in counts)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that is needed to make it again."""
        return {"confidences": self.confidences, "right": self.right, "sent": self.sent}

    @classmethod
    def of_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Trial":
        """What `arrays` gave."""
        return cls(arrays["confidences"], arrays["right"], arrays["sent"])
