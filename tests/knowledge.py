"""What the tests of the agents answer from: the shipped corpus and letters."""

from functools import cache
from pathlib import Path

from responder.corpus import load_corpus
from responder.letters import Letters, Sender, load_letters
from responder.mail.reply import Mailbox
from responder.triage.classifier import fit
from responder.triage.policy import Thresholds
from responder.triage.reading import Knowledge
from responder.worker import Briefing

ROOT = Path(__file__).parent.parent
ADDRESS = "support@example.jp"
AUTHOR = Mailbox(ADDRESS, "電子契約サポート窓口")
EXAMPLES = ROOT / "examples"


@cache
def shipped_knowledge() -> Knowledge:
    corpus = load_corpus(ROOT / "faq_corpus")
    return Knowledge(corpus, fit(corpus), Thresholds(0.26, 0.05, 20), frozenset({ADDRESS}))


@cache
def shipped_letters() -> Letters:
    return load_letters(ROOT / "templates", Sender(AUTHOR.name, ADDRESS, 3))


def briefing() -> Briefing:
    return Briefing(shipped_knowledge(), shipped_letters(), AUTHOR)


def example(name: str) -> bytes:
    return (EXAMPLES / f"{name}.eml").read_bytes()
