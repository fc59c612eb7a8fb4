"""Prepared answers: what of a mail is covered is kept with its decision, and put into words when somebody looks."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from sqlalchemy.engine import Engine

from responder.corpus import Corpus, Mode
from responder.desk.answering import Refused
from responder.desk.drafting import Draft, passages_of, prepared_for
from responder.mail.envelope import Envelope
from responder.store import cases, inbox, outbox
from responder.store.engine import reading
from responder.triage.questions import Questions
from responder.triage.verdict import Part, Recognition, Verdict
from responder.worker import Briefing, triage_next
from tests.answered import answer_case
from tests.knowledge import ADDRESS, AUTHOR, reader, shipped_knowledge, shipped_letters

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BLANK = "【この質問への回答を、ここにご記入ください】"


class _Said:
    """A classifier that says what it was told to."""

    fingerprint = "said"

    def __init__(self, recognition: Recognition) -> None:
        self._recognition = recognition

    def classify(self, questions: Questions) -> Recognition:
        return self._recognition


def _corpus(**modes: Mode) -> Corpus:
    corpus = shipped_knowledge().corpus
    return replace(
        corpus, entries=tuple(replace(entry, mode=modes.get(entry.id, entry.mode)) for entry in corpus.entries)
    )


def _triage(engine: Engine, parts: tuple[Part, ...], *, corpus: Corpus) -> None:
    """One mail that is surely recognised as the first of these entries."""
    sure = Verdict("問い", next(part.entry for part in parts if part.entry), 1.0, 1.0, (), ())
    knowledge = replace(shipped_knowledge(), corpus=corpus, classifier=_Said(Recognition(sure, (), parts)))
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "tanaka@contractor.example", ADDRESS, "二つの質問"
    mail["Message-ID"] = "<question@contractor.example>"
    mail.set_content("共有アドレスは使えますか。お支払日はいつですか。")
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope("tanaka@contractor.example", (ADDRESS,)), mail.as_bytes())], now=NOW)
    briefing = Briefing(knowledge, shipped_letters(), AUTHOR)
    assert triage_next(engine, briefing, reader(), now=NOW, limit=1, lease=timedelta(minutes=1)) == 1


def _draft(engine: Engine, corpus: Corpus) -> Draft | None:
    with reading(engine) as connection:
        (case,) = cases.listing(connection)
        return prepared_for(connection, case.id, corpus.entries, shipped_letters())


def _sent(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return [row.kind for row in outbox.listing(connection)]


PARTLY = (Part("共有アドレスは使えますか。", "q04", 0.99), Part("お支払日はいつですか。", None, 0.1))


def test_a_mail_that_is_covered_in_part_is_prepared_and_nothing_of_it_is_sent(engine: Engine) -> None:
    corpus = _corpus()
    _triage(engine, PARTLY, corpus=corpus)
    assert _sent(engine) == ["acknowledgement"]
    with reading(engine) as connection:
        (case,) = cases.listing(connection)
        record = inbox.find(connection, case.id)
    assert case.reason == "not every question is answered by an entry"
    assert record is not None
    assert record.decision is not None
    assert record.decision["parts"] == [
        {"question": "共有アドレスは使えますか。", "entry": "q04", "confidence": 0.99},
        {"question": "お支払日はいつですか。", "entry": None, "confidence": 0.1},
    ]
    draft = _draft(engine, corpus)
    assert draft is not None
    assert draft.unanswered == 1
    assert corpus.entry("q04").answer.strip() in draft.text
    assert draft.text.index("お支払日はいつですか。") < draft.text.index(BLANK)


def test_a_draft_with_an_empty_place_is_not_sent_by_anybody(engine: Engine) -> None:
    _triage(engine, PARTLY, corpus=_corpus())
    draft = _draft(engine, _corpus())
    assert draft is not None
    answered = answer_case(engine, 1, draft.text, who="sato", now=NOW)
    assert answered is Refused.UNFINISHED
    assert _sent(engine) == ["acknowledgement"]
    filled = draft.text.replace(BLANK, "翌月末でございます。")
    assert not isinstance(answer_case(engine, 1, filled, who="sato", now=NOW), Refused)
    assert sorted(_sent(engine)) == ["acknowledgement", "person"]


def test_an_entry_in_review_is_prepared_whole(engine: Engine) -> None:
    corpus = _corpus(q04=Mode.REVIEW)
    _triage(engine, (replace(PARTLY[0]),), corpus=corpus)
    draft = _draft(engine, corpus)
    assert draft is not None
    assert draft.unanswered == 0
    assert _sent(engine) == ["acknowledgement"]


def test_a_draft_has_the_wording_of_the_day_and_leaves_open_what_is_gone(engine: Engine) -> None:
    _triage(engine, PARTLY, corpus=_corpus())
    corpus = _corpus()
    changed = tuple(replace(entry, answer="新しい回答です。") for entry in corpus.entries)
    draft = _draft(engine, replace(corpus, entries=changed))
    assert draft is not None
    assert "新しい回答です。" in draft.text
    gone = tuple(entry for entry in corpus.entries if entry.id != "q04")
    assert _draft(engine, replace(corpus, entries=gone)) is None


def test_an_entry_that_answers_two_questions_stands_once_under_both() -> None:
    entries = {entry.id: entry for entry in _corpus().entries}
    parts = [{"question": str(number), "entry": entry} for number, entry in enumerate(("q04", None, "q04", "q99"), 1)]
    found = passages_of({"parts": parts}, entries)
    assert [(passage.questions, passage.entry and passage.entry.id) for passage in found] == [
        (("1", "3"), "q04"),
        (("2",), None),
        (("4",), None),
    ]


@pytest.mark.parametrize("decision", [{}, {"parts": []}, {"parts": [{"question": "1", "entry": None}]}])
def test_where_nothing_is_covered_nothing_is_prepared(decision: dict[str, object]) -> None:
    assert all(passage.entry is None for passage in passages_of(decision, {}))
