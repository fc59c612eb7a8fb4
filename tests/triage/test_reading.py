"""One mail from its bytes to its decision, and the envelope of a mail whose envelope was not kept."""

from dataclasses import replace
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from responder.corpus import Mode
from responder.mail.envelope import Envelope
from responder.mail.message import Message, Unreadable
from responder.triage.guard.suppression import Suppression
from responder.triage.language import Language
from responder.triage.policy import NO_HISTORY, Answer, Decision, Escalate, History, Reason, Suppress
from responder.triage.reading import Knowledge, Reading, decision_on, read_file, read_mail
from responder.triage.record import action_of, record_of
from tests.knowledge import ADDRESS, example, shipped_knowledge

TANAKA = "tanaka@contractor.example"
ENVELOPE = Envelope(TANAKA, (ADDRESS,))
SHARED = "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"


def _mail(text: str = SHARED, *, subject: str = "お尋ね", **fields: str) -> bytes:
    mail = EmailMessage()
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail["From"] = TANAKA
    mail["To"], mail["Subject"] = ADDRESS, subject
    mail.set_content(text)
    return mail.as_bytes()


def _read(raw: bytes, envelope: Envelope = ENVELOPE) -> Reading:
    return read_mail(envelope, raw, shipped_knowledge())


def _decided(reading: Reading, history: History = NO_HISTORY) -> Decision:
    return decision_on(reading, history, shipped_knowledge())


def test_a_mail_is_read_whole() -> None:
    found = _read(_mail())
    assert isinstance(found.message, Message)
    assert (found.trouble, found.suppression) == (None, None)
    assert found.questions is not None
    assert found.questions.whole.text == SHARED
    assert found.recognition is not None
    assert found.recognition.whole.entry == "q04"
    assert _decided(found) == Answer(("q04",), found.recognition.whole.confidence)


def test_a_mail_that_says_nothing_is_recognised_as_nothing() -> None:
    found = _read(_mail("", subject=""))
    assert found.recognition is None
    assert _decided(found) == Escalate(Reason.NOTHING_SAID, acknowledge=True)


def test_a_subject_alone_is_a_question() -> None:
    found = _read(_mail("", subject=SHARED))
    assert found.recognition is not None
    assert found.recognition.whole.entry == "q04"


TOO_MANY_FIELDS = b"X-A: b\r\n" * 2000 + b"\r\ntext"


def test_a_mail_that_cannot_be_read_goes_to_a_person_in_silence() -> None:
    found = _read(TOO_MANY_FIELDS)
    assert isinstance(found.message, Unreadable)
    assert (found.questions, found.recognition) == (None, None)
    assert _decided(found) == Escalate(Reason.UNREADABLE, acknowledge=False)


def test_noise_goes_to_a_person() -> None:
    decision = _decided(_read(b"\r\n" * 2000 + b"\xff" * 50))
    assert (action_of(decision), decision.reason) == ("escalate", Suppression.NOT_ADDRESSED)


@pytest.mark.parametrize(
    ("sender", "action", "reason"),
    [
        ("", "suppress", Suppression.NULL_SENDER),
        ("tanaka@[192.0.2.1]", "escalate", Reason.UNDELIVERABLE),
        ("tanaka@build_server.example", "escalate", Reason.UNDELIVERABLE),
        (f"SRS0={'x' * 100}@contractor.example", "escalate", Reason.UNDELIVERABLE),
        ("田中@contractor.example", "escalate", Reason.UNDELIVERABLE),
        ('"a b"@contractor.example', "escalate", Reason.UNDELIVERABLE),
    ],
    ids=[
        "the null reverse-path",
        "an address literal",
        "an underscore",
        "SRS",
        "an address beyond ASCII",
        "a quoted local part",
    ],
)
def test_a_sender_that_cannot_be_answered_is_not(sender: str, action: str, reason: Reason | Suppression) -> None:
    decision = _decided(_read(_mail(), Envelope(sender, (ADDRESS,))))
    assert (action_of(decision), decision.reason) == (action, reason)
    assert getattr(decision, "acknowledge", False) is False


def _partly_broken(broken: int, whole: int) -> bytes:
    head = f"From: {TANAKA}\r\nTo: {ADDRESS}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n".encode()
    return head + "あ".encode() * whole + b"\xff " * broken


