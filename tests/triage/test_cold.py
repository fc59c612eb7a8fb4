"""Recognition: the same numbers on every run, the right entry for the corpus's own words, terms a person can find."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from responder.corpus import Corpus, load_corpus
from responder.triage.cold import ColdClassifier, View, fit_cold
from responder.triage.questions import Question, Questions, questions_of
from responder.triage.text import normalised, words
from responder.triage.verdict import Verdict
from tests.knowledge import ROOT, shipped_knowledge

ENTRY = """\
number = {number}
id = "{id}"
title = "表題"
question = "{question}"
phrasings = {phrasings}
answer = "回答でございます。"
mode = "automatic"
revision = 1
revised = 2026-11-24
"""

THREE = {
    "q01": "契約書の控えはどこで見られますか。",
    "q02": "電子契約の費用はいくらですか。",
    "q03": "権限者のメールアドレスを変更できますか。",
}


def _corpus(folder: Path, questions: dict[str, str]) -> Corpus:
    folder.mkdir(exist_ok=True)
    for number, (entry, question) in enumerate(questions.items(), 1):
        source = ENTRY.format(number=number, id=entry, question=question, phrasings="[]")
        (folder / f"{entry}.toml").write_text(source, encoding="utf-8")
    return load_corpus(folder)


def _asked(text: str) -> Question:
    return Question(normalised(text), normalised(text))


def _mail(*texts: str) -> Questions:
    whole = _asked(" ".join(texts))
    return Questions("", whole, tuple(map(_asked, texts)) if len(texts) > 1 else ())


def _verdict(classifier: ColdClassifier, text: str) -> Verdict:
    (verdict,) = classifier.verdicts([_asked(text)])
    return verdict


@pytest.fixture(scope="module")
def shipped() -> ColdClassifier:
    return fit_cold(shipped_knowledge().corpus)


PHRASINGS = [
    (entry.id, phrasing)
    for entry in load_corpus(ROOT / "faq_corpus").entries
    for phrasing in (entry.question, *entry.phrasings)
]


def test_every_phrasing_of_the_shipped_corpus_is_recognised_as_its_entry(shipped: ColdClassifier) -> None:
    verdicts = shipped.verdicts([_asked(phrasing) for _, phrasing in PHRASINGS])
    wrong = [(entry, text) for (entry, text), one in zip(PHRASINGS, verdicts, strict=True) if one.entry != entry]
    assert wrong == []


def test_every_phrasing_is_recognised_in_a_polite_mail_as_well(shipped: ColdClassifier) -> None:
    wrong = []
    for entry, text in PHRASINGS:
        body = f"ご担当者様\n\nお世話になっております。\n\n{text}\n\nよろしくお願いいたします。\n--\n例示商会 鈴木"
        if shipped.classify(questions_of("お尋ね", body)).whole.entry != entry:
            wrong.append((entry, text))
    assert wrong == []


def test_what_no_entry_knows_shares_little_with_any(shipped: ColdClassifier) -> None:
    for text in ("明日の天気はどうなりますか。", "会議室を予約したい。", "zzz qqq", "?"):
        assert _verdict(shipped, text).confidence < 0.26


FIT_AGAIN = """
import json, sys
from pathlib import Path
from responder.corpus import load_corpus
from responder.triage.cold import fit_cold
from responder.triage.questions import questions_of
classifier = fit_cold(load_corpus(Path(sys.argv[1])))
found = [classifier.classify(questions_of(*one)) for one in json.load(sys.stdin)]
print(json.dumps([classifier.fingerprint, repr(found)]))
"""

MAILS = [
    ("お尋ね", "共有アドレスでもよいですか。三者契約でも使えますか。"),
    ("", "契約書に誤りがあります。"),
    ("件名のみ", ""),
    ("cost", "How much does クラウドサイン cost?"),
]


def _seen(classifier: ColdClassifier) -> list[Any]:
    return [classifier.fingerprint, repr([classifier.classify(questions_of(*one)) for one in MAILS])]


def test_two_fits_give_the_same_numbers(shipped: ColdClassifier) -> None:
    assert _seen(fit_cold(shipped_knowledge().corpus)) == _seen(shipped)


@pytest.mark.parametrize("seed", ["1", "4242"])
def test_another_process_with_another_hash_seed_gives_the_same_numbers(shipped: ColdClassifier, seed: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FIT_AGAIN, str(ROOT / "faq_corpus")],
        input=json.dumps(MAILS),
        env={**os.environ, "PYTHONHASHSEED": seed},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(run.stdout) == _seen(shipped)


def test_a_verdict_does_not_depend_on_what_is_asked_beside_it(shipped: ColdClassifier) -> None:
    asked = [_asked(text) for _, text in PHRASINGS[:20]]
    assert shipped.verdicts(asked) == tuple(shipped.verdicts([one])[0] for one in asked)


def test_the_fingerprint_changes_with_every_word_of_the_corpus(tmp_path: Path) -> None:
    one = fit_cold(_corpus(tmp_path / "one", THREE))
    same = fit_cold(_corpus(tmp_path / "same", THREE))
    other = fit_cold(_corpus(tmp_path / "other", {**THREE, "q03": "権限者のメールアドレスを変更できますか"}))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.fingerprint != _corpus(tmp_path / "one", THREE).fingerprint


def test_entries_that_fit_equally_stand_in_the_order_of_the_corpus(tmp_path: Path) -> None:
    corpus = _corpus(tmp_path / "twins", {"q09": THREE["q01"], "q02": THREE["q01"], "q05": THREE["q01"]})
    verdict = _verdict(fit_cold(corpus), THREE["q01"])
    assert [candidate.entry for candidate in verdict.candidates] == ["q09", "q02", "q05"]
    assert (verdict.entry, verdict.margin) == ("q09", 0.0)


def test_a_question_that_shares_nothing_is_told_in_the_order_of_the_corpus(tmp_path: Path) -> None:
    verdict = _verdict(fit_cold(_corpus(tmp_path / "three", THREE)), "zzz")
    assert [(candidate.entry, candidate.score) for candidate in verdict.candidates] == [
        ("q01", 0.0),
        ("q02", 0.0),
        ("q03", 0.0),
    ]
    assert (verdict.confidence, verdict.margin, verdict.terms) == (0.0, 0.0, ())


def test_a_verdict_names_the_best_three_and_the_distance_between_them(shipped: ColdClassifier) -> None:
    verdict = _verdict(shipped, "共有メールアドレスは使えますか。")
    scores = [candidate.score for candidate in verdict.candidates]
    assert len(scores) == 3
    assert scores == sorted(scores, reverse=True)
    assert verdict.entry == verdict.candidates[0].entry
    assert verdict.confidence == scores[0]
    assert verdict.margin == pytest.approx(scores[0] - scores[1], abs=2e-6)
    assert 0 < verdict.confidence <= 1


def test_a_corpus_of_one_entry_recognises_it_and_has_no_second(tmp_path: Path) -> None:
    classifier = fit_cold(_corpus(tmp_path / "one", {"q01": THREE["q01"]}))
    verdict = _verdict(classifier, THREE["q01"])
    assert verdict.confidence == pytest.approx(1)
    assert (verdict.entry, verdict.margin, len(verdict.candidates)) == ("q01", verdict.confidence, 1)
    assert classifier.classify(_mail(THREE["q01"], "明日は晴れますか。")).units == ()


def test_terms_stand_in_the_question_and_do_not_overlap(shipped: ColdClassifier) -> None:
    for _, text in PHRASINGS:
        terms = _verdict(shipped, text).terms
        assert len(terms) <= 8
        assert [term.weight for term in terms] == sorted((term.weight for term in terms), reverse=True)
        for number, term in enumerate(terms):
            assert term.text in normalised(text)
            assert len(term.text) > 1
            assert term.weight > 0
            assert not any(term.text in other.text for other in terms[:number] + terms[number + 1 :])


def test_the_terms_are_those_that_tell_the_entry_apart(tmp_path: Path) -> None:
    terms = _verdict(fit_cold(_corpus(tmp_path / "three", THREE)), "費用を知りたい").terms
    assert [term.text for term in terms] == ["費用"]


def test_questions_that_all_point_to_one_entry_are_one_question(tmp_path: Path) -> None:
    classifier = fit_cold(_corpus(tmp_path / "three", THREE))
    found = classifier.classify(_mail("控えはどこで見られますか。", "契約書の控えが見たいのですが。"))
    assert (found.whole.entry, found.units) == ("q01", ())


def test_questions_that_point_to_different_entries_stay_apart_in_their_order(tmp_path: Path) -> None:
    classifier = fit_cold(_corpus(tmp_path / "three", THREE))
    found = classifier.classify(_mail("費用はいくらですか。", "控えはどこで見られますか。"))
    assert [unit.entry for unit in found.units] == ["q02", "q01"]
    assert found.whole.entry in {"q01", "q02"}


def test_a_mail_without_units_is_judged_as_a_whole(tmp_path: Path) -> None:
    classifier = fit_cold(_corpus(tmp_path / "three", THREE))
    found = classifier.classify(_mail("費用はいくらですか。"))
    assert found.whole == _verdict(classifier, "費用はいくらですか。")
    assert found.units == ()


def test_the_context_counts_less_than_the_question(tmp_path: Path) -> None:
    classifier = fit_cold(_corpus(tmp_path / "two", {"q01": "alpha", "q02": "zygote"}))
    (verdict,) = classifier.verdicts([Question("alpha", "zygote")])
    scores = [(candidate.entry, round(candidate.score, 2)) for candidate in verdict.candidates]
    assert scores == [("q01", 0.6), ("q02", 0.4)]


def test_a_view_measures_the_cosine_of_texts_with_entries() -> None:
    view = View(words).fit(["copy", "cost", "change"], ["copy cost", "change"])
    scores = (view.vectors(["copy", "copy cost", "change", ""]) @ view.entries.T).toarray()
    assert scores.shape == (4, 2)
    assert np.allclose(scores, [[0.5**0.5, 0], [1, 0], [0, 1], [0, 0]])
