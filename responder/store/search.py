"""Finding a mail by any piece of its text, its author, or its number, however they are written."""

import re
from collections.abc import Mapping, Sequence
from functools import cache

import sqlalchemy as sa
from sqlalchemy import Executable
from sqlalchemy.engine import Connection

from responder.mail.message import Message, Unreadable
from responder.store.engine import inserting
from responder.store.schema import inbox, unsearchable
from responder.store.schema import searchable as table
from responder.triage.text import searchable

MOST_CHARACTERS = 8_000
"""Of one mail: what people look for stands before that, and a mail of megabytes must not slow down every search."""

MOST_WORDS = 8

_NUMBER = re.compile(r"(?:r-?)?0*([1-9][0-9]{0,17})")


def text_of(message: Message | Unreadable) -> str:
    """What a mail is found by; nothing where it could not be read."""
    if isinstance(message, Unreadable):
        return ""
    written = "\n".join((message.subject, message.from_name, message.from_address, message.text[:MOST_CHARACTERS]))
    # PostgreSQL keeps no NUL in text.
    return searchable(written.replace("\0", " "))[:MOST_CHARACTERS]


def add(conn: Connection, texts: Mapping[int, str]) -> None:
    """Let mails be found, by their numbers; nothing happens where one can be already."""
    if texts:
        rows = [{"inquiry_id": number, "text": text} for number, text in texts.items()]
        conn.execute(_adding(conn.dialect.name), rows)


@cache
def _adding(dialect: str) -> Executable:
    return inserting(dialect, table).on_conflict_do_nothing()


def missing(conn: Connection, *, limit: int) -> list[tuple[int, bytes]]:
    """Mails that an older version settled, and that cannot be found yet: numbers and raw bytes, newest first."""
    waiting = sa.select(inbox.c.id, inbox.c.raw).join(unsearchable, unsearchable.c.inquiry_id == inbox.c.id)
    rows = conn.execute(waiting.order_by(unsearchable.c.inquiry_id.desc()).limit(limit))
    return [(row.id, bytes(row.raw)) for row in rows]


def add_missing(conn: Connection, texts: Mapping[int, str]) -> None:
    """Let these be found; nothing of what was erased, or added by another worker, since they were read."""
    waiting = sa.delete(unsearchable).where(unsearchable.c.inquiry_id.in_(texts)).returning(unsearchable.c.inquiry_id)
    add(conn, {number: texts[number] for number in conn.execute(waiting).scalars().all()})


def words_of(query: str) -> list[str]:
    """What a query asks for: all of these must be found."""
    return [word for word in (searchable(part) for part in query.replace("\0", " ").split()[:MOST_WORDS]) if word]


def holds(words: Sequence[str]) -> Sequence[sa.ColumnElement[bool]]:
    """Conditions on `inbox` left-joined with `searchable`: every word stands in the mail's text, or is its number."""
    return [_holds(word) for word in words]


def _holds(word: str) -> sa.ColumnElement[bool]:
    stands = sa.func.coalesce(table.c.text.contains(word, autoescape=True), sa.false())
    number = _NUMBER.fullmatch(word)
    return stands if number is None else sa.or_(stands, inbox.c.id == int(number[1]))
