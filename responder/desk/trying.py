"""A change before it is made: how far it was tried, what it would do, and making it or giving it up."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.corpus import Entry, entry_in
from responder.desk.corpus import diff, faulty, name_in, now_in_force
from responder.desk.publishing import Refused, conflicts_in, in_force, publish
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit
from responder.errors import CorpusError
from responder.store import accounts, rehearsals, revisions
from responder.store.accounts import Role
from responder.store.rehearsals import Rehearsal
from responder.triage.changes import Change, Group

MOST_SHOWN = 200
"""Mails of one group on the page."""


@dataclass(frozen=True, slots=True)
class Found:
    """A rehearsal, and what is shown with it."""

    rehearsal: Rehearsal
    changes: Sequence[tuple[str, str]]
    """Of the file, as `diff` gives them."""
    conflicts: Sequence[Change]
    groups: Sequence[tuple[Group, Sequence[Change]]]
    """The changes that are no conflicts."""
    subjects: Mapping[int, str]
    names: Mapping[str, str]


async def show(visit: Visit) -> Response:
    """The rehearsal; for a page that only waits for its end, how far it is."""
    rehearsal = await visit.read(lambda conn: _rehearsal(conn, visit))
    if rehearsal is None:
        return not_found(visit)
    path = f"/corpus/{rehearsal.entry_id}/rehearsals/{rehearsal.id}"
    try:
        entry = entry_in(visit.desk.corpus / f"{rehearsal.entry_id}.toml", rehearsal.content)
    except CorpusError as error:  # what counts as an entry may have changed since
        return faulty(visit, error)
    if "waiting" in visit.request.query_params:
        return _waited(visit, rehearsal, entry, path)
    found = await visit.read(lambda conn: _found(conn, rehearsal))
    entries = {**await visit.titles(), entry.id: entry}
    return visit.page(
        "rehearsal.html",
        found=found,
        rehearsal=rehearsal,
        entry=entry,
        entries=entries,
        most=MOST_SHOWN,
        stale=_stale(visit, rehearsal),
        in_force=in_force(visit.desk, entry),
        refused=visit.request.query_params.get("refused", ""),
        disk_refused=visit.desk.refused(),
    )


def _waited(visit: Visit, rehearsal: Rehearsal, entry: Entry, path: str) -> Response:
    match rehearsal.state:
        case "waiting" | "running":
            return visit.page("rehearsal_progress.html", rehearsal=rehearsal)
        case "applied":
            return now_in_force(visit, entry, path)
        case _:
            return Response(status_code=204, headers={"HX-Redirect": path})


def _rehearsal(conn: Connection, visit: Visit) -> Rehearsal | None:
    found = rehearsals.find(conn, visit.number)
    return found if found is not None and found.entry_id == name_in(visit) else None


def _found(conn: Connection, rehearsal: Rehearsal) -> Found:
    base = revisions.newest(conn, rehearsal.entry_id, until=rehearsal.asked_at)
    changes = () if rehearsal.result is None else rehearsal.result.changes
    conflicts = conflicts_in(changes, rehearsals.confirmations(conn)) if changes else ()
    others = [change for change in changes if change not in set(conflicts)]
    groups = [(group, [change for change in others if change.group is group]) for group in Group]
    listed = [*conflicts[:MOST_SHOWN], *(change for _, some in groups for change in some[:MOST_SHOWN])]
    subjects = rehearsals.subjects(conn, [change.inquiry_id for change in listed])
    names = accounts.names(conn)
    lines = diff("" if base is None else base.content, rehearsal.content)
    return Found(rehearsal, lines, conflicts, [one for one in groups if one[1]], subjects, names)


def _stale(visit: Visit, rehearsal: Rehearsal) -> bool:
    """Whether the corpus in force is another one by now, as far as this process knows."""
    known = visit.desk.knowledge()
    return rehearsal.state == "ready" and known is not None and known.corpus.fingerprint != rehearsal.corpus


async def apply(visit: Visit, form: Form) -> Response:
    """Make the change."""
    rehearsal = await visit.read(lambda conn: _rehearsal(conn, visit))
    if rehearsal is None:
        return not_found(visit)
    responsibility = form.text("responsibility", 1000).strip() if form.text("agreed") else ""
    try:
        refused = await asyncio.to_thread(
            publish, visit.desk, rehearsal.id, visit.by, responsibility=responsibility, now=visit.now
        )
    except CorpusError as error:
        return faulty(visit, error)
    return _back(visit, rehearsal.id, refused)


async def drop(visit: Visit, form: Form) -> Response:
    """Give the change up."""
    del form

    def change(conn: Connection) -> Rehearsal | None:
        rehearsal = _rehearsal(conn, visit)
        if rehearsal is not None and rehearsals.drop(conn, rehearsal.id, now=visit.now):
            visit.noted(conn, "entry.drop", f"entry:{rehearsal.entry_id}", f"rehearsal {rehearsal.id}")
        return rehearsal

    rehearsal = await visit.write(change)
    return not_found(visit) if rehearsal is None else _back(visit, rehearsal.id, None)


async def again(visit: Visit, form: Form) -> Response:
    """Try the same change on what stands there now."""
    del form

    def change(conn: Connection) -> int | None:
        old = _rehearsal(conn, visit)
        if old is None or old.state not in ("ready", "failed", "dropped"):
            return None
        base = revisions.newest(conn, old.entry_id, until=old.asked_at)
        newest = revisions.newest(conn, old.entry_id)
        if base != newest:
            return None
        rehearsals.drop(conn, old.id, now=visit.now)
        who = visit.account.login
        number = rehearsals.ask(conn, old.entry_id, old.content, note=old.note, who=who, now=visit.now)
        visit.noted(conn, "entry.rehearse", f"entry:{old.entry_id}", f"rehearsal {number}, as {old.id}")
        return number

    number = await visit.write(change)
    if number is None:
        return _back(visit, visit.number, Refused.OTHER_FILE)
    return _back(visit, number, None)


def _back(visit: Visit, number: int, refused: Refused | None) -> Response:
    path = f"/corpus/{name_in(visit)}/rehearsals/{number}"
    return visit.to(path) if refused is None else visit.to(path, refused=refused.name)


ROUTES = [
    page("/corpus/{entry}/rehearsals/{number}", show),
    action("/corpus/{entry}/rehearsals/{number}/apply", apply, Role.EDITOR),
    action("/corpus/{entry}/rehearsals/{number}/drop", drop, Role.EDITOR),
    action("/corpus/{entry}/rehearsals/{number}/again", again, Role.EDITOR),
]
