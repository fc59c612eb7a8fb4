"""Links that set a password once. As with sessions, the store keeps the SHA-256 of the token only."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.accounts import are_there
from responder.store.schema import accounts, invitations
from responder.store.sessions import digest_of


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link is for."""

    account_id: int | None
    """None: whoever uses it makes the first administrator."""
    ends_at: datetime


def make(conn: Connection, account_id: int | None, *, now: datetime, valid: timedelta) -> str:
    """The token of a new link for an account, or for the first administrator; earlier ones of the same are void."""
    conn.execute(sa.delete(invitations).where(_of(account_id)))
    token = secrets.token_urlsafe(32)
    values = {"digest": digest_of(token), "account_id": account_id, "made_at": now, "ends_at": now + valid}
    conn.execute(sa.insert(invitations).values(**values))
    return token


def find(conn: Connection, token: str, *, now: datetime) -> Invitation | None:
    """What a link would do if it were used now; None where it is unknown, used, too old, or its account disabled."""
    statement = sa.select(invitations.c.account_id, invitations.c.ends_at).outerjoin(
        accounts, accounts.c.id == invitations.c.account_id
    )
    row = conn.execute(statement.where(_open(token, now), accounts.c.disabled_at.is_(None))).first()
    # The first administrator's link must not make a second one.
    if row is None or (row.account_id is None and are_there(conn)):
        return None
    return Invitation(*row)


def use(conn: Connection, token: str, *, now: datetime) -> Invitation | None:
    """As `find`, and it is used by that: of two who try, one gets it."""
    found = find(conn, token, now=now)
    if found is None:
        return None
    used = conn.execute(sa.update(invitations).where(_open(token, now)).values(used_at=now)).rowcount == 1
    return found if used else None


def void(conn: Connection, account_id: int) -> None:
    """Let no link of this account work any more."""
    conn.execute(sa.delete(invitations).where(_of(account_id)))


def _of(account_id: int | None) -> sa.ColumnElement[bool]:
    # IS NOT DISTINCT FROM is spelled otherwise on each database, and NULL equals nothing.
    column = invitations.c.account_id
    return column.is_(None) if account_id is None else column == account_id


def _open(token: str, now: datetime) -> sa.ColumnElement[Any]:
    is_open = (invitations.c.used_at.is_(None), invitations.c.ends_at > now)
    return sa.and_(invitations.c.digest == digest_of(token), *is_open)
