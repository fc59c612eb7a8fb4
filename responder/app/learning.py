"""The learned model on disk, under its fingerprint: learning takes seconds, reading it back a twentieth of one."""

import hashlib
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from zipfile import BadZipFile

from responder import maillog, triage
from responder.corpus import Corpus
from responder.triage.fitting import fit_learned
from responder.triage.learned import LearnedClassifier, fingerprint_of

log = maillog.log("app")


def learned_of(corpus: Corpus, state: Path) -> LearnedClassifier:
    """The model of this corpus: read from the state folder, or learned and put there for the next start."""
    fingerprint = fingerprint_of(corpus)
    file = state / "learned" / f"{fingerprint[:16]}-{_code()[:16]}.npz"
    with suppress(OSError, EOFError, ValueError, KeyError, BadZipFile):
        kept = LearnedClassifier.of_bytes(file.read_bytes())
        if kept.fingerprint == fingerprint:
            return kept
    # Seconds of silence would look like a hang to whoever starts it for the first time.
    log.info("learning", mails=len(corpus.examples), once_for="this corpus")
    classifier = fit_learned(corpus)
    try:
        _keep(file, classifier.to_bytes())
    except OSError as error:
        # A start that takes seconds longer is no reason not to start.
        log.warning("model not kept", file=str(file), reason=error.strerror)
    return classifier


def _code() -> str:
    """Of what turns a corpus into numbers: a model that an older program made must not be taken for ours."""
    digest = hashlib.sha256()
    for source in sorted(Path(triage.__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def _keep(file: Path, content: bytes) -> None:
    """Whole or not at all: several processes may learn the same at the same moment."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, written = tempfile.mkstemp(dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(written).replace(file)
    except BaseException:
        Path(written).unlink(missing_ok=True)
        raise
    for other in file.parent.glob("*.npz"):
        if other != file:
            other.unlink(missing_ok=True)
