"""Logins that failed, so that passwords cannot be tried out: too many, and even the right one has to wait."""

from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.accounts import normal_login
from responder.store.engine import one_at_a_time
from responder.store.schema import failed_logins

WINDOW = timedelta(minutes=15)
MOST_OF_A_LOGIN_THERE = 5
"""Of one login from one network."""
MOST_OF_A_LOGIN = 50
"""Of one login from everywhere: so many that nobody keeps somebody out by typing five passwords from elsewhere."""
MOST_OF_A_CLIENT = 20


def attempt(conn: Connection, login: str, *, client: str, now: datetime) -> datetime | None:
    """Count a login as failed, before its password is looked at; `forgive` once it was right.

    Where too many failed within the window nothing is counted, and the answer is when the next may be tried. Counted
    afterwards, a hundred guesses sent at the same moment would all have been looked at.
    """
    one_at_a_time(conn, "logging in")
    conn.execute(sa.delete(failed_logins).where(failed_logins.c.at <= now - WINDOW))
    login, client = _kept(login), network_of(client)
    own, theirs = failed_logins.c.login == login, failed_logins.c.client == client
    waits = (
        _full_until(conn, sa.and_(own, theirs), MOST_OF_A_LOGIN_THERE),
        _full_until(conn, own, MOST_OF_A_LOGIN),
        _full_until(conn, theirs, MOST_OF_A_CLIENT),
    )
    until = max((wait for wait in waits if wait is not None), default=None)
    if until is None:
        conn.execute(sa.insert(failed_logins).values(at=now, login=login, client=client))
    return until


def forgive(conn: Connection, login: str) -> None:
    """Forget the failures of a login: its password was right, or it has another one now."""
    conn.execute(sa.delete(failed_logins).where(failed_logins.c.login == _kept(login)))


def network_of(client: str) -> str:
    """What one customer of a provider has: an IPv4 address, or the /64 of IPv6, which has more addresses than tries."""
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client
    return str(ip_network((address, 64), strict=False)) if address.version == 6 else client


def _kept(login: str) -> str:
    # Longer than any login that exists, and PostgreSQL keeps no NUL in text.
    return normal_login(login)[:200].replace("\0", " ")


def _full_until(conn: Connection, which: sa.ColumnElement[Any], most: int) -> datetime | None:
    """When the oldest of the last `most` failures leaves the window; None where there are fewer."""
    statement = sa.select(failed_logins.c.at).where(which).order_by(failed_logins.c.at.desc())
    oldest: datetime | None = conn.execute(statement.offset(most - 1).limit(1)).scalar_one_or_none()
    return None if oldest is None else oldest + WINDOW
