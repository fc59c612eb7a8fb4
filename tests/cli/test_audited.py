"""Every command that changes something leaves its row in the audit, and one that changes nothing leaves none."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy.engine import Connection, Engine

from responder.store import audit, breaker, cases, muted, outbox
from responder.store.engine import reading
from responder.store.inbox import Lane
from tests.answered import TANAKA, answered, settled
from tests.cli.conftest import run

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
SOON = datetime(2999, 1, 1, tzinfo=UTC)

Prepare = Callable[[Connection], object]


def _nothing(_: Connection) -> None:
    pass


def _case(connection: Connection) -> None:
    cases.open_case(connection, 1, reason="unsure", now=NOW)


def _trip(connection: Connection) -> None:
    assert breaker.trip(connection, sent=7, now=NOW)


def _mute(connection: Connection) -> None:
    muted.mute(connection, TANAKA, reason="loop", until=SOON, now=NOW)


def _held(connection: Connection) -> None:
    assert outbox.hold(connection, 1, now=NOW)


@pytest.mark.parametrize(
    ("words", "lane", "prepare", "row"),
    [
        ("cases take 1", Lane.ESCALATED, _case, ("case.take", "case:1", "")),
        ("cases answer 1 --text はい。", Lane.ESCALATED, _case, ("case.answer", "case:1", f"delivery 1 to {TANAKA}")),
        ("cases close 1 --reason x", Lane.ESCALATED, _case, ("case.close", "case:1", "")),
        ("inbox call-back 1", Lane.SUPPRESSED, _nothing, ("mail.call-back", "mail:1", "")),
        ("cases teach 1 --entry q04 --partly", Lane.ESCALATED, _nothing, ("label.teach", "mail:1", "q04 partly")),
        ("breaker reset", Lane.ESCALATED, _trip, ("breaker.reset", "trip:1", "7 mails in an hour")),
        (f"muted remove {TANAKA}", Lane.ESCALATED, _mute, ("address.unmute", TANAKA, "")),
        ("outbox hold 1", Lane.ANSWERED, _nothing, ("delivery.hold", "delivery:1", "")),
        ("outbox retry 1", Lane.ANSWERED, _held, ("delivery.retry", "delivery:1", "")),
    ],
)
def test_what_a_command_changes_is_in_the_audit_once(
    engine: Engine, words: str, lane: Lane, prepare: Prepare, row: tuple[str, str, str]
) -> None:
    _ = answered(engine, "q04", now=NOW) if lane is Lane.ANSWERED else settled(engine, lane, now=NOW)
    with engine.begin() as connection:
        prepare(connection)
    code, said = run(*words.split())
    assert (code, _rows(engine)) == (0, [("sato", "cli", *row)]), said
    if not words.startswith(("cases teach", "cases take", "outbox retry")):  # which may be done twice
        assert run(*words.split())[0] == 1
        assert len(_rows(engine)) == 1


def test_what_is_taken_back_is_in_the_audit_too(engine: Engine) -> None:
    settled(engine, Lane.ESCALATED, now=NOW)
    assert run("cases", "teach", "1", "--nobody")[0] == 0
    assert run("cases", "unteach", "1", "--by", "suzuki")[0] == 0
    assert run("cases", "unteach", "1")[0] == 1
    assert _rows(engine) == [
        ("suzuki", "cli", "label.undo", "mail:1", ""),
        ("sato", "cli", "label.teach", "mail:1", "nobody"),
    ]


def _rows(engine: Engine) -> list[tuple[str, str, str, str, str]]:
    with reading(engine) as connection:
        events = audit.listing(connection, limit=10)
    return [(event.who, event.client, event.action, event.object, event.detail) for event in events]
