"""decide() as a table: what is known in, the one outcome out."""

from collections.abc import Sequence

import pytest

from responder.corpus import Mode
from responder.triage.guard.suppression import Suppression
from responder.triage.language import Language
from responder.triage.policy import (
    NO_HISTORY,
    Answer,
    Decision,
    Escalate,
    History,
    Reason,
    Suppress,
    Thresholds,
    decide,
)
from responder.triage.verdict import Candidate, Part, Recognition, Verdict

THRESHOLDS = Thresholds(floor=0.3, margin=0.05)
MODES = {"q01": Mode.AUTOMATIC, "q02": Mode.AUTOMATIC, "q03": Mode.REVIEW, "q04": Mode.OFF}


def _verdict(entry: str = "q01", confidence: float = 0.5, margin: float = 0.2) -> Verdict:
    return Verdict("question?", entry, confidence, margin, (Candidate(entry, confidence),), ())


def _decide(
    *verdicts: Verdict,
    suppression: Suppression | None = None,
    history: History = NO_HISTORY,
    trouble: Reason | None = None,
    language: Language | None = Language.JAPANESE,
) -> Decision:
    return decide(
        suppression,
        _recognition(verdicts),
        history,
        trouble=trouble,
        modes=MODES,
        thresholds=THRESHOLDS,
        language=language,
        english={"q01", "q03"},
    )


def _recognition(verdicts: Sequence[Verdict]) -> Recognition | None:
    if not verdicts:
        return None
    return Recognition(verdicts[0], tuple(verdicts) if len(verdicts) > 1 else ())


@pytest.mark.parametrize(
    ("verdicts", "entries", "confidence"),
    [
        ([_verdict()], ("q01",), 0.5),
        ([_verdict(confidence=0.3, margin=0.05)], ("q01",), 0.3),
        ([_verdict("q02"), _verdict("q01", 0.4)], ("q02", "q01"), 0.4),
        ([_verdict(), _verdict(confidence=0.6)], ("q01",), 0.5),
    ],
    ids=[
        "one question that is sure",
        "exactly at the thresholds",
        "two questions are answered in their order, with the lesser confidence",
        "the same entry asked for twice is sent once",
    ],
)
def test_what_is_sure_is_answered(verdicts: list[Verdict], entries: tuple[str, ...], confidence: float) -> None:
    assert _decide(*verdicts) == Answer(entries, confidence)


@pytest.mark.parametrize(
    ("verdicts", "reason"),
    [
        ([_verdict(confidence=0.299)], Reason.UNSURE),
        ([_verdict(margin=0.049)], Reason.TWO_FIT),
        ([_verdict("q03")], Reason.REVIEW),
        ([_verdict("q04")], Reason.OFF),
        ([_verdict(), _verdict("q02", 0.1)], Reason.PARTLY),
        ([_verdict(), _verdict("q03")], Reason.PARTLY),
        ([_verdict(confidence=0.1), _verdict("q02", 0.1)], Reason.UNSURE),
        ([], Reason.NOTHING_SAID),
    ],
    ids=[
        "below the floor",
        "two entries too close",
        "an entry in review",
        "an entry switched off",
        "one of two questions unsure",
        "one of two questions in review",
        "both questions unsure",
        "no text at all",
    ],
)
def test_what_is_not_sure_goes_to_a_person_and_the_sender_hears_so(verdicts: list[Verdict], reason: Reason) -> None:
    decision = _decide(*verdicts)
    assert isinstance(decision, Escalate)
    assert (decision.reason, decision.acknowledge, decision.rule) == (reason, True, None)
    assert decision.entries == tuple(dict.fromkeys(verdict.entry for verdict in verdicts))


@pytest.mark.parametrize(
    "given",
    [
        {"history": History(in_thread=True)},
        {"history": History(automatic_lately=20)},
        {"history": History(muted=True)},
        {"trouble": Reason.UNREADABLE},
        {"trouble": Reason.UNDELIVERABLE},
        {"trouble": Reason.ABANDONED},
        {"suppression": Suppression.LIST_MAIL},
        {"suppression": Suppression.BULK},
        {"suppression": Suppression.SUPPRESSION_ASKED},
    ],
    ids=lambda given: str(given),
)
def test_where_an_automatic_mail_may_be_one_too_many_a_person_gets_it_in_silence(
    given: dict[str, object],
) -> None:
    decision = _decide(_verdict(), **given)  # type: ignore[arg-type]  # one keyword at a time
    assert isinstance(decision, Escalate)
    assert not decision.acknowledge
    assert decision.rule == given.get("suppression")


