"""Judging an automatic answer, and what follows from it."""

from datetime import datetime

from sqlalchemy.engine import Connection

from responder.store import reviews
from responder.store.corrections import drop_correction, open_correction
from responder.store.reviews import Judgement


def judge(conn: Connection, inquiry_id: int, judgement: Judgement, *, who: str, now: datetime) -> bool:
    """Say whether an automatic answer was right; a wrong one opens a case, in which a person puts it right.

    False where the mail has no automatic answer, or was erased.
    """
    if not reviews.lock(conn, inquiry_id):
        return False
    before = reviews.in_force(conn, [inquiry_id]).get(inquiry_id)
    if before is not None:
        if before.judgement is judgement:
            return True
        take_back(conn, inquiry_id, who=who, now=now)
    judged = reviews.judge(conn, inquiry_id, judgement, who=who, now=now) is not None
    if judged and judgement is Judgement.WRONG:
        open_correction(conn, inquiry_id, who=who, now=now)
    return judged


def take_back(conn: Connection, inquiry_id: int, *, who: str, now: datetime) -> Judgement | None:
    """Take back what was said of an answer, and give it; its case closes if nobody has begun with it."""
    said = reviews.undo(conn, inquiry_id, who=who, now=now)
    if said is Judgement.WRONG:
        drop_correction(conn, inquiry_id, who=who, now=now)
    return said
