"""Which floor and margin to set by hand for a corpus without examples: coverage and wrong answers for a grid of both.

    python benchmarks/floor.py LABELLED.jsonl [MORE.jsonl …]

A line of a file is a mail with `subject`, `body`, `expected` (entries that must all be sent; none: a person),
`acceptable` (entries that would do as the only answer), `kind` and `note`. *Wrong* counts every mail that is answered
with anything else than what is expected; it is a share of all mails. *Coverage* is a share of those the FAQ answers.
Never choose on the mails that the choice is judged by.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from responder.corpus import load_corpus
from responder.triage.cold import fit_cold
from responder.triage.policy import NO_HISTORY, Answer, Thresholds, decide
from responder.triage.questions import questions_of
from responder.triage.verdict import Recognition

ROOT = Path(__file__).parent.parent
FLOORS = [floor / 100 for floor in range(20, 41, 2)]
MARGINS = [0.0, 0.02, 0.05, 0.08]


def answerable(mail: dict[str, Any]) -> bool:
    """Whether entries answer all that the mail asks."""
    return bool(mail["expected"]) and "plus one unanswerable" not in mail["note"]


def right(mail: dict[str, Any], entries: Sequence[str]) -> bool:
    """Whether these entries are a right answer."""
    sole = len(entries) == 1 and entries[0] in mail["acceptable"]
    return answerable(mail) and (set(entries) == set(mail["expected"]) or sole)


def main(paths: Sequence[str]) -> None:
    """Print the table."""
    corpus = load_corpus(ROOT / "faq_corpus")
    classifier = fit_cold(corpus)
    modes = {entry.id: entry.mode for entry in corpus.entries}
    mails = [json.loads(line) for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines()]
    seen: list[tuple[dict[str, Any], Recognition]] = [
        (mail, classifier.classify(questions_of(mail["subject"], mail["body"]))) for mail in mails
    ]
    singles = [(mail, found) for mail, found in seen if mail["kind"] == "single"]
    first = sum(found.whole.entry in mail["expected"] + mail["acceptable"] for mail, found in singles)
    print(f"{len(mails)} mails, {sum(map(answerable, mails))} of them answerable")
    print(f"right entry first on single questions: {first}/{len(singles)} = {first / max(len(singles), 1):.3f}")
    print("floor  margin  coverage  wrong")
    for floor in FLOORS:
        for margin in MARGINS:
            thresholds = Thresholds(floor, margin)
            decisions = [
                (mail, decide(None, found, NO_HISTORY, trouble=None, modes=modes, thresholds=thresholds))
                for mail, found in seen
            ]
            sent = [(mail, decision.entries) for mail, decision in decisions if isinstance(decision, Answer)]
            good = sum(right(mail, entries) for mail, entries in sent)
            wrong = len(sent) - good
            coverage = good / max(sum(map(answerable, mails)), 1)
            print(f"{floor:.2f}   {margin:.2f}    {coverage:.3f}     {wrong / len(mails):.4f}  ({wrong})")


if __name__ == "__main__":
    main(sys.argv[1:])
