"""Staff teach from the command line, and what they taught is learned from beside the files."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from responder.app.pieces import corpus_of, taught_so_far
from responder.app.teaching import examples_of
from responder.cli import app
from responder.config import load_config
from responder.corpus import Corpus, load_corpus, with_examples
from responder.mail.envelope import Envelope
from responder.store import inbox
from responder.store.engine import make_ready, open_engine
from responder.store.labels import Label
from tests.knowledge import ADDRESS, ROOT, cold_corpus, example
from tests.store.test_escalations import escalate
from tests.triage.test_grouping import PARKING

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped entries without labelled mails, and a store of the test's own, with two mails in it."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RESPONDER_STORE__URL", _url(tmp_path))
    monkeypatch.setenv("RESPONDER_COURIER__NEXT_HOP", f"maildir:{tmp_path / 'replies'}")
    monkeypatch.setenv("RESPONDER_SERVICE__CORPUS", str(cold_corpus(tmp_path)))
    monkeypatch.setenv("RESPONDER_SERVICE__STATE", str(tmp_path / "state"))
    monkeypatch.setenv("USER", "sato")
    engine = _engine(tmp_path)
    make_ready(engine)
    envelope = Envelope("tanaka@contractor.example", (ADDRESS,))
    with engine.begin() as connection:
        inbox.accept(connection, [(envelope, example("shared-mailbox")), (envelope, b"")], now=NOW)
    engine.dispose()
    return tmp_path


def _url(folder: Path) -> str:
    return f"sqlite:///{folder / 'responder.db'}"


def _engine(folder: Path) -> Engine:
    return open_engine(_url(folder))


def _run(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def _lines(*words: str) -> list[dict[str, Any]]:
    code, out, err = _run(*words, "--json")
    assert (code, err) == (0, "")
    return [json.loads(line) for line in out.splitlines()]


def _corpus() -> Corpus:
    config = load_config(None)
    return corpus_of(config, taught_so_far(config))


def test_what_is_taught_is_listed_and_taken_back_with_both_names() -> None:
    (told,) = _lines("cases", "teach", "1", "--entry", "q04", "--entry", "q07", "--partly")
    assert (told["id"], told["expected"], told["complete"], told["taught_by"]) == (1, ["q04", "q07"], False, "sato")
    (label,) = _lines("labels", "list")
    assert (label["inquiry_id"], label["expected"], label["complete"]) == (1, ["q04", "q07"], False)
    assert _lines("cases", "unteach", "1", "--by", "suzuki") == [{"id": 1, "undone_by": "suzuki"}]
    assert _lines("labels", "list") == []
    (undone,) = _lines("labels", "list", "--all")
    assert (undone["taught_by"], undone["undone_by"], undone["expected"]) == ("sato", "suzuki", ["q04", "q07"])


def test_people_read_what_was_taught_in_words() -> None:
    assert _run("cases", "teach", "1", "--entry", "q04", "--entry", "q04")[1] == "mail: 1  answered by: q04\n"
    assert _run("cases", "teach", "1", "--nobody")[1] == "mail: 1  answered by: nobody\n"
    assert "nobody" in _run("labels", "list")[1]
    assert _run("cases", "unteach", "1")[1] == "mail: 1  undone by: sato\n"
    assert _run("labels", "list") == (0, "", "Nothing was taught yet.\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["teach", "1"], "Name the entries that answer it, --entry q04, or say --nobody."),
        (["teach", "1", "--entry", "q04", "--nobody"], "or say --nobody."),
        (["teach", "1", "--nobody", "--partly"], "--partly goes with --entry"),
        (["teach", "1", "--entry", "q99"], "There is no entry q99. There are q01, q02,"),
        (["teach", "9", "--nobody"], "There is no mail 9."),
        (["unteach", "1"], "Mail 1 has no label to take back."),
    ],
    ids=["neither", "both", "a part of nothing", "no such entry", "no such mail", "nothing to take back"],
)
def test_what_cannot_be_taught_is_refused_with_a_remedy(words: Sequence[str], told: str) -> None:
    code, out, err = _run("cases", *words)
    assert (code, out) == (1, "")
    assert told in err
    assert _lines("labels", "list", "--all") == []


def test_a_taught_mail_becomes_an_example_of_its_month_as_recognition_reads_it() -> None:
    before = _corpus()
    _run("cases", "teach", "1", "--entry", "q04", "--partly")
    after = _corpus()
    (taught,) = after.examples
    assert taught.author.startswith("taught 20")
    assert (taught.expected, taught.complete, taught.name) == (("q04",), False, "R-000001")
    assert "共用アドレスを\n記載してよい" in taught.body
    assert "Received" not in taught.body
    assert after.fingerprint != before.fingerprint
    _run("cases", "unteach", "1")
    assert _corpus().fingerprint == before.fingerprint


def test_what_is_exported_is_a_file_of_examples_and_is_learned_once(folder: Path) -> None:
    _run("cases", "teach", "1", "--entry", "q04")
    (folder / "corpus" / "examples").mkdir()
    (folder / "corpus" / "examples" / "taught.jsonl").write_text(_run("labels", "export")[1])
    (example,) = load_corpus(folder / "corpus").examples
    assert (example.expected, example.complete, example.author) == (("q04",), True, "taught")
    assert len(_corpus().examples) == 1
    _run("cases", "teach", "1", "--entry", "q07")
    (corrected,) = _corpus().examples
    assert corrected.expected == ("q07",)
    _run("cases", "unteach", "1")
    assert [found.expected for found in _corpus().examples] == [("q04",)]


def test_a_label_for_an_entry_that_is_gone_is_left_out_and_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _run("cases", "teach", "1", "--entry", "q04", "--entry", "q07")
    _run("cases", "teach", "2", "--nobody")
    (folder / "corpus" / "q07.toml").unlink()
    capsys.readouterr()
    assert [found.expected for found in _corpus().examples] == [()]
    assert "label left out" in (told := "".join(capsys.readouterr()))
    assert "q07" in told
    assert "q04" not in told


def test_check_says_how_many_mails_were_taught() -> None:
    assert "15 entries, 0 labelled mails (0 of them taught)" in _run("check")[1]
    _run("cases", "teach", "1", "--entry", "q04")
    code, out, _ = _run("check")
    assert code == 0
    assert "15 entries, 1 labelled mails (1 of them taught)" in out


def test_decide_goes_by_what_was_taught_and_makes_no_store(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = ROOT / "examples" / "shared-mailbox.eml"
    fingerprint = json.loads(_run("explain", "--json", str(file))[1])["classifier"]
    _run("cases", "teach", "1", "--entry", "q04")
    assert json.loads(_run("explain", "--json", str(file))[1])["classifier"] != fingerprint
    monkeypatch.setenv("RESPONDER_STORE__URL", f"sqlite:///{folder / 'none.db'}")
    assert json.loads(_run("explain", "--json", str(file))[1])["classifier"] == fingerprint
    assert not (folder / "none.db").exists()


def test_decide_goes_on_where_the_store_is_away(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPONDER_STORE__URL", f"postgresql://responder@/nowhere?host={folder}")
    code, out, err = _run("decide", str(ROOT / "examples" / "shared-mailbox.eml"))
    assert (code, len(out.splitlines())) == (0, 1)
    assert "without what people taught" in err


def test_the_text_of_a_label_goes_before_the_same_text_in_a_file() -> None:
    corpus = load_corpus(ROOT / "faq_corpus")
    first = corpus.examples[0]
    taught = Label(1, 1, first.subject, first.body, (), True, NOW, "sato", None, None)
    learned = with_examples(corpus, examples_of([taught], {entry.id for entry in corpus.entries}))
    assert len(learned.examples) == len(corpus.examples)
    assert [found.expected for found in learned.examples if found.body == first.body] == [()]
    assert learned.examples[-1].author == "taught 2026-11"


def test_what_was_asked_several_times_is_printed_with_what_it_might_become(folder: Path) -> None:
    assert "Nothing was asked again and again lately." in "".join(_run("suggestions")[1:])
    engine = _engine(folder)
    with engine.begin() as connection:
        # The two mails of the fixture wait before them.
        inbox.claim(connection, now=NOW, limit=2, lease=timedelta(days=9999))
        numbers = [escalate(connection, text, now=datetime.now(UTC)) for text in PARKING]
    engine.dispose()
    (group,) = _lines("suggestions", "--json")
    assert (group["mails"], group["entry"], group["said"]) == (numbers[::-1], None, 0)
    assert "駐車場" in group["question"]
    assert "new entry" in _run("suggestions")[1]
