"""Logging in on both engines: what it answers, what it counts, what it records."""

from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy.engine import Engine

from responder.desk import passwords, roster
from responder.desk.entrance import LoggedIn, Throttled, Wrong, log_in
from responder.store import accounts, audit, invitations, sessions
from responder.store.accounts import Account, Role
from responder.store.audit import Actor
from responder.store.engine import reading

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
CLI = Actor("root", "cli")
RIGHT = "correct horse battery"
# Of other parameters than those in force: entering renews it, which one test is about.
HASH = PasswordHasher(time_cost=1, memory_cost=128, parallelism=1).hash(RIGHT)

pytestmark = pytest.mark.usefixtures("quick_hashes")


def _add(engine: Engine, login: str = "sato") -> Account:
    with engine.begin() as connection:
        made = roster.add(connection, login=login, name=login, role=Role.AGENT, password=HASH, by=CLI, now=NOW)
    assert made is not None
    return made


def _log_in(
    engine: Engine, password: str = RIGHT, *, login: str = "sato", now: datetime = NOW
) -> LoggedIn | Wrong | Throttled:
    return log_in(engine, login, password, client="192.0.2.1", clock=lambda: now)


def _recorded(engine: Engine) -> list[tuple[str, str, str]]:
    with reading(engine) as connection:
        return [(event.who, event.action, event.object) for event in audit.export(connection)]


def test_the_right_password_begins_a_session(engine: Engine) -> None:
    account = _add(engine)
    done = _log_in(engine, login="SATO")
    assert isinstance(done, LoggedIn)
    with engine.begin() as connection:
        found = sessions.account_of(connection, done.token, now=NOW)
    assert found is not None
    assert found.id == account.id
    assert _recorded(engine)[-1] == ("sato", "login", "account:sato")


def test_an_outdated_hash_is_made_again(engine: Engine) -> None:
    account = _add(engine)
    assert isinstance(_log_in(engine), LoggedIn)
    with reading(engine) as connection:
        renewed = accounts.password_of(connection, account.id)
    assert renewed is not None
    assert renewed != HASH
    assert not passwords.is_outdated(renewed)
    assert isinstance(_log_in(engine), LoggedIn)


def test_a_wrong_password_and_an_unknown_login_are_told_alike(engine: Engine) -> None:
    _add(engine)
    assert _log_in(engine, "wrong") == _log_in(engine, login="hunter2 in the wrong field") == Wrong()
    assert _recorded(engine)[1:] == [
        ("sato", "login.fail", "account:sato"),
        ("unknown", "login.fail", "account:unknown"),
    ]


def test_a_right_password_does_not_get_through_while_it_must_wait(engine: Engine) -> None:
    _add(engine)
    for _ in range(5):
        assert _log_in(engine, "wrong") == Wrong()
    assert _log_in(engine) == Throttled(NOW + timedelta(minutes=15))
    assert isinstance(_log_in(engine, now=NOW + timedelta(minutes=15)), LoggedIn)


def test_right_passwords_never_add_up_to_a_wait(engine: Engine) -> None:
    _add(engine)
    for _ in range(4):
        _log_in(engine, "wrong")
    for _ in range(6):
        assert isinstance(_log_in(engine), LoggedIn)


def test_a_disabled_account_is_let_in_by_no_password(engine: Engine) -> None:
    account = _add(engine)
    with engine.begin() as connection:
        assert roster.disable(connection, account, by=CLI, now=NOW)
    assert _log_in(engine) == Wrong()


def test_a_new_password_ends_the_sessions_and_the_wait_of_before(engine: Engine) -> None:
    account = _add(engine)
    inside = [done for done in (_log_in(engine), _log_in(engine)) if isinstance(done, LoggedIn)]
    for _ in range(5):
        _log_in(engine, "wrong")
    with engine.begin() as connection:
        link = roster.invite(connection, account, by=CLI, now=NOW)
        roster.set_password(connection, account, HASH, by=CLI, now=NOW, but=inside[0].token)
        assert [sessions.account_of(connection, one.token, now=NOW) is not None for one in inside] == [True, False]
        assert invitations.find(connection, link, now=NOW) is None
    assert isinstance(_log_in(engine), LoggedIn)


def test_what_is_done_to_an_account_is_recorded_with_who_did_it(engine: Engine) -> None:
    account = _add(engine)
    with engine.begin() as connection:
        assert roster.set_role(connection, account, Role.EDITOR, by=CLI, now=NOW)
        roster.log_out(connection, account, by=CLI, now=NOW)
        assert roster.disable(connection, account, by=CLI, now=NOW)
        roster.enable(connection, account, by=CLI, now=NOW)
        found = audit.listing(connection)
    assert [(event.who, event.action, event.object, event.detail, event.client) for event in reversed(found)] == [
        ("root", "account.add", "account:sato", "agent", "cli"),
        ("root", "account.role", "account:sato", "agent → editor", "cli"),
        ("root", "account.logout", "account:sato", "0", "cli"),
        ("root", "account.disable", "account:sato", "", "cli"),
        ("root", "account.enable", "account:sato", "", "cli"),
    ]


def test_the_first_link_is_made_only_while_nobody_has_an_account(engine: Engine) -> None:
    with engine.begin() as connection:
        assert roster.invite_first(connection, now=NOW) is not None
    _add(engine)
    with engine.begin() as connection:
        assert roster.invite_first(connection, now=NOW) is None
