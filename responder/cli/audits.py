"""audit: who did what."""

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from responder.cli.opened import Json, Limit, opened
from responder.cli.output import fail, rows, say

if TYPE_CHECKING:
    from responder.store.audit import Filters

By = Annotated[str | None, typer.Option("--by", help="Only what this login did.")]
Action = Annotated[str | None, typer.Option(help="Only this action, such as 'login'.")]
What = Annotated[str | None, typer.Option("--object", help="Only what was done to this, such as 'case:42'.")]
Since = Annotated[datetime | None, typer.Option(help="From then on, in the service's time zone.")]
Until = Annotated[datetime | None, typer.Option(help="Before then.")]

_AUDIT = ("id", "at", "who", "action", "object", "detail", "client")

audit_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(audit_app, name="audit", help="Who saw, changed, sent and taught what.")


@audit_app.command("list")
def list_audit(
    context: typer.Context,
    by: By = None,
    action: Action = None,
    what: What = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_lines: Json = False,
) -> None:
    """The newest first."""
    from responder.store import audit
    from responder.store.engine import reading

    place = opened(context)
    filters = _filters(place.zone, by, action, what, since, until)
    with reading(place.engine) as connection:
        found = [asdict(event) for event in audit.listing(connection, filters, limit=limit)]
    rows(found, _AUDIT, as_lines=as_lines, zone=place.zone, empty="Nothing is recorded of that.")


@audit_app.command("export")
def export(
    context: typer.Context,
    as_csv: Annotated[bool, typer.Option("--csv", help="For spreadsheets; no cell is taken for a formula.")] = False,
    as_lines: Json = False,
    by: By = None,
    action: Action = None,
    what: What = None,
    since: Since = None,
    until: Until = None,
) -> None:
    """Everything, oldest first, to standard output."""
    from responder.desk.records import CSV_NAMES, csv_lines, json_lines
    from responder.store import audit
    from responder.store.engine import reading

    if as_csv == as_lines:
        fail("Say --json (one object a line) or --csv.")
    place = opened(context)
    lines = csv_lines if as_csv else json_lines
    if as_csv:
        say(CSV_NAMES)
    with reading(place.engine) as connection:
        for line in lines(audit.export(connection, _filters(place.zone, by, action, what, since, until))):
            say(line)


def _filters(
    zone: ZoneInfo,
    by: str | None,
    action: str | None,
    what: str | None,
    since: datetime | None,
    until: datetime | None,
) -> "Filters":
    from responder.store.audit import Filters

    begin, end = (None if moment is None else moment.replace(tzinfo=zone) for moment in (since, until))
    return Filters(by, action, what, begin, end)
