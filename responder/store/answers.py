"""The automatic answers, for whoever reads them afterwards."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import cases, inbox, outbox, reviews
from responder.store.slices import Slice, sliced


@dataclass(frozen=True, slots=True)
class AnswerSent:
    """An answer that a machine gave, the mail that it answers, and what people said of it."""

    id: int
    """Of the delivery."""
    inquiry_id: int
    created_at: datetime
    recipient: str
    state: str
    raw: bytes
    """The answer's."""
    subject: str | None
    from_address: str | None
    decision: Mapping[str, Any] | None
    verdict: str | None
    """right, wrong, or not judged."""
    reviewed_by: str | None
    case_id: int | None
    entries: tuple[str, ...]


def listing(
    conn: Connection, *, entry: str = "", unjudged: bool = False, before: int | None = None, limit: int
) -> Slice[AnswerSent]:
    """The newest answers: of one entry, not judged yet, or older than the answer `before`, where asked for."""
    statement = _answers()
    if entry:
        statement = statement.where(("," + outbox.c.entries + ",").contains(f",{entry},", autoescape=True))
    if unjudged:
        statement = statement.where(reviews.c.id.is_(None))
    return sliced(conn, statement, outbox.c.id, _answer, before=before, limit=limit)


def find(conn: Connection, inquiry_id: int) -> AnswerSent | None:
    """The automatic answer to one mail, or None."""
    row = conn.execute(_answers().where(outbox.c.inquiry_id == inquiry_id).limit(1)).first()
    return None if row is None else _answer(row)


def by_entry(conn: Connection) -> Counter[str]:
    """How many automatic answers each entry stood in, whatever became of them."""
    sent = sa.select(outbox.c.entries, sa.func.count().label("n"))
    which = (outbox.c.kind == "answer", outbox.c.entries.is_not(None))
    found = Counter[str]()
    for row in conn.execute(sent.where(*which).group_by(outbox.c.entries)):
        found.update(dict.fromkeys(row.entries.split(","), row.n))
    return found


def _answers() -> sa.Select[Any]:
    sent = [outbox.c[name] for name in ("id", "inquiry_id", "created_at", "recipient", "state", "raw", "entries")]
    asked = [inbox.c[name] for name in ("subject", "from_address", "decision")]
    said = [reviews.c.verdict, reviews.c.reviewed_by, cases.c.inquiry_id.label("case_id")]
    in_force = sa.and_(reviews.c.inquiry_id == outbox.c.inquiry_id, reviews.c.undone_at.is_(None))
    joined = sa.select(*sent, *asked, *said).join(inbox, inbox.c.id == outbox.c.inquiry_id)
    joined = joined.outerjoin(reviews, in_force).outerjoin(cases, cases.c.inquiry_id == outbox.c.inquiry_id)
    # Of what was erased there is nothing left to be judged by.
    return joined.where(outbox.c.kind == "answer", inbox.c.erased_at.is_(None))


def _answer(row: sa.Row[Any]) -> AnswerSent:
    values = dict(row._mapping)
    entries = tuple((values.pop("entries") or "").split(","))
    return AnswerSent(**{**values, "raw": bytes(row.raw)}, entries=entries)
