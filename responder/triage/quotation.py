"""Whether a mail repeats our answers: who quotes one has had it, and writes because it did not help."""

import re
from collections.abc import Iterable

from responder.triage.text import normalised

LENGTH = 8
"""Characters that stand in a mail and in an answer alike by no accident."""

_LAID_OUT = re.compile(r"[\s>|]+")


class Answers:
    """The wording of all that we answer, as runs of characters."""

    def __init__(self, answers: Iterable[str]) -> None:
        self.texts = tuple(answers)
        self._runs = [_runs(normalised(text)) for text in self.texts]
        self._any = frozenset().union(*self._runs)

    def repeated_in(self, text: str) -> tuple[float, int]:
        """Of the answer that a normalised text repeats most of: the share that it repeats, and how many runs."""
        return max(self.each_repeated_in(text), default=(0.0, 0))

    def each_repeated_in(self, text: str) -> list[tuple[float, int]]:
        """The same of every answer, in their order."""
        runs = _runs(text) & self._any  # mostly none is left to look for in each
        common = [len(runs & answer) for answer in self._runs]
        return [(shared / max(len(answer), 1), shared) for shared, answer in zip(common, self._runs, strict=True)]


def _runs(text: str) -> frozenset[str]:
    bare = _LAID_OUT.sub("", text)
    return frozenset(bare[start : start + LENGTH] for start in range(len(bare) - LENGTH + 1))
