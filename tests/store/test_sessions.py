"""Sessions on both engines: begun, seen, ended by time, by hand and with their account."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.store import accounts, sessions
from responder.store.accounts import Account, Role
from responder.store.engine import reading

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


def _add(engine: Engine, login: str = "sato", role: Role = Role.AGENT) -> int:
    with engine.begin() as connection:
        account = accounts.add(connection, login=login, name="佐藤", role=role, now=NOW, password="hash")  # noqa: S106  # no hash of anything
    assert account is not None
    return account.id


def _begin(engine: Engine, account_id: int, *, client: str = "192.0.2.1", now: datetime = NOW) -> str:
    with engine.begin() as connection:
        return sessions.begin(connection, account_id, client=client, now=now)


def _seen(engine: Engine, token: str, now: datetime) -> Account | None:
    with engine.begin() as connection:
        return sessions.account_of(connection, token, now=now)


def _looked_up(engine: Engine, token: str, now: datetime) -> bool | None:
    with reading(engine) as connection:
        found = sessions.look_up(connection, token, now=now)
    return None if found is None else found[1]


def test_a_session_is_its_accounts_and_no_other_token_opens_it(engine: Engine) -> None:
    token = _begin(engine, _add(engine))
    found = _seen(engine, token, NOW)
    assert found is not None
    assert (found.login, found.role, found.has_password) == ("sato", Role.AGENT, True)
    assert _seen(engine, token[:-1], NOW) is None
    assert _seen(engine, sessions.digest_of(token), NOW) is None


def test_the_store_does_not_hold_what_the_browser_holds(engine: Engine) -> None:
    token = _begin(engine, _add(engine))
    with reading(engine) as connection:
        rows = connection.execute(sa.text("SELECT * FROM sessions")).all()
    assert token not in str(rows)


def test_a_session_ends_after_twelve_idle_hours(engine: Engine) -> None:
    token = _begin(engine, _add(engine))
    assert _seen(engine, token, NOW + 11 * HOUR) is not None
    assert _seen(engine, token, NOW + 23 * HOUR - SECOND) is not None
    assert _seen(engine, token, NOW + 36 * HOUR) is None


def test_a_session_in_use_ends_after_seven_days(engine: Engine) -> None:
    token = _begin(engine, _add(engine))
    for hours in range(6, 7 * 24, 6):
        assert _seen(engine, token, NOW + hours * HOUR) is not None
    assert _seen(engine, token, NOW + 7 * 24 * HOUR) is None


def test_a_look_writes_nothing_and_says_when_a_touch_is_due(engine: Engine) -> None:
    number = _add(engine)
    token = _begin(engine, number)
    assert _looked_up(engine, token, NOW + 59 * SECOND) is False
    assert _looked_up(engine, token, NOW + 60 * SECOND) is True
    _seen(engine, token, NOW + 60 * SECOND)
    assert _looked_up(engine, token, NOW + 61 * SECOND) is False
    with reading(engine) as connection:
        (session,) = sessions.listing(connection, number, now=NOW + HOUR)
    assert session.seen_at == NOW + 60 * SECOND


def test_whoever_is_disabled_is_out_at_once_and_stays_out_when_enabled(engine: Engine) -> None:
    number = _add(engine)
    token = _begin(engine, number)
    with engine.begin() as connection:
        assert accounts.disable(connection, number, now=NOW)
    assert _seen(engine, token, NOW) is None
    with engine.begin() as connection:
        assert accounts.enable(connection, number)
    assert _seen(engine, token, NOW) is None


def test_an_ended_session_is_gone_and_the_others_stay(engine: Engine) -> None:
    number = _add(engine)
    mine, other = _begin(engine, number), _begin(engine, number)
    with engine.begin() as connection:
        assert sessions.end(connection, mine)
        assert not sessions.end(connection, mine)
    assert _seen(engine, mine, NOW) is None
    assert _seen(engine, other, NOW) is not None


def test_nobody_ends_the_session_of_another(engine: Engine) -> None:
    mine, other = _add(engine), _add(engine, "suzuki")
    token = _begin(engine, other)
    with engine.begin() as connection:
        assert not sessions.end_one(connection, mine, sessions.digest_of(token))
        assert _seen_in(connection, token)
        assert sessions.end_one(connection, other, sessions.digest_of(token))
        assert not _seen_in(connection, token)


def _seen_in(connection: sa.Connection, token: str) -> bool:
    return sessions.look_up(connection, token, now=NOW) is not None


@pytest.mark.parametrize(("but_mine", "left"), [(True, 1), (False, 0)], ids=["all but mine", "all"])
def test_all_sessions_end_together(engine: Engine, but_mine: bool, left: int) -> None:
    number, bystander = _add(engine), _add(engine, "suzuki")
    mine, _, others = _begin(engine, number), _begin(engine, number), _begin(engine, bystander)
    with engine.begin() as connection:
        assert sessions.end_all(connection, number, but=mine if but_mine else None) == 2 - left
        assert len(sessions.listing(connection, number, now=NOW)) == left
    assert _seen(engine, others, NOW) is not None


def test_what_has_ended_is_cleared_away_when_another_begins(engine: Engine) -> None:
    number = _add(engine)
    _begin(engine, number)
    _begin(engine, number, now=NOW + 13 * HOUR)
    with reading(engine) as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM sessions")).scalar_one() == 1
