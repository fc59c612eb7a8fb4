"""What an answer teaches: the panel of a case, and the list of all that was taught."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.corpus import Entry
from responder.desk.links import linked
from responder.desk.newest import as_read
from responder.desk.rendering import Said
from responder.desk.repeats import UNRECOGNISED, entries_of_letter
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit, number_in
from responder.mail.message import Message
from responder.store import accounts, cases, escalations, inbox, labels
from responder.store.escalations import Written
from responder.store.inbox import Record
from responder.store.labels import Filters, Label
from responder.triage.policy import Reason

RECOGNISABLE = UNRECOGNISED | {Reason.NO_ENGLISH, Reason.REVIEW, Reason.OFF, Reason.UNPROVEN}
"""Why mails go to people from which something can be learned: recognition looked at them, and no rule kept it out."""

LATELY = timedelta(days=14)
"""Who answered longer ago hardly knows any more what was asked."""

NOBODY = "-"
"""In a query: the labels that name no entry. No entry is called so."""

MOST_OFFERED = 20
PER_PAGE = 50


@dataclass(frozen=True, slots=True)
class Panel:
    """What is taught of a mail, and what might be."""

    inquiry_id: int
    readable: bool
    label: Label | None
    """What is in force."""
    answered: bool
    """Whether a person has written an answer to it."""
    chosen: tuple[str, ...]
    """The entries that the label names, or else those that the answer is made of."""
    likely: tuple[Entry, ...]
    """Those to look at first: the chosen ones and the candidates of the decision."""
    others: tuple[Entry, ...]
    titles: Mapping[str, Entry]
    names: Mapping[str, str]
    """Of accounts, by login."""
    nothing_chosen: bool = False
    """Whether somebody sent the form without saying which entry."""


async def panel_of(visit: Visit, record: Record) -> Panel:
    """The panel for a mail of a case."""
    return await visit.read(lambda conn: _panel(conn, record, visit))


def _panel(conn: Connection, record: Record, visit: Visit) -> Panel:
    entries, decision = visit.desk.entries(), record.decision or {}
    label = labels.in_force(conn, record.listing.id)
    written = escalations.written(conn, inquiry_id=record.listing.id)
    sent = [entry for one in written for entry in entries_of_letter(one.raw, entries)]
    chosen = label.expected if label else tuple(sent)
    likely = {*chosen, *_candidates(decision)}
    return Panel(
        inquiry_id=record.listing.id,
        readable=not (decision.get("unreadable") or record.listing.erased_at),
        label=label,
        answered=bool(written),
        chosen=chosen,
        likely=tuple(entry for entry in entries if entry.id in likely),
        others=tuple(entry for entry in entries if entry.id not in likely),
        titles=by_id(entries),
        names=accounts.names(conn),
        nothing_chosen=visit.request.query_params.get("teach") == "choose",
    )


def _candidates(decision: Mapping[str, Any]) -> list[str]:
    return [name for question in decision.get("questions", ())[:3] for name, _ in question.get("candidates", ())[:3]]


def by_id(entries: Iterable[Entry]) -> dict[str, Entry]:
    """The entries under their ids."""
    return {entry.id: entry for entry in entries}


async def teach(visit: Visit, form: Form) -> Response:
    """Label a mail of the case with the entries that answer it, or with none."""
    number = visit.number
    inquiry, nobody = form.number("inquiry") or 0, form.text("answer") == "nobody"
    known = by_id(await asyncio.to_thread(visit.desk.entries))
    chosen = [] if nobody else [name for name in dict.fromkeys(form.texts("entry")) if name in known]
    if not (chosen or nobody):
        return visit.to(f"/cases/{number}", teach="choose")
    record = await visit.read(lambda conn: _mail_of(conn, number, inquiry))
    message = None if record is None else (await as_read(visit, record)).message
    if message is None:
        return not_found(visit)
    complete = nobody or not form.text("partly")
    label = await visit.write(lambda conn: _teach(conn, visit, inquiry, message, chosen, complete=complete))
    return not_found(visit) if label is None else _back(visit, form, number, Said.SAVED)


def _mail_of(conn: Connection, case_id: int, inquiry_id: int) -> Record | None:
    """A mail of this case; None where it is another's."""
    return inbox.find(conn, inquiry_id) if cases.case_of(conn, inquiry_id) == case_id else None


def _teach(
    conn: Connection, visit: Visit, inquiry_id: int, message: Message, chosen: Sequence[str], *, complete: bool
) -> int | None:
    label = labels.teach(
        conn,
        inquiry_id,
        subject=message.subject,
        body=message.text,
        expected=chosen,
        complete=complete,
        who=visit.account.login,
        now=visit.now,
    )
    if label is not None:
        visit.noted(conn, "label.teach", f"mail:{inquiry_id}", labels.said(chosen, complete=complete))
    return label


async def unteach(visit: Visit, form: Form) -> Response:
    """Take back the label that the page showed."""
    number = visit.number
    inquiry, label = form.number("inquiry") or 0, form.number("label") or 0

    def change(conn: Connection) -> bool:
        undone = labels.undo(conn, inquiry, who=visit.account.login, now=visit.now, label=label)
        if undone:
            visit.noted(conn, "label.undo", f"mail:{inquiry}")
        return undone

    said = Said.UNDONE if await visit.write(change) else Said.TOO_LATE
    return _back(visit, form, number, said)


def _back(visit: Visit, form: Form, case_id: int, said: Said) -> Response:
    return visit.to("/teaching" if form.text("from") == "teaching" else f"/cases/{case_id}", said=said)


@dataclass(frozen=True, slots=True)
class Offer:
    """An answered mail that nobody has taught yet, with the entries that the answer is made of."""

    written: Written
    entries: tuple[str, ...]


async def show(visit: Visit) -> Response:
    """All that was taught, and what lately might have been."""
    filters = _filters(visit.request.query_params)
    before = number_in(visit.request.query_params.get("before", ""))
    entries = await asyncio.to_thread(visit.desk.entries)
    found = await visit.read(lambda conn: _listed(conn, visit, filters, before, entries))
    return visit.page("teaching.html", entries=entries, titles=by_id(entries), filters=filters, before=before, **found)


def _filters(query: Mapping[str, str]) -> Filters:
    entry = query.get("entry") or None
    return Filters("" if entry == NOBODY else entry, query.get("who") or None, undone=query.get("undone") == "1")


def _older(filters: Filters, last: int) -> str:
    """The page after the one that ends with this label."""
    entry = NOBODY if filters.entry == "" else filters.entry
    return linked("/teaching", entry=entry, who=filters.who, undone="1" if filters.undone else "", before=last)


def _listed(
    conn: Connection, visit: Visit, filters: Filters, before: int | None, entries: Sequence[Entry]
) -> dict[str, Any]:
    found = labels.newest(conn, filters, before=before, limit=PER_PAGE + 1)
    written = escalations.written(
        conn, reasons=RECOGNISABLE, untaught=True, since=visit.now - LATELY, limit=MOST_OFFERED
    )
    return {
        "labels": found[:PER_PAGE],
        "older": _older(filters, found[PER_PAGE - 1].id) if len(found) > PER_PAGE else None,
        "teachers": labels.teachers(conn),
        "names": accounts.names(conn),
        "offers": [Offer(one, entries_of_letter(one.raw, entries)) for one in written],
    }


ROUTES = [
    action("/cases/{number}/teach", teach),
    action("/cases/{number}/unteach", unteach),
    page("/teaching", show),
]
