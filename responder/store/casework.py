"""What people do with a case, one function each: it looks under the row's lock, changes the case, and writes an event.

Each gives None once it is done, or why it was not; then nothing was changed.
"""

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store import accounts, case_events, cases
from responder.store.cases import Case
from responder.store.schema import cases as table


class Refusal(StrEnum):
    """Why something was not done."""

    NO_CASE = "there is no such case"
    MERGED = "the case was merged into another"
    CLOSED = "the case is closed"
    NOT_CLOSED = "the case is not closed"
    TAKEN = "somebody else has taken the case"
    NOT_TAKEN = "the case is not theirs"
    NOT_HELD = "the case is not on hold"
    PAST = "the moment has passed already"
    EMPTY = "nothing was written"
    NO_COLLEAGUE = "nobody of that name has an account"
    SAME = "the two are one case"
    STRANGERS = "the two cases are of different organisations"
    ERASED = "the case was erased"
    NOT_JOINED = "the mail is none that joined the case"


Check = Callable[[Case, str], Refusal | None]


def take(conn: Connection, case_id: int, *, who: str, now: datetime) -> Refusal | None:
    """Make an open case theirs; whoever has it may say so twice."""
    return _act(conn, case_id, "taken", who=who, now=now, state="taken", taken_by=who)


def take_over(conn: Connection, case_id: int, *, who: str, now: datetime) -> Refusal | None:
    """Make a case theirs that a colleague has; the event names the colleague."""
    case = cases.find(conn, case_id, lock=True)
    colleague = case.taken_by if case is not None and case.state == "taken" and case.taken_by != who else None
    event = "taken" if colleague is None else "taken over"
    values: dict[str, Any] = {"state": "taken", "taken_by": who}
    return _act(conn, case_id, event, who=who, now=now, check=unfinished, detail=colleague or "", **values)


def assign(conn: Connection, case_id: int, *, to: str, who: str, now: datetime) -> Refusal | None:
    """Give a case that is open or theirs to somebody with an account; `to` is a login."""
    account = accounts.by_login(conn, to)
    if account is None or account.disabled_at is not None:
        return Refusal.NO_COLLEAGUE
    return _act(
        conn, case_id, "assigned", who=who, now=now, detail=account.login, state="taken", taken_by=account.login
    )


def release(conn: Connection, case_id: int, *, who: str, now: datetime) -> Refusal | None:
    """Give a case of theirs back to everybody."""
    return _act(conn, case_id, "released", who=who, now=now, check=_theirs, state="open", taken_by=None)


def hold(conn: Connection, case_id: int, *, reason: str, until: datetime, who: str, now: datetime) -> Refusal | None:
    """Put a case off; its state stays. What the contractor writes, or a bounce, ends it before its time."""
    if not reason.strip():
        return Refusal.EMPTY
    if until <= now:
        return Refusal.PAST
    reason = reason.strip()
    return _act(conn, case_id, "held", who=who, now=now, detail=reason, held_until=until, hold_reason=reason)


def resume(conn: Connection, case_id: int, *, who: str, now: datetime) -> Refusal | None:
    """End a hold before its time."""
    return _act(conn, case_id, "resumed", who=who, now=now, check=_on_hold(now), held_until=None, hold_reason=None)


def note(conn: Connection, case_id: int, *, text: str, who: str, now: datetime) -> Refusal | None:
    """Write down something for colleagues alone, in whatever state the case is."""
    if not text.strip():
        return Refusal.EMPTY
    if cases.find(conn, case_id, lock=True) is None:
        return Refusal.NO_CASE
    if cases.is_erased(conn, case_id):
        return Refusal.ERASED
    case_events.record(conn, case_id, "note", who=who, detail=text.strip(), now=now)
    return None


def close(conn: Connection, case_id: int, *, reason: str, who: str, now: datetime) -> Refusal | None:
    """Close a case without an answer."""
    if not reason.strip():
        return Refusal.EMPTY
    return _act(conn, case_id, "closed", who=who, now=now, detail=reason.strip(), **_CLOSED)


def close_as_spam(conn: Connection, case_id: int, *, who: str, now: datetime) -> Refusal | None:
    """Close a case whose mail asks nothing of us."""
    return _act(conn, case_id, "spam", who=who, now=now, **_CLOSED)


def close_answered(conn: Connection, case_id: int, *, delivery_id: int, who: str, now: datetime) -> Refusal | None:
    """Close a case with the mail that answers it."""
    return _act(conn, case_id, "answered", who=who, now=now, delivery_id=delivery_id, **_CLOSED)


def reopen(conn: Connection, case_id: int, *, who: str, now: datetime) -> Refusal | None:
    """Put a closed case before everybody again; it waits from now."""
    if cases.find(conn, case_id, lock=True) is not None and cases.is_erased(conn, case_id):
        return Refusal.ERASED
    return _act(conn, case_id, "reopened", who=who, now=now, check=_closed, state="open", taken_by=None, opened_at=now)


def take_back(conn: Connection, case_id: int, *, delivery_id: int, who: str, now: datetime) -> Refusal | None:
    """Tell that an answer was withdrawn. The case has waited as long as before, and is theirs unless it went elsewhere
    meanwhile: to a colleague, or into another case."""
    case = cases.find(conn, case_id, lock=True)
    elsewhere = case is not None and (case.merged_into is not None or (case.state == "taken" and case.taken_by != who))
    values: dict[str, Any] = {} if elsewhere else {"state": "taken", "taken_by": who}
    return _act(conn, case_id, "withdrawn", who=who, now=now, check=_any, delivery_id=delivery_id, **values)


_CLOSED: dict[str, Any] = {"state": "closed", "held_until": None, "hold_reason": None}


def unfinished(case: Case, who: str) -> Refusal | None:
    """Whether work is left on the case, whosever it is."""
    if case.merged_into is not None:
        return Refusal.MERGED
    return Refusal.CLOSED if case.state == "closed" else None


def free(case: Case, who: str) -> Refusal | None:
    """Whether they may work on the case: it is open, or theirs."""
    refusal = unfinished(case, who)
    return refusal or (Refusal.TAKEN if case.state == "taken" and case.taken_by != who else None)


def _theirs(case: Case, who: str) -> Refusal | None:
    return free(case, who) or (None if case.state == "taken" else Refusal.NOT_TAKEN)


def _any(case: Case, who: str) -> Refusal | None:
    return None


def _closed(case: Case, who: str) -> Refusal | None:
    if case.merged_into is not None:
        return Refusal.MERGED
    return None if case.state == "closed" else Refusal.NOT_CLOSED


def _on_hold(now: datetime) -> Check:
    def check(case: Case, who: str) -> Refusal | None:
        on_hold = case.held_until is not None and case.held_until > now
        return free(case, who) or (None if on_hold else Refusal.NOT_HELD)

    return check


def _act(
    conn: Connection,
    case_id: int,
    event: str,
    *,
    who: str,
    now: datetime,
    check: Check = free,
    detail: str = "",
    delivery_id: int | None = None,
    **values: Any,
) -> Refusal | None:
    case = cases.find(conn, case_id, lock=True)
    refusal = Refusal.NO_CASE if case is None else check(case, who)
    if refusal is not None:
        return refusal
    conn.execute(sa.update(table).where(table.c.inquiry_id == case_id).values(changed_at=now, **values))
    case_events.record(conn, case_id, event, who=who, detail=detail, delivery_id=delivery_id, now=now)
    return None
