"""The throttle of logins on both engines."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.store import throttle
from responder.store.engine import reading

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def _attempt(engine: Engine, login: str = "sato", client: str = "192.0.2.1", now: datetime = NOW) -> datetime | None:
    with engine.begin() as connection:
        return throttle.attempt(connection, login, client=client, now=now)


def test_the_sixth_attempt_at_a_login_waits_for_the_first_to_leave_the_window(engine: Engine) -> None:
    for minute in range(5):
        assert _attempt(engine, now=NOW + minute * MINUTE) is None
    assert _attempt(engine, now=NOW + 5 * MINUTE) == NOW + 15 * MINUTE
    assert _attempt(engine, "SATO ", now=NOW + 5 * MINUTE) == NOW + 15 * MINUTE
    assert _attempt(engine, "suzuki", now=NOW + 5 * MINUTE) is None
    assert _attempt(engine, now=NOW + 15 * MINUTE) is None
    assert _attempt(engine, now=NOW + 15 * MINUTE) == NOW + 16 * MINUTE


def test_nobody_keeps_another_out_from_elsewhere_but_by_very_many_tries(engine: Engine) -> None:
    for number in range(10):
        for _ in range(5):
            assert _attempt(engine, client=f"192.0.2.{number}") is None
        if number < 9:
            assert _attempt(engine, client="198.51.100.1", login=f"another{number}") is None
    assert _attempt(engine, client="198.51.100.1") == NOW + 15 * MINUTE


def test_the_addresses_of_one_customer_are_one_client(engine: Engine) -> None:
    for number in range(20):
        assert _attempt(engine, f"login{number}", f"2001:db8::{number:x}") is None
    assert _attempt(engine, "sato", "2001:db8::ffff") == NOW + 15 * MINUTE
    assert _attempt(engine, "sato", "2001:db8:0:1::1") is None


def test_the_twenty_first_attempt_of_a_client_waits_whatever_the_login(engine: Engine) -> None:
    for number in range(20):
        assert _attempt(engine, f"login{number}") is None
    assert _attempt(engine, "sato") == NOW + 15 * MINUTE
    assert _attempt(engine, "sato", "192.0.2.2") is None


def test_whoever_waits_does_not_wait_longer_for_trying(engine: Engine) -> None:
    for _ in range(5):
        _attempt(engine)
    for minute in range(15):
        assert _attempt(engine, now=NOW + minute * MINUTE) == NOW + 15 * MINUTE
    assert _attempt(engine, now=NOW + 15 * MINUTE) is None


def test_a_right_password_forgives_its_login_only(engine: Engine) -> None:
    for login in ("sato",) * 5 + ("suzuki",) * 5:
        _attempt(engine, login)
    with engine.begin() as connection:
        throttle.forgive(connection, "Sato")
    assert _attempt(engine, "sato") is None
    assert _attempt(engine, "suzuki") is not None


def test_old_failures_are_cleared_away(engine: Engine) -> None:
    _attempt(engine)
    _attempt(engine, "suzuki", now=NOW + 15 * MINUTE)
    with reading(engine) as connection:
        assert connection.execute(sa.text("SELECT login FROM failed_logins")).scalars().all() == ["suzuki"]


def test_guesses_sent_at_the_same_moment_are_all_counted(engine: Engine) -> None:
    start = Barrier(8)

    def guess(_: int) -> bool:
        start.wait(10)
        return _attempt(engine) is None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(guess, range(8))) == 5


def test_any_text_may_be_typed_as_a_login(engine: Engine) -> None:
    for login in ("\0", "x" * 100_000, "\N{GRINNING FACE}", ""):
        assert _attempt(engine, login) is None
