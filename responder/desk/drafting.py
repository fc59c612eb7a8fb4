"""What a person may start from: the answers that recognition is sure of, and an empty place for each other question."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from responder.corpus import Entry
from responder.desk.newest import Newest, newest_of
from responder.letters import Letters, Passage
from responder.store import automatic, cases, corrections
from responder.store.cases import Case
from responder.triage.language import Language


@dataclass(frozen=True, slots=True)
class Draft:
    """A prepared answer, which nobody has sent."""

    text: str
    unanswered: int
    """Questions that still need a person's words."""


def draft_of(
    case: Case, newest: Newest, entries: Iterable[Entry], letters: Letters, *, answered: Collection[str]
) -> Draft | None:
    """The prepared answer to the case's newest mail, or the correction of what a machine wrote, in today's wording.

    `answered` are the entries that the machine answered the case's first mail with. None where no entry covers
    anything.
    """
    decision = newest.record.decision or {}
    if case.reason == corrections.REASON:
        sent = [entry for entry in entries if entry.id in answered]
        return Draft(_correction(case, newest, sent, letters), 1)
    # An entry without an English answer leaves the question of an English mail open.
    spoken = {entry.id: entry for entry in entries if entry.english or newest.language is not Language.ENGLISH}
    passages = passages_of(decision, spoken)
    if all(passage.entry is None for passage in passages):
        return None
    reference = cases.reference_of(case.id)
    text = letters.draft(passages, subject=newest.subject, reference=reference, language=newest.language)
    return Draft(text, sum(passage.entry is None for passage in passages))


def prepared_for(conn: Connection, case_id: int, entries: Iterable[Entry], letters: Letters) -> Draft | None:
    """As `draft_of`, with the mail read in this process: for commands."""
    case, newest = cases.find(conn, case_id), newest_of(conn, case_id)
    if case is None or newest is None:
        return None
    return draft_of(case, newest, entries, letters, answered=automatic.entries_answered(conn, case_id))


def _correction(case: Case, newest: Newest, sent: Sequence[Entry], letters: Letters) -> str:
    return letters.correction(
        sent,
        subject=newest.record.listing.subject or "",
        reference=cases.reference_of(case.id),
        language=newest.language,
    )


def passages_of(decision: Mapping[str, Any], entries: Mapping[str, Entry]) -> list[Passage]:
    """The parts that were kept with a decision; an entry stands once, under all questions that it answers.

    An entry that the corpus no longer has leaves its question open.
    """
    asked: dict[str, list[str]] = {}
    for number, part in enumerate(decision.get("parts", [])):
        known = part["entry"] in entries
        asked.setdefault(part["entry"] if known else f"{number} open", []).append(part["question"])
    return [Passage(tuple(questions), entries.get(key)) for key, questions in asked.items()]
