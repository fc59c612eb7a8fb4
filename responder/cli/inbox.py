"""Every mail taken in, and the lane it ended in."""

import sys
from dataclasses import asdict
from typing import Annotated

import typer

from responder.cli.opened import Json, Limit, Number, Who, noted, now, opened
from responder.cli.output import as_json, cell, fail, report, rows, say
from responder.cli.shown import mail_of, print_mail

inbox_app = typer.Typer(no_args_is_help=True)

_INBOX = ("id", "received_at", "mail_from", "subject", "lane", "reason")


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(inbox_app, name="inbox", help="Every mail taken in, and the lane it ended in.")


@inbox_app.command("list")
def list_inbox(
    context: typer.Context,
    lane: Annotated[str | None, typer.Option(help="answered, escalated, suppressed or waiting.")] = None,
    limit: Limit = 100,
    as_lines: Json = False,
) -> None:
    """Mails taken in, newest first."""
    from responder.store import inbox
    from responder.store.engine import reading

    place = opened(context)
    if lane is not None and lane not in {*inbox.Lane, "waiting"}:
        fail("--lane is answered, escalated, suppressed or waiting.")
    with reading(place.engine) as connection:
        found = [asdict(row) for row in inbox.listing(connection, lane=lane, limit=limit)]
        balance = inbox.balance(connection)
    rows(found, _INBOX, as_lines=as_lines, zone=place.zone, empty="Nothing here yet.")
    if not as_lines:
        say("  ".join(f"{name} {count}" for name, count in balance.items()))


@inbox_app.command("show")
def show_inquiry(
    context: typer.Context,
    number: Number,
    raw: Annotated[bool, typer.Option("--raw", help="The mail as it came, byte by byte.")] = False,
    as_lines: Json = False,
) -> None:
    """One mail with what was decided on it."""
    from responder.store import inbox
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        record = inbox.find(connection, number)
    if record is None:
        fail(f"There is no inquiry {number}.")
    if raw and record.listing.erased_at:
        fail(f"Mail {number} was erased at {cell(record.listing.erased_at, place.zone)}.")
    if raw:
        sys.stdout.buffer.write(record.raw)
    elif as_lines:
        say(as_json(mail_of(record)))
    else:
        print_mail(mail_of(record), place)


@inbox_app.command("call-back")
def call_back(context: typer.Context, number: Number, who: Who, as_lines: Json = False) -> None:
    """Put a mail that was kept in silence before people, as a case. Its lane stays as it was."""
    from responder.store import cases

    place = opened(context)
    with place.engine.begin() as connection:
        called = cases.call_back(connection, number, who=who, now=now())
        if called:
            noted(connection, who, "mail.call-back", f"mail:{number}")
    refusal = f"Mail {number} was not kept in silence, or has a case already."
    report(called, {"id": number, "reference": cases.reference_of(number)}, refusal, as_lines=as_lines)
