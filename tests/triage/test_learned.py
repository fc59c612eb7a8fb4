"""What is learned from the shipped mails: as promised, the same each time, and readable."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from responder.corpus import Corpus, load_corpus
from responder.triage.fitting import fit_learned
from responder.triage.learned import LearnedClassifier, fingerprint_of
from responder.triage.questions import questions_of
from responder.triage.verdict import Recognition
from tests.knowledge import ROOT, shipped_classifier


def _asked(text: str, subject: str = "") -> Recognition:
    return shipped_classifier().classify(questions_of(subject, text))


@pytest.fixture(scope="module")
def small() -> Corpus:
    """Two authors' mails: enough to learn from, quick to learn."""
    whole = load_corpus(ROOT / "faq_corpus")
    mails = tuple(mail for mail in whole.examples if mail.author in "ab")[::3]
    return replace(whole, examples=mails, fingerprint="small")


def test_the_shipped_mails_allow_a_promise() -> None:
    found = shipped_classifier().trial.threshold(alpha=0.01, delta=0.05)
    assert found.floor is not None
    assert found.mails == sum(mail.sampled for mail in load_corpus(ROOT / "faq_corpus").examples)
    assert found.answered > 10 * found.wrong


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("契約書の金額が誤っており同意できません。この場合どのような手続きになりますか。", ["q01"]),
        ("当社はテキスト形式のメールしか受信できませんが、問題ありませんか。", ["q02"]),
        ("部署全員で使っている共有アドレスを契約担当者のアドレスとして届け出てもよいですか。", ["q04"]),
        ("三者間の契約でも電子契約は利用できますか。", ["q07"]),
        (
            "1. 部署で共有しているメールアドレスを契約担当者のアドレスとして使えますか。\n"
            "2. 三者契約でもクラウドサインを利用できますか。",
            ["q04", "q07"],
        ),
    ],
)
def test_a_question_in_other_words_is_recognised(text: str, entries: list[str]) -> None:
    found = _asked(text)
    assert [verdict.entry for verdict in found.units or (found.whole,)] == entries
    assert found.whole.confidence > 0.5


@pytest.mark.parametrize(
    "text",
    [
        "先月分の請求書のお支払日はいつでしょうか。",
        "届け出た契約担当者のメールアドレスを変更したいのですが、どのような手続きが必要ですか。",
        "確認依頼メールが届きません。もう一度送っていただけますか。",
        "ありがとうございました。",
    ],
    ids=["another subject", "a change afterwards", "a mail that did not come", "thanks"],
)
def test_what_no_entry_answers_is_not_sure(text: str) -> None:
    floor = shipped_classifier().trial.threshold(alpha=0.01, delta=0.05).floor
    assert floor is not None
    assert _asked(text).whole.confidence < floor


def test_the_words_that_spoke_for_an_entry_stand_in_the_question() -> None:
    verdict = _asked("部署の共有メールアドレスを届け出てもよいですか。").whole
    assert verdict.terms
    assert all(term.text in verdict.question for term in verdict.terms)
    assert verdict.candidates[0].entry == verdict.entry


def test_each_candidate_has_what_spoke_for_it_and_against_it() -> None:
    """A person sees why the best three are what they are: words of the mail itself, in order of their weight."""
    text = "部署の共有メールアドレスを契約締結権限者のアドレスとして届け出てもよいですか。支払日も教えてください。"
    whole = _asked(text).whole
    for candidate in whole.candidates:
        assert all(term.text in text for term in (*candidate.terms, *candidate.against))
        assert [term.weight for term in candidate.terms] == sorted((t.weight for t in candidate.terms), reverse=True)
        assert all(term.weight > 0 for term in candidate.terms)
        assert all(term.weight < 0 for term in candidate.against)
    best = whole.candidates[0]
    assert best.entry == "q04"
    assert "共有" in "".join(term.text for term in best.terms)
    assert best.against


