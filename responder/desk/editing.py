"""The pages on which an entry is edited, a new one begun, an old text brought back, and each of them tried first."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.corpus import Entry, Mode, entry_in, load_entries
from responder.corpus.writing import edit_of, edited, source_of
from responder.desk.corpus import faulty, name_in
from responder.desk.entry_form import (
    EMPTY,
    Mistake,
    checked,
    content_of,
    digest,
    fields_in,
    fields_of,
    letters_about,
    new_content,
)
from responder.desk.publishing import ENTRY_ID, Written, written_in
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit
from responder.errors import CorpusError
from responder.store import rehearsals, revisions
from responder.store.accounts import Role

_LONGEST_PROPOSAL = 1000


async def edit(visit: Visit) -> Response:
    """The form with what the entry says now, and with the phrasing that a link to it proposes."""
    found = await _written(visit)
    if isinstance(found, Response):
        return found
    fields = fields_of(edit_of(found.entry))
    fields["phrasings"] = f"{fields['phrasings']}\n{_proposed(visit, 'phrasing')}".strip()
    return _form(visit, found.entry, fields, was=digest(found.source))


async def try_edit(visit: Visit, form: Form) -> Response:
    """Show the letter as it would be, or have the change tried."""
    found = await _written(visit)
    if isinstance(found, Response):
        return found
    fields, now_on_disk = fields_in(form), digest(found.source)
    content = content_of(found.source, found.entry, fields, today=_today(visit))
    outcome = await asyncio.to_thread(checked, visit.desk, found.entry.id, content)
    given: dict[str, Any] = {"was": now_on_disk, "note": form.text("note_on_change", 500).strip()}
    if isinstance(outcome, list):
        return _form(visit, found.entry, fields, mistakes=outcome, **given)
    if form.text("was") != now_on_disk:
        return _form(visit, found.entry, fields, stale=True, **given)
    if form.text("do") == "preview" or content == found.source:
        same = content == found.source and form.text("do") != "preview"
        return _form(visit, found.entry, fields, preview=outcome, same=same, **given)
    return await _ask(visit, found.entry.id, content, note=given["note"], base=found)


async def begin(visit: Visit) -> Response:
    """The form of a new entry, with the question that a link to it proposes."""
    asked = _proposed(visit, "question")
    fields = {**EMPTY, "question": asked, "phrasings": asked}
    return _form(visit, None, fields, number=str(await asyncio.to_thread(_free_number, visit)))


def _proposed(visit: Visit, name: str) -> str:
    # One line, since each line of the field is a phrasing.
    return " ".join(visit.request.query_params.get(name, "")[:_LONGEST_PROPOSAL].split())


async def try_new(visit: Visit, form: Form) -> Response:
    """Show the letter of a new entry, or have the entry tried."""
    entry_id, number, fields = form.text("id").strip(), form.text("number").strip(), fields_in(form)
    given: dict[str, Any] = {"entry_id": entry_id, "number": number, "note": form.text("note_on_change", 500).strip()}
    if not ENTRY_ID.fullmatch(entry_id):
        return _form(visit, None, fields, mistakes=[_ill_named("it is not written as it must be")], **given)
    if await asyncio.to_thread(source_of, visit.desk.corpus, entry_id) is not None:
        return _form(visit, None, fields, mistakes=[_ill_named("there is such an entry already")], **given)
    content = new_content(entry_id, number, fields, today=_today(visit))
    outcome = await asyncio.to_thread(checked, visit.desk, entry_id, content)
    if isinstance(outcome, list):
        return _form(visit, None, fields, mistakes=outcome, **given)
    if form.text("do") == "preview":
        return _form(visit, None, fields, preview=outcome, **given)
    return await _ask(visit, entry_id, content, note=given["note"], base=None)


async def restore(visit: Visit, form: Form) -> Response:
    """Have an old text tried as a change of what stands there now."""
    del form
    found = await _written(visit)
    if isinstance(found, Response):
        return found
    old = await visit.read(lambda conn: revisions.find(conn, visit.number))
    if old is None or old.entry_id != found.entry.id:
        return not_found(visit)
    try:
        before = entry_in(visit.desk.corpus / f"{old.entry_id}.toml", old.content)
    except CorpusError as error:  # what counts as an entry may have changed since
        return faulty(visit, error)
    content = edited(found.source, found.entry, edit_of(before), today=_today(visit))
    outcome = await asyncio.to_thread(checked, visit.desk, found.entry.id, content)
    if isinstance(outcome, list) or content == found.source:
        mistakes = outcome if isinstance(outcome, list) else []
        given: dict[str, Any] = {"mistakes": mistakes, "same": content == found.source, "was": digest(found.source)}
        return _form(visit, found.entry, fields_of(edit_of(before)), **given)
    return await _ask(visit, old.entry_id, content, note=f"restores {old.id}", base=found)


async def _ask(visit: Visit, entry_id: str, content: str, *, note: str, base: Written | None) -> Response:
    def change(conn: Connection) -> int:
        if base is not None:
            revisions.see(conn, entry_id, base.entry.revision, base.source, now=visit.now)
        number = rehearsals.ask(conn, entry_id, content, note=note, who=visit.account.login, now=visit.now)
        visit.noted(conn, "entry.rehearse", f"entry:{entry_id}", f"rehearsal {number}: {note}".rstrip(": "))
        return number

    return visit.to(f"/corpus/{entry_id}/rehearsals/{await visit.write(change)}")


async def _written(visit: Visit) -> Written | Response:
    try:
        found = await asyncio.to_thread(written_in, visit.desk, name_in(visit))
    except CorpusError as error:
        return faulty(visit, error)
    return not_found(visit) if found is None else found


def _form(
    visit: Visit,
    entry: Entry | None,
    fields: Mapping[str, str],
    *,
    mistakes: Sequence[Mistake] = (),
    preview: Entry | None = None,
    **more: Any,
) -> Response:
    letters = () if preview is None else letters_about(visit.desk.letters(), preview)
    known = {"was": "", "note": "", "stale": False, "same": False, "entry_id": "", "number": ""}
    values = {**known, "entry": entry, "fields": fields, "mistakes": mistakes, "letters": letters, "modes": list(Mode)}
    return visit.page("entry_edit.html", status=422 if mistakes else 200, **{**values, **more})


def _ill_named(words: str) -> Mistake:
    return Mistake("id", words, {}, "")


def _free_number(visit: Visit) -> int:
    try:
        return max((entry.number for entry in load_entries(visit.desk.corpus)), default=0) + 1
    except CorpusError:
        return 1


def _today(visit: Visit) -> date:
    return visit.now.astimezone(visit.desk.zone).date()


ROUTES = [
    page("/corpus/entries/new", begin, Role.EDITOR),
    action("/corpus/entries/new", try_new, Role.EDITOR),
    page("/corpus/{entry}/edit", edit, Role.EDITOR),
    action("/corpus/{entry}/edit", try_edit, Role.EDITOR),
    action("/corpus/{entry}/revisions/{number}/restore", restore, Role.EDITOR),
]
