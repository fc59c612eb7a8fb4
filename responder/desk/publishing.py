"""From a change that was tried to the file of its entry: what must hold before it is written, and what is recorded."""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.engine import Connection

from responder.corpus import Entry, Mode, entry_in, load_entries
from responder.corpus.writing import alone, edit_of, edited, put, source_of
from responder.desk.desk import Desk
from responder.errors import CorpusError
from responder.store import audit, rehearsals, revisions
from responder.store.audit import Actor
from responder.store.rehearsals import Rehearsal
from responder.triage.changes import Change, Confirmation, against

ENTRY_ID = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class Refused(StrEnum):
    """Why nothing was changed, as staff read it."""

    NOT_READY = "the effects of the change are not known, or it was made or dropped already"
    OTHER_CORPUS = "entries or labelled mails have changed since its effects were looked for"
    OTHER_FILE = "the entry's file has changed since it was edited"
    CONFLICTS = "it goes against what people said of mails, and nobody takes responsibility for that"
    SAME = "the entry has this mode already"
    NO_REASON = "a reason is needed"
    NO_ENTRY = "there is no such entry"


@dataclass(frozen=True, slots=True)
class Written:
    """An entry as it stands on disk."""

    source: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class _Change:
    entry_id: str
    content: str
    was: str | None
    action: str
    detail: str
    """For the audit."""
    note: str
    """For the history of the entry."""


def written_in(desk: Desk, entry_id: str) -> Written | None:
    """An entry of the folder; None where there is none. Raises CorpusError where its file has faults."""
    if not ENTRY_ID.fullmatch(entry_id):
        return None
    source = source_of(desk.corpus, entry_id)
    return None if source is None else Written(source, entry_in(desk.corpus / f"{entry_id}.toml", source))


def conflicts_in(changes: Sequence[Change], confirmations: Mapping[int, Sequence[Confirmation]]) -> tuple[Change, ...]:
    """The changes that go against what people said of these mails."""
    return tuple(change for change in changes if against(change, confirmations.get(change.inquiry_id, ())))


def publish(desk: Desk, number: int, by: Actor, *, responsibility: str, now: datetime) -> Refused | None:
    """Make the change that was tried; with conflicts only where `responsibility` says why. Raises CorpusError."""
    with alone(desk.corpus):
        fingerprint = desk.on_disk().fingerprint
        with desk.engine.begin() as connection:
            rehearsal = rehearsals.find(connection, number, lock=True)
            if rehearsal is None or rehearsal.state != "ready" or rehearsal.result is None:
                return Refused.NOT_READY
            if rehearsal.corpus != fingerprint:
                return Refused.OTHER_CORPUS
            conflicts = conflicts_in(rehearsal.result.changes, rehearsals.confirmations(connection))
            if conflicts and not responsibility:
                return Refused.CONFLICTS
            return _published(connection, desk, rehearsal, by, conflicts, responsibility, now)


def _published(
    conn: Connection,
    desk: Desk,
    rehearsal: Rehearsal,
    by: Actor,
    conflicts: Sequence[Change],
    responsibility: str,
    now: datetime,
) -> Refused | None:
    base = revisions.newest(conn, rehearsal.entry_id, until=rehearsal.asked_at)
    was = None if base is None else base.content
    if source_of(desk.corpus, rehearsal.entry_id) != was:
        return Refused.OTHER_FILE
    rehearsals.apply(conn, rehearsal.id, now=now)
    detail = f"rehearsal {rehearsal.id}: {rehearsal.note}".rstrip(": ")
    if conflicts:
        mails = " ".join(str(change.inquiry_id) for change in conflicts[:50])
        detail += f"; takes responsibility for {len(conflicts)} conflicts (mails {mails}): {responsibility}"
    change = _Change(rehearsal.entry_id, rehearsal.content, was, "entry.publish", detail, rehearsal.note)
    _write(conn, desk, change, by, now)
    return None


def set_mode(desk: Desk, entry_id: str, mode: Mode, by: Actor, *, reason: str, now: datetime) -> Refused | None:
    """Put an entry into another mode, at once and without a trial. Raises CorpusError."""
    if not reason:
        return Refused.NO_REASON
    with alone(desk.corpus), desk.engine.begin() as connection:
        found = written_in(desk, entry_id)
        if found is None:
            return Refused.NO_ENTRY
        if found.entry.mode is mode:
            return Refused.SAME
        revisions.see(connection, entry_id, found.entry.revision, found.source, now=now)
        edit = replace(edit_of(found.entry), mode=mode)
        content = edited(found.source, found.entry, edit, today=now.astimezone(desk.zone).date())
        detail = f"{found.entry.mode.value} → {mode.value}: {reason}"
        _write(connection, desk, _Change(entry_id, content, found.source, "entry.mode", detail, detail), by, now)
    return None


def _write(conn: Connection, desk: Desk, change: _Change, by: Actor, now: datetime) -> None:
    name = f"{change.entry_id}.toml"
    load_entries(desk.corpus, {name: change.content})
    entry = entry_in(desk.corpus / name, change.content)
    revisions.record(conn, entry.id, entry.revision, change.content, who=by.who, note=change.note, now=now)
    audit.write(conn, by, change.action, f"entry:{entry.id}", change.detail, now=now)
    # Last of all, so that what cannot be written is not recorded either. Where the database then fails to commit, the
    # next look at the entry finds a change by hand.
    put(desk.corpus, entry.id, change.content, was=change.was)


def in_force(desk: Desk, entry: Entry) -> bool | None:
    """Whether mails are answered by this very text already; None where no worker runs in this process."""
    known = desk.knowledge()
    if known is None:
        return None
    with suppress(KeyError):
        return known.corpus.entry(entry.id) == entry
    return False


def faults_of(error: CorpusError) -> list[str]:
    """One line a fault."""
    return [str(fault) for fault in error.faults]