def test_learning_again_gives_the_same_numbers_in_another_process(small: Corpus, tmp_path: Path) -> None:
    script = (
        "import sys; from dataclasses import replace; from pathlib import Path\n"
        "from responder.corpus import load_corpus; from responder.triage.fitting import fit_learned\n"
        "whole = load_corpus(Path(sys.argv[1]))\n"
        "mails = tuple(mail for mail in whole.examples if mail.author in 'ab')[::3]\n"
        "Path(sys.argv[2]).write_bytes(fit_learned(replace(whole, examples=mails, fingerprint='small')).to_bytes())\n"
    )
    words = [sys.executable, "-c", script, str(ROOT / "faq_corpus"), str(tmp_path / "model")]
    subprocess.run(words, check=True, cwd=ROOT, env={"PYTHONHASHSEED": "7", "PYTHONPATH": str(ROOT)})
    other = LearnedClassifier.of_bytes((tmp_path / "model").read_bytes())
    here = fit_learned(small)
    for example in load_corpus(ROOT / "faq_corpus").examples[::100]:
        asked = questions_of(example.subject, example.body)
        assert other.classify(asked) == here.classify(asked)


def test_a_model_read_back_says_the_same(small: Corpus) -> None:
    fitted = fit_learned(small)
    back = LearnedClassifier.of_bytes(fitted.to_bytes())
    assert back.fingerprint == fitted.fingerprint == fingerprint_of(small)
    for example in small.examples[::20]:
        asked = questions_of(example.subject, example.body)
        assert back.classify(asked) == fitted.classify(asked)
    assert back.trial.threshold(alpha=0.05, delta=0.05) == fitted.trial.threshold(alpha=0.05, delta=0.05)


def test_who_only_recognises_does_not_load_scikit_learn(small: Corpus, tmp_path: Path) -> None:
    # It takes a second and 65 MB, in every worker.
    kept = tmp_path / "model"
    kept.write_bytes(fit_learned(small).to_bytes())
    program = (
        "import sys; from pathlib import Path\n"
        "from responder.triage.learned import LearnedClassifier\n"
        "from responder.triage.questions import questions_of\n"
        f"classifier = LearnedClassifier.of_bytes(Path({str(kept)!r}).read_bytes())\n"
        "print(classifier.classify(questions_of('', '承認者を追加したいです。')).whole.entry, 'sklearn' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.split()[1:] == ["False"]


def test_the_fingerprint_follows_the_corpus(small: Corpus) -> None:
    assert fingerprint_of(small) == fingerprint_of(replace(small))
    assert fingerprint_of(small) != fingerprint_of(replace(small, fingerprint="other"))


def test_an_author_who_wrote_most_of_it_is_divided() -> None:
    """Kept away whole, there would be nothing left to learn from, and the trial would say nothing."""
    whole = load_corpus(ROOT / "faq_corpus")
    mails = tuple(replace(mail, author="one") for mail in whole.examples[:3000:15])
    trial = fit_learned(replace(whole, examples=mails, fingerprint="one")).trial
    assert len(trial.confidences) == len(mails)
    assert trial.right.sum() > 0.5 * sum(mail.answerable for mail in mails)


def test_where_there_is_a_sample_of_the_mailbox_the_trial_is_on_it(small: Corpus) -> None:
    mails = tuple(replace(mail, sampled=mail.author == "b") for mail in small.examples)
    trial = fit_learned(replace(small, examples=mails)).trial
    assert len(trial.confidences) == sum(mail.author == "b" for mail in mails)


def test_a_counterexample_makes_the_machine_less_sure_of_its_kind() -> None:
    whole = load_corpus(ROOT / "faq_corpus")
    small = replace(whole, examples=tuple(mail for mail in whole.examples if mail.author in "bd")[::3])
    asked = questions_of("", "三者契約の場合、印紙はどの会社が貼るのでしょうか。")
    entries = tuple(
        replace(entry, counterexamples=("三者契約で印紙を貼るのはどの会社ですか。",) if entry.id == "q07" else ())
        for entry in small.entries
    )
    without = fit_learned(replace(small, entries=tuple(replace(entry, counterexamples=()) for entry in small.entries)))
    taught = fit_learned(replace(small, entries=entries))
    assert taught.classify(asked).whole.confidence < without.classify(asked).whole.confidence - 0.05
