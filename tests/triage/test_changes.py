"""What counts as a change, and which changes go against what a person said."""

import pytest

from responder.triage.changes import Change, Confirmation, Group, Outcome, against, change_of
from responder.triage.policy import Reason

UNSURE = Outcome(False, ("q05",), Reason.UNSURE, 0.2)
REVIEW = Outcome(False, ("q05",), Reason.REVIEW, 0.9)
Q04 = Outcome(True, ("q04",), Reason.RECOGNISED, 0.9)
Q05 = Outcome(True, ("q05",), Reason.RECOGNISED, 0.9)


@pytest.mark.parametrize(
    ("before", "after", "group"),
    [
        (UNSURE, Q04, Group.ANSWERED),
        (Q04, UNSURE, Group.LOST),
        (Q04, Q05, Group.OTHERWISE),
        (UNSURE, REVIEW, Group.REASON),
    ],
)
def test_changes_are_told_apart(before: Outcome, after: Outcome, group: Group) -> None:
    change = change_of(1, before, after)
    assert change is not None
    assert change.group is group


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(Q04, Outcome(True, ("q04",), Reason.RECOGNISED, 0.8), id="the same answer, less sure"),
        pytest.param(UNSURE, Outcome(False, ("q09",), Reason.UNSURE, 0.1), id="the same reason, another suggestion"),
        pytest.param(
            Outcome(True, ("q04", "q05"), Reason.RECOGNISED, 0.8),
            Outcome(True, ("q05", "q04"), Reason.RECOGNISED, 0.8),
            id="the same entries in another order",
        ),
    ],
)
def test_what_the_contractor_does_not_notice_is_no_change(before: Outcome, after: Outcome) -> None:
    assert change_of(1, before, after) is None


RIGHT = Confirmation(frozenset({"q04"}), right=True)
WRONG = Confirmation(frozenset({"q04"}), right=False)
A_PERSON = Confirmation(frozenset(), right=True)


@pytest.mark.parametrize(
    ("before", "after", "said", "conflict"),
    [
        pytest.param(UNSURE, Q04, [RIGHT], False, id="the right answer is found"),
        pytest.param(Q05, Q04, [RIGHT], False, id="a wrong answer becomes right"),
        pytest.param(Q04, Q05, [RIGHT], True, id="a right answer becomes wrong"),
        pytest.param(Q04, UNSURE, [RIGHT], True, id="a right answer is lost"),
        pytest.param(Q05, UNSURE, [RIGHT], False, id="a wrong answer is lost"),
        pytest.param(UNSURE, REVIEW, [RIGHT], False, id="it was no answer before either"),
        pytest.param(UNSURE, Q05, [RIGHT], True, id="a wrong answer is found"),
        pytest.param(UNSURE, Q04, [A_PERSON], True, id="an answer where a person must"),
        pytest.param(Q04, UNSURE, [A_PERSON], False, id="no answer where a person must"),
        pytest.param(UNSURE, Q04, [WRONG], True, id="what was judged wrong is sent again"),
        pytest.param(Q04, Q05, [WRONG], False, id="what was judged wrong is not sent any more"),
        pytest.param(Q04, UNSURE, [WRONG], False, id="what was judged wrong goes to a person"),
        pytest.param(UNSURE, Q04, [RIGHT, WRONG], True, id="one of two who disagree"),
        pytest.param(Q04, Q05, [], False, id="nobody has said anything"),
    ],
)
def test_a_change_against_what_people_said_is_a_conflict(
    before: Outcome, after: Outcome, said: list[Confirmation], conflict: bool
) -> None:
    assert against(Change(1, before, after), said) is conflict
