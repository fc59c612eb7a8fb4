"""Prepared answers from the command line: shown, edited, sent by a person and by nobody else."""

import json
import shlex
import sys
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from responder.cli import app
from responder.mail.envelope import Envelope
from responder.store import cases, inbox, outbox
from responder.store.engine import make_ready, open_engine, reading
from responder.store.inbox import Lane, Settlement
from tests.knowledge import ADDRESS, ROOT, cold_corpus, example

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BLANK = "【この質問への回答を、ここにご記入ください】"
COVERED = {"question": "共有アドレスは使えますか。", "entry": "q04", "confidence": 0.9}
OPEN = {"question": "お支払日はいつですか。", "entry": None, "confidence": 0.1}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three cases: all of its question covered, one of two questions covered, and nothing covered."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RESPONDER_STORE__URL", _url(tmp_path))
    monkeypatch.setenv("RESPONDER_SERVICE__CORPUS", str(cold_corpus(tmp_path)))
    monkeypatch.setenv("RESPONDER_SERVICE__STATE", str(tmp_path / "state"))
    monkeypatch.setenv("USER", "sato")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("VISUAL", raising=False)
    engine = open_engine(_url(tmp_path))
    make_ready(engine)
    envelope = Envelope("tanaka@contractor.example", (ADDRESS,))
    with engine.begin() as connection:
        inbox.accept(connection, [(envelope, example("shared-mailbox"))] * 3, now=NOW)
        claimed = inbox.claim(connection, now=NOW, limit=3, lease=timedelta(minutes=1))
        for inquiry, parts in zip(claimed, ([COVERED], [COVERED, OPEN], [OPEN]), strict=True):
            decision = {"parts": parts}
            inbox.settle(connection, inquiry, Settlement(Lane.ESCALATED, "reason", None, decision, "", ""), now=NOW)
            cases.open_case(connection, inquiry.id, reason="reason", now=NOW)
    engine.dispose()
    return tmp_path


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'responder.db'}"


def _run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def _shown(number: int) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(_run("cases", "show", str(number), "--json")[1])
    return shown


def _sent(folder: Path) -> list[str]:
    engine = open_engine(_url(folder))
    with reading(engine) as connection:
        raws = [outbox.raw_of(connection, row.id) or b"" for row in outbox.listing(connection)]
    engine.dispose()
    return [message_from_bytes(raw, policy=default).get_content().replace("\r\n", "\n") for raw in raws]


def _editor(folder: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """An editor that is a line of Python, with the text in `text` and its file in `path`."""
    script = folder / "my editor.py"
    script.write_text(f"import sys, pathlib\npath = pathlib.Path(sys.argv[1])\ntext = path.read_text()\n{program}\n")
    monkeypatch.setenv("EDITOR", shlex.join([sys.executable, str(script)]))


def test_show_tells_what_is_covered_and_prints_what_is_prepared() -> None:
    out = _run("cases", "show", "2")[1]
    assert "asked:        q04  共有アドレスは使えますか。" in out
    assert "asked:        no entry  お支払日はいつですか。" in out
    assert "prepared answer, not sent (1 questions without an answer):" in out
    assert BLANK in out
    assert _shown(2)["draft"]["unanswered"] == 1
    assert _run("cases", "show", "2", "--draft")[1] == _shown(2)["draft"]["text"]


def test_where_nothing_is_covered_show_prepares_nothing() -> None:
    assert "prepared answer" not in _run("cases", "show", "3")[1]
    assert _shown(3)["draft"] is None
    for words in (["show", "3", "--draft"], ["answer", "3", "--draft"]):
        code, _, err = _run("cases", *words)
        assert (code, "No answer is prepared for case 3" in err) == (1, True)


def test_an_answer_that_is_covered_whole_is_sent_with_one_command(folder: Path) -> None:
    draft = _shown(1)["draft"]["text"]
    assert _run("cases", "answer", "1", "--draft")[0] == 0
    (sent,) = _sent(folder)
    assert draft.strip() in sent
    assert _shown(1)["state"] == "closed"


def test_a_draft_with_an_empty_place_is_refused_as_it_is(folder: Path) -> None:
    code, _, err = _run("cases", "answer", "2", "--draft")
    assert (code, err) == (1, "Case 2 was not answered: a place of the draft is still empty.\n")
    assert (_sent(folder), _shown(2)["state"]) == ([], "open")


def test_a_draft_is_finished_in_the_editor(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _editor(folder, monkeypatch, f"path.write_text(text.replace({BLANK!r}, '翌月末でございます。'))")
    assert _run("cases", "answer", "2", "--draft", "--edit")[0] == 0
    (sent,) = _sent(folder)
    assert "翌月末でございます。" in sent
    assert BLANK not in sent
    assert not list(folder.glob("answer-*"))


@pytest.mark.parametrize(
    ("program", "told"),
    [("sys.exit(3)", "ended with 3: nothing was sent."), ("path.write_text(text + 'なお')", "still empty.")],
    ids=["the editor fails", "a place was left empty"],
)
def test_what_was_not_sent_from_the_editor_is_not_lost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, program: str, told: str
) -> None:
    _editor(folder, monkeypatch, program)
    code, _, err = _run("cases", "answer", "2", "--draft", "--edit")
    (kept,) = folder.glob("answer-*")
    assert (code, told in err, str(kept) in err) == (1, True, True)
    assert BLANK in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert _sent(folder) == []


def test_what_a_colleague_did_while_the_editor_was_open_keeps_the_answer_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    colleague = f"""
from datetime import UTC, datetime
from responder.store import casework
from responder.store.engine import open_engine
with open_engine({_url(folder)!r}).begin() as connection:
    casework.note(connection, 2, text="電話で回答済みです。", who="suzuki", now=datetime.now(UTC))
path.write_text(text.replace({BLANK!r}, "翌月末でございます。"))
"""
    _editor(folder, monkeypatch, colleague)
    code, _, err = _run("cases", "answer", "2", "--draft", "--edit")
    assert (code, "others did something in it meanwhile" in err) == (1, True)
    assert _sent(folder) == []
    assert [path for path in folder.glob("answer-*") if "翌月末" in path.read_text()]


def test_an_editor_that_is_not_there_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "/no/such/editor")
    code, _, err = _run("cases", "answer", "2", "--draft", "--edit")
    assert (code, "Set $EDITOR." in err, _sent(folder)) == (1, True, [])


@pytest.mark.parametrize("words", [[], ["--draft", "--text", "はい"], ["--text", "はい", "--file", "-"]])
def test_an_answer_comes_from_one_place(words: list[str]) -> None:
    code, _, err = _run("cases", "answer", "1", *words)
    assert (code, "or --draft; one of them." in err) == (1, True)


def test_a_broken_faq_does_not_hide_the_case(folder: Path) -> None:
    (folder / "corpus" / "q01.toml").write_text("id = ")
    code, out, err = _run("cases", "show", "1")
    assert (code, "R-000001" in out, "q01.toml" in err) == (0, True, True)
