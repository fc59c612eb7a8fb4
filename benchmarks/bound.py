"""Whether the promise is kept: thresholds found on some of the sample, judged on what they were not found on.

    python benchmarks/bound.py [--splits 2000] [--alpha 0.01] [--delta 0.05]

The mails are those of `faq_corpus/mailbox`, each with the answer of a model that did not learn from its author.

*drawn*: mails are drawn from the sample with replacement, a threshold is found on them, and its wrong rate over the
whole sample, which is then what the draws come from, is known exactly. This is what Learn-then-Test promises: at most
delta of the draws may exceed alpha.
*halves*: a threshold is found on a random half and judged on the other. The other half is small, so that its own chance
adds to what the threshold is to blame for.
*authors*: a threshold is found on all authors but one and judged on that one, who writes in his own way: what the
promise does not cover.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from responder.app.learning import learned_of
from responder.corpus import load_corpus
from responder.triage.trial import Trial

ROOT = Path(__file__).parent.parent
Indices = NDArray[np.int64]


def part(trial: Trial, mails: Indices) -> Trial:
    """The trial of these mails alone."""
    return Trial(trial.confidences[mails], trial.right[mails], trial.sent[mails])


def outcome(found_on: Trial, judged_on: Trial, *, alpha: float, delta: float) -> tuple[float, float]:
    """The wrong rate and the share of right answers, both of all mails, at the floor that the first allows."""
    floor = found_on.threshold(alpha=alpha, delta=delta).floor
    answered = judged_on.confidences >= (2.0 if floor is None else floor)
    return float((answered & ~judged_on.right).mean()), float((answered & judged_on.right).mean())


def draws(trial: Trial, count: int) -> Iterator[tuple[Trial, Trial]]:
    """Mails drawn with replacement, and all of them."""
    random = np.random.default_rng(20261124)
    size = len(trial.right)
    for _ in range(count):
        yield part(trial, random.integers(size, size=size)), trial


def halves(trial: Trial, count: int) -> Iterator[tuple[Trial, Trial]]:
    """One half and the other."""
    random = np.random.default_rng(20261124)
    for _ in range(count):
        order = random.permutation(len(trial.right))
        yield part(trial, order[::2]), part(trial, order[1::2])


def authors(trial: Trial, names: list[str]) -> Iterator[tuple[Trial, Trial]]:
    """All authors but one, and the one."""
    named = np.array(names)
    for name in dict.fromkeys(names):
        yield part(trial, np.flatnonzero(named != name)), part(trial, np.flatnonzero(named == name))


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--splits", type=int, default=2000)
    options.add_argument("--alpha", type=float, default=0.01)
    options.add_argument("--delta", type=float, default=0.05)
    asked = options.parse_args()
    corpus = load_corpus(ROOT / "faq_corpus")
    trial = learned_of(corpus, ROOT / "state").trial
    names = [mail.author for mail in corpus.examples if mail.sampled] or [mail.author for mail in corpus.examples]
    print(f"{len(names)} mails; promise: wrong <= {asked.alpha:.1%} of all mails in {1 - asked.delta:.0%} of cases")
    print(f"{'':8} splits  wrong rate: mean   p95    max    above alpha   right answers")
    splits = {
        "drawn": draws(trial, asked.splits),
        "halves": halves(trial, asked.splits),
        "authors": authors(trial, names),
    }
    for name, pairs in splits.items():
        rates = np.array([outcome(a, b, alpha=asked.alpha, delta=asked.delta) for a, b in pairs])
        wrong, right = rates[:, 0], rates[:, 1].mean()
        print(
            f"{name:8} {len(rates):6}        {wrong.mean():.4f}  {np.quantile(wrong, 0.95):.4f}  {wrong.max():.4f}"
            f"  {(wrong > asked.alpha).mean():12.4f}  {right:14.3f}"
        )


if __name__ == "__main__":
    main()