def test_text_of_which_much_could_not_be_decoded_goes_to_a_person() -> None:
    assert _read(_partly_broken(40, 400)).trouble is Reason.GARBLED
    assert _read(_partly_broken(1, 400)).trouble is None


def test_a_guarded_mail_is_recognised_all_the_same_for_whoever_reads_it() -> None:
    found = _read(_mail(List_Id="<members.example>"))
    assert found.suppression is Suppression.LIST_MAIL
    decision = _decided(found)
    assert isinstance(decision, Escalate)
    assert (decision.entries, decision.acknowledge, decision.rule) == (("q04",), False, Suppression.LIST_MAIL)


def test_a_mail_of_our_own_is_known_by_our_addresses() -> None:
    knowledge = replace(shipped_knowledge(), own_addresses=frozenset({TANAKA}))
    found = read_mail(ENVELOPE, _mail(), knowledge)
    assert decision_on(found, NO_HISTORY, knowledge) == Suppress(Suppression.OWN_ADDRESS, Suppression.OWN_ADDRESS)


def test_the_past_of_a_mail_changes_what_becomes_of_it() -> None:
    found = _read(_mail())
    assert _decided(found, History(repeated=True)) == Suppress(Reason.REPEATED)
    for history, reason in (
        (History(in_thread=True), Reason.IN_THREAD),
        (History(automatic_lately=20), Reason.TOO_MANY),
    ):
        decision = _decided(found, history)
        assert isinstance(decision, Escalate)
        assert (decision.reason, decision.acknowledge, decision.entries) == (reason, False, ("q04",))


def test_an_entry_set_to_review_is_shown_to_a_person_and_not_sent() -> None:
    shipped = shipped_knowledge()
    entries = tuple(replace(one, mode=Mode.REVIEW) if one.id == "q04" else one for one in shipped.corpus.entries)
    knowledge: Knowledge = replace(shipped, corpus=replace(shipped.corpus, entries=entries))
    decision = decision_on(read_mail(ENVELOPE, _mail(), knowledge), NO_HISTORY, knowledge)
    assert isinstance(decision, Escalate)
    assert (decision.reason, decision.acknowledge, decision.entries) == (Reason.REVIEW, True, ("q04",))


@pytest.mark.parametrize(
    ("fields", "sender"),
    [
        ({}, TANAKA),
        ({"Return_Path": "<bounce@contractor.example>"}, "bounce@contractor.example"),
        ({"Return_Path": "<>"}, ""),
    ],
    ids=["From where there is no Return-Path", "Return-Path before From", "the null reverse-path before From"],
)
def test_rfc_5321_4_4_a_mail_on_file_tells_its_envelope(fields: dict[str, str], sender: str) -> None:
    envelope, found = read_file(_mail(**fields), shipped_knowledge())
    assert envelope.mail_from == sender
    assert ADDRESS in envelope.rcpt_to
    assert (found.suppression is Suppression.NULL_SENDER) is (sender == "")


def test_a_file_that_is_no_mail_has_a_sender_that_nobody_could_answer_and_is_no_bounce() -> None:
    envelope, found = read_file(TOO_MANY_FIELDS, shipped_knowledge())
    assert envelope == Envelope("unknown", ())
    assert _decided(found) == Escalate(Reason.UNREADABLE, acknowledge=False)


@pytest.mark.parametrize(
    ("name", "action", "entries"),
    [
        ("shared-mailbox", "answer", ("q04",)),
        ("two-questions", "answer", ("q04", "q07")),
        ("three-party-iso-2022-jp", "answer", ("q07",)),
        ("english", "answer", ("q15",)),
        ("payment-date", "escalate", None),
        ("out-of-office", "suppress", ()),
        ("delivery-report", "suppress", ()),
    ],
)
def test_every_example_takes_its_way(name: str, action: str, entries: tuple[str, ...] | None) -> None:
    _, found = read_file(example(name), shipped_knowledge())
    decision = _decided(found)
    assert action_of(decision) == action
    if entries is not None:
        assert getattr(decision, "entries", ()) == entries


