"""The learned model on disk: read where it fits, learned anew where it does not."""

from dataclasses import replace
from pathlib import Path

import pytest

from responder.app.learning import learned_of
from responder.corpus import Corpus, load_corpus
from tests.knowledge import ROOT


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    whole = load_corpus(ROOT / "faq_corpus")
    return replace(whole, examples=tuple(mail for mail in whole.examples if mail.author in "ab"), fingerprint="small")


def _files(state: Path) -> list[Path]:
    return sorted((state / "learned").iterdir())


def test_a_model_is_kept_and_found_again(corpus: Corpus, tmp_path: Path) -> None:
    learned = learned_of(corpus, tmp_path)
    (file,) = _files(tmp_path)
    written = file.stat().st_mtime_ns
    assert learned_of(corpus, tmp_path).fingerprint == learned.fingerprint
    assert file.stat().st_mtime_ns == written


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut off", b"\x00" * 1000], ids=["empty", "cut off", "noise"])
def test_a_broken_file_is_learned_anew(corpus: Corpus, tmp_path: Path, content: bytes) -> None:
    learned_of(corpus, tmp_path)
    (file,) = _files(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(content)
    learned_of(corpus, tmp_path)
    assert len(file.read_bytes()) == len(whole)


def test_the_model_of_another_corpus_makes_room(corpus: Corpus, tmp_path: Path) -> None:
    learned_of(corpus, tmp_path)
    before = _files(tmp_path)
    learned_of(replace(corpus, fingerprint="other"), tmp_path)
    (after,) = _files(tmp_path)
    assert [after] != before


def test_a_state_folder_that_cannot_be_written_does_not_stop_a_start(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "learned").write_text("a file where the folder should be")
    assert learned_of(corpus, tmp_path).fingerprint
