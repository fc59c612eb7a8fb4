"""Logging in: the throttle, the password, the session."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection, Engine

from responder.desk import passwords
from responder.store import accounts, audit, sessions, throttle
from responder.store.accounts import Account
from responder.store.audit import Actor


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """The password was right."""

    account: Account
    token: str
    """Of a session that has just begun, for the browser's cookie."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """Login or password; which of them is not said."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many failed; nothing was looked at."""

    until: datetime


def log_in(
    engine: Engine, login: str, password: str, *, client: str, clock: Callable[[], datetime], instead_of: str = ""
) -> LoggedIn | Wrong | Throttled:
    """Try a login. It hashes, so call it by `passwords.in_a_thread`; no transaction is open meanwhile.

    `instead_of` is the token that the browser had before, which ends.
    """
    with engine.begin() as connection:
        until = throttle.attempt(connection, login, client=client, now=clock())
        if until is not None:
            return Throttled(until)
        account = accounts.by_login(connection, login)
        known = accounts.password_of(connection, account.id) if account is not None else None
    right = passwords.is_right(password, known)
    renewed = passwords.hash_of(password) if right and known is not None and passwords.is_outdated(known) else None
    with engine.begin() as connection:
        # Whoever was disabled or given another password in the meantime does not get in by the one of before.
        if account is None or not right or accounts.password_of(connection, account.id) != known:
            record_failure(connection, account, client=client, now=clock())
            return Wrong()
        if renewed is not None:
            accounts.set_password(connection, account.id, renewed)
        throttle.forgive(connection, login)
        return begin_session(connection, account, client=client, now=clock(), instead_of=instead_of)


def begin_session(
    conn: Connection, account: Account, *, client: str, now: datetime, how: str = "password", instead_of: str = ""
) -> LoggedIn:
    """Let somebody in who has shown who they are, with a token that nobody can have known before."""
    sessions.end(conn, instead_of)
    token = sessions.begin(conn, account.id, client=client, now=now)
    audit.write(conn, Actor(account.login, client), "login", f"account:{account.login}", how, now=now)
    return LoggedIn(account, token)


def record_failure(conn: Connection, account: Account | None, *, client: str, now: datetime, how: str = "") -> None:
    """Write into the audit that somebody was not let in."""
    # What was typed as a login is not kept where nobody has it: it may be a password in the wrong field.
    who = "unknown" if account is None else account.login
    audit.write(conn, Actor(who, client), "login.fail", f"account:{who}", how, now=now)
