"""doctor, as an operator types it."""

import json
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from tests.answered import answered
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
