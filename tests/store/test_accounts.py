"""Accounts and one-time links on both engines, and that somebody is always left to administer."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.store import accounts, invitations, sessions
from responder.store.accounts import Account, Role
from responder.store.engine import reading

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def _add(engine: Engine, login: str, role: Role = Role.AGENT, *, invited: bool = False) -> Account:
    with engine.begin() as connection:
        hashed = None if invited else "hash"
        account = accounts.add(connection, login=login, name=login, role=role, password=hashed, now=NOW)
    assert account is not None
    return account


def test_a_login_is_the_same_however_it_is_typed(engine: Engine) -> None:
    account = _add(engine, "SATO")
    with engine.begin() as connection:
        for typed in ("sato", " Sato ", "ＳＡＴＯ"):
            assert accounts.by_login(connection, typed) == account
            assert accounts.add(connection, login=typed, name="", role=Role.AGENT, now=NOW) is None


@pytest.mark.parametrize("login", ["", "  ", "a" * 101, "sato taro", "sa\nto", "sa\x00to", "sa\u200bto"])
def test_what_cannot_be_typed_again_is_no_login(login: str) -> None:
    assert accounts.fault_of_login(login) is not None
    assert accounts.fault_of_login(" 佐藤 ") is None


def test_a_role_includes_those_before_it() -> None:
    assert [[role.may(needed) for needed in Role] for role in Role] == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]


def test_what_people_choose_is_kept(engine: Engine) -> None:
    account = _add(engine, "sato")
    with engine.begin() as connection:
        accounts.set_preferences(connection, account.id, language="en", shortcuts=False, signature="Sato")
        accounts.rename(connection, account.id, "佐藤花子")
        accounts.bind_subject(connection, account.id, "https://issuer.example 42")
        found = accounts.by_subject(connection, "https://issuer.example 42")
    assert found is not None
    assert (found.language, found.shortcuts, found.signature, found.name) == ("en", False, "Sato", "佐藤花子")


def test_a_disabled_account_has_no_password_to_verify(engine: Engine) -> None:
    account = _add(engine, "sato")
    with engine.begin() as connection:
        assert accounts.password_of(connection, account.id) == "hash"
        accounts.disable(connection, account.id, now=NOW)
        assert accounts.password_of(connection, account.id) is None
        accounts.enable(connection, account.id)
        assert accounts.password_of(connection, account.id) == "hash"


def test_the_last_administrator_stays_one(engine: Engine) -> None:
    first, second = _add(engine, "a", Role.ADMINISTRATOR), _add(engine, "b", Role.ADMINISTRATOR)
    with engine.begin() as connection:
        assert accounts.set_role(connection, first.id, Role.EDITOR)
        assert not accounts.set_role(connection, second.id, Role.AGENT)
        assert not accounts.disable(connection, second.id, now=NOW)
        assert accounts.set_role(connection, first.id, Role.ADMINISTRATOR)
        assert accounts.disable(connection, second.id, now=NOW)


def test_whoever_cannot_log_in_yet_is_nobody_to_leave_it_to(engine: Engine) -> None:
    first = _add(engine, "a", Role.ADMINISTRATOR)
    invited = _add(engine, "b", Role.ADMINISTRATOR, invited=True)
    with engine.begin() as connection:
        assert not accounts.disable(connection, first.id, now=NOW)
        assert accounts.disable(connection, invited.id, now=NOW)


def test_two_administrators_who_leave_at_once_do_not_rely_on_each_other(engine: Engine) -> None:
    both = [_add(engine, login, Role.ADMINISTRATOR).id for login in ("a", "b")]
    start = Barrier(2)

    def leave(number: int) -> bool:
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                start.wait(10)
            return accounts.disable(connection, number, now=NOW)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(leave, both)) == [False, True]


def test_a_link_works_once_and_until_its_end(engine: Engine) -> None:
    account = _add(engine, "sato", invited=True)
    with engine.begin() as connection:
        token = invitations.make(connection, account.id, now=NOW, valid=DAY)
        assert invitations.find(connection, token, now=NOW + DAY) is None
        assert invitations.use(connection, token, now=NOW + DAY) is None
        assert invitations.use(connection, token + "x", now=NOW) is None
        found = invitations.use(connection, token, now=NOW)
        assert found is not None
        assert found.account_id == account.id
        assert invitations.use(connection, token, now=NOW) is None
        assert token not in str(connection.execute(sa.text("SELECT * FROM invitations")).all())


def test_of_two_who_use_a_link_at_once_one_gets_it(engine: Engine) -> None:
    account = _add(engine, "sato", invited=True)
    with engine.begin() as connection:
        token = invitations.make(connection, account.id, now=NOW, valid=DAY)
    start = Barrier(4)

    def use(_: int) -> bool:
        start.wait(10)
        with engine.begin() as connection:
            return invitations.use(connection, token, now=NOW) is not None

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(use, range(4))) == [False, False, False, True]


def test_a_newer_link_voids_the_one_before_of_the_same_account_alone(engine: Engine) -> None:
    one, other = _add(engine, "a", invited=True), _add(engine, "b", invited=True)
    with engine.begin() as connection:
        old, kept = (invitations.make(connection, account.id, now=NOW, valid=DAY) for account in (one, other))
        new = invitations.make(connection, one.id, now=NOW, valid=DAY)
        assert [invitations.find(connection, token, now=NOW) is not None for token in (old, new, kept)] == [
            False,
            True,
            True,
        ]


def test_the_first_administrators_link_ends_with_the_first_account(engine: Engine) -> None:
    with engine.begin() as connection:
        void = invitations.make(connection, None, now=NOW, valid=DAY)
        token = invitations.make(connection, None, now=NOW, valid=DAY)
        assert invitations.find(connection, void, now=NOW) is None
        found = invitations.find(connection, token, now=NOW)
        assert found is not None
        assert found.account_id is None
    _add(engine, "sato")
    with reading(engine) as connection:
        assert invitations.find(connection, token, now=NOW) is None


def test_a_disabled_accounts_link_is_dead(engine: Engine) -> None:
    account = _add(engine, "sato", invited=True)
    with engine.begin() as connection:
        token = invitations.make(connection, account.id, now=NOW, valid=DAY)
        accounts.disable(connection, account.id, now=NOW)
        assert invitations.use(connection, token, now=NOW) is None


def test_a_role_that_does_not_exist_is_refused_by_the_database(engine: Engine) -> None:
    account = _add(engine, "sato")
    with pytest.raises(sa.exc.IntegrityError), engine.begin() as connection:
        connection.execute(sa.text("UPDATE accounts SET role = 'root' WHERE id = :id"), {"id": account.id})
    with reading(engine) as connection:
        assert sessions.listing(connection, account.id, now=NOW) == []
