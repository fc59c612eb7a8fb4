"""The learned model on disk: read where it fits, learned anew where it does not."""

import asyncio
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from responder.app.learning import KEPT_MODELS, LearningError, learned_beside, learned_of
from responder.corpus import Corpus, load_corpus
from tests.knowledge import ROOT
from tests.service import learners


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    whole = load_corpus(ROOT / "faq_corpus")
    mails = tuple(mail for mail in whole.examples if mail.author in "ab")[::9]
    return replace(whole, examples=mails, fingerprint="small")


def _files(state: Path) -> list[Path]:
    return sorted((state / "learned").glob("*.npz"))


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


def test_the_newest_models_are_kept_and_older_ones_make_room(corpus: Corpus, tmp_path: Path) -> None:
    learned_of(corpus, tmp_path)
    (first,) = _files(tmp_path)
    (tmp_path / "learned" / "left.part").write_bytes(b"half a model")
    for age, name in enumerate(("second", "third", "fourth", "fifth")):
        copy = tmp_path / "learned" / f"{name}.npz"
        copy.write_bytes(first.read_bytes())
        os.utime(copy, ns=(0, age))
    learned_of(replace(corpus, fingerprint="other"), tmp_path)
    assert len(_files(tmp_path)) == KEPT_MODELS
    assert first in _files(tmp_path)
    assert not list((tmp_path / "learned").glob("*.part"))


def test_a_state_folder_that_cannot_be_written_does_not_stop_a_start(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "learned").write_text("a file where the folder should be")
    assert learned_of(corpus, tmp_path).fingerprint


def test_whoever_learns_the_same_at_once_waits_for_the_first(
    corpus: Corpus, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda _: learned_of(corpus, tmp_path), range(3)))
    assert len({one.to_bytes() for one in found}) == 1
    assert "".join(capsys.readouterr()).count("once_for") == 1


@pytest.mark.anyio
async def test_a_model_learned_beside_is_the_one_learned_here(corpus: Corpus, tmp_path: Path) -> None:
    beside = await learned_beside(corpus, tmp_path / "beside", "json")
    assert beside.to_bytes() == learned_of(corpus, tmp_path / "here").to_bytes()
    assert _files(tmp_path / "beside")
    assert learners() == []


@pytest.mark.anyio
async def test_learning_that_is_given_up_leaves_no_process(corpus: Corpus, tmp_path: Path) -> None:
    learning = asyncio.create_task(learned_beside(corpus, tmp_path, "json"))
    await _begun()
    learning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await learning
    assert learners() == []


@pytest.mark.anyio
async def test_a_learner_that_is_killed_is_told_with_its_signal(corpus: Corpus, tmp_path: Path) -> None:
    learning = asyncio.create_task(learned_beside(corpus, tmp_path, "json"))
    os.kill(await _begun(), signal.SIGKILL)
    with pytest.raises(LearningError, match="-9"):
        await learning
    assert _files(tmp_path) == []


async def _begun() -> int:
    """The process that learns, once there is one."""
    async with asyncio.timeout(30):
        while not learners():
            await asyncio.sleep(0.02)
    return learners()[0]
