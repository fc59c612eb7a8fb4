"""doctor, as an operator types it."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.store import erasure
from responder.store.inbox import Lane
from tests.answered import answered, settled
from tests.cli.conftest import run


def test_a_store_without_breaches_ends_with_nought_and_one_with_a_breach_names_it(engine: Engine) -> None:
    answered(engine, "q04", now=datetime.now(UTC))
    assert run("doctor") == (0, "Every mail is where the Laws want it.\n")
    assert run("doctor", "--json") == (0, "")
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM outbox"))
    code, words = run("doctor")
    assert (code, "is in the lane answered and has no answer" in words) == (1, True)
    code, words = run("doctor", "--json")
    assert (code, [json.loads(line)["number"] for line in words.splitlines()]) == (1, [1])


def test_a_mail_that_is_over_its_days_is_named_until_it_was_erased(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(engine, Lane.SUPPRESSED, now=datetime.now(UTC) - timedelta(days=32))
    settled(engine, Lane.SUPPRESSED, now=datetime.now(UTC) - timedelta(days=30, hours=12))  # the next sweep's
    assert run("doctor")[0] == 0
    monkeypatch.setenv("RESPONDER_RETENTION__SUPPRESSED_DAYS", "30")
    code, words = run("doctor", "--json")
    assert (code, [json.loads(line)["number"] for line in words.splitlines()]) == (1, [1])
    with engine.begin() as connection:
        assert erasure.erase(connection, [1], examples=True, now=datetime.now(UTC)) == 1
    assert run("doctor")[0] == 0
