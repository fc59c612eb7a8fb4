"""muted: the addresses that no machine writes to."""

from dataclasses import asdict
from typing import Annotated

import typer

from responder.cli.opened import Json, Who, noted, now, opened
from responder.cli.output import as_json, fail, rows, say

_MUTED = ("address", "muted_at", "muted_until", "reason")

muted_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(muted_app, name="muted", help="Addresses that no machine writes to, since mail to them came back.")


@muted_app.command("list")
def list_muted(
    context: typer.Context,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 100,
    as_lines: Json = False,
) -> None:
    """What is muted now, newest first."""
    from responder.store import muted
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        found = [asdict(one) for one in muted.listing(connection, now=now(), limit=limit)]
    rows(found, _MUTED, as_lines=as_lines, zone=place.zone, empty="No address is muted.")


@muted_app.command("remove")
def remove(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="The address, in any case.")],
    who: Who,
    as_lines: Json = False,
) -> None:
    """Let machines write to an address again."""
    from responder.store import muted

    with opened(context).engine.begin() as connection:
        done = muted.unmute(connection, address)
        if done:
            noted(connection, who, "address.unmute", address)
    if not done:
        fail(f"{address} is not muted.")
    say(as_json({"address": address, "muted": False}) if as_lines else f"{address} may be written to again.")
