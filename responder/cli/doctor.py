"""doctor: whether the store holds the Laws, and which row does not."""

from dataclasses import asdict
from typing import Any

import typer

from responder.cli.opened import Json, now, opened
from responder.cli.output import rows

_BREACHES = ("law", "what", "number", "problem")


def register(app: typer.Typer) -> None:
    """Hang the command into the program."""
    app.command("doctor")(doctor)


def doctor(context: typer.Context, as_lines: Json = False) -> None:
    """Look through the store, running or not, for what must not be: a mail in no lane, a second answer, one that is
    over the days of [retention]. Ends with 1."""
    from responder.app.retention import days_of, overdue
    from responder.store.engine import reading
    from responder.store.laws import breaches

    place = opened(context)
    with reading(place.engine) as connection:
        found = [asdict(breach) for breach in breaches(connection, now=now())]
    kept = days_of(place.config.retention)
    found += [_over_its_days(number) for number in overdue(place.engine, kept, now=now())]
    rows(found, _BREACHES, as_lines=as_lines, zone=place.zone, empty="Every mail is where the Laws want it.")
    raise typer.Exit(1 if found else 0)


def _over_its_days(number: int) -> dict[str, Any]:
    # No Law says how long a mail is kept; the settings do.
    problem = "is over the days of [retention] and was not erased: does a courier run?"
    return {"law": None, "what": "mail", "number": number, "problem": problem}
