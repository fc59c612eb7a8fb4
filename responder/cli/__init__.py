"""The commands. Each imports what it needs when it runs, so that --help answers at once."""

import atexit
import gc
import logging
from pathlib import Path
from typing import Annotated

import typer

from responder import __version__
from responder.cli import (
    audits,
    breaker,
    cases,
    database,
    doctor,
    erase,
    evaluate,
    inbox,
    mails,
    muting,
    outbox,
    serving,
    setup,
    suggestions,
    teaching,
    users,
)
from responder.cli.output import fail_with, say
from responder.errors import OperatorError

app = typer.Typer(
    help="Answers a support address from a FAQ, and puts before people what it is not sure about.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        say(__version__)
        raise typer.Exit


@app.callback()
def _options(
    context: typer.Context,
    config: Annotated[
        Path | None,
        typer.Option(envvar="RESPONDER_CONFIG", help="The settings; else ./config.toml if there is one."),
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    context.obj = config


serving.register(app)
mails.register(app)
evaluate.register(app)
doctor.register(app)
erase.register(app)
database.register(app)
cases.register(app)
inbox.register(app)
outbox.register(app)
muting.register(app)
teaching.register(app, cases.cases_app)
suggestions.register(app)
setup.register(app)
breaker.register(app)
users.register(app)
audits.register(app)


def main() -> None:
    """The console script. An operator's fault ends with its remedy, not with a traceback."""
    # mail-parser warns of every odd mail that a stranger sends; what comes of the reading says it better.
    logging.getLogger("mailparser").setLevel(logging.CRITICAL)
    # The system takes all memory back when we end. Python would look through it for garbage once more before that, for
    # half a second: that was a third of what a short command took.
    atexit.register(gc.freeze)
    try:
        app()
    except OperatorError as error:
        fail_with(error)
