"""The commands, as an operator types them: what they print, where, and the exit code."""

import json
import mailbox
import os
import re
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from responder import __version__
from responder.cli import app
from responder.errors import OperatorError
from responder.mail.envelope import Envelope
from responder.store import case_events, inbox, muted, outbox
from responder.store.engine import make_ready, open_engine, reading
from responder.worker import triage_next
from tests.knowledge import ADDRESS, EXAMPLES, ROOT, STATE, briefing, example, reader, shipped_classifier
from tests.service import author_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
TANAKA = "tanaka@contractor.example"
SHARED = "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"


@dataclass(frozen=True, slots=True)
class _Run:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[Any]:
        """The JSON lines of its output."""
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Settings that disturb nobody: the shipped files, and a store in a folder of the test's own."""
    for name in [name for name in os.environ if name.startswith("RESPONDER_") and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RESPONDER_STORE__URL", f"sqlite:///{tmp_path / 'store' / 'responder.db'}")
    monkeypatch.setenv("RESPONDER_COURIER__NEXT_HOP", f"maildir:{tmp_path / 'replies'}")
    shipped_classifier()  # so that it is learned once, and every command reads it back
    monkeypatch.setenv("RESPONDER_SERVICE__STATE", str(STATE))
    monkeypatch.setenv("USER", "sato")
    return tmp_path


def _run(*words: str | Path, given: str | bytes | None = None) -> _Run:
    """One command in this process. An operator's fault leaves as `main` lets it out: exit code 1, the faults told."""
    done = CliRunner().invoke(app, [str(word) for word in words], input=given)
    if isinstance(done.exception, OperatorError):
        return _Run(1, done.stdout, "\n".join(map(str, done.exception.faults)))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return _Run(done.exit_code, done.stdout, done.stderr)


def _process(*words: str | Path) -> subprocess.CompletedProcess[bytes]:
    """One command as a process of its own."""
    return subprocess.run([sys.executable, "-m", "responder", *map(str, words)], cwd=ROOT, capture_output=True)


def _mail(text: str = SHARED, **fields: str) -> bytes:
    mail = EmailMessage()
    for name, value in {"From": TANAKA, "To": ADDRESS, "Subject": "お尋ね", **fields}.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def _stored(folder: Path) -> Path:
    return folder / "store" / "responder.db"


def _work(folder: Path, *raws: bytes) -> None:
    """What a running service would have done with these mails."""
    engine = open_engine(f"sqlite:///{_stored(folder)}")
    make_ready(engine)
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(author_of(raw), (ADDRESS,)), raw) for raw in raws], now=NOW)
    triage_next(engine, briefing(), reader(), now=NOW, limit=50, lease=LEASE)
    engine.dispose()


# --- the program ---


@pytest.mark.parametrize("word", ["--help", "-h"])
def test_help_names_every_command(word: str) -> None:
    run = _run(word)
    assert run.code == 0
    for command in (
        "serve",
        "check",
        "health",
        "decide",
        "explain",
        "import",
        "cases",
        "inbox",
        "outbox",
        "muted",
        "corpus",
        "user",
        "audit",
    ):
        assert re.search(rf"^ +{command} ", run.out, re.MULTILINE)


@pytest.mark.parametrize("group", [[], ["cases"], ["inbox"], ["outbox"], ["muted"], ["config"], ["corpus"], ["db"]])
def test_a_group_without_a_command_shows_what_it_has(group: list[str]) -> None:
    run = _run(*group)
    assert "Usage: " in run.out + run.err


def test_the_version_is_printed() -> None:
    assert _run("--version") == _Run(0, f"{__version__}\n", "")


@pytest.mark.parametrize("words", [["frob"], ["decide"], ["cases", "take", "one"], ["cases", "list", "--limit", "0"]])
def test_a_command_line_that_cannot_be_ends_with_two(words: list[str]) -> None:
    assert _run(*words).code == 2


HELP = """
import sys
from responder.cli import main
sys.argv = ["responder", "--help"]
try:
    main()
except SystemExit:
    print([name for name in ("sklearn", "sqlalchemy", "uvicorn", "aiosmtpd") if name in sys.modules])
"""


def test_help_imports_neither_the_store_nor_the_classifier() -> None:
    run = subprocess.run([sys.executable, "-c", HELP], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_an_operators_fault_tells_file_key_and_remedy_without_a_traceback(folder: Path) -> None:
    config = folder / "wrong.toml"
    config.write_text("[triage]\nbatch = 5000\nbach = 1\n")
    run = _process("--config", config, "decide", EXAMPLES)
    first, second = run.stderr.decode().splitlines()
    assert (run.returncode, run.stdout) == (1, b"")
    assert first == f"{config}:2: triage.batch: 5000 is more than 1000. The default is 20"
    assert second == f"{config}:3: triage.bach: there is no such key. Did you mean batch?"


@pytest.mark.parametrize(
    ("variable", "words"),
    [
        ("RESPONDER_SERVICE__CORPUS", ["decide", "x.eml"]),
        ("RESPONDER_SERVICE__CORPUS", ["corpus", "check"]),
        ("RESPONDER_STORE__URL", ["inbox", "list"]),
        ("RESPONDER_TRIAGE__BATCH", ["check"]),
    ],
)
def test_every_command_ends_with_one_on_an_operators_fault(
    variable: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "mysql://nowhere" if "URL" in variable else "/nowhere")
    run = _process(*words)
    assert run.returncode == 1
    assert b"Traceback" not in run.stderr
    assert run.stderr.count(b"\n") == 1


def test_a_database_that_cannot_be_opened_is_an_operators_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "no.db").write_text("this is no database " * 100)
    monkeypatch.setenv("RESPONDER_STORE__URL", f"sqlite:///{folder / 'no.db'}")
    run = _run("inbox", "list")
    assert (run.code, run.out) == (1, "")
    assert "no.db" in run.err


