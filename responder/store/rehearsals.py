"""Changes of entries that are tried on the mails kept here before they are made: waiting → running → ready → applied.

A rehearsal may be dropped in each of these states but the last. Whoever runs one says every few seconds that it goes
on; where nothing is heard for long its process is dead, and it has failed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.engine import Connection

from responder.mail.envelope import Envelope
from responder.store.schema import inbox, labels, rehearsals, reviews
from responder.triage.changes import Comparison, Confirmation

BATCH_OCTETS = 32 * 1024**2
"""Of mails at once, beside the first one, which may be longer."""

_BATCH_MAILS = 100
_COMPARISON = TypeAdapter(Comparison)


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """One change, and how far it was tried."""

    id: int
    entry_id: str
    asked_at: datetime
    asked_by: str
    note: str
    content: str
    """The whole file as it would be."""
    corpus: str
    """The fingerprint of the corpus that it changes; "" until it runs."""
    state: str
    done: int
    total: int | None
    """Mails; None until they are counted."""
    result: Comparison | None
    """Once it is ready."""
    problem: str | None
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Kept:
    """A mail to decide on again."""

    id: int
    envelope: Envelope
    raw: bytes
    reason: str | None


def ask(conn: Connection, entry_id: str, content: str, *, note: str, who: str, now: datetime) -> int:
    """Have a change tried, and give its number."""
    signed = {"asked_at": now, "asked_by": who, "changed_at": now}
    values = {"entry_id": entry_id, "content": content, "note": note, "corpus": "", **signed}
    number: int = conn.execute(sa.insert(rehearsals).values(values).returning(rehearsals.c.id)).scalar_one()
    return number


def find(conn: Connection, number: int, *, lock: bool = False) -> Rehearsal | None:
    """One by its number; `lock` keeps others from it until the transaction ends."""
    statement = _rehearsals().where(rehearsals.c.id == number)
    row = conn.execute(statement.with_for_update() if lock else statement).first()
    return None if row is None else _rehearsal(row)


def unfinished(conn: Connection, entry_id: str) -> list[Rehearsal]:
    """Those of an entry that are neither applied nor dropped nor failed, the newest first; without their results."""
    states = ("waiting", "running", "ready")
    which = (rehearsals.c.entry_id == entry_id, rehearsals.c.state.in_(states))
    rows = conn.execute(_rehearsals(result=False).where(*which).order_by(rehearsals.c.id.desc()).limit(20))
    return [_rehearsal(row) for row in rows]


def any_due(conn: Connection, *, silent_since: datetime) -> bool:
    """Whether one waits, or runs in silence since then; costs no write lock."""
    silent = sa.and_(rehearsals.c.state == "running", rehearsals.c.changed_at < silent_since)
    which = sa.or_(rehearsals.c.state == "waiting", silent)
    found: bool = conn.execute(sa.select(sa.exists().where(which))).scalar_one()
    return found


def claim(conn: Connection, *, now: datetime) -> int | None:
    """Begin the one that waits longest, and give its number; nobody else gets it."""
    waiting = sa.select(rehearsals.c.id).where(rehearsals.c.state == "waiting").order_by(rehearsals.c.id).limit(1)
    statement = sa.update(rehearsals).where(rehearsals.c.id.in_(waiting.with_for_update(skip_locked=True)))
    begun = statement.values(state="running", done=0, total=None, changed_at=now).returning(rehearsals.c.id)
    number: int | None = conn.execute(begun).scalar_one_or_none()
    return number


def begin(conn: Connection, number: int, *, corpus: str, now: datetime) -> bool:
    """Note the corpus that is changed, and how many mails there are; False where it does not run any more."""
    kept = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.erased_at.is_(None))
    total = kept.scalar_subquery()
    return _run(conn, number, corpus=corpus, total=total, changed_at=now)


def go_on(conn: Connection, number: int, *, done: int | None = None, now: datetime) -> bool:
    """Say that it still runs, and how many mails are done; False where somebody has dropped it."""
    return _run(conn, number, changed_at=now, **({} if done is None else {"done": done}))


def settle(conn: Connection, number: int, result: Comparison, *, now: datetime) -> bool:
    """Keep what was found; False where somebody has dropped it."""
    kept = _COMPARISON.dump_python(result, mode="json")
    return _run(conn, number, state="ready", done=result.mails, total=result.mails, result=kept, changed_at=now)


def fail(conn: Connection, number: int, problem: str, *, now: datetime) -> bool:
    """Keep why nothing was found; False where it does not run any more."""
    return _run(conn, number, state="failed", problem=problem[:2000].replace("\0", " "), changed_at=now)


def release(conn: Connection, number: int, *, now: datetime) -> bool:
    """Have it wait again, since this process ends; False where it does not run any more."""
    return _run(conn, number, state="waiting", changed_at=now)


def fail_silent(conn: Connection, *, since: datetime, now: datetime) -> int:
    """Fail those that nothing was heard of since then, and give how many."""
    silent = (rehearsals.c.state == "running", rehearsals.c.changed_at < since)
    statement = sa.update(rehearsals).where(*silent)
    problem = "its process ended without a word"
    return conn.execute(statement.values(state="failed", problem=problem, changed_at=now)).rowcount


def drop(conn: Connection, number: int, *, now: datetime) -> bool:
    """Give it up, also while it runs; False where it has come to an end."""
    which = (rehearsals.c.id == number, rehearsals.c.state.in_(("waiting", "running", "ready")))
    return conn.execute(sa.update(rehearsals).where(*which).values(state="dropped", changed_at=now)).rowcount == 1


def apply(conn: Connection, number: int, *, now: datetime) -> bool:
    """Note that the change was made; False where it is not ready."""
    which = (rehearsals.c.id == number, rehearsals.c.state == "ready")
    return conn.execute(sa.update(rehearsals).where(*which).values(state="applied", changed_at=now)).rowcount == 1


def _run(conn: Connection, number: int, **values: Any) -> bool:
    which = (rehearsals.c.id == number, rehearsals.c.state == "running")
    return conn.execute(sa.update(rehearsals).where(*which).values(values)).rowcount == 1


def _rehearsals(*, result: bool = True) -> sa.Select[Any]:
    names = ("id", "entry_id", "asked_at", "asked_by", "note", "content", "corpus", "state", "done", "total")
    found = rehearsals.c.result if result else sa.null().label("result")
    return sa.select(*(rehearsals.c[name] for name in names), found, rehearsals.c.problem, rehearsals.c.changed_at)


def _rehearsal(row: sa.Row[Any]) -> Rehearsal:
    result = None if row.result is None else _COMPARISON.validate_python(row.result)
    return Rehearsal(**{**row._mapping, "result": result})


def mails(conn: Connection, *, after: int, octets: int = BATCH_OCTETS) -> list[Kept]:
    """The next mails above a number, oldest first: as many as so many octets hold, and one at least."""
    kept = (inbox.c.id > after, inbox.c.erased_at.is_(None))
    sizes = sa.select(inbox.c.id, inbox.c.size).where(*kept).order_by(inbox.c.id).limit(_BATCH_MAILS)
    chosen = _fitting([(row.id, row.size) for row in conn.execute(sizes)], octets)
    columns = (inbox.c.id, inbox.c.mail_from, inbox.c.rcpt_to, inbox.c.raw, inbox.c.reason)
    rows = conn.execute(sa.select(*columns).where(inbox.c.id.in_(chosen)).order_by(inbox.c.id))
    return [Kept(row.id, Envelope(row.mail_from, tuple(row.rcpt_to)), bytes(row.raw), row.reason) for row in rows]


def _fitting(sizes: Sequence[tuple[int, int]], most: int) -> list[int]:
    chosen: list[int] = []
    octets = 0
    for number, size in sizes:
        octets += size
        if chosen and octets > most:
            break
        chosen.append(number)
    return chosen


def confirmations(conn: Connection) -> dict[int, list[Confirmation]]:
    """What people said of each mail, and have not taken back: what they taught, and how they judged its answer."""
    found: dict[int, list[Confirmation]] = {}
    taught = sa.select(labels.c.inquiry_id, labels.c.expected, labels.c.complete).where(labels.c.undone_at.is_(None))
    for row in conn.execute(taught):
        # Where it asks something else besides, entries alone are no right answer.
        entries = frozenset(row.expected if row.complete else ())
        found.setdefault(row.inquiry_id, []).append(Confirmation(entries, right=True))
    judged = sa.select(reviews.c.inquiry_id, reviews.c.entries, reviews.c.verdict).where(reviews.c.undone_at.is_(None))
    for row in conn.execute(judged):
        entries = frozenset(row.entries.split(","))
        found.setdefault(row.inquiry_id, []).append(Confirmation(entries, right=row.verdict == "right"))
    return found


def subjects(conn: Connection, numbers: Sequence[int]) -> dict[int, str]:
    """The subjects of mails, for lists; "" where there is none."""
    found = sa.select(inbox.c.id, inbox.c.subject).where(inbox.c.id.in_(numbers))
    return {row.id: row.subject or "" for row in conn.execute(found)}
