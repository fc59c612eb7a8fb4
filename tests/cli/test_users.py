"""user and audit, as an operator types them, and the link by which the first administrator comes in."""

import csv
import json
import re
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import httpx
from sqlalchemy.engine import Engine

from responder.desk import passwords
from responder.store import accounts, audit, invitations, sessions
from responder.store.engine import reading
from tests.cli.conftest import run
from tests.knowledge import ROOT
from tests.service import running

GOOD = "correct horse battery"


def _add(login: str, role: str = "agent") -> None:
    assert run("user", "add", login, "--role", role, "--password-file", "-", given=f"{GOOD}\n")[0] == 0


def test_an_account_without_a_password_gets_a_link_that_works(engine: Engine) -> None:
    code, said = run("user", "add", "Sato", "--name", "佐藤", "--role", "editor")
    link = re.fullmatch(r"https://desk\.example\.jp/welcome/([\w-]{43})", said.splitlines()[-1])
    assert code == 0
    assert link is not None
    with reading(engine) as connection:
        account = accounts.by_login(connection, "sato")
        found = invitations.find(connection, link[1], now=datetime.now(UTC))
    assert account is not None
    assert (account.name, account.role, account.has_password) == ("佐藤", "editor", False)
    assert found is not None
    assert found.account_id == account.id


def test_a_password_comes_from_a_file_or_from_standard_input_and_is_hashed(engine: Engine, tmp_path: Path) -> None:
    _add("sato")
    file = tmp_path / "password"
    file.write_text("another horse battery\n")
    assert run("user", "passwd", "sato", "--password-file", file)[0] == 0
    with reading(engine) as connection:
        account = accounts.by_login(connection, "sato")
        assert account is not None
        known = accounts.password_of(connection, account.id)
    assert passwords.is_right("another horse battery", known)
    assert not passwords.is_right(GOOD, known)


def test_what_cannot_be_is_refused_with_the_reason() -> None:
    _add("suzuki")
    for words, given, why in (
        (("add", "sato"), "short", "it has fewer than 12 characters"),
        (("add", "sato"), "i am sato, let me in", "it contains the login"),
        (("add", "sato sato"), GOOD, "a login has no blanks"),
        (("add", "sato", "--role", "root"), GOOD, "There are agent, editor, administrator"),
        (("add", "SUZUKI"), GOOD, "There is an account suzuki already"),
        (("passwd", "nobody"), GOOD, "There is no account nobody"),
    ):
        code, said = run("user", *words, "--password-file", "-", given=f"{given}\n")
        assert code == 1
        assert why in said


def test_accounts_are_listed_without_their_secrets() -> None:
    assert "responder user add" in run("user", "list")[1]
    _add("sato", "administrator")
    row = json.loads(run("user", "list", "--json")[1])
    assert (row["login"], row["role"], row["has_password"], row["disabled_at"]) == ("sato", "administrator", True, None)
    assert "argon2" not in str(row)
    assert "sato" in run("user", "list")[1]


def test_somebody_is_always_left_to_administer() -> None:
    _add("sato", "administrator")
    for words in (("disable", "sato"), ("role", "sato", "agent")):
        code, said = run("user", *words)
        assert code == 1
        assert "the last administrator" in said
    _add("suzuki", "administrator")
    assert run("user", "disable", "sato")[0] == 0
    assert run("user", "enable", "sato")[0] == 0
    assert run("user", "role", "sato", "editor")[0] == 0


def test_logout_ends_every_session(engine: Engine) -> None:
    _add("sato")
    with engine.begin() as connection:
        account = accounts.by_login(connection, "sato")
        assert account is not None
        for client in ("192.0.2.1", "192.0.2.2"):
            sessions.begin(connection, account.id, client=client, now=datetime.now(UTC))
    assert json.loads(run("user", "logout", "sato", "--json")[1]) == {"login": "sato", "sessions ended": 2}
    with reading(engine) as connection:
        assert sessions.listing(connection, account.id, now=datetime.now(UTC)) == []


def test_commands_stand_in_the_audit_with_who_typed_them() -> None:
    _add("sato")
    run("user", "role", "sato", "editor", "--by", "tanaka")
    lines = [json.loads(line) for line in run("audit", "list", "--json")[1].splitlines()]
    assert [(line["who"], line["action"], line["object"], line["client"]) for line in lines] == [
        ("tanaka", "account.role", "account:sato", "cli"),
        ("sato", "account.add", "account:sato", "cli"),
    ]
    assert len(run("audit", "list", "--json", "--by", "tanaka", "--action", "account.role")[1].splitlines()) == 1
    assert run("audit", "list", "--json", "--until", "2020-01-01")[1] == ""


def test_an_exported_cell_is_never_a_formula(engine: Engine) -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "＝1", 'a "quoted", one\nline', "plain"]
    with engine.begin() as connection:
        for text in texts:
            audit.write(connection, audit.Actor(text, "cli"), "did", "", text, now=datetime.now(UTC))
    rows = list(csv.reader(StringIO(run("audit", "export", "--csv")[1])))
    assert rows[0] == ["id", "at", "who", "action", "object", "detail", "client"]
    assert [row[2] for row in rows[1:]] == [f"'{text}" for text in texts[:7]] + texts[7:]
    assert [json.loads(line)["who"] for line in run("audit", "export", "--json")[1].splitlines()] == texts
    assert run("audit", "export")[0] == 1


def test_a_desk_without_accounts_logs_one_link_made_anew_at_each_start(tmp_path: Path, engine: Engine) -> None:
    url, told = engine.url.render_as_string(), []
    environ = {"RESPONDER_SERVICE__CORPUS": str(ROOT / "faq_corpus"), "RESPONDER_SERVICE__STATE": str(tmp_path)}
    for _ in range(2):
        with running(tmp_path, url, only="desk", **environ) as service:
            (event,) = service.wait_for(lambda service=service: service.events("nobody has an account yet"))
            told.append(event["first_administrator"])
            host, port = service.at("http")
            assert httpx.get(f"http://{host}:{port}/healthz").status_code == 200
    with reading(engine) as connection:
        found = [invitations.find(connection, link.rpartition("/")[2], now=datetime.now(UTC)) for link in told]
    assert [one is not None for one in found] == [False, True]
    _add("sato")
    with running(tmp_path, url, only="desk", **environ) as service:
        service.stop()
        assert service.events("nobody has an account yet") == []
