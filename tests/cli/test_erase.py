"""erase, as an operator types it when a person asks to be forgotten."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.store import audit, case_events, cases, casework, inbox, muted, outbox
from responder.store.audit import Actor
from responder.store.engine import reading
from responder.store.inbox import Lane
from tests.answered import TANAKA, answered, settled
from tests.cli.conftest import run

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


def _deliver(engine: Engine) -> None:
    with engine.begin() as connection:
        for delivery in outbox.claim(connection, now=NOW, limit=9, lease=timedelta(days=1)):
            outbox.settle_sent(connection, delivery, reply="250 Ok", now=NOW)


def test_it_shows_what_there_is_asks_and_leaves_what_is_in_work(engine: Engine) -> None:
    answered(engine, "q04", now=NOW)
    _deliver(engine)
    settled(engine, Lane.ESCALATED, now=NOW)
    with engine.begin() as connection:
        cases.open_case(connection, 2, reason="unsure", now=NOW)
    code, words = run("erase", TANAKA.upper(), given="n\n")
    assert (code, "mails       2: 1, 2" in words, "in an open case: 2" in words) == (1, True, True)
    assert ("cases       1: 2" in words, "answers     1 mails of ours" in words) == (True, True)
    assert "Close the case" in words
    assert _senders(engine) == [TANAKA, TANAKA]
    code, words = run("erase", TANAKA.upper(), given="y\n")
    assert (code, "1 mails were erased, 1 left" in words) == (0, True)
    assert _senders(engine) == ["", TANAKA]


def test_the_audit_knows_that_it_was_done_and_not_of_whom(engine: Engine) -> None:
    settled(engine, Lane.SUPPRESSED, now=NOW)
    with engine.begin() as connection:
        muted.mute(connection, TANAKA, reason="bounced", until=NOW + timedelta(days=9999), now=NOW)
    assert run("muted", "remove", TANAKA)[0] == 0
    with engine.begin() as connection:
        muted.mute(connection, TANAKA, reason="bounced", until=NOW + timedelta(days=9999), now=NOW)
    code, words = run("erase", TANAKA, "--yes", "--json")
    assert (code, json.loads(words)) == (0, {"erased": [1], "left": []})
    with reading(engine) as connection:
        events = list(audit.export(connection))
        assert muted.listing(connection, now=NOW) == []
    first = events[0]
    assert (first.who, first.action, first.object, first.detail) == ("sato", "address.unmute", "erased", "")
    assert (events[1].action, events[1].detail) == ("person.erase", "1 mails")
    assert TANAKA not in str(events)


def test_cases_of_others_and_the_audit_forget_the_address_too(engine: Engine) -> None:
    settled(engine, Lane.SUPPRESSED, now=NOW)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE inbox SET mail_from = 'x@y.example', from_address = 'x@y.example'"))
    settled(engine, Lane.SUPPRESSED, now=NOW)
    with engine.begin() as connection:
        cases.open_case(connection, 1, reason="unsure", now=NOW)
        assert casework.note(connection, 1, text=f"asked {TANAKA}", who="sato", now=NOW) is None
        audit.write(connection, Actor("sato", "desk"), "case.answer", "case:1", f"delivery 9 to {TANAKA}", now=NOW)
    code, words = run("erase", TANAKA, "--yes")
    assert (code, "audit       1 rows" in words) == (0, True)
    with reading(engine) as connection:
        assert TANAKA not in str([*audit.export(connection), *case_events.of_case(connection, 1)])
    assert _senders(engine) == ["x@y.example", ""]


def test_commands_say_of_a_mail_that_it_was_erased(engine: Engine) -> None:
    settled(engine, Lane.ESCALATED, now=NOW)
    assert run("erase", TANAKA, "--yes")[0] == 0
    code, words = run("inbox", "show", "1")
    assert (code, "erased_at:" in words) == (0, True)
    for command in ("inbox show 1 --raw", "cases teach 1 --nobody"):
        code, words = run(*command.split())
        assert (code, "was erased" in words) == (1, True), command


def test_somebody_unknown_is_told(engine: Engine) -> None:
    assert run("erase", "nobody@contractor.example", "--yes") == (1, "Nothing is kept of nobody@contractor.example.\n")


def _senders(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return [row.mail_from for row in reversed(inbox.listing(connection))]
