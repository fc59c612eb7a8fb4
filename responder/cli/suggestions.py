"""suggestions: what people are asked again and again, and what the FAQ might make of it."""

from typing import TYPE_CHECKING, Any

import typer

from responder.cli.opened import Json, now, opened
from responder.cli.output import rows

if TYPE_CHECKING:
    from responder.triage.grouping import Group

_COLUMNS = ("mails", "suggestion", "basis", "nearest", "similarity", "last_at", "words", "typical")


def register(app: typer.Typer) -> None:
    """Hang the command into the program."""
    app.command("suggestions")(suggestions)


def suggestions(context: typer.Context, as_lines: Json = False) -> None:
    """What went to people several times lately: a phrasing for an entry, or an entry that is missing."""
    from responder.corpus import load_entries
    from responder.desk.repeats import repeated, suggestions_of
    from responder.store.engine import reading

    place, at = opened(context), now()
    groups = repeated(place.engine, load_entries(place.config.service.corpus), now=at)
    with reading(place.engine) as connection:
        shown = suggestions_of(connection, groups, now=at).shown
    found = [_as_json(group) if as_lines else _as_row(group) for group in shown]
    rows(found, _COLUMNS, as_lines=as_lines, zone=place.zone, empty="Nothing was asked again and again lately.")


def _as_json(group: "Group") -> dict[str, Any]:
    return {
        "mails": [mail.id for mail in group.mails],
        "entry": group.entry,
        "said": group.said,
        "nearest": group.nearest,
        "similarity": group.similarity,
        "first_at": group.first_at,
        "last_at": group.last_at,
        "words": list(group.words),
        "typical": group.typical.id,
        "question": group.typical.text,
    }


def _as_row(group: "Group") -> dict[str, Any]:
    return {
        "mails": len(group.mails),
        "suggestion": f"phrasing for {group.entry}" if group.entry else "new entry",
        "basis": f"{group.said} answers" if group.said else "likeness",
        "nearest": group.nearest,
        "similarity": group.similarity,
        "last_at": group.last_at,
        "words": " ".join(group.words),
        "typical": group.typical.id,
    }
