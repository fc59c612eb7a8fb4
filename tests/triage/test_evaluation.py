"""Figures on labelled mails: counted by hand here, and the same as the service decides."""

from xml.etree import ElementTree

import pytest

from responder.corpus import Example
from responder.triage.evaluation import (
    Figures,
    Judged,
    Point,
    by_entry,
    by_kind,
    confusions,
    figures,
    judge,
    judge_file,
    risk_coverage,
)
from responder.triage.picture import risk_coverage_svg
from responder.triage.policy import Answer, Escalate, Reason
from tests.knowledge import example as example_mail
from tests.knowledge import shipped_knowledge


def _judged(
    expected: tuple[str, ...], best: tuple[str, ...], confidence: float, *, sent: bool, kind: str = "a"
) -> Judged:
    label = Example("author", "subject", "body", expected, kind=kind)
    decision = Answer(best, confidence) if sent else Escalate(Reason.UNSURE, acknowledge=True)
    return Judged(label, decision, best, confidence)


FIVE = [
    _judged(("q01",), ("q01",), 0.9, sent=True),
    _judged(("q01", "q02"), ("q01",), 0.8, sent=True, kind="b"),
    _judged((), ("q02",), 0.7, sent=True, kind="b"),
    _judged(("q03",), ("q03",), 0.6, sent=False),
    _judged((), ("q01",), 0.1, sent=False),
]


def test_coverage_counts_the_answerable_and_wrong_counts_all() -> None:
    found = figures(FIVE)
    assert found == Figures(mails=5, answerable=3, covered=1, wrong=2)
    assert found.coverage == pytest.approx(1 / 3)
    assert found.wrong_rate == pytest.approx(2 / 5)


def test_figures_stand_by_kind_and_by_entry() -> None:
    assert by_kind(FIVE)["b"] == Figures(mails=2, answerable=1, covered=0, wrong=2)
    assert by_entry(FIVE)["q02"] == Figures(mails=2, answerable=1, covered=0, wrong=2)
    assert by_entry(FIVE)["q03"] == Figures(mails=1, answerable=1, covered=0, wrong=0)


@pytest.mark.parametrize(
    ("mails", "wrong", "low", "high"),
    [(300, 0, 0.0, 0.0122), (460, 5, 0.0035, 0.0252), (0, 0, 0.0, 1.0), (3, 3, 0.2924, 1.0)],
)
def test_the_interval_is_that_of_clopper_and_pearson(mails: int, wrong: int, low: float, high: float) -> None:
    found = Figures(mails, mails, 0, wrong).wrong_interval()
    assert list(found) == pytest.approx([low, high], abs=5e-4)


def test_the_curve_has_a_point_for_each_confidence_and_takes_ties_together() -> None:
    tied = [*FIVE[:2], _judged(("q01",), ("q01",), 0.8, sent=False)]
    assert [point.floor for point in risk_coverage(tied)] == [0.9, 0.8]
    assert [point.coverage for point in risk_coverage(tied)] == pytest.approx([1 / 3, 2 / 3])
    assert [point.wrong_rate for point in risk_coverage(tied)] == pytest.approx([0, 1 / 3])


def test_what_was_answered_wrongly_is_read_first() -> None:
    assert [one.confidence for one in confusions(FIVE)] == [0.8, 0.7]
    assert [one.confidence for one in confusions([*FIVE, _judged((), ("q09",), 0.95, sent=False)])] == [0.8, 0.7, 0.95]


def test_the_picture_is_well_formed_whatever_its_title() -> None:
    svg = risk_coverage_svg(risk_coverage(FIVE), now=Point(0.5, 0.3, 0.4), title='<&"')
    assert ElementTree.fromstring(svg).tag.endswith("svg")  # noqa: S314 - our own


def test_a_labelled_mail_is_judged_as_the_service_would_decide_it() -> None:
    label = Example("a", "", "", ("q04",))
    found = judge_file(label, example_mail("shared-mailbox"), shipped_knowledge())
    assert (found.answered, found.right, found.best) == (True, True, ("q04",))
    silent = judge_file(Example("a", "", "", ()), example_mail("out-of-office"), shipped_knowledge())
    assert not silent.answered
    text = Example(
        "a", "共有アドレス", "部署の共有メールアドレスを契約担当者のアドレスとして届け出てもよいでしょうか。", ("q04",)
    )
    assert judge(text, shipped_knowledge()).best == ("q04",)
