"""Mails that an older version settled are made findable, a few at a time while nothing else waits."""

from datetime import timedelta

from sqlalchemy.engine import Engine

from responder.mail.message import Unreadable
from responder.reader import Reader
from responder.store import search
from responder.store.engine import reading

WITHIN = timedelta(seconds=20)


def catch_up(engine: Engine, reader: Reader, *, limit: int) -> bool:
    """Make up to `limit` mails findable, the newest first; False where none is left. Raises ReaderUnavailable."""
    with reading(engine) as connection:
        mails = search.missing(connection, limit=limit)
    if not mails:
        return False
    found = reader.read([raw for _, raw in mails], within=WITHIN)
    texts = {
        number: search.text_of(contents if isinstance(contents, Unreadable) else contents.message)
        for (number, _), contents in zip(mails, found, strict=False)
    }
    with engine.begin() as connection:
        search.add_missing(connection, texts)
    return True