def test_a_reader_who_has_had_enough_is_no_fault() -> None:
    words = [sys.executable, "-m", "responder", "decide", *[str(EXAMPLES)] * 10]
    with subprocess.Popen(words, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as program:
        assert program.stdout is not None
        assert program.stderr is not None
        program.stdout.readline()
        program.stdout.close()
        assert (program.stderr.read(), program.wait(timeout=60)) == (b"", 0)


# --- decide ---


def _decide(*paths: Path) -> list[dict[str, Any]]:
    run = _run("decide", "--json", *paths)
    assert run.code == 0
    return run.lines


def test_decide_says_one_line_for_each_file_in_the_order_of_names() -> None:
    run = _run("decide", EXAMPLES)
    assert run.code == 0
    lines = [line.split() for line in run.out.splitlines()]
    names = sorted(path.name for path in EXAMPLES.iterdir())
    assert [Path(line[-1]).name for line in lines] == names
    assert {Path(line[-1]).name: line[0] for line in lines if line[-1].endswith(".eml")} == {
        "delivery-report.eml": "suppress",
        "english.eml": "answer",
        "out-of-office.eml": "suppress",
        "payment-date.eml": "escalate",
        "shared-mailbox.eml": "answer",
        "three-party-iso-2022-jp.eml": "answer",
        "two-questions.eml": "answer",
    }
    assert [line[1] for line in lines if line[0] == "answer"] == ["q15", "q04", "q07", "q04,q07"]


def test_decide_gives_programs_one_object_a_line_with_these_keys() -> None:
    (line,) = _decide(EXAMPLES / "two-questions.eml")
    assert list(line) == ["file", "action", "entries", "confidence", "reason", "rule"]
    assert line["file"] == str(EXAMPLES / "two-questions.eml")
    assert (line["action"], line["entries"], line["reason"], line["rule"]) == (
        "answer",
        ["q04", "q07"],
        "recognised",
        None,
    )
    assert 0 < line["confidence"] <= 1


def test_decide_names_the_rule_that_forbids_an_answer() -> None:
    (line,) = _decide(EXAMPLES / "out-of-office.eml")
    assert (line["action"], line["entries"], line["reason"], line["rule"]) == (
        "suppress",
        [],
        "auto-submitted",
        "auto-submitted",
    )


def test_decide_walks_folders_to_any_depth_and_takes_files_beside_them(folder: Path) -> None:
    deep = folder / "b" / "c" / "d"
    deep.mkdir(parents=True)
    for path in (deep / "deep.eml", folder / "b" / "a.eml", folder / "single"):
        path.write_bytes(_mail())
    (folder / "b" / "empty").mkdir()
    lines = _decide(folder / "single", folder / "b")
    assert [line["file"] for line in lines] == [
        str(folder / "single"),
        str(folder / "b" / "a.eml"),
        str(deep / "deep.eml"),
    ]
    assert {line["action"] for line in lines} == {"answer"}


def test_decide_on_an_empty_folder_says_nothing(folder: Path) -> None:
    assert _run("decide", folder) == _Run(0, "", "")


def test_decide_shows_a_name_that_is_not_utf_8_escaped(folder: Path) -> None:
    place = folder / "mails"
    place.mkdir()
    Path(os.fsdecode(os.fsencode(place) + b"/\xff\xfe.eml")).write_bytes(_mail())
    (place / "質問 ?*'\".eml").write_bytes(_mail())
    names = [line["file"] for line in _decide(place)]
    assert sorted(names) == sorted([f"{place}/\\xff\\xfe.eml", f"{place}/質問 ?*'\".eml"])
    done = _process("decide", place)
    assert (done.returncode, done.stderr) == (0, b"")
    assert "\\xff\\xfe.eml" in done.stdout.decode()


def test_decide_keeps_to_one_line_whatever_the_name_holds(folder: Path) -> None:
    (folder / "a\nanswer    q99.eml").write_bytes(_mail())
    assert len(_run("decide", folder).out.splitlines()) == 1


def test_decide_shows_no_control_character_of_a_name(folder: Path) -> None:
    (folder / "a\x1b[2J.eml").write_bytes(_mail())
    assert "\x1b" not in _run("decide", folder).out
    assert _decide(folder)[0]["file"] == f"{folder}/a\x1b[2J.eml"


@pytest.mark.parametrize("name", ["missing", "dangling"])
def test_decide_gives_a_file_that_cannot_be_read_to_a_person(folder: Path, name: str) -> None:
    (folder / "dangling").symlink_to(folder / "nowhere")
    run = _run("decide", "--json", folder / name, EXAMPLES / "shared-mailbox.eml")
    assert [(line["action"], line["reason"]) for line in run.lines] == [
        ("escalate", "the mail could not be read"),
        ("answer", "recognised"),
    ]
    assert (run.code, run.err) == (0, f"{folder / name}: No such file or directory\n")


def test_decide_gives_a_file_that_is_too_large_to_a_person(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPONDER_LISTENER__MAX_MESSAGE_BYTES", "64KiB")
    raw = _mail()
    for name, size in (("at-the-limit.eml", 65_536), ("over.eml", 65_537)):
        (folder / name).write_bytes(raw.ljust(size))
    run = _run("decide", "--json", folder)
    assert [line["action"] for line in run.lines] == ["answer", "escalate"]
    assert run.err == f"{folder / 'over.eml'}: larger than listener.max_message_bytes\n"


NO_SENDER = {
    "an empty file": b"",
    "bytes that are no mail": bytes(range(256)) * 40,
    "a mail without From": _mail().replace(f"From: {TANAKA}\n".encode(), b""),
    "a From beyond ASCII": _mail().replace(TANAKA.encode(), "田中@例示.jp".encode()),
}


@pytest.mark.parametrize("raw", NO_SENDER.values(), ids=NO_SENDER)
def test_decide_says_one_line_for_whatever_a_file_holds(folder: Path, raw: bytes) -> None:
    (folder / "a.eml").write_bytes(raw)
    run = _run("decide", folder)
    assert (run.code, len(run.out.splitlines()), run.err) == (0, 1, "")
    assert not run.out.startswith("answer")


@pytest.mark.parametrize("raw", NO_SENDER.values(), ids=NO_SENDER)
def test_decide_gives_a_mail_whose_sender_cannot_be_read_to_a_person(folder: Path, raw: bytes) -> None:
    (folder / "a.eml").write_bytes(raw)
    assert [line["action"] for line in _decide(folder)] == ["escalate"]


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"Return-Path": "<>"}, "null sender"),
        ({"Return-Path": f"<{ADDRESS}>"}, "own address for somebody else"),
        ({"Return-Path": f"<{TANAKA}>", "From": ADDRESS}, "own address"),
        ({"Return-Path": "<bounces+1@contractor.example>"}, "return address of a machine"),
        ({"Return-Path": "<suzuki@contractor.example>"}, None),
    ],
    ids=["null", "our own", "another beside our own From", "a machine's", "another person's"],
)
def test_decide_takes_the_envelope_from_return_path_before_from(
    folder: Path, fields: dict[str, str], rule: str | None
) -> None:
    (folder / "a.eml").write_bytes(_mail(**fields))
    (line,) = _decide(folder)
    people = ("return address of a machine", "own address for somebody else")
    action = "answer" if rule is None else "escalate" if rule in people else "suppress"
    assert (line["action"], line["rule"]) == (action, rule)


