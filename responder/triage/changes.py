"""What another corpus makes of the same mail, and whether a person has said otherwise."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from responder.triage.policy import Answer, Decision, Reason, Suppress
from responder.triage.reading import Reading

# These had the mail's past decide, whatever it says. That the sender was written to lately is none of them: recognition
# had the word then, and the past only kept the acknowledgement back.
OF_THE_PAST = frozenset(
    {
        Reason.REPEATED,
        Reason.IN_THREAD,
        Reason.TRIPPED,
        Reason.THANKS,
        Reason.RETURNED,
        Reason.MUTED,
        Reason.TOO_MANY,
        Reason.TOO_MANY_THERE,
        Reason.SAME_ANSWER,
        Reason.ABANDONED,
    }
)


class Group(StrEnum):
    """How an outcome differs from the one before, as staff read it in lists."""

    ANSWERED = "newly answered"
    LOST = "no longer answered"
    OTHERWISE = "answered differently"
    REASON = "only another reason"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a corpus makes of a mail."""

    answered: bool
    entries: tuple[str, ...]
    """Those that are sent; else those that a person looks at first."""
    reason: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Change:
    """One mail whose outcome is another."""

    inquiry_id: int
    before: Outcome
    after: Outcome

    @property
    def group(self) -> Group:
        """How it differs."""
        match self.before.answered, self.after.answered:
            case False, True:
                return Group.ANSWERED
            case True, False:
                return Group.LOST
            case True, True:
                return Group.OTHERWISE
            case _:
                return Group.REASON


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a person said of a mail: that these entries, and no others, are the right answer to it, or a wrong one."""

    entries: frozenset[str]
    """None, and right: a person must answer."""
    right: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """What another corpus makes of all mails: how many there are of each kind, and the changes one by one."""

    mails: int
    apart: int
    """Those on which recognition has no word: the guard, trouble in reading, or the mail's past decide."""
    answered_before: int
    answered_after: int
    reworded: int
    """Those that the same entries answer before and after, the one that was edited among them."""
    changes: tuple[Change, ...]


COUNTS = ("mails", "apart", "answered_before", "answered_after", "reworded")


def recognised(reading: Reading, reason: str | None) -> bool:
    """Whether recognition decides on the mail: neither the guard, nor trouble in reading it, nor its past.

    `reason` is the one kept with the mail, None where it still waits.
    """
    return reading.suppression is None and reading.trouble is None and reason not in OF_THE_PAST


def outcome_of(decision: Decision) -> Outcome:
    """Of a decision that no history had part in."""
    if isinstance(decision, Suppress):
        return Outcome(False, (), decision.reason.value, 0.0)
    answered = isinstance(decision, Answer)
    return Outcome(answered, tuple(decision.entries), decision.reason.value, decision.confidence)


def change_of(inquiry_id: int, before: Outcome, after: Outcome) -> Change | None:
    """None where the contractor gets the same, for the same reason; what is put before a person first is no outcome."""
    same = before.answered == after.answered and before.reason == after.reason
    if same and (not before.answered or set(before.entries) == set(after.entries)):
        return None
    return Change(inquiry_id, before, after)


def against(change: Change, confirmations: Iterable[Confirmation]) -> bool:
    """Whether the new outcome goes against what people said: a wrong answer, or a right one that is lost."""
    return any(_goes_against(change, confirmation) for confirmation in confirmations)


def _goes_against(change: Change, confirmation: Confirmation) -> bool:
    if change.after.answered:
        return (frozenset(change.after.entries) == confirmation.entries) != confirmation.right
    sent_before = frozenset(change.before.entries) if change.before.answered else None
    return confirmation.right and sent_before == confirmation.entries
