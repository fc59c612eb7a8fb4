"""The guard's commands, as an operator types them: explain, breaker, call-back, check, and its settings."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from responder.config import load_config
from responder.errors import ConfigError
from responder.mail.envelope import Envelope
from responder.store import breaker, inbox
from responder.worker import triage_next
from tests.cli.conftest import run
from tests.knowledge import ADDRESS, EXAMPLES, briefing, example, reader, shipped_classifier

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def learned() -> None:
    """The model stands where the commands find it."""
    shipped_classifier()


def test_explain_shows_every_rule_that_was_looked_at_with_its_source() -> None:
    _, words = run("explain", EXAMPLES / "out-of-office.eml")
    assert "guard        auto-submitted" in words
    looked = [line.split(maxsplit=1)[0] for line in words.splitlines() if "RFC 3834" in line]
    assert looked == ["no", "no", "yes"]
    _, words = run("explain", EXAMPLES / "shared-mailbox.eml")
    assert "text of an automatic mail" in words
    assert "MS-OXCMAIL 2.1.3.2.20" in words


def test_explain_gives_programs_the_rules_and_says_which_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPONDER_GUARD__OFF", "list mail, marked as spam")
    _, words = run("explain", EXAMPLES / "shared-mailbox.eml", "--json")
    said = {look["rule"]: look["said"] for look in json.loads(words)["guard"]}
    assert (said["list mail"], said["marked as spam"], said["null sender"]) == ("off", "off", "no")


def test_the_breaker_is_shown_told_by_check_and_reset(engine: Engine) -> None:
    assert "closed: automatic mail leaves" in run("breaker", "show")[1]
    assert run("breaker", "reset") == (1, "It has not tripped.\n")
    with engine.begin() as connection:
        breaker.trip(connection, sent=201, now=NOW)
    assert "tripped: no automatic mail leaves" in run("breaker", "show")[1]
    code, words = run("check")
    assert code == 1
    assert "breaker: it tripped at 2026-11-24 09:00 UTC after 201 automatic mails in an hour" in words
    assert run("breaker", "reset", "--by", "suzuki")[0] == 0
    (trip,) = [json.loads(line) for line in run("breaker", "show", "--json")[1].splitlines()]
    assert (trip["sent"], trip["reset_by"]) == (201, "suzuki")
    assert run("check")[0] == 0


def test_a_mail_that_was_kept_in_silence_is_called_back(engine: Engine) -> None:
    with engine.begin() as connection:
        inbox.accept(
            connection, [(Envelope("tanaka@contractor.example", (ADDRESS,)), example("out-of-office"))], now=NOW
        )
    triage_next(engine, briefing(), reader(), now=NOW, limit=50, lease=timedelta(minutes=1))
    assert run("inbox", "call-back", "1")[0] == 0
    (case,) = [json.loads(line) for line in run("cases", "list", "--json")[1].splitlines()]
    assert (case["id"], case["reason"]) == (1, "called back")
    (mail,) = [json.loads(line) for line in run("inbox", "list", "--json")[1].splitlines()]
    assert (mail["lane"], mail["rule"]) == ("suppressed", "auto-submitted")
    assert run("inbox", "call-back", "1") == (1, "Mail 1 was not kept in silence, or has a case already.\n")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[guard]\noff = ["null sender"]', 'config.toml:2: guard.off: the rule "null sender" cannot be switched off'),
        ('[guard]\noff = ["auto-submitted"]', 'the rule "auto-submitted" cannot be switched off. Leave it out'),
        ('[guard]\noff = ["own mail"]', "RFC 3834"),
        ('[guard]\noff = ["list mial"]', 'there is no rule "list mial". Did you mean "list mail"?'),
        ("[triage]\nautomatic_per_sender_per_hour = 5", "It belongs to [guard]"),
        ("[guard]\nautomatic_per_sender_per_hour = 50", "50 is more than automatic_per_sender_per_day, 40"),
        ("[guard]\nbreaker_per_hour = 50", "automatic_per_organisation_per_hour"),
    ],
    ids=[
        "RFC 3834 §2 the null sender",
        "RFC 3834 §5 auto-submitted",
        "our own mail",
        "a misspelt rule",
        "a budget in its old place",
        "a budget of an hour above that of a day",
        "a breaker below the budgets",
    ],
)
def test_settings_of_the_guard_that_cannot_be_are_told(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "config.toml").write_text(f"{text}\n")
    with pytest.raises(ConfigError) as told:
        load_config(tmp_path / "config.toml", {})
    assert words in str(told.value)


def test_rules_are_switched_off_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[guard]\noff = ["list mail", "not addressed to us"]\n')
    config = load_config(tmp_path / "config.toml", {})
    assert config.guard.off == ("list mail", "not addressed to us")
