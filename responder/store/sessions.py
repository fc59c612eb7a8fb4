"""Whoever is logged in. The store keeps the SHA-256 of a session's token only, so that a copy of it opens nothing."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.accounts import Account, account_of_row, columns
from responder.store.schema import accounts, sessions

IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
TOUCH = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that is logged in."""

    id: str
    """The token's digest: it names the session, and opens nothing."""
    begun_at: datetime
    seen_at: datetime
    ends_at: datetime
    client: str


def digest_of(token: str) -> str:
    """What the store keeps of a token, and how pages name a session."""
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()


def begin(conn: Connection, account_id: int, *, client: str, now: datetime) -> str:
    """A new session, and its token for the browser's cookie. Sessions that have ended are cleared away."""
    conn.execute(sa.delete(sessions).where(sa.not_(_live(now))))
    token = secrets.token_urlsafe(32)
    values = {"digest": digest_of(token), "account_id": account_id, "client": client}
    conn.execute(sa.insert(sessions).values(**values, begun_at=now, seen_at=now, ends_at=now + LONGEST))
    return token


def account_of(conn: Connection, token: str, *, now: datetime) -> Account | None:
    """Whose session it is; None where it has ended or its account is disabled. Notes that it was seen."""
    match look_up(conn, token, now=now):
        case None:
            return None
        case account, due:
            if due:
                touch(conn, token, now=now)
            return account


def look_up(conn: Connection, token: str, *, now: datetime) -> tuple[Account, bool] | None:
    """As `account_of`, but reads only: the second value says whether `touch` is due."""
    statement = sa.select(*columns(), sessions.c.seen_at).join(accounts, accounts.c.id == sessions.c.account_id)
    live = (sessions.c.digest == digest_of(token), _live(now), accounts.c.disabled_at.is_(None))
    row = conn.execute(statement.where(*live)).first()
    return None if row is None else (account_of_row(row), row.seen_at <= now - TOUCH)


def touch(conn: Connection, token: str, *, now: datetime) -> None:
    """Note that a session was seen, from which its idle time counts; at most once a minute."""
    due = (sessions.c.digest == digest_of(token), sessions.c.seen_at <= now - TOUCH)
    conn.execute(sa.update(sessions).where(*due).values(seen_at=now))


def end(conn: Connection, token: str) -> bool:
    """Log out; False where the session was not there."""
    return _end(conn, sessions.c.digest == digest_of(token)) == 1


def end_one(conn: Connection, account_id: int, session_id: str) -> bool:
    """End one session of this account by its id; False where it is not there, or is another's."""
    return _end(conn, sessions.c.digest == session_id, sessions.c.account_id == account_id) == 1


def end_all(conn: Connection, account_id: int, *, but: str | None = None) -> int:
    """End all sessions of an account, save that of the token `but`; how many there were."""
    kept = () if but is None else (sessions.c.digest != digest_of(but),)
    return _end(conn, sessions.c.account_id == account_id, *kept)


def listing(conn: Connection, account_id: int, *, now: datetime) -> list[Session]:
    """The sessions of an account that have not ended, the one seen last first."""
    names = ("digest", "begun_at", "seen_at", "ends_at", "client")
    statement = sa.select(*(sessions.c[name] for name in names)).where(sessions.c.account_id == account_id, _live(now))
    return [Session(*row) for row in conn.execute(statement.order_by(sessions.c.seen_at.desc(), sessions.c.digest))]


def _live(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(sessions.c.ends_at > now, sessions.c.seen_at > now - IDLE)


def _end(conn: Connection, *which: sa.ColumnElement[Any]) -> int:
    return conn.execute(sa.delete(sessions).where(*which)).rowcount
