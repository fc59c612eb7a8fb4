"""Pieces of text that somebody uses again and again; without an owner they are everybody's."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.schema import snippets


@dataclass(frozen=True, slots=True)
class Snippet:
    """One piece."""

    id: int
    owner: str | None
    """A login; None: everybody's."""
    title: str
    text: str
    changed_at: datetime


def add(conn: Connection, *, owner: str | None, title: str, text: str, now: datetime) -> int:
    """A new one; its number."""
    values = {"owner": owner, "title": title, "text": text, "changed_at": now}
    number: int = conn.execute(sa.insert(snippets).values(**values).returning(snippets.c.id)).scalar_one()
    return number


def change(conn: Connection, snippet_id: int, *, owner: str | None, title: str, text: str, now: datetime) -> bool:
    """Another wording; False where it is not that owner's."""
    statement = sa.update(snippets).where(*_one_of(snippet_id, owner))
    return conn.execute(statement.values(title=title, text=text, changed_at=now)).rowcount == 1


def drop(conn: Connection, snippet_id: int, *, owner: str | None) -> bool:
    """Take one away; False where it is not that owner's."""
    return conn.execute(sa.delete(snippets).where(*_one_of(snippet_id, owner))).rowcount == 1


def listing(conn: Connection, *, who: str) -> list[Snippet]:
    """Everybody's and their own, by title."""
    usable = sa.or_(snippets.c.owner.is_(None), snippets.c.owner == who)
    return [Snippet(*row) for row in conn.execute(_snippets().where(usable).order_by(snippets.c.title, snippets.c.id))]


def find(conn: Connection, snippet_id: int, *, who: str) -> Snippet | None:
    """One that they may use."""
    usable = sa.or_(snippets.c.owner.is_(None), snippets.c.owner == who)
    row = conn.execute(_snippets().where(snippets.c.id == snippet_id, usable)).first()
    return None if row is None else Snippet(*row)


def _snippets() -> sa.Select[Any]:
    return sa.select(*(snippets.c[name] for name in ("id", "owner", "title", "text", "changed_at")))


def _one_of(snippet_id: int, owner: str | None) -> tuple[sa.ColumnElement[bool], ...]:
    # In SQLAlchemy `== None` is IS NULL: everybody's snippets have no owner.
    return snippets.c.id == snippet_id, snippets.c.owner == owner
