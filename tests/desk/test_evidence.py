"""What a stored decision says to the person who must answer."""

from typing import Any

import pytest

from responder.corpus import Entry, load_entries
from responder.desk.evidence import evidence_of
from responder.mail.envelope import Envelope
from responder.triage.policy import NO_HISTORY
from responder.triage.reading import decision_on, read_mail
from responder.triage.record import record_of
from tests.knowledge import ROOT, example, shipped_knowledge


@pytest.fixture(scope="module")
def entries() -> tuple[Entry, ...]:
    return load_entries(ROOT / "faq_corpus")


def _decided(name: str) -> dict[str, Any]:
    knowledge = shipped_knowledge()
    reading = read_mail(Envelope("tanaka@contractor.example", ()), example(name), knowledge)
    return record_of(reading, decision_on(reading, NO_HISTORY, knowledge), knowledge)


def test_three_answers_are_offered_the_best_first_with_the_words_that_spoke_for_them(
    entries: tuple[Entry, ...],
) -> None:
    found = evidence_of(_decided("payment-date"), entries)
    assert len(found.suggestions) == 3
    scores = [one.score for one in found.suggestions]
    assert scores == sorted(scores, reverse=True)
    assert found.floor == shipped_knowledge().thresholds.floor
    assert found.confidence is not None
    assert found.confidence < (found.floor or 0)
    assert any(one.words for one in found.suggestions)


def test_a_mail_with_several_questions_shows_which_of_them_are_covered(entries: tuple[Entry, ...]) -> None:
    decision = _decided("two-questions")
    decision["parts"] = [
        {"question": "共有アドレスを使えますか。", "entry": "q04", "confidence": 0.9},
        {"question": "支払日はいつですか。", "entry": None, "confidence": 0.1},
        {"question": "契約書を紛失しました。", "entry": "gone", "confidence": 0.8},
    ]
    found = evidence_of(decision, entries)
    assert [one.entry.id if one.entry else None for one in found.asked] == ["q04", None, None]


def test_an_entry_that_was_reworded_since_is_marked_and_one_that_is_gone_left_out(entries: tuple[Entry, ...]) -> None:
    decision = _decided("shared-mailbox")
    best = decision["questions"][0]["candidates"][0][0]
    decision["revisions"] = {best: 0}
    marked = {one.entry.id: one.revised for one in evidence_of(decision, entries).suggestions}
    assert marked.pop(best)
    assert not any(marked.values())
    rest = [entry for entry in entries if entry.id != best]
    assert best not in {one.entry.id for one in evidence_of(decision, rest).suggestions}


def test_what_older_versions_kept_is_read_too(entries: tuple[Entry, ...]) -> None:
    decision = _decided("shared-mailbox")
    for question in decision["questions"]:
        del question["evidence"]
    first, *others = evidence_of(decision, entries).suggestions
    assert first.words
    assert not any(one.words for one in others)


@pytest.mark.parametrize("decision", [{}, {"reason": "the mail could not be read", "questions": [], "parts": []}])
def test_a_mail_that_was_not_read_has_no_suggestions(decision: dict[str, Any], entries: tuple[Entry, ...]) -> None:
    found = evidence_of(decision, entries)
    assert (found.suggestions, found.asked, found.confidence) == ((), (), None)