def test_decide_asks_only_the_thresholds_in_force(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPONDER_TRIAGE__FLOOR", "1")
    (line,) = _decide(EXAMPLES / "shared-mailbox.eml")
    assert (line["action"], line["reason"], line["entries"]) == ("escalate", "no entry fits well enough", ["q04"])


def test_decide_and_explain_make_no_database_and_send_nothing(folder: Path) -> None:
    assert _run("decide", EXAMPLES).code == 0
    assert _run("explain", EXAMPLES / "shared-mailbox.eml").code == 0
    assert _run("corpus", "check").code == 0
    assert _run("config", "show").code == 0
    assert list(folder.iterdir()) == []


# --- explain ---


def test_explain_walks_through_every_step_in_words() -> None:
    run = _run("explain", EXAMPLES / "two-questions.eml")
    assert run.code == 0
    assert "message      電子契約について2点お伺い" in run.out
    assert "from sato@example.co.jp, decoded as utf-8, declared as UTF-8" in run.out
    assert "language     Japanese" in run.out
    assert "guard        no rule forbids an answer" in run.out
    assert re.search(r"^question 3 .*三者間の契約", run.out, re.MULTILINE)
    assert re.search(r"^ +0\.\d{3}  q07  3者間の契約での利用$", run.out, re.MULTILINE)
    assert re.search(r"spoke for it: .*メーリングリスト", run.out)
    assert "decision     answer: recognised  q04, q07" in run.out
    assert re.search(r"^thresholds   floor 0\.\d+, margin \d\.\d+$", run.out, re.MULTILINE)
    assert re.search(r"^corpus       [0-9a-f]{16}   classifier [0-9a-f]{16}$", run.out, re.MULTILINE)


def test_explain_names_the_rule_that_forbids_an_answer() -> None:
    run = _run("explain", EXAMPLES / "out-of-office.eml")
    assert "guard        auto-submitted" in run.out
    assert "decision     suppress: auto-submitted" in run.out


def test_explain_shows_the_language_of_a_mail() -> None:
    assert "language     English" in _run("explain", EXAMPLES / "english.eml").out
    assert _run("explain", "--json", EXAMPLES / "english.eml").lines[0]["language"] == "English"
    silent = b"From: tanaka@contractor.example\r\n\r\n"
    assert "language     none: it says nothing" in _run("explain", "-", given=silent).out


def test_explain_gives_programs_the_decision_as_it_would_be_kept() -> None:
    (record,) = _run("explain", "--json", EXAMPLES / "two-questions.eml").lines
    assert (record["action"], record["entries"]) == ("answer", ["q04", "q07"])
    assert [question["entry"] for question in record["questions"][1:]] == ["q04", "q07"]
    assert {"reason", "rule", "revisions", "confidence", "charset", "thresholds", "corpus", "classifier"} < set(record)


def test_explain_reads_standard_input() -> None:
    run = _run("explain", "-", "--json", given=example("shared-mailbox"))
    assert run.lines[0]["entries"] == ["q04"]


def test_explain_says_why_a_mail_could_not_be_read() -> None:
    run = _run("explain", "-", given=b"X-A: b\r\n" * 2000)
    assert run.code == 0
    assert "could not be read: the header has more than 1000 fields" in run.out
    assert "decision     escalate: the mail could not be read" in run.out


def test_explain_on_a_file_that_is_not_there_ends_with_one(folder: Path) -> None:
    run = _run("explain", folder / "none.eml")
    assert (run.code, run.out) == (1, "")
    assert run.err == f"{folder / 'none.eml'} cannot be read: No such file or directory.\n"


def test_explain_and_decide_agree() -> None:
    for path in sorted(EXAMPLES.glob("*.eml")):
        (decided,), (explained,) = _decide(path), _run("explain", "--json", path).lines
        for key in ("action", "entries", "reason", "rule"):
            assert decided[key] == explained[key]
        assert decided["confidence"] == (explained["confidence"] or 0.0)


# --- import ---


def _imported() -> list[bytes]:
    """What stands in the inbox, oldest first."""
    numbers = sorted(row["id"] for row in _run("inbox", "list", "--json").lines)
    return [_process("inbox", "show", str(number), "--raw").stdout for number in numbers]


def _mbox(place: Path, *raws: bytes) -> Path:
    box = mailbox.mbox(place)
    for raw in raws:
        box.add(raw)
    box.close()
    return place


def _maildir(place: Path, *raws: bytes) -> Path:
    box = mailbox.Maildir(place)
    for raw in raws:
        box.add(raw)
    box.close()
    return place


ONE, TWO = _mail("一つ目"), _mail("From here on?\n\nFrom there")


def test_import_takes_a_mail_in_byte_by_byte(folder: Path) -> None:
    raw = example("three-party-iso-2022-jp")
    (folder / "a.eml").write_bytes(raw)
    run = _run("import", folder / "a.eml")
    assert (run.code, run.out.strip()) == (0, "1 mails taken in.")
    assert _imported() == [raw]


def test_import_takes_a_folder_to_any_depth(folder: Path) -> None:
    (folder / "in" / "deep").mkdir(parents=True)
    (folder / "in" / "a.eml").write_bytes(ONE)
    (folder / "in" / "deep" / "b.eml").write_bytes(TWO)
    assert _run("import", folder / "in").code == 0
    assert _imported() == [ONE, TWO]


def test_import_takes_an_mbox_mail_by_mail(folder: Path) -> None:
    assert _run("import", _mbox(folder / "box", ONE, TWO)).code == 0
    first, second = _imported()
    for given, kept in ((ONE, first), (TWO, second)):
        assert message_from_bytes(kept, policy=default)["Subject"] == "お尋ね"
        assert message_from_bytes(kept, policy=default).get_content_type() == "text/plain"
        assert len(kept) >= len(given)


def test_import_takes_a_maildir_read_and_new(folder: Path) -> None:
    place = _maildir(folder / "mails", ONE, TWO)
    (seen,) = [path for path in (place / "new").iterdir() if path.read_bytes() == ONE]
    seen.rename(place / "cur" / f"{seen.name}:2,S")
    (place / "tmp" / "half-written").write_bytes(b"half")
    assert _run("import", place).code == 0
    assert _imported() == [ONE, TWO]


def test_import_takes_several_paths_and_more_than_a_batch(folder: Path) -> None:
    place = _maildir(folder / "mails", *(_mail(str(number)) for number in range(101)))
    (folder / "a.eml").write_bytes(ONE)
    run = _run("import", place, folder / "a.eml")
    assert run.out.strip() == "102 mails taken in."
    assert len(_run("inbox", "list", "--json", "--limit", "1000").lines) == 102


def test_an_imported_mail_is_from_its_return_path_and_to_us(folder: Path) -> None:
    (folder / "a.eml").write_bytes(_mail(**{"Return-Path": "<suzuki@contractor.example>", "To": "else@where.example"}))
    _run("import", folder / "a.eml")
    (row,) = _run("inbox", "list", "--json").lines
    assert (row["mail_from"], row["lane"]) == ("suzuki@contractor.example", None)
    with reading(open_engine(f"sqlite:///{_stored(folder)}")) as connection:
        record = inbox.find(connection, 1)
        connection.engine.dispose()
    assert record is not None
    assert record.envelope.rcpt_to == (ADDRESS,)


def test_import_of_what_is_not_there_ends_with_one(folder: Path) -> None:
    run = _run("import", folder / "none")
    assert run.code == 1
    assert f"{folder / 'none'}: No such file or directory." in run.err


def test_what_import_read_before_it_broke_off_is_in_the_inbox(folder: Path) -> None:
    (folder / "a.eml").write_bytes(ONE)
    run = _run("import", folder / "a.eml", folder / "none")
    assert (run.code, "What was read before it is in the inbox." in run.err) == (1, True)
    assert _imported() == [ONE]


@pytest.mark.parametrize(
    "raw", [NO_SENDER["a mail without From"], NO_SENDER["a From beyond ASCII"]], ids=["no From", "beyond ASCII"]
)
def test_an_imported_question_whose_sender_cannot_be_read_goes_to_a_person(folder: Path, raw: bytes) -> None:
    (folder / "a.eml").write_bytes(raw)
    _run("import", folder / "a.eml")
    _work(folder)
    assert [row["lane"] for row in _run("inbox", "list", "--json").lines] == ["escalated"]


# --- corpus, config, check, db ---


@pytest.fixture
def corpus(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A corpus that the test may spoil."""
    monkeypatch.setenv("RESPONDER_SERVICE__CORPUS", str(folder / "faq"))
    return Path(shutil.copytree(ROOT / "faq_corpus", folder / "faq"))


def _spoilt(path: Path, old: str, new: str) -> None:
    source = path.read_text(encoding="utf-8")
    assert old in source
    path.write_text(source.replace(old, new), encoding="utf-8")


def test_corpus_check_warns_and_ends_with_nought(corpus: Path) -> None:
    _spoilt(corpus / "q07.toml", "3者間の契約でも、電子契約（クラウドサイン）をご利用いただけます。", "可能です。")
    run = _run("corpus", "check")
    assert (run.code, run.out) == (0, f"15 entries, {run.err.count('warning: ')} warnings.\n")
    assert f"warning: {corpus}/q07.toml: answer: the answer is bare" in run.err


def test_corpus_check_gives_programs_each_warning(corpus: Path) -> None:
    _spoilt(corpus / "q07.toml", "3者間の契約でも、電子契約（クラウドサイン）をご利用いただけます。", "可能です。")
    run = _run("corpus", "check", "--json")
    assert (run.code, run.err) == (0, "")
    (bare,) = [line for line in run.lines if line["key"] == "answer"]
    assert bare["file"] == f"{corpus}/q07.toml"
    assert set(bare) == {"file", "key", "problem", "remedy", "line"}


def test_corpus_check_tells_every_fault_at_once_and_ends_with_one(corpus: Path) -> None:
    _spoilt(corpus / "q01.toml", 'mode = "automatic"', 'mode = "sometimes"')
    _spoilt(corpus / "q04.toml", "revision = 1", "revisoin = 1")
    (corpus / "q03.toml").write_text("number = ?")
    run = _process("corpus", "check")
    told = run.stderr.decode()
    assert (run.returncode, run.stdout) == (1, b"")
    for words in (f"{corpus}/q01.toml:", "mode", "Write automatic, review or off", "q04.toml", "q03.toml:1"):
        assert words in told
    assert "Traceback" not in told


def test_config_show_tells_value_and_origin_of_every_setting(folder: Path) -> None:
    config = folder / "config.toml"
    config.write_text('[service]\nname = "窓口"\n')
    run = _run("--config", config, "config", "show", "--json")
    shown = {f"{line['section']}.{line['key']}": (line["value"], line["origin"]) for line in run.lines}
    assert shown["service.name"] == ("窓口", str(config))
    assert shown["service.language"] == ("ja", "default")
    assert shown["courier.next_hop"] == (f"maildir:{folder / 'replies'}", "environment")
    assert len(shown) == len(run.lines)


@pytest.mark.parametrize("words", [[], ["--json"]])
def test_config_show_masks_every_secret(folder: Path, words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "secret").write_text("hush-file\n")
    monkeypatch.setenv("RESPONDER_COURIER__USERNAME", "responder")
    monkeypatch.setenv("RESPONDER_COURIER__PASSWORD", "hush-one")
    monkeypatch.setenv("RESPONDER_COURIER__TOKEN_COMMAND", "token --client-secret hush-two")
    monkeypatch.setenv("RESPONDER_STORE__URL", "postgresql://responder@db.example/mail")
    monkeypatch.setenv("RESPONDER_STORE__PASSWORD_FILE", str(folder / "secret"))
    run = _run("config", "show", *words)
    assert run.code == 0
    assert "hush" not in run.out + run.err
    assert "********" in run.out
    assert "responder:********@db.example" in run.out


def _parts(run: _Run) -> dict[str, str]:
    """What `check` says of each part; of several faults, the last."""
    return {line[:12].strip(): line[12:] for line in run.out.splitlines()}


def test_check_says_of_each_part_that_it_is_well(folder: Path) -> None:
    run = _run("check")
    told = _parts(run)
    assert (run.code, run.err) == (0, "")
    assert list(told) == ["settings", "corpus", "floor", "templates", "database", "encryption", "signature", "next hop"]
    assert all(told[part].startswith("ok") for part in told if part != "floor")
    assert told["corpus"].startswith("ok, 15 entries")
    assert str(folder / "replies") in told["next hop"]


def _closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.mark.parametrize("part", ["corpus", "templates", "database", "next hop"])
def test_check_ends_with_one_when_any_part_is_broken(folder: Path, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "file").write_text("in the way")
    broken = {
        "corpus": ("RESPONDER_SERVICE__CORPUS", str(folder / "none")),
        "templates": ("RESPONDER_SERVICE__TEMPLATES", str(folder / "none")),
        "database": ("RESPONDER_STORE__URL", f"sqlite:///{folder}/file/responder.db"),
        "next hop": ("RESPONDER_COURIER__NEXT_HOP", f"smtp://127.0.0.1:{_closed_port()}"),
    }
    monkeypatch.setenv(*broken[part])
    run = _run("check")
    told = _parts(run)
    assert run.code == 1
    assert {name for name in told if name != "floor" and not told[name].startswith("ok")} == {part}
    assert {"settings", "corpus", "templates", "database", "next hop"} <= set(told)
    assert "Traceback" not in run.err


def test_check_ends_with_one_where_the_folder_for_replies_cannot_be(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "file").write_text("in the way")
    monkeypatch.setenv("RESPONDER_COURIER__NEXT_HOP", f"maildir:{folder}/file/replies")
    run = _run("check")
    assert run.code == 1
    assert "courier.next_hop" in run.out


def test_check_tells_every_broken_part_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPONDER_SERVICE__CORPUS", str(folder / "none"))
    monkeypatch.setenv("RESPONDER_SERVICE__TEMPLATES", str(folder / "none"))
    run = _run("check")
    assert run.code == 1
    assert "corpus      " in run.out
    assert "templates   " in run.out
    assert "no such folder" in run.out


def test_upgrading_twice_changes_nothing_the_second_time(folder: Path) -> None:
    first, second = _run("db", "upgrade"), _run("db", "upgrade")
    assert (first.code, second.code) == (0, 0)
    assert re.fullmatch(r"schema \d{4}\n", first.out)
    assert second.out == f"{first.out.strip()} (as before)\n"
    assert _stored(folder).exists()


def test_a_store_of_a_newer_version_is_left_alone(folder: Path) -> None:
    _run("db", "upgrade")
    engine = open_engine(f"sqlite:///{_stored(folder)}")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    engine.dispose()
    run = _run("inbox", "list")
    assert run.code == 1
    assert "made by a newer version (schema 9999" in run.err


# --- the human queue ---


@pytest.fixture
def queue(folder: Path) -> Path:
    """Three mails: 1 was answered (mail 1), 2 is an open case (mail 2 acknowledged it), 3 was suppressed."""
    _work(folder, _mail(), example("payment-date"), example("out-of-office"))
    return folder


def test_cases_list_shows_what_waits(queue: Path) -> None:
    run = _run("cases", "list")
    assert run.code == 0
    assert "R-000002" in run.out
    assert "10月分のお支払いについて" in run.out
    (line,) = _run("cases", "list", "--json").lines
    assert (line["id"], line["reference"], line["state"], line["mail_from"]) == (
        2,
        "R-000002",
        "open",
        "suzuki@example.com",
    )


def test_times_are_shown_to_people_in_their_zone_and_to_programs_with_it(queue: Path) -> None:
    assert "2026-11-24 18:00" in _run("cases", "list").out
    assert _run("cases", "list", "--json").lines[0]["opened_at"] == "2026-11-24T09:00:00+00:00"


def test_an_empty_queue_says_so_to_people_and_nothing_to_programs(folder: Path) -> None:
    assert _run("cases", "list") == _Run(0, "", "No case is waiting.\n")
    assert _run("cases", "list", "--json") == _Run(0, "", "")


def test_closed_cases_are_listed_only_where_asked(queue: Path) -> None:
    assert _run("cases", "close", "2", "--reason", "called him").code == 0
    assert _run("cases", "list", "--json").lines == []
    assert [line["state"] for line in _run("cases", "list", "--all", "--json").lines] == ["closed"]


def test_cases_show_tells_the_mail_the_candidates_and_what_happened(queue: Path) -> None:
    _run("cases", "take", "2")
    run = _run("cases", "show", "2")
    assert run.code == 0
    for words in ("R-000002", "お振込みはいつ頃", "candidates:", "opened by responder", "taken by sato"):
        assert words in run.out
    assert re.search(r"acknowledgement to suzuki@example\.com: queued", run.out)
    (shown,) = _run("cases", "show", "2", "--json").lines
    assert [event["event"] for event in shown["events"]] == ["opened", "taken"]
    assert [mail["id"] for mail in shown["mails"]] == [2]
    assert shown["mails"][0]["decision"]["action"] == "escalate"
    assert [row["kind"] for row in shown["sent"]] == ["acknowledgement"]


def test_cases_show_tells_the_answer_that_a_reply_was_to(queue: Path) -> None:
    (answer,) = _run("outbox", "list", "--json").lines[-1:]
    assert answer["kind"] == "answer"
    _work(queue, _mail("その後はどうすればよいですか。", In_Reply_To=answer["message_id"]))
    run = _run("cases", "show", "1")
    assert run.code == 0
    assert run.out.index("その後はどうすれば") < run.out.index(f"answer to {TANAKA}: queued")
    assert "自動でお送りしております。" in run.out
    (shown,) = _run("cases", "show", "1", "--json").lines
    assert "自動でお送りしております。" in shown["sent"][0]["text"]


def test_muted_addresses_are_listed_and_taken_out(queue: Path) -> None:
    assert _run("muted", "list") == _Run(0, "", "No address is muted.\n")
    engine = open_engine(f"sqlite:///{queue / 'store' / 'responder.db'}")
    now = datetime.now(UTC)
    with engine.begin() as connection:
        muted.mute(connection, TANAKA, reason="answer bounced: 5.1.1", until=now + timedelta(days=60), now=now)
    engine.dispose()
    (line,) = _run("muted", "list", "--json").lines
    assert (line["address"], line["reason"]) == (TANAKA, "answer bounced: 5.1.1")
    assert TANAKA in _run("muted", "list").out
    assert _run("muted", "remove", TANAKA.upper()).code == 0
    assert _run("muted", "remove", TANAKA) == _Run(1, "", f"{TANAKA} is not muted.\n")
    assert _run("muted", "list", "--json").lines == []


def test_a_mail_cannot_drive_the_terminal_of_who_reads_it(folder: Path) -> None:
    _work(folder, _mail("どうなりますか。\x1b[2J\x07 天気", Subject="天気"))
    run = _run("cases", "show", "1")
    assert "天気" in run.out
    assert not {"\x1b", "\x07"} & set(run.out)


@pytest.mark.parametrize("words", [["cases", "show"], ["inbox", "show"]])
def test_showing_what_is_not_there_ends_with_one(queue: Path, words: list[str]) -> None:
    run = _run(*words, "99")
    assert (run.code, run.out) == (1, "")
    assert "99" in run.err


def test_a_case_is_taken_by_one_person(queue: Path) -> None:
    assert _run("cases", "take", "2", "--json") == _Run(0, '{"id": 2, "taken_by": "sato"}\n', "")
    assert _run("cases", "take", "2", "--by", "suzuki") == _Run(
        1, "", "Case 2 was not taken: somebody else has taken the case.\n"
    )
    assert _run("cases", "list", "--json").lines[0]["taken_by"] == "sato"


def test_taking_a_case_that_is_none_ends_with_one(queue: Path) -> None:
    assert _run("cases", "take", "1").code == 1


def test_somebody_must_say_who_they_are(queue: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USER")
    assert _run("cases", "take", "2").code == 2


def _answers() -> list[dict[str, Any]]:
    return [row for row in _run("outbox", "list", "--json").lines if row["kind"] == "person"]


@pytest.mark.parametrize("way", ["text", "file", "standard input"])
def test_an_answer_is_given_as_text_from_a_file_or_from_standard_input(queue: Path, way: str) -> None:
    words = "お支払いは翌月末でございます。\n二行目"
    (queue / "answer.txt").write_text(words, encoding="utf-8")
    given: dict[str, list[str | Path]] = {
        "text": ["--text", words],
        "file": ["--file", queue / "answer.txt"],
        "standard input": ["--file", "-"],
    }
    run = _run("cases", "answer", "2", *given[way], given=words)
    (row,) = _answers()
    assert run == _Run(0, f"id: 2  delivery: {row['id']}  to: suzuki@example.com\n", "")
    assert _run("cases", "list", "--json").lines == []
    engine = open_engine(f"sqlite:///{_stored(queue)}")
    with reading(engine) as connection:
        raw = outbox.raw_of(connection, row["id"])
        assert [event.who for event in case_events.of_case(connection, 2)] == ["responder", "sato"]
    engine.dispose()
    assert raw is not None
    content = message_from_bytes(raw, policy=default).get_content()
    assert words in content.replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["2"], "Give the answer with --text, or --file PATH"),
        (["2", "--text", "  "], "Case 2 was not answered: the answer has no text."),
        (["2", "--file", "/nowhere/answer.txt"], "/nowhere/answer.txt cannot be read"),
        (["1", "--text", "はい"], "Case 1 was not answered: there is no such case."),
    ],
    ids=["no words", "blank words", "no such file", "no such case"],
)
def test_an_answer_that_cannot_be_given_ends_with_one(queue: Path, words: list[str], told: str) -> None:
    run = _run("cases", "answer", *words)
    assert (run.code, run.out) == (1, "")
    assert told in run.err
    assert _answers() == []


def test_a_file_that_is_not_utf_8_is_not_sent(queue: Path) -> None:
    (queue / "answer.txt").write_bytes("はい".encode("shift_jis"))
    run = _run("cases", "answer", "2", "--file", queue / "answer.txt")
    assert (run.code, _answers()) == (1, [])
    assert "cannot be read" in run.err


def test_another_persons_case_is_neither_answered_nor_closed(queue: Path) -> None:
    _run("cases", "take", "2", "--by", "suzuki")
    answered = _run("cases", "answer", "2", "--text", "はい")
    closed = _run("cases", "close", "2", "--reason", "spam")
    assert (answered.code, answered.err) == (1, "Case 2 was not answered: somebody else has taken the case.\n")
    assert (closed.code, closed.err) == (1, "Case 2 was not closed: somebody else has taken the case.\n")
    assert _run("cases", "list", "--json").lines[0]["state"] == "taken"


def test_a_case_that_was_answered_is_closed(queue: Path) -> None:
    assert _run("cases", "answer", "2", "--text", "はい").code == 0
    run = _run("cases", "answer", "2", "--text", "はい")
    assert (run.code, run.err) == (1, "Case 2 was not answered: the case is closed.\n")
    assert len(_answers()) == 1


def test_a_case_is_closed_with_a_reason_or_not_at_all(queue: Path) -> None:
    assert _run("cases", "close", "2").code == 2
    assert _run("cases", "close", "2", "--reason", "called him", "--json").lines == [{"id": 2, "state": "closed"}]
    (shown,) = _run("cases", "show", "2", "--json").lines
    assert (shown["state"], shown["events"][-1]["detail"]) == ("closed", "called him")
    assert _run("cases", "close", "2", "--reason", "again").code == 1


# --- inbox and outbox ---


def test_inbox_list_shows_every_lane_and_the_balance(queue: Path) -> None:
    run = _run("inbox", "list")
    assert run.code == 0
    assert run.out.splitlines()[-1] == "accepted 3  answered 1  escalated 1  suppressed 1  waiting 0"
    lines = _run("inbox", "list", "--json").lines
    assert [(line["id"], line["lane"], line["rule"]) for line in lines] == [
        (3, "suppressed", "auto-submitted"),
        (2, "escalated", None),
        (1, "answered", None),
    ]


def test_inbox_list_shows_one_lane_or_so_many(queue: Path) -> None:
    assert [line["id"] for line in _run("inbox", "list", "--lane", "answered", "--json").lines] == [1]
    assert _run("inbox", "list", "--lane", "waiting", "--json").lines == []
    assert [line["id"] for line in _run("inbox", "list", "--limit", "2", "--json").lines] == [3, 2]
    run = _run("inbox", "list", "--lane", "lost")
    assert (run.code, run.err) == (1, "--lane is answered, escalated, suppressed or waiting.\n")


def test_inbox_show_tells_the_mail_and_what_was_decided(queue: Path) -> None:
    run = _run("inbox", "show", "1")
    assert run.code == 0
    for words in ("answered", "recognised", SHARED, "candidates:   q04"):
        assert words in run.out
    (shown,) = _run("inbox", "show", "1", "--json").lines
    assert (shown["decision"]["entries"], shown["text"].strip()) == (["q04"], SHARED)


def test_inbox_show_gives_the_mail_back_byte_by_byte(queue: Path) -> None:
    run = _process("inbox", "show", "3", "--raw")
    assert (run.returncode, run.stdout, run.stderr) == (0, example("out-of-office"), b"")


def test_a_mail_nobody_has_looked_at_yet_can_be_shown(folder: Path) -> None:
    (folder / "a.eml").write_bytes(_mail())
    _run("import", folder / "a.eml")
    run = _run("inbox", "show", "1")
    assert run.code == 0
    assert SHARED in run.out


def test_outbox_list_shows_what_leaves(queue: Path) -> None:
    lines = _run("outbox", "list", "--json").lines
    assert [(line["id"], line["kind"], line["state"]) for line in lines] == [
        (2, "acknowledgement", "queued"),
        (1, "answer", "queued"),
    ]
    assert TANAKA in _run("outbox", "list").out
    assert _run("outbox", "list", "--state", "sent", "--json").lines == []
    assert len(_run("outbox", "list", "--limit", "1", "--json").lines) == 1


def test_a_mail_is_held_and_let_go(queue: Path) -> None:
    assert _run("outbox", "hold", "1") == _Run(0, "id: 1  state: held\n", "")
    assert [line["id"] for line in _run("outbox", "list", "--state", "held", "--json").lines] == [1]
    assert _run("outbox", "hold", "1") == _Run(1, "", "Mail 1 is not queued, or is in hand.\n")
    assert _run("outbox", "retry", "1", "--json").lines == [{"id": 1, "state": "queued"}]
    assert _run("outbox", "list", "--state", "held", "--json").lines == []


def test_what_was_sent_is_neither_held_nor_tried_again(queue: Path) -> None:
    engine = open_engine(f"sqlite:///{_stored(queue)}")
    with engine.begin() as connection:
        for delivery in outbox.claim(connection, now=NOW, limit=9, lease=LEASE):
            outbox.settle_sent(connection, delivery, reply="250 ok", now=NOW)
    engine.dispose()
    assert _run("outbox", "hold", "1").code == 1
    assert _run("outbox", "retry", "1") == _Run(1, "", "Mail 1 was sent, is in hand, or is none.\n")
    assert _run("outbox", "retry", "99").code == 1


# --- the running service ---


def test_serve_knows_its_agents() -> None:
    run = _run("serve", "--only", "listener,postman")
    assert (run.code, run.err) == (1, "--only takes some of listener, worker, courier, desk.\n")
    assert _run("serve", "--only", " , ").code == 1


def test_health_of_a_service_that_does_not_run_ends_with_one(monkeypatch: pytest.MonkeyPatch) -> None:
    port = _closed_port()
    monkeypatch.setenv("RESPONDER_DESK__LISTEN", f"127.0.0.1:{port}")
    run = _run("health")
    assert run.code == 1
    assert f"http://127.0.0.1:{port}/readyz" in run.err
    monkeypatch.setenv("RESPONDER_DESK__LISTEN", "")
    assert "desk.listen is off" in _run("health").err
