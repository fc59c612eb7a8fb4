"""Every mail that leaves."""

from dataclasses import asdict
from typing import Annotated

import typer

from responder.cli.opened import Json, Limit, Number, Who, noted, now, opened
from responder.cli.output import report, rows

outbox_app = typer.Typer(no_args_is_help=True)

_OUTBOX = ("id", "inquiry_id", "kind", "recipient", "created_at", "state", "attempts", "next_attempt_at", "reply")


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(outbox_app, name="outbox", help="Every mail that leaves.")


@outbox_app.command("list")
def list_outbox(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="queued, held, sent, bounced or expired.")] = None,
    limit: Limit = 100,
    as_lines: Json = False,
) -> None:
    """Mails that leave, newest first."""
    from responder.store import outbox
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        found = [asdict(row) for row in outbox.listing(connection, state=state, limit=limit)]
    rows(found, _OUTBOX, as_lines=as_lines, zone=place.zone, empty="Nothing here.")


@outbox_app.command("retry")
def retry(context: typer.Context, number: Number, who: Who, as_lines: Json = False) -> None:
    """Try a held, deferred or failed mail at once."""
    from responder.store import outbox

    place = opened(context)
    with place.engine.begin() as connection:
        done = outbox.retry(connection, number, now=now())
        if done:
            noted(connection, who, "delivery.retry", f"delivery:{number}")
    report(
        done,
        {"id": number, "state": "queued"},
        f"Mail {number} was sent, is in hand, or is none.",
        as_lines=as_lines,
    )


@outbox_app.command("hold")
def hold(context: typer.Context, number: Number, who: Who, as_lines: Json = False) -> None:
    """Keep a queued mail back until `retry`."""
    from responder.store import outbox

    place = opened(context)
    with place.engine.begin() as connection:
        done = outbox.hold(connection, number, now=now())
        if done:
            noted(connection, who, "delivery.hold", f"delivery:{number}")
    report(
        done,
        {"id": number, "state": "held"},
        f"Mail {number} is not queued, or is in hand.",
        as_lines=as_lines,
    )
