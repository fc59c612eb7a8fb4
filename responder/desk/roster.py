"""What is done to accounts, each with its record in the audit: by the pages and by the commands alike."""

from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from responder.store import accounts, audit, invitations, sessions, throttle
from responder.store.accounts import Account, Role
from responder.store.audit import Actor

LINK_VALID = timedelta(days=3)
FIRST_LINK_VALID = timedelta(hours=24)


def add(
    conn: Connection, *, login: str, name: str, role: Role, by: Actor, now: datetime, password: str | None = None
) -> Account | None:
    """A new account; `password` is its hash. None where the login is taken."""
    account = accounts.add(conn, login=login, name=name, role=role, password=password, now=now)
    if account is not None:
        _record(conn, account, "account.add", by, now, detail=role.value)
    return account


def invite(conn: Connection, account: Account, *, by: Actor, now: datetime) -> str:
    """The token of a link that sets the password once; an earlier link is void."""
    _record(conn, account, "account.invite", by, now)
    return invitations.make(conn, account.id, now=now, valid=LINK_VALID)


def invite_first(conn: Connection, *, now: datetime) -> str | None:
    """The token of a link for the first administrator; None where somebody has an account already."""
    if accounts.are_there(conn):
        return None
    return invitations.make(conn, None, now=now, valid=FIRST_LINK_VALID)


def set_password(
    conn: Connection, account: Account, password: str, *, by: Actor, now: datetime, but: str | None = None
) -> None:
    """Keep a new password's hash. Sessions, but the one of token `but`, links and failures of before are gone."""
    accounts.set_password(conn, account.id, password)
    sessions.end_all(conn, account.id, but=but)
    invitations.void(conn, account.id)
    throttle.forgive(conn, account.login)
    _record(conn, account, "account.password", by, now)


def bind(conn: Connection, account: Account, subject: str, *, by: Actor, now: datetime) -> None:
    """Let a user of the OpenID provider in as this account from now on."""
    accounts.bind_subject(conn, account.id, subject)
    _record(conn, account, "account.bind", by, now, detail=subject)


def set_role(conn: Connection, account: Account, role: Role, *, by: Actor, now: datetime) -> bool:
    """Change what somebody may do; False where nobody would be left to administer."""
    if role is account.role:
        return True
    done = accounts.set_role(conn, account.id, role)
    if done:
        _record(conn, account, "account.role", by, now, detail=f"{account.role} → {role}")
    return done


def disable(conn: Connection, account: Account, *, by: Actor, now: datetime) -> bool:
    """Shut somebody out at once, links and sessions included; False where nobody would be left to administer."""
    if account.disabled_at is not None:
        return True
    done = accounts.disable(conn, account.id, now=now)
    if done:
        invitations.void(conn, account.id)
        _record(conn, account, "account.disable", by, now)
    return done


def enable(conn: Connection, account: Account, *, by: Actor, now: datetime) -> bool:
    """Let somebody in again; False where nobody was shut out."""
    done = accounts.enable(conn, account.id)
    if done:
        _record(conn, account, "account.enable", by, now)
    return done


def log_out(conn: Connection, account: Account, *, by: Actor, now: datetime) -> int:
    """End all sessions of an account; how many there were."""
    ended = sessions.end_all(conn, account.id)
    _record(conn, account, "account.logout", by, now, detail=str(ended))
    return ended


def _record(conn: Connection, account: Account, action: str, by: Actor, now: datetime, *, detail: str = "") -> None:
    audit.write(conn, by, action, f"account:{account.login}", detail, now=now)
