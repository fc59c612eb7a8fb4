"""What a person may start from: the answers that recognition is sure of, and an empty place for each other question."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection

from responder.corpus import Entry
from responder.letters import Letters, Passage
from responder.mail.message import Message, parse_message
from responder.store import cases, corrections, inbox, outbox
from responder.store.cases import Case
from responder.store.inbox import Record
from responder.triage.language import Language


@dataclass(frozen=True, slots=True)
class Draft:
    """A prepared answer, which nobody has sent."""

    text: str
    unanswered: int
    """Questions that still need a person's words."""


def newest_mail(connection: Connection, case: Case) -> Record:
    """The contractor's newest mail in the case, thanks aside: that is what an answer answers."""
    record = inbox.find(connection, cases.mails_of(connection, case.id, thanks=False)[-1])
    if record is None:
        raise LookupError(f"case {case.id} has lost its inquiry")  # a foreign key forbids it
    return record


def draft_of(connection: Connection, case: Case, entries: Iterable[Entry], letters: Letters) -> Draft | None:
    """The prepared answer to the case's newest mail, or the correction of what a machine wrote, in today's wording.

    None where no entry covers anything.
    """
    record = newest_mail(connection, case)
    if case.reason == corrections.REASON:
        return Draft(_correction(connection, case, record, entries, letters), 1)
    passages = passages_of(record.decision or {}, {entry.id: entry for entry in entries})
    if all(passage.entry is None for passage in passages):
        return None
    message = parse_message(record.raw)
    subject = message.subject if isinstance(message, Message) else ""
    text = letters.draft(passages, subject=subject, reference=cases.reference_of(case.id))
    return Draft(text, sum(passage.entry is None for passage in passages))


def _correction(connection: Connection, case: Case, record: Record, entries: Iterable[Entry], letters: Letters) -> str:
    sent = outbox.entries_answered(connection, case.id)
    english = (record.decision or {}).get("language") == Language.ENGLISH
    return letters.correction(
        [entry for entry in entries if entry.id in sent],
        subject=record.listing.subject or "",
        reference=cases.reference_of(case.id),
        language=Language.ENGLISH if english else Language.JAPANESE,
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
