"""Two cases that are one matter, and one case that is two."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.mail.organisation import party_of
from responder.store import case_events, cases, inbox
from responder.store.cases import Case, reference_of
from responder.store.casework import Refusal, free
from responder.store.schema import cases as table


def merge(conn: Connection, case_id: int, *, into: int, who: str, now: datetime) -> Refusal | None:
    """Let the mails of a case that is open or theirs belong to another one, which is opened if it was closed.

    Only a case of the same organisation takes them: what is answered there goes to whoever wrote last.
    """
    # Where the number given was itself merged before, it stands for the case that it went into.
    target = cases.case_of(conn, into)
    if target is None:
        return Refusal.NO_CASE
    pair = {number: cases.find(conn, number, lock=True) for number in sorted({case_id, target})}
    source, other = pair[case_id], pair[target]
    if source is None or other is None:
        return Refusal.NO_CASE
    refusal = _unlike(conn, source, other, who)
    if refusal is not None:
        return refusal
    gone = {"state": "closed", "held_until": None, "hold_reason": None, "merged_into": target}
    conn.execute(sa.update(table).where(table.c.inquiry_id == case_id).values(changed_at=now, **gone))
    case_events.record(conn, case_id, "merged", who=who, detail=reference_of(target), now=now)
    waits = {
        "state": "open" if other.state == "closed" else other.state,
        "opened_at": source.opened_at if other.state == "closed" else min(source.opened_at, other.opened_at),
        "held_until": None,
        "hold_reason": None,
    }
    conn.execute(sa.update(table).where(table.c.inquiry_id == target).values(changed_at=now, **waits))
    case_events.record(conn, target, "joined", who=who, detail=reference_of(case_id), now=now)
    return None


def _unlike(conn: Connection, source: Case, other: Case, who: str) -> Refusal | None:
    if source.id == other.id:
        return Refusal.SAME
    if other.merged_into is not None:
        return Refusal.MERGED
    refusal = free(source, who)
    if refusal is not None:
        return refusal
    return None if _parties(conn, source.id) & _parties(conn, other.id) else Refusal.STRANGERS


def _parties(conn: Connection, case_id: int) -> set[str]:
    """Those that wrote the mails of a case."""
    origins = inbox.origins(conn, cases.mails_of(conn, case_id)).values()
    return {party_of(one.from_address or one.mail_from) for one in origins} - {""}


def split(conn: Connection, case_id: int, inquiry_id: int, *, who: str, now: datetime) -> Refusal | None:
    """Give a mail that joined a case one of its own, open; of a case that was merged, all its mails go back to it."""
    case = {number: cases.find(conn, number, lock=True) for number in sorted({case_id, inquiry_id})}[case_id]
    if case is None:
        return Refusal.NO_CASE
    # A case that was answered or closed may have been two all the time.
    refusal = free(case, who)
    if refusal not in (None, Refusal.CLOSED):
        return refusal
    if inquiry_id == case_id or inquiry_id not in cases.mails_of(conn, case_id):
        return Refusal.NOT_JOINED
    if cases.is_erased(conn, case_id):
        return Refusal.ERASED
    fresh = {"state": "open", "taken_by": None, "reason": "split off", "changed_at": now, "opened_at": now}
    again = sa.update(table).where(table.c.inquiry_id == inquiry_id).values(merged_into=None, **fresh)
    if conn.execute(again).rowcount == 0:
        conn.execute(sa.insert(table).values(inquiry_id=inquiry_id, **fresh))
    case_events.record(conn, case_id, "split", who=who, detail=reference_of(inquiry_id), now=now)
    case_events.record(conn, inquiry_id, "opened", who=who, detail="split off", now=now)
    return None