def test_the_last_automatic_mail_of_the_budget_is_still_sent() -> None:
    assert isinstance(_decide(_verdict(), history=History(automatic_lately=19)), Answer)


@pytest.mark.parametrize("rule", [rule for rule in Suppression if not rule.needs_person], ids=lambda rule: rule.value)
def test_a_machine_is_never_answered_however_sure_the_verdict(rule: Suppression) -> None:
    sure = _verdict(confidence=1.0, margin=1.0)
    assert _decide(sure, suppression=rule) == Suppress(rule, rule)
    assert _decide(sure, suppression=rule, history=History(in_thread=True)) == Suppress(rule, rule)


def test_the_same_mail_again_is_kept_in_silence() -> None:
    assert _decide(_verdict(), history=History(repeated=True)) == Suppress(Reason.REPEATED)


@pytest.mark.parametrize(
    ("given", "silent"),
    [
        ({}, True),
        ({"trouble": Reason.GARBLED}, False),
        ({"suppression": Suppression.SUPPRESSION_ASKED}, False),
        ({"suppression": Suppression.NULL_SENDER}, True),
    ],
    ids=["thanks", "what could not be read well", "what a rule puts before people", "what a machine sent"],
)
def test_thanks_are_kept_in_silence_only_where_nothing_is_in_doubt(given: dict[str, object], silent: bool) -> None:
    history = History(in_thread=True, thanks=True)
    decision = _decide(_verdict(), history=history, **given)  # type: ignore[arg-type]  # one keyword at a time
    assert isinstance(decision, Suppress) is silent


@pytest.mark.parametrize("rule", [rule for rule in Suppression if rule.needs_person], ids=lambda rule: rule.value)
def test_of_the_rules_that_ask_a_person_only_those_that_our_own_letter_trips_let_thanks_pass(rule: Suppression) -> None:
    ours = {Suppression.OUR_REFERENCE, Suppression.MACHINE_SUBJECT, Suppression.MACHINE_TEXT}
    decision = _decide(_verdict(), history=History(in_thread=True, thanks=True), suppression=rule)
    assert (decision == Suppress(Reason.THANKS)) is (rule in ours)
    assert isinstance(_decide(_verdict(), history=History(in_thread=True), suppression=rule), Escalate)


def test_a_report_of_ours_is_kept_with_the_rule_and_a_reason_of_its_own() -> None:
    decision = _decide(suppression=Suppression.NULL_SENDER, history=History(returned=True))
    assert decision == Suppress(Reason.RETURNED, Suppression.NULL_SENDER)


def test_text_that_was_garbled_is_not_answered_but_acknowledged() -> None:
    decision = _decide(_verdict(), trouble=Reason.GARBLED)
    assert isinstance(decision, Escalate)
    assert decision.acknowledge


def _asked(*entries: str | None) -> tuple[Part, ...]:
    return tuple(Part(f"question {number}?", entry, 0.9) for number, entry in enumerate(entries, 1))


def _decide_parts(verdict: Verdict, parts: tuple[Part, ...]) -> Decision:
    recognition = Recognition(verdict, (), parts)
    return decide(None, recognition, NO_HISTORY, trouble=None, modes=MODES, thresholds=THRESHOLDS)


@pytest.mark.parametrize(
    "parts",
    [_asked("q01", None), _asked(None, "q01"), _asked(None), _asked("q01", "q02")],
    ids=["the second is not covered", "the first is not covered", "nothing is covered", "covered by what is not sent"],
)
def test_a_sure_answer_that_leaves_a_question_out_is_never_sent(parts: tuple[Part, ...]) -> None:
    decision = _decide_parts(_verdict(confidence=1.0, margin=1.0), parts)
    assert isinstance(decision, Escalate)
    assert (decision.reason, decision.acknowledge, decision.parts) == (Reason.PARTLY, True, parts)


def test_where_every_question_is_covered_by_what_is_sent_it_is_sent() -> None:
    assert _decide_parts(_verdict(), _asked("q01", "q01")) == Answer(("q01",), 0.5)


