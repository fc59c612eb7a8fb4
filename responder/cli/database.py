"""db: the schema of the store, and copies of it."""

from pathlib import Path
from typing import Annotated

import typer

from responder.cli.opened import now, settings
from responder.cli.output import fail, say, warn

Copy = Annotated[Path, typer.Argument(help="The file of the copy.")]

_database = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(_database, name="db", help="The store's schema, and copies of the store.")


@_database.command("upgrade")
def upgrade_database(context: typer.Context) -> None:
    """Bring the store to this version's schema; `serve` does so too."""
    from responder.app.pieces import store_of
    from responder.store.engine import schema_state, upgrade

    engine = store_of(settings(context))
    before, _ = schema_state(engine)
    upgrade(engine)
    after, _ = schema_state(engine)
    say(f"schema {after}" + (" (as before)" if before == after else ""))


@_database.command("backup")
def back_up_database(context: typer.Context, copy: Copy) -> None:
    """Copy an SQLite store into a file that is not there yet, while the service runs."""
    from responder.store.backup import back_up

    back_up(_sqlite_file(context), copy)
    say(f"{copy}: {copy.stat().st_size:,} octets.")


@_database.command("verify")
def verify_copy(copy: Copy) -> None:
    """Look at a copy: its pages, its rows, its schema, and what `doctor` looks for. Ends with 1 where one is wrong."""
    from responder.store.backup import faults_of

    faults = faults_of(copy, now=now())
    for fault in faults:
        warn(f"{copy}: {fault}")
    if faults:
        raise typer.Exit(1)
    say(f"{copy} is whole.")


@_database.command("restore")
def restore_database(
    context: typer.Context,
    copy: Copy,
    anyway: Annotated[bool, typer.Option("--anyway", help="Although `verify` finds something wrong.")] = False,
) -> None:
    """Make a copy the SQLite store, where there is none; then as `restored`. The service must not be running."""
    from responder.store.backup import faults_of, put_in_place

    target = _sqlite_file(context)
    if not anyway and (faults := faults_of(copy, now=now())):
        fail(f"{copy}: {faults[0]}. See `responder db verify`; --anyway restores it nevertheless.")
    put_in_place(copy, target)
    mark_restored(context)


@_database.command("restored")
def mark_restored(context: typer.Context) -> None:
    """After a store was put back by whatever means: hold what was on its way, and put before people what waited."""
    from responder.app.pieces import ready_store
    from responder.store.backup import settle_restored

    engine = ready_store(settings(context))
    with engine.begin() as connection:
        done = settle_restored(connection, now=now())
    say(f"{done.held} mails that were on their way are held: `responder outbox list --state held`.")
    say(f"{done.escalated} mails that waited are before people now.")


def _sqlite_file(context: typer.Context) -> Path:
    from sqlalchemy.engine import make_url

    url = make_url(settings(context).store.url)
    if url.get_backend_name() != "sqlite" or not url.database:
        fail("PostgreSQL is copied by its own tools: pg_dump --format=custom, and pg_restore; then `db restored`.")
    return Path(url.database)
