"""breaker: automatic mail that was stopped, and letting it go on."""

from dataclasses import asdict
from datetime import timedelta

import typer

from responder.cli.opened import Json, Who, noted, now, opened
from responder.cli.output import as_json, fail, rows, say

_TRIPS = ("id", "tripped_at", "sent", "reset_at", "reset_by")


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(_breaker, name="breaker", help="What stops automatic mail when too much of it leaves.")


_breaker = typer.Typer(no_args_is_help=True)


@_breaker.command("show")
def show_breaker(context: typer.Context, as_lines: Json = False) -> None:
    """Whether automatic mail leaves, how much left in the last hour, and when it was stopped before."""
    from responder.store import automatic, breaker
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        trips = breaker.listing(connection)
        trip = breaker.in_force(connection)
        sent = automatic.at_all(connection, since=now() - timedelta(hours=1))
    rows(
        [asdict(one) for one in trips],
        _TRIPS,
        as_lines=as_lines,
        zone=place.zone,
        empty="It has never tripped.",
    )
    if not as_lines:
        state = "closed: automatic mail leaves" if trip is None else "tripped: no automatic mail leaves"
        say(f"{state}. {sent} left in the last hour, {place.config.guard.breaker_per_hour} trip it.")


@_breaker.command("reset")
def reset_breaker(context: typer.Context, who: Who, as_lines: Json = False) -> None:
    """Let automatic mail leave again. What people got meanwhile stays with them."""
    from responder.store import breaker

    place = opened(context)
    with place.engine.begin() as connection:
        trip = breaker.in_force(connection)
        if trip is not None:
            breaker.reset(connection, who=who, now=now())
            noted(connection, who, "breaker.reset", f"trip:{trip.id}", f"{trip.sent} mails in an hour")
    if trip is None:
        fail("It has not tripped.")
    say(as_json({"reset_by": who}) if as_lines else "Automatic mail leaves again.")