@pytest.mark.parametrize(
    ("verdict", "parts", "reason"),
    [
        (_verdict(confidence=0.1), _asked("q01", None), Reason.PARTLY),
        (_verdict(confidence=0.1), _asked(None, None), Reason.UNSURE),
        (_verdict("q03"), _asked("q03"), Reason.REVIEW),
        (_verdict("q03"), _asked("q03", None), Reason.PARTLY),
    ],
    ids=["unsure and covered in part", "unsure of all", "all in review", "in review and covered in part"],
)
def test_the_reason_tells_whether_something_is_covered(
    verdict: Verdict, parts: tuple[Part, ...], reason: Reason
) -> None:
    assert _decide_parts(verdict, parts).reason is reason


def test_an_entry_that_is_off_covers_nothing_and_one_in_review_does() -> None:
    decision = _decide_parts(_verdict("q03"), _asked("q03", "q04"))
    assert isinstance(decision, Escalate)
    assert [part.entry for part in decision.parts] == ["q03", None]
    assert decision.entries == ("q03", "q04")


@pytest.mark.parametrize(
    ("verdicts", "covered"),
    [
        ([_verdict("q01"), _verdict("q02", 0.1)], ["q01", None]),
        ([_verdict("q01"), _verdict("q03")], ["q01", "q03"]),
        ([_verdict("q01"), _verdict("q04")], ["q01", None]),
        ([_verdict("q03")], ["q03"]),
        ([_verdict(margin=0.01)], [None]),
    ],
    ids=["one unsure", "one in review", "one off", "one question in review", "two fit"],
)
def test_without_a_word_of_the_classifier_the_verdicts_say_what_is_covered(
    verdicts: list[Verdict], covered: list[str | None]
) -> None:
    decision = _decide(*verdicts)
    assert isinstance(decision, Escalate)
    assert [part.entry for part in decision.parts] == covered


def test_whoever_answers_a_notice_to_staff_gets_no_machines_word() -> None:
    decision = _decide(_verdict(), history=History(in_thread=True, to_notice=True))
    assert isinstance(decision, Escalate)
    assert (decision.reason, decision.acknowledge) == (Reason.TO_NOTICE, False)


def test_what_goes_to_a_person_in_silence_is_prepared_too() -> None:
    decision = _decide(_verdict(), history=History(in_thread=True))
    assert isinstance(decision, Escalate)
    assert decision.parts == (Part("question?", "q01", 0.5),)


@pytest.mark.parametrize(
    ("language", "verdicts", "reason"),
    [
        (Language.ENGLISH, [_verdict()], Reason.RECOGNISED),
        (Language.ENGLISH, [_verdict("q02")], Reason.NO_ENGLISH),
        (Language.ENGLISH, [_verdict(), _verdict("q02")], Reason.NO_ENGLISH),
        (Language.ENGLISH, [_verdict("q02", 0.299)], Reason.UNSURE),
        (Language.ENGLISH, [_verdict("q03")], Reason.REVIEW),
        (Language.ENGLISH, [_verdict(confidence=0.299)], Reason.UNSURE),
        (Language.OTHER, [_verdict(confidence=1.0)], Reason.FOREIGN),
        (Language.OTHER, [_verdict("q03", 0.1)], Reason.FOREIGN),
        (Language.JAPANESE, [_verdict("q02")], Reason.RECOGNISED),
    ],
    ids=[
        "English, and the entry has it",
        "English, and the entry lacks it",
        "English, and one of two entries lacks it",
        "English below the floor, where it does not matter what the entry lacks",
        "English does not send an entry in review",
        "English needs no less confidence",
        "another language, however sure",
        "another language comes before what else is in the way",
        "Japanese needs no English",
    ],
)
def test_an_entry_is_sent_in_the_language_of_the_mail_or_by_a_person(
    language: Language, verdicts: list[Verdict], reason: Reason
) -> None:
    decision = _decide(*verdicts, language=language)
    assert decision.reason is reason
    assert isinstance(decision, Answer) is (reason is Reason.RECOGNISED)
    assert getattr(decision, "acknowledge", True) is True
    assert getattr(decision, "entries", ()) == tuple(dict.fromkeys(verdict.entry for verdict in verdicts))


def test_a_mail_without_text_has_no_language_and_is_said_to_have_no_text() -> None:
    assert _decide(language=None) == Escalate(Reason.NOTHING_SAID, acknowledge=True)


def test_a_language_is_no_reason_to_write_where_silence_is_due() -> None:
    decision = _decide(_verdict("q02"), language=Language.ENGLISH, history=History(in_thread=True))
    assert isinstance(decision, Escalate)
    assert (decision.reason, decision.acknowledge) == (Reason.IN_THREAD, False)