def test_a_decision_is_kept_with_what_it_came_from() -> None:
    found = _read(example("two-questions"), Envelope("sato@example.co.jp", (ADDRESS,)))
    knowledge = shipped_knowledge()
    record = record_of(found, _decided(found), knowledge)
    assert (record["action"], record["reason"], record["rule"]) == ("answer", "recognised", None)
    assert record["entries"] == ["q04", "q07"]
    assert record["revisions"] == {entry: knowledge.corpus.entry(entry).revision for entry in ("q04", "q07")}
    assert record["thresholds"] == {"floor": shipped_knowledge().thresholds.floor, "margin": 0.0, "unproven": []}
    assert (record["corpus"], record["classifier"]) == (knowledge.corpus.fingerprint, knowledge.classifier.fingerprint)
    whole, *units = record["questions"]
    assert found.questions is not None
    assert whole["text"] == found.questions.whole.text
    assert [unit["entry"] for unit in units] == ["q04", "q07"]
    assert record["confidence"] == min(unit["confidence"] for unit in units)


def test_what_could_not_be_read_is_kept_without_questions() -> None:
    unread = Reading(Unreadable("too deep"), Reason.UNREADABLE, (), None, None)
    record = record_of(unread, _decided(unread), shipped_knowledge())
    assert (record["action"], record["questions"], record["charset"]) == ("escalate", [], None)
    assert (record["unreadable"], record["declared"], record["replaced"]) == ("too deep", None, None)


def test_what_was_done_to_the_octets_is_kept() -> None:
    raw = f"From: {TANAKA}\r\nContent-Type: text/plain; charset=Shift_JIS\r\n\r\n".encode() + SHARED.encode() + b"\xff"
    found = _read(raw)
    record = record_of(found, _decided(found), shipped_knowledge())
    assert (record["declared"], record["charset"], record["replaced"]) == ("Shift_JIS", "utf-8", 1)
    assert record["unreadable"] is None


@given(st.binary(max_size=400), st.sampled_from([b"", _mail()[:200], b"From: a@b.example\r\n\r\n"]))
@settings(max_examples=60, deadline=None)
def test_whatever_a_mail_holds_there_is_a_decision_and_the_same_again(noise: bytes, head: bytes) -> None:
    found = _read(head + noise)
    decision = _decided(found)
    assert _decided(_read(head + noise)) == decision
    assert record_of(found, decision, shipped_knowledge())["action"] == action_of(decision)


QUESTION = "Can we use a shared mailbox for the signatory of the contract as well, or must he have his own?"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (QUESTION, Language.ENGLISH),
        ("Можно ли использовать общий почтовый ящик?", Language.OTHER),
        ("Shared mailbox でもよいですか。", Language.JAPANESE),
        ("ｷｮｳﾕｳ ｱﾄﾞﾚｽ ﾃﾞﾓ ﾖｲﾃﾞｽｶ", Language.JAPANESE),
        ("", None),
    ],
    ids=["English", "Russian", "English words in a Japanese question", "half-width kana", "no text"],
)
def test_a_mail_is_read_with_its_language(text: str, language: Language | None) -> None:
    assert _read(_mail(text, subject="")).language is language


def test_a_language_that_no_entry_answers_in_goes_to_a_person() -> None:
    found = _read(_mail("Можно ли использовать общий почтовый ящик?"))
    assert found.trouble is None
    decision = _decided(found)
    assert isinstance(decision, Escalate)
    assert (decision.reason, decision.acknowledge) == (Reason.FOREIGN, True)


def test_an_english_mail_is_answered_where_the_entry_has_english_and_else_goes_to_a_person() -> None:
    shipped = shipped_knowledge()
    found = _read(_mail(QUESTION, subject="Shared mailbox"))
    assert found.language is Language.ENGLISH
    assert isinstance(_decided(found), Answer)
    assert record_of(found, _decided(found), shipped)["language"] == "English"
    entries = tuple(replace(entry, english=None) if entry.id == "q04" else entry for entry in shipped.corpus.entries)
    lacking = replace(shipped, corpus=replace(shipped.corpus, entries=entries))
    decision = decision_on(found, NO_HISTORY, lacking)
    assert isinstance(decision, Escalate)
    assert (decision.reason, decision.acknowledge, decision.entries) == (Reason.NO_ENGLISH, True, ("q04",))
