"""Labelled mails in; coverage, wrong answers and what to read about them out."""

from collections.abc import Sequence
from dataclasses import dataclass

from responder.corpus import Example
from responder.triage.calibration import wrong_at_least, wrong_at_most
from responder.triage.language import language_of
from responder.triage.policy import NO_HISTORY, Answer, Decision, decide
from responder.triage.questions import questions_of
from responder.triage.reading import Knowledge, decision_on, read_file
from responder.triage.verdict import Recognition


@dataclass(frozen=True, slots=True)
class Judged:
    """A labelled mail and what became of it."""

    example: Example
    decision: Decision
    best: tuple[str, ...]
    """The entries of the best interpretation, sent or not."""
    confidence: float

    @property
    def answered(self) -> bool:
        """Whether a machine answered it."""
        return isinstance(self.decision, Answer)

    @property
    def right(self) -> bool:
        """Whether the best interpretation is what the label says."""
        return self.example.allows(self.best)


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of one group of mails, or of all."""

    mails: int
    answerable: int
    covered: int
    wrong: int

    @property
    def coverage(self) -> float:
        """Rightly answered among the answerable; 0 where there are none."""
        return self.covered / self.answerable if self.answerable else 0.0

    @property
    def wrong_rate(self) -> float:
        """Wrongly answered among all."""
        return self.wrong / self.mails if self.mails else 0.0

    def wrong_interval(self, delta: float = 0.05) -> tuple[float, float]:
        """Clopper and Pearson's interval for the wrong rate, at 1 - delta."""
        return wrong_at_least(self.wrong, self.mails, delta / 2), wrong_at_most(self.wrong, self.mails, delta / 2)


def judge(example: Example, knowledge: Knowledge) -> Judged:
    """What the service would do with a labelled mail that a person sent as plain text."""
    questions = questions_of(example.subject, example.body)
    recognition = knowledge.classifier.classify(questions) if questions.whole.text else None
    decision = decide(
        None,
        recognition,
        NO_HISTORY,
        trouble=None,
        language=language_of(questions),
        english=knowledge.english,
        modes=knowledge.modes,
        thresholds=knowledge.thresholds,
    )
    return _judged(example, decision, recognition)


def judge_file(example: Example, raw: bytes, knowledge: Knowledge) -> Judged:
    """The same for a whole mail, guard and all; its subject and body count instead of the example's."""
    _, reading = read_file(raw, knowledge)
    return _judged(example, decision_on(reading, NO_HISTORY, knowledge), reading.recognition)


def _judged(example: Example, decision: Decision, recognition: Recognition | None) -> Judged:
    verdicts = () if recognition is None else recognition.units or (recognition.whole,)
    best = tuple(dict.fromkeys(verdict.entry for verdict in verdicts))
    return Judged(example, decision, best, min((verdict.confidence for verdict in verdicts), default=0.0))


def figures(judged: Sequence[Judged]) -> Figures:
    """Counts over these mails."""
    return Figures(
        mails=len(judged),
        answerable=sum(one.example.answerable for one in judged),
        covered=sum(one.answered and one.right for one in judged),
        wrong=sum(one.answered and not one.right for one in judged),
    )


def by_kind(judged: Sequence[Judged]) -> dict[str, Figures]:
    """Figures for each kind of mail that the labels name."""
    kinds = sorted({one.example.kind for one in judged})
    return {kind: figures([one for one in judged if one.example.kind == kind]) for kind in kinds}


def by_entry(judged: Sequence[Judged]) -> dict[str, Figures]:
    """Figures for each entry: of the mails it answers, and of those it was sent to."""
    entries = sorted({entry for one in judged for entry in (*one.example.expected, *_sent(one))})
    return {
        entry: figures([one for one in judged if entry in one.example.expected or entry in _sent(one)])
        for entry in entries
    }


def _sent(one: Judged) -> tuple[str, ...]:
    return one.best if one.answered else ()


@dataclass(frozen=True, slots=True)
class Point:
    """What a floor would give on these mails."""

    floor: float
    coverage: float
    wrong_rate: float


def risk_coverage(judged: Sequence[Judged]) -> list[Point]:
    """One point for each confidence that occurs, from the strictest floor to none."""
    ordered = sorted(judged, key=lambda one: -one.confidence)
    answerable = sum(one.example.answerable for one in judged) or 1
    points: list[Point] = []
    covered = wrong = 0
    for place, one in enumerate(ordered):
        covered, wrong = covered + one.right, wrong + (not one.right)
        tied = place + 1 < len(ordered) and ordered[place + 1].confidence == one.confidence
        if not tied:
            points.append(Point(one.confidence, covered / answerable, wrong / len(ordered)))
    return points


def confusions(judged: Sequence[Judged], most: int = 20) -> list[Judged]:
    """The mails worth reading: wrongly answered first, then those whose wrong interpretation was most sure."""
    wrong = [one for one in judged if not one.right and (one.answered or one.confidence >= 0.3)]
    return sorted(wrong, key=lambda one: (not one.answered, -one.confidence))[:most]
