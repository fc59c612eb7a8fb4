"""The entries of the FAQ: all of them with their figures, and one as it is sent, with its history."""

import asyncio
import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.corpus import LEAST_PHRASINGS, Entry, Mode, load_entries
from responder.desk.desk import Desk
from responder.desk.entry_form import letters_about
from responder.desk.publishing import Written, faults_of, in_force, set_mode, written_in
from responder.desk.rendering import Said
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit
from responder.errors import CorpusError
from responder.store import accounts, answers, rehearsals, revisions
from responder.store.accounts import Role
from responder.store.rehearsals import Rehearsal
from responder.store.revisions import Revision


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of an entry besides its text."""

    answers: int
    wrong_at_most: float | None
    """The share of its answers that are wrong, at most; None where nothing is known here."""
    unproven: bool
    in_force: bool | None


@dataclass(frozen=True, slots=True)
class Past:
    """What the store knows of an entry."""

    history: Sequence[Revision]
    unfinished: Sequence[Rehearsal]
    answers: Counter[str]
    names: Mapping[str, str]
    """Of accounts, by login."""


async def listing(visit: Visit) -> Response:
    """All entries."""
    faults: list[str] = []
    try:
        entries = await asyncio.to_thread(load_entries, visit.desk.corpus)
    except CorpusError as error:
        faults, known = faults_of(error), visit.desk.knowledge()
        entries = () if known is None else known.corpus.entries
    sent = await visit.read(answers.by_entry)
    rows = [(entry, figures_of(visit.desk, entry, sent[entry.id])) for entry in entries]
    return visit.page("corpus.html", rows=rows, faults=faults, refused=visit.desk.refused(), least=LEAST_PHRASINGS)


def figures_of(desk: Desk, entry: Entry, answers: int) -> Figures:
    """Of one entry."""
    known = desk.knowledge()
    if known is None:
        return Figures(answers, None, unproven=False, in_force=None)
    standing = known.standings.get(entry.id)
    most = None if standing is None or not standing.answers else standing.wrong_at_most(desk.delta)
    return Figures(answers, most, entry.id in known.thresholds.unproven, in_force(desk, entry))


async def show(visit: Visit) -> Response:
    """One entry; for a page that only waits for it to come into force, nothing until it is."""
    try:
        found = await asyncio.to_thread(written_in, visit.desk, name_in(visit))
    except CorpusError as error:
        return faulty(visit, error)
    if found is None:
        return not_found(visit)
    if "waiting" in visit.request.query_params:
        return now_in_force(visit, found.entry, f"/corpus/{found.entry.id}")
    await _see(visit, found)
    past = await visit.read(lambda conn: past_of(conn, found.entry.id))
    figures = figures_of(visit.desk, found.entry, past.answers[found.entry.id])
    letters = letters_about(visit.desk.letters(), found.entry)
    return visit.page(
        "entry.html",
        entry=found.entry,
        figures=figures,
        past=past,
        letters=letters,
        least=LEAST_PHRASINGS,
        refused=visit.desk.refused(),
        trouble=visit.request.query_params.get("refused", ""),
        modes=list(Mode),
    )


def name_in(visit: Visit) -> str:
    """The entry that the path names."""
    name: str = visit.request.path_params["entry"]
    return name


def faulty(visit: Visit, error: CorpusError) -> Response:
    """What stands on disk cannot be shown as an entry, and how it can be mended."""
    return visit.page("entry_faults.html", status=409, faults=faults_of(error))


def now_in_force(visit: Visit, entry: Entry, path: str) -> Response:
    """Has a page that waits for the entry to come into force open itself anew once it is."""
    done = in_force(visit.desk, entry) is not False or visit.desk.refused()
    return Response(status_code=204, headers={"HX-Redirect": path} if done else {})


async def _see(visit: Visit, found: Written) -> None:
    """Record what was changed by hand; mostly nothing was, and nothing is written."""
    entry = found.entry
    newest = await visit.read(lambda conn: revisions.newest(conn, entry.id))
    if newest is None or newest.content != found.source:
        await visit.write(lambda conn: revisions.see(conn, entry.id, entry.revision, found.source, now=visit.now))


def past_of(conn: Connection, entry_id: str) -> Past:
    """What the store knows of an entry."""
    names = accounts.names(conn)
    unfinished = rehearsals.unfinished(conn, entry_id)
    return Past(revisions.listing(conn, entry_id), unfinished, answers.by_entry(conn), names)


async def revision(visit: Visit) -> Response:
    """What one revision changed."""
    found = await visit.read(lambda conn: _revision(conn, visit.number, name_in(visit)))
    if found is None:
        return not_found(visit)
    one, before, names = found
    changes = diff("" if before is None else before.content, one.content)
    return visit.page("entry_revision.html", one=one, first=before is None, changes=changes, names=names)


async def change_mode(visit: Visit, form: Form) -> Response:
    """Put the entry into another mode at once."""
    entry_id, wanted = name_in(visit), form.text("mode")
    if wanted not in set(Mode):
        return not_found(visit)
    reason = form.text("reason", 500).strip()
    try:
        refused = await asyncio.to_thread(
            set_mode, visit.desk, entry_id, Mode(wanted), visit.by, reason=reason, now=visit.now
        )
    except CorpusError as error:
        return faulty(visit, error)
    path = f"/corpus/{entry_id}"
    return visit.to(path, said=Said.SAVED) if refused is None else visit.to(path, refused=refused.name)


def diff(before: str, after: str) -> list[tuple[str, str]]:
    """Lines with their signs "+", "-" and " "; "…" where lines that are the same were left out."""
    found: list[tuple[str, str]] = []
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=2):
        if line.startswith("@@"):
            found.append(("…", ""))
        elif not line.startswith(("+++", "---")):
            found.append((line[0], line[1:]))
    return found[1:]


def _revision(
    conn: Connection, number: int, entry_id: str
) -> tuple[Revision, Revision | None, Mapping[str, str]] | None:
    one = revisions.find(conn, number)
    if one is None or one.entry_id != entry_id:
        return None
    names = accounts.names(conn)
    return one, revisions.before(conn, one), names


ROUTES = [
    page("/corpus", listing),
    page("/corpus/{entry}", show),
    page("/corpus/{entry}/revisions/{number}", revision),
    action("/corpus/{entry}/mode", change_mode, Role.EDITOR),
]
