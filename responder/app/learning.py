"""The learned model: read from disk under its fingerprint, or learned in this process or in one of its own."""

import asyncio
import fcntl
import hashlib
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from zipfile import BadZipFile

from responder import maillog, triage
from responder.app.child import end_with_parent, started
from responder.corpus import Corpus
from responder.triage.fitting import fit_learned
from responder.triage.learned import LearnedClassifier, fingerprint_of

KEPT_MODELS = 4
"""The one in force, the one before it, and two rehearsed: to make a change or take it back needs no waiting."""

log = maillog.log("app")


class LearningError(Exception):
    """The process that learned did not come to an end."""


def kept_of(corpus: Corpus, state: Path) -> LearnedClassifier | None:
    """The model of this corpus as it was kept in the state folder; None where it was not."""
    with suppress(OSError, EOFError, ValueError, KeyError, BadZipFile):
        kept = LearnedClassifier.of_bytes(_file(corpus, state).read_bytes())
        if kept.fingerprint == fingerprint_of(corpus):
            return kept
    return None


def learned_of(corpus: Corpus, state: Path) -> LearnedClassifier:
    """The model of this corpus: read from the state folder, or learned and put there for the next start."""
    kept = kept_of(corpus, state)
    if kept is not None:
        return kept
    with _alone(state / "learned"):
        # Another process may have learned the same while we waited for our turn.
        return kept_of(corpus, state) or _learned(corpus, state)


def _learned(corpus: Corpus, state: Path) -> LearnedClassifier:
    # Seconds of silence would look like a hang to whoever starts it for the first time.
    log.info("learning", mails=len(corpus.examples), once_for="this corpus")
    classifier = fit_learned(corpus)
    file = _file(corpus, state)
    try:
        _keep(file, classifier.to_bytes())
    except OSError as error:
        # A start that takes seconds longer is no reason not to start.
        log.warning("model not kept", file=str(file), reason=error.strerror)
    return classifier


async def learned_beside(corpus: Corpus, state: Path, log_style: maillog.LogStyle) -> LearnedClassifier:
    """As `learned_of`, in a process of its own: mails are answered meanwhile, and its memory goes back at the end.

    Raises LearningError. Cancelled, it leaves no process behind.
    """
    kept = await asyncio.to_thread(kept_of, corpus, state)
    if kept is not None:
        return kept
    request = await asyncio.to_thread(pickle.dumps, (corpus, state))
    child = await started("responder.app.learning", log_style, answers=True)
    try:
        return await asyncio.to_thread(LearnedClassifier.of_bytes, await _asked(child, request))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise LearningError(f"it gave no model: {error}") from error
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


async def _asked(child: asyncio.subprocess.Process, request: bytes) -> bytes:
    if child.stdin is None or child.stdout is None:
        raise ValueError("it was started without pipes")
    with suppress(ConnectionError):  # it has ended already, and its exit code says more
        child.stdin.write(request)
        await child.stdin.drain()
    # Its standard input stays open: to the child, its end is ours.
    content = await child.stdout.read()
    if code := await child.wait():
        raise LearningError(f"its process ended with {code}")
    return content


def main() -> None:
    """The child: a corpus and a state folder from standard input, the model's bytes to standard output."""
    maillog.open_log(sys.argv[1])  # type: ignore[arg-type]  # the parent's own style
    os.nice(10)  # mails that wait go before
    corpus, state = pickle.load(sys.stdin.buffer)  # noqa: S301 - from the parent's own hand
    end_with_parent()
    sys.stdout.buffer.write(learned_of(corpus, state).to_bytes())
    sys.stdout.buffer.flush()


def _file(corpus: Corpus, state: Path) -> Path:
    return state / "learned" / f"{fingerprint_of(corpus)[:16]}-{_code()[:16]}.npz"


@cache
def _code() -> str:
    """Of what turns a corpus into numbers: a model that an older program made must not be taken for ours."""
    digest = hashlib.sha256()
    for source in sorted(Path(triage.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Learn one at a time: several workers see a change at the same moment, and each would take a gigabyte."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("ab")
    except OSError:
        # Where nothing can be written, nobody can wait for anybody either.
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _keep(file: Path, content: bytes) -> None:
    """Whole or not at all. The oldest make room, and so does what a process that was killed left half written."""
    for left in file.parent.glob("*.part"):
        left.unlink(missing_ok=True)
    handle, written = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(written).replace(file)
    except BaseException:
        Path(written).unlink(missing_ok=True)
        raise
    models = sorted(file.parent.glob("*.npz"), key=_age)
    for other in models[KEPT_MODELS:]:
        other.unlink(missing_ok=True)


def _age(file: Path) -> float:
    try:
        return -file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0  # as old as can be: somebody took it away meanwhile


if __name__ == "__main__":
    main()
