"""What the tests of the agents answer from: the shipped corpus and letters."""

import atexit
import os
import tempfile
from functools import cache
from pathlib import Path

from responder.app.learning import learned_of
from responder.corpus import load_corpus
from responder.letters import Letters, Sender, load_letters
from responder.mail.reply import Mailbox
from responder.reader import Reader
from responder.triage.learned import LearnedClassifier
from responder.triage.policy import Thresholds
from responder.triage.reading import Knowledge
from responder.worker import Briefing

ROOT = Path(__file__).parent.parent
ADDRESS = "support@example.jp"
KEY = b"a key that only the tests have"
AUTHOR = Mailbox(ADDRESS, "電子契約サポート窓口", KEY)
EXAMPLES = ROOT / "examples"


STATE = Path(tempfile.gettempdir()) / f"responder-tests-{os.getuid()}"
"""Where the learned model is kept between the tests: to learn it anew for each would take longer than they do."""


@cache
def shipped_classifier() -> LearnedClassifier:
    return learned_of(load_corpus(ROOT / "faq_corpus"), STATE)


@cache
def shipped_knowledge() -> Knowledge:
    classifier = shipped_classifier()
    floor = classifier.trial.threshold(alpha=0.01, delta=0.05).floor
    return Knowledge(load_corpus(ROOT / "faq_corpus"), classifier, Thresholds(floor, 0.0), frozenset({ADDRESS}))


@cache
def shipped_letters() -> Letters:
    return load_letters(ROOT / "templates", Sender(AUTHOR.name, ADDRESS, 3))


def briefing() -> Briefing:
    return Briefing(shipped_knowledge(), shipped_letters(), AUTHOR)


@cache
def reader() -> Reader:
    """One child that reads for all tests of a run."""
    made = Reader()
    atexit.register(made.close)
    return made


def cold_corpus(folder: Path) -> Path:
    """The shipped entries in a folder of the test's own, without labelled mails: it is learned in no time."""
    place = folder / "corpus"
    place.mkdir()
    for entry in (ROOT / "faq_corpus").glob("*.toml"):
        (place / entry.name).write_bytes(entry.read_bytes())
    return place


def example(name: str) -> bytes:
    return (EXAMPLES / f"{name}.eml").read_bytes()
