"""Labelled mails: read whole, or refused with file, line and remedy."""

import json
from pathlib import Path
from typing import Any

import pytest

from responder.corpus import Example, load_corpus, read_examples
from responder.errors import CorpusError, Fault
from tests.knowledge import ROOT

KNOWN = frozenset({"q01", "q02"})
GOOD: dict[str, Any] = {"subject": "s", "body": "b", "expected": ["q01"]}


def _read(tmp_path: Path, *lines: str) -> tuple[list[Example], list[Fault]]:
    path = tmp_path / "tanaka.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    faults: list[Fault] = []
    return read_examples(path, KNOWN, faults), faults


def test_a_line_is_a_mail_and_its_file_is_its_author(tmp_path: Path) -> None:
    (example,), faults = _read(tmp_path, json.dumps({**GOOD, "acceptable": ["q02"], "style": "formal"}), "")
    assert example == Example("tanaka", "s", "b", ("q01",), ("q02",))
    assert not faults


@pytest.mark.parametrize(
    ("changed", "answerable"),
    [
        ({}, True),
        ({"expected": []}, False),
        ({"complete": False}, False),
        ({"note": "plus one unanswerable (a deadline)"}, False),
    ],
)
def test_what_a_person_must_answer_is_told_from_what_entries_do(
    tmp_path: Path, changed: dict[str, Any], answerable: bool
) -> None:
    (example,), _ = _read(tmp_path, json.dumps({**GOOD, **changed}))
    assert example.answerable is answerable


@pytest.mark.parametrize(
    ("sent", "allowed"),
    [(["q01"], True), (["q02"], True), (["q01", "q02"], False), ([], False)],
    ids=["what is expected", "what would do", "more than was asked", "nothing"],
)
def test_an_answer_is_right_when_it_is_what_the_label_says(sent: list[str], allowed: bool) -> None:
    assert Example("a", "s", "b", ("q01",), ("q02",)).allows(sent) is allowed
    assert not Example("a", "s", "b", ("q01",), ("q02",), complete=False).allows(sent)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "Expecting"),
        ("[]", "no JSON object"),
        (json.dumps({**GOOD, "expected": ["q99"]}), "q99"),
        (json.dumps({**GOOD, "expected": "q01"}), "no list"),
        (json.dumps({"subject": "s", "body": "b"}), "no list"),
        (json.dumps({**GOOD, "body": 3}), "body is not text"),
        (json.dumps({**GOOD, "acceptable": ["x"]}), "x, which is no entry"),
    ],
)
def test_a_wrong_line_is_named_and_the_others_are_read(tmp_path: Path, line: str, words: str) -> None:
    examples, (fault,) = _read(tmp_path, json.dumps(GOOD), line)
    assert len(examples) == 1
    assert words in fault.problem
    assert (fault.line, Path(fault.file).name) == (2, "tanaka.jsonl")
    assert "expected" in fault.remedy


def test_a_corpus_with_a_wrong_label_is_refused(tmp_path: Path) -> None:
    (tmp_path / "q01.toml").write_bytes((ROOT / "faq_corpus" / "q01.toml").read_bytes())
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "a.jsonl").write_text(json.dumps({**GOOD, "expected": ["q02"]}))
    with pytest.raises(CorpusError, match="q02"):
        load_corpus(tmp_path)


def test_examples_change_the_fingerprint_of_their_corpus(tmp_path: Path) -> None:
    (tmp_path / "q01.toml").write_bytes((ROOT / "faq_corpus" / "q01.toml").read_bytes())
    bare = load_corpus(tmp_path)
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "a.jsonl").write_text(json.dumps(GOOD))
    assert bare.examples == ()
    assert load_corpus(tmp_path).fingerprint != bare.fingerprint
