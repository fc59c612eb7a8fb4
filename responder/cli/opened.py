"""What most commands begin with: the settings, and the store behind them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

    from responder.config import Config
    from responder.letters import Letters
    from responder.mail.reply import Mailbox

Json = Annotated[bool, typer.Option("--json", help="For programs: JSON, one object a line.")]
Number = Annotated[int, typer.Argument(help="The number in the first column.")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1)]
Who = Annotated[str, typer.Option("--by", envvar="USER", help="Who does it; colleagues see the name.")]


def now() -> datetime:
    """In UTC, as the store wants it."""
    return datetime.now(UTC)


def noted(connection: "Connection", who: str, action: str, what: str, detail: str = "") -> None:
    """Write into the audit what a command does, in the transaction that does it."""
    from responder.store import audit

    audit.write(connection, audit.Actor(who, "cli"), action, what, detail, now=now())


def settings(context: typer.Context) -> "Config":
    """The settings of this call, with the log opened as they say: what is printed is for the reader alone."""
    from responder.config import load_config
    from responder.maillog import open_log

    config = load_config(context.obj)
    open_log(config.service.log)
    return config


@dataclass(frozen=True)
class Opened:
    """The settings and, once asked for, what they name."""

    config: "Config"

    @cached_property
    def engine(self) -> "Engine":
        """The store, with the schema of this version. Raises StoreError."""
        from responder.app.pieces import ready_store

        return ready_store(self.config)

    @cached_property
    def zone(self) -> ZoneInfo:
        """Where the staff live."""
        return ZoneInfo(self.config.service.timezone)

    @property
    def author(self) -> "Mailbox":
        """Who our mails are from."""
        from responder.app.pieces import author_of

        return author_of(self.config)

    def letters(self) -> "Letters":
        """The wording. Raises TemplateError."""
        from responder.app.pieces import letters_of

        return letters_of(self.config)


def opened(context: typer.Context) -> Opened:
    """The settings of this call, with what they name. Raises ConfigError."""
    return Opened(settings(context))
