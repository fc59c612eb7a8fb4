"""responder evaluate, as it is typed."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from responder.cli import app
from tests.knowledge import ROOT, STATE, shipped_classifier

SHARED = "部署全員で使っている共有アドレスを契約担当者のアドレスとして届け出てもよいですか。"
PAYMENT = "先月分のお支払日はいつでしょうか。"
MAILS = [
    {"id": "m1", "kind": "single", "subject": "共有アドレス", "expected": ["q04"], "body": SHARED},
    {"id": "m2", "kind": "out_of_scope", "subject": "支払日", "expected": [], "body": PAYMENT},
]


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shipped_classifier()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("RESPONDER_SERVICE__STATE", str(STATE))
    monkeypatch.setenv("RESPONDER_STORE__URL", f"sqlite:///{tmp_path}/responder.db")


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.jsonl"
    path.write_text("\n".join(json.dumps(mail, ensure_ascii=False) for mail in MAILS), encoding="utf-8")
    return path


def test_figures_are_printed_for_people_and_for_programs(labelled: Path, tmp_path: Path) -> None:
    words = CliRunner().invoke(app, ["evaluate", str(labelled), "--picture", str(tmp_path / "curve.svg")])
    assert words.exit_code == 0
    assert "out_of_scope" in words.stdout
    report = json.loads(CliRunner().invoke(app, ["evaluate", str(labelled), "--json"]).stdout)
    assert report["all"] == {
        "mails": 2, "answerable": 1, "covered": 1, "wrong": 0, "coverage": 1.0, "wrong_rate": 0.0,
        "wrong_interval": report["all"]["wrong_interval"],
    }  # fmt: skip
    assert report["changed"] == []
    assert "</svg>" in (tmp_path / "curve.svg").read_text()
    assert not (tmp_path / "responder.db").exists()


def test_a_folder_of_mails_is_judged_with_its_labels(tmp_path: Path) -> None:
    labels = tmp_path / "labels.jsonl"
    lines = [{"file": "shared-mailbox.eml", "expected": ["q04"]}, {"file": "out-of-office.eml", "expected": []}]
    labels.write_text("\n".join(json.dumps(line) for line in lines))
    run = CliRunner().invoke(app, ["evaluate", "examples", "--labels", str(labels), "--json"])
    assert json.loads(run.stdout)["all"]["covered"] == 1


def test_another_corpus_is_compared_mail_by_mail(labelled: Path, tmp_path: Path) -> None:
    other = tmp_path / "corpus"
    shutil.copytree(ROOT / "faq_corpus", other, ignore=shutil.ignore_patterns("examples", "mailbox"))
    run = CliRunner().invoke(app, ["evaluate", str(labelled), "--compare", str(other), "--json"])
    assert json.loads(run.stdout)["changed"] == [{"mail": "m1", "expected": ["q04"], "before": ["q04"], "after": []}]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "examples"], "--labels"),
        (["evaluate", "nothing.jsonl"], "nothing.jsonl"),
        (["evaluate", "config.toml"], "config.toml:1"),
    ],
)
def test_what_is_no_labelled_mail_is_named(words: list[str], said: str) -> None:
    run = CliRunner().invoke(app, words)
    assert run.exit_code == 1
    assert said in run.stderr or said in str(run.exception)
