"""What people said of automatic answers after they had gone. A review is undone, never deleted."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import inbox, outbox, reviews


class Judgement(StrEnum):
    """Whether the contractor got the answer to his question."""

    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Review:
    """One automatic answer, and what somebody said of it."""

    id: int
    inquiry_id: int
    judgement: Judgement
    entries: tuple[str, ...]
    """Those that were sent, in alphabetical order."""
    reviewed_at: datetime
    reviewed_by: str
    undone_at: datetime | None
    undone_by: str | None


def lock(conn: Connection, inquiry_id: int) -> bool:
    """Have whoever judges the same answer at the same moment wait until the transaction ends; False where nothing is
    left of the mail to judge by."""
    kept = (inbox.c.id == inquiry_id, inbox.c.erased_at.is_(None))
    return conn.execute(sa.select(inbox.c.id).where(*kept).with_for_update()).first() is not None


def judge(conn: Connection, inquiry_id: int, judgement: Judgement, *, who: str, now: datetime) -> int | None:
    """Review the automatic answer to a mail, and give the review's number; one that it has is undone.

    None where the mail has no automatic answer, or was erased.
    """
    if not lock(conn, inquiry_id):
        return None
    sent = sa.select(outbox.c.entries).where(outbox.c.inquiry_id == inquiry_id, outbox.c.kind == "answer")
    entries: str | None = conn.execute(sent.limit(1)).scalar_one_or_none()
    if entries is None:
        return None
    undo(conn, inquiry_id, who=who, now=now)
    values = {"inquiry_id": inquiry_id, "verdict": judgement.value, "entries": entries}
    signed = {"reviewed_at": now, "reviewed_by": who}
    number: int = conn.execute(sa.insert(reviews).values(**values, **signed).returning(reviews.c.id)).scalar_one()
    return number


def undo(conn: Connection, inquiry_id: int, *, who: str, now: datetime) -> Judgement | None:
    """Take back the review in force, which stays on record, and give what it said; None where there is none."""
    statement = sa.update(reviews).where(reviews.c.inquiry_id == inquiry_id, *_in_force())
    undone = statement.values(undone_at=now, undone_by=who).returning(reviews.c.verdict)
    found: str | None = conn.execute(undone).scalar_one_or_none()
    return None if found is None else Judgement(found)


def in_force(conn: Connection, inquiry_ids: Collection[int] | None = None) -> dict[int, Review]:
    """The reviews in force by their inquiry, oldest first; of these inquiries only, where given."""
    statement = _reviews().where(*_in_force())
    if inquiry_ids is not None:
        statement = statement.where(reviews.c.inquiry_id.in_(inquiry_ids))
    return {review.inquiry_id: review for review in map(_review, conn.execute(statement))}


def history(conn: Connection, inquiry_id: int) -> list[Review]:
    """All reviews of one answer, oldest first, those that were taken back too."""
    return [_review(row) for row in conn.execute(_reviews().where(reviews.c.inquiry_id == inquiry_id))]


def by_entry(conn: Connection) -> dict[str, tuple[int, int]]:
    """For each entry: how many answers in which it stood were judged, and how many of those wrong.

    Of an answer with several entries nobody says which was wrong, so that it counts against each.
    """
    judged, wrong = Counter[str](), Counter[str]()
    columns = (reviews.c.entries, reviews.c.verdict)
    counts = sa.select(*columns, sa.func.count().label("n")).where(*_in_force()).group_by(*columns)
    for row in conn.execute(counts):
        for entry in row.entries.split(","):
            judged[entry] += row.n
            wrong[entry] += row.n if row.verdict == Judgement.WRONG.value else 0
    return {entry: (judged[entry], wrong[entry]) for entry in sorted(judged)}


def tally(conn: Connection) -> dict[Judgement, int]:
    """How many answers are judged right, and how many wrong."""
    counts = sa.select(reviews.c.verdict, sa.func.count().label("n")).where(*_in_force()).group_by(reviews.c.verdict)
    found = {row.verdict: row.n for row in conn.execute(counts)}
    return {judgement: found.get(judgement.value, 0) for judgement in Judgement}


def stamp(conn: Connection) -> tuple[int, int]:
    """Another value after every review and every undo; costs less than the reviews themselves."""
    row = conn.execute(sa.select(sa.func.max(reviews.c.id), sa.func.count(reviews.c.undone_at))).one()
    return row[0] or 0, row[1]


def _in_force() -> tuple[sa.ColumnElement[bool], ...]:
    return (reviews.c.undone_at.is_(None),)


def _reviews() -> sa.Select[Any]:
    names = ("id", "inquiry_id", "verdict", "entries", "reviewed_at", "reviewed_by", "undone_at", "undone_by")
    return sa.select(*(reviews.c[name] for name in names)).order_by(reviews.c.id)


def _review(row: sa.Row[Any]) -> Review:
    said, sent = Judgement(row.verdict), tuple(row.entries.split(","))
    signed = (row.reviewed_at, row.reviewed_by, row.undone_at, row.undone_by)
    return Review(row.id, row.inquiry_id, said, sent, *signed)
