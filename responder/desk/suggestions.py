"""The page of what people are asked again and again, for those who write the FAQ."""

import asyncio
from collections.abc import Mapping
from urllib.parse import quote

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.corpus import Entry
from responder.desk.rendering import Said
from responder.desk.repeats import HIDDEN_FOR, HIDE, LOOKED_BACK, SHOW, repeated, suggestions_of
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit, number_in
from responder.store.accounts import Role
from responder.triage.grouping import MOST_MAILS, Group

MOST_SHOWN = 50

_LONGEST_PHRASING = 300
"""A longer one would be no phrasing, and its link more than some proxies let through."""


async def show(visit: Visit) -> Response:
    """The groups, largest first."""
    entries = await asyncio.to_thread(visit.desk.entries)
    groups = await asyncio.to_thread(repeated, visit.desk.engine, entries, now=visit.now)
    found = await visit.read(lambda conn: suggestions_of(conn, groups, now=visit.now))
    return visit.page(
        "suggestions.html",
        shown=found.shown[:MOST_SHOWN],
        hidden=found.hidden[:MOST_SHOWN],
        entries={entry.id: entry for entry in entries},
        phrasing_link=phrasing_link,
        question_link=question_link,
        days=LOOKED_BACK.days,
        hidden_for=HIDDEN_FOR.days,
    )


def phrasing_link(group: Group, entries: Mapping[str, Entry]) -> str:
    """To the form that adds the group's typical mail as a phrasing to the entry it seems to ask for."""
    entry = group.entry if group.entry in entries else group.nearest
    return f"/corpus/{entry}/edit?phrasing={_in_query(group)}"


def question_link(group: Group) -> str:
    """To the form of a new entry that begins with the group's typical mail."""
    return f"/corpus/entries/new?question={_in_query(group)}"


def _in_query(group: Group) -> str:
    return quote(" ".join(group.typical.text.split())[:_LONGEST_PHRASING], safe="")


async def hide(visit: Visit, form: Form) -> Response:
    """Leave a group out for some weeks."""
    return await _noted(visit, form, HIDE, Said.SAVED)


async def show_again(visit: Visit, form: Form) -> Response:
    """Take that back."""
    return await _noted(visit, form, SHOW, Said.UNDONE)


async def _noted(visit: Visit, form: Form, done: str, said: Said) -> Response:
    numbers = [number for text in form.text("mails").split(",")[:MOST_MAILS] if (number := number_in(text)) is not None]
    if not numbers:
        return not_found(visit)

    def write(conn: Connection) -> None:
        visit.noted(conn, done, f"mail:{max(numbers)}", ",".join(map(str, numbers)))

    await visit.write(write)
    return visit.to("/suggestions", said=said)


ROUTES = [
    page("/suggestions", show, Role.EDITOR),
    action("/suggestions/hide", hide, Role.EDITOR),
    action("/suggestions/show", show_again, Role.EDITOR),
]
