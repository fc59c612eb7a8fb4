"""Who saw, changed, sent and taught what. Rows are only ever added; the database refuses the rest."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import audit

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that somebody did."""

    id: int
    at: datetime
    who: str
    """The login; "responder" where the service did it by itself."""
    action: str
    """What was done, such as "login", "account.add", "case.answer"."""
    object: str
    """What it was done to, such as "case:42", "account:tanaka", "entry:q04"; "" for nothing of its own."""
    detail: str
    client: str
    """The address it came from; "cli" for a command."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What to show of the audit; None stands for all."""

    who: str | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None
    until: datetime | None = None


EVERYTHING = Filters()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, and the address it comes from ("cli" for a command)."""

    who: str
    """The login; "responder" for the service itself."""
    client: str


def write(conn: Connection, by: Actor, action: str, what: str, detail: str = "", *, now: datetime) -> None:
    """Record what somebody does to what, in the transaction that does it: neither is there without the other."""
    words = {"who": by.who, "action": action, "object": what, "detail": detail, "client": by.client}
    # PostgreSQL keeps no NUL in text, and a login that failed may hold one.
    conn.execute(sa.insert(audit).values(at=now, **{name: word.replace("\0", " ") for name, word in words.items()}))


def listing(
    conn: Connection, filters: Filters = EVERYTHING, *, before: int | None = None, limit: int = 100
) -> list[Event]:
    """The newest first; `before` is the last id of the page before."""
    statement = _events(filters).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(audit.c.id < before)
    return [Event(*row) for row in conn.execute(statement)]


def after(conn: Connection, filters: Filters = EVERYTHING, last: int = 0, *, limit: int = _PAGE) -> list[Event]:
    """The next page behind the id `last`, oldest first; none is left where it is empty."""
    statement = _events(filters).where(audit.c.id > last).order_by(audit.c.id).limit(limit)
    return [Event(*row) for row in conn.execute(statement)]


def export(conn: Connection, filters: Filters = EVERYTHING, *, page: int = _PAGE) -> Iterator[Event]:
    """Everything, oldest first, read page by page, so that years of it fit into memory."""
    last = 0
    while events := after(conn, filters, last, limit=page):
        yield from events
        last = events[-1].id


def actions(conn: Connection) -> list[str]:
    """The actions that occur, for a list to choose from."""
    return list(conn.execute(sa.select(audit.c.action).distinct().order_by(audit.c.action)).scalars())


def _events(filters: Filters) -> sa.Select[Any]:
    names = ("id", "at", "who", "action", "object", "detail", "client")
    return sa.select(*(audit.c[name] for name in names)).where(*_conditions(filters))


def _conditions(filters: Filters) -> Iterator[sa.ColumnElement[bool]]:
    if filters.who is not None:
        yield audit.c.who == filters.who
    if filters.action is not None:
        yield audit.c.action == filters.action
    if filters.object is not None:
        yield audit.c.object == filters.object
    if filters.since is not None:
        yield audit.c.at >= filters.since
    if filters.until is not None:
        yield audit.c.at < filters.until
