"""A person's answer: who may give it, where it goes, and that it is given once."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.desk.answering import (
    Intervened,
    Kept,
    Preview,
    Queued,
    Refused,
    Words,
    preview,
    salutation_of,
    send,
)
from responder.desk.newest import Newest, newest_of
from responder.mail.envelope import Envelope
from responder.mail.message import Message, parse_message
from responder.store import case_events, cases, casework, composing, drafts, inbox, merging, outbox
from responder.store.casework import Refusal
from responder.store.engine import open_engine, reading
from responder.worker import triage_next
from tests.answered import answer_case, undo_answer
from tests.knowledge import ADDRESS, AUTHOR, briefing, reader, shipped_letters

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
TANAKA = "tanaka@contractor.example"
TEXT = "お支払いは翌月末でございます。"


def _mail(number: int, *, sender: str = TANAKA, **fields: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = sender, ADDRESS
    mail["Subject"] = f"お支払いの件 {number}"
    mail["Message-ID"] = f"<question-{number}@contractor.example>"
    for name, value in fields.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content("先月分のお振込みはいつ頃になりますでしょうか。")
    return mail.as_bytes()


def _take_in(engine: Engine, *raws: bytes, mail_from: str = TANAKA) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(mail_from, (ADDRESS,)), raw) for raw in raws], now=NOW)
    triage_next(engine, briefing(), reader(), now=NOW, limit=50, lease=LEASE)


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store with one case, number 1, that nobody has taken, and an acknowledgement, mail 1."""
    opened = open_engine(made_url)
    _take_in(opened, _mail(1))
    yield opened
    opened.dispose()


def _answer(
    engine: Engine, case: int = 1, *, text: str = TEXT, who: str = "sato", now: datetime = NOW, **more: Any
) -> Queued | Kept:
    return answer_case(engine, case, text, who=who, now=now, **more)


def _answers(engine: Engine) -> list[outbox.Listing]:
    with reading(engine) as connection:
        return [row for row in reversed(outbox.listing(connection)) if row.kind == "person"]


def _sent(engine: Engine, delivery: int) -> EmailMessage:
    with reading(engine) as connection:
        raw = outbox.raw_of(connection, delivery)
    assert raw is not None
    return message_from_bytes(raw, policy=default)


def _state(engine: Engine, case: int = 1) -> tuple[str, list[str]]:
    with reading(engine) as connection:
        found = cases.find(connection, case)
        assert found is not None
        return found.state, [event.event for event in case_events.of_case(connection, case)]


def _take(engine: Engine, who: str) -> None:
    with engine.begin() as connection:
        assert casework.take(connection, 1, who=who, now=NOW) is None


def test_an_answer_stands_in_the_outbox_and_the_case_is_closed(engine: Engine) -> None:
    outcome = _answer(engine)
    (row,) = _answers(engine)
    assert outcome == Queued(row.id, TANAKA)
    assert (row.inquiry_id, row.recipient, row.state, row.next_attempt_at) == (1, TANAKA, "queued", NOW)
    assert _state(engine) == ("closed", ["opened", "answered"])
    with reading(engine) as connection:
        event = case_events.of_case(connection, 1)[-1]
    assert (event.who, event.delivery_id, event.at) == ("sato", row.id, NOW)


def test_an_answer_stands_in_the_contractors_thread_and_is_a_persons(engine: Engine) -> None:
    _answer(engine)
    mail = _sent(engine, _answers(engine)[0].id)
    assert mail["In-Reply-To"] == "<question-1@contractor.example>"
    assert "<question-1@contractor.example>" in mail["References"]
    assert (mail["To"], mail["From"].addresses[0].addr_spec) == (TANAKA, ADDRESS)
    assert mail["Subject"] == "Re: お支払いの件 1（受付番号 R-000001）"
    assert (mail["Auto-Submitted"], mail["Precedence"], mail["X-Auto-Response-Suppress"]) == (None, None, None)
    assert TEXT in mail.get_content()
    assert mail["Message-ID"] == _answers(engine)[0].message_id


def test_an_answer_bounces_to_us(engine: Engine) -> None:
    _answer(engine)
    with engine.begin() as connection:
        claimed = outbox.claim(connection, now=NOW, limit=9, lease=LEASE)
    assert [(one.kind, one.sender) for one in claimed] == [("acknowledgement", ""), ("person", ADDRESS)]


def test_blank_lines_around_the_text_are_not_sent(engine: Engine) -> None:
    _answer(engine, text=f"\n\n  {TEXT}\r\n二行目\n\n\n")
    content = _sent(engine, _answers(engine)[0].id).get_content()
    assert f"{TEXT}\n二行目\n\n---" in content.replace("\r\n", "\n")


def test_who_has_taken_a_case_answers_it(engine: Engine) -> None:
    _take(engine, "sato")
    assert isinstance(_answer(engine, who="sato"), Queued)
    assert _state(engine) == ("closed", ["opened", "taken", "answered"])


@pytest.mark.parametrize("text", ["", " \n　\t\n"], ids=["nothing", "white space"])
def test_an_answer_without_text_is_refused(engine: Engine, text: str) -> None:
    assert _answer(engine, text=text) is Refused.EMPTY
    assert (_answers(engine), _state(engine)) == ([], ("open", ["opened"]))


def test_a_case_that_is_none_is_refused(engine: Engine) -> None:
    assert _answer(engine, 99) is Refusal.NO_CASE
    assert _answers(engine) == []


def test_another_persons_case_is_refused(engine: Engine) -> None:
    _take(engine, "suzuki")
    assert _answer(engine, who="sato") is Refusal.TAKEN
    assert (_answers(engine), _state(engine)) == ([], ("taken", ["opened", "taken"]))


def test_a_closed_case_is_refused_until_it_is_opened_again(engine: Engine) -> None:
    assert isinstance(_answer(engine), Queued)
    assert _answer(engine) is Refusal.CLOSED
    assert len(_answers(engine)) == 1
    with engine.begin() as connection:
        cases.open_case(connection, 1, reason="asked again", now=NOW)
    assert isinstance(_answer(engine), Queued)
    first, second = _answers(engine)
    assert first.message_id != second.message_id
    assert _state(engine) == ("closed", ["opened", "answered", "opened", "answered"])


def test_a_mail_without_an_address_is_refused(engine: Engine) -> None:
    _take_in(engine, _mail(2, sender='"a b"@contractor.example'), mail_from='"a b"@contractor.example')
    assert _state(engine, 2) == ("open", ["opened"])
    assert _answer(engine, 2) is Refused.NO_ADDRESS
    assert (_answers(engine), _state(engine, 2)) == ([], ("open", ["opened"]))


def test_an_answer_goes_to_who_wrote_although_another_machine_handed_it_in(engine: Engine) -> None:
    _take_in(engine, _mail(2, sender="suzuki@contractor.example"), mail_from="relay@hosting.example")
    assert _answer(engine, 2) == Queued(_answers(engine)[0].id, "suzuki@contractor.example")


@pytest.mark.parametrize(
    ("author", "recipient"),
    [
        (ADDRESS, "suzuki@contractor.example"),
        ("no-reply@contractor.example", "suzuki@contractor.example"),
        ("yamada@contractor.example", "yamada@contractor.example"),
    ],
    ids=["in our own name", "in nobody's name", "a person's Reply-To is not asked"],
)
def test_an_answer_to_a_form_goes_to_who_filled_it_in(engine: Engine, author: str, recipient: str) -> None:
    _take_in(engine, _mail(2, sender=author, Reply_To="suzuki@contractor.example"), mail_from=TANAKA)
    answered = _answer(engine, 2)
    assert isinstance(answered, Queued)
    assert answered.recipient == recipient


def test_an_answer_goes_to_the_envelopes_sender_where_from_cannot_be_used(engine: Engine) -> None:
    _take_in(engine, _mail(2, sender="田中 <broken>"), mail_from=TANAKA)
    outcome = _answer(engine, 2)
    assert isinstance(outcome, Queued)
    assert outcome.recipient == TANAKA


def test_bytes_that_are_no_mail_can_be_answered_too(engine: Engine) -> None:
    _take_in(engine, b"X-A: b\r\n" * 2000 + b"\r\ntext")
    outcome = _answer(engine, 2)
    assert isinstance(outcome, Queued)
    mail = _sent(engine, outcome.delivery_id)
    assert (mail["In-Reply-To"], mail["Subject"]) == (None, "Re: お問い合わせへのご回答（受付番号 R-000002）")


def test_a_later_mail_of_the_thread_is_the_one_that_is_answered(engine: Engine) -> None:
    with reading(engine) as connection:
        acknowledgement = outbox.listing(connection)[0].message_id
    later = _mail(2, sender="suzuki@contractor.example", In_Reply_To=acknowledgement)
    _take_in(engine, later, mail_from="suzuki@contractor.example")
    outcome = _answer(engine)
    assert isinstance(outcome, Queued)
    assert outcome.recipient == "suzuki@contractor.example"
    mail = _sent(engine, outcome.delivery_id)
    assert mail["In-Reply-To"] == "<question-2@contractor.example>"
    assert acknowledgement in mail["References"]
    assert "R-000001" in mail["Subject"]
    assert _answers(engine)[0].inquiry_id == 2


def test_what_breaks_while_it_is_written_changes_nothing(engine: Engine) -> None:
    with pytest.raises(ValueError, match="longer than"):
        _answer(engine, text="あ" * 200_000)
    assert (_answers(engine), _state(engine)) == ([], ("open", ["opened"]))


def test_of_two_people_who_answer_at_once_one_does(engine: Engine) -> None:
    for number in range(2, 9):
        _take_in(engine, _mail(number))
    barrier = Barrier(2)

    def answer(who: str) -> list[Queued | Kept]:
        outcomes = []
        for case in range(1, 9):
            barrier.wait(timeout=30)
            outcomes.append(_answer(engine, case, who=who))
        return outcomes

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(answer, ["sato", "suzuki"]))
    for case, outcomes in enumerate(zip(*both, strict=True), 1):
        assert sum(isinstance(outcome, Queued) for outcome in outcomes) == 1
        assert set(outcomes) & {Refusal.CLOSED, Refusal.TAKEN}
        assert _state(engine, case) == ("closed", ["opened", "answered"])
    assert len(_answers(engine)) == 8


def test_an_answer_given_between_anothers_look_and_their_answer_is_the_only_one(engine: Engine, made_url: str) -> None:
    """The slow one has seen the case open. Whichever of the two is let through, the other must be refused."""
    slow = open_engine(made_url)
    with ThreadPoolExecutor(1) as pool:
        begun: list[Future[Queued | Kept]] = []

        def meanwhile(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
            if "cases" in statement and not begun:
                begun.append(pool.submit(_answer, engine, who="suzuki"))
                # Where the slow one has locked the case, the other can only wait for its end.
                with suppress(NotYet):
                    begun[0].result(timeout=0.5)

        sa.event.listen(slow, "after_cursor_execute", meanwhile)
        outcomes = [_answer(slow, who="sato"), begun[0].result(timeout=60)]
    slow.dispose()
    assert sum(isinstance(outcome, Queued) for outcome in outcomes) == 1
    assert len(_answers(engine)) == 1
    assert _state(engine) == ("closed", ["opened", "answered"])


UNDO = timedelta(seconds=10)


def _seen(engine: Engine, case: int = 1) -> int:
    with reading(engine) as connection:
        return case_events.newest(connection, case)


def _claimed(engine: Engine, *, now: datetime = NOW) -> list[str]:
    with engine.begin() as connection:
        return [one.kind.value for one in outbox.claim(connection, now=now, limit=9, lease=LEASE)]


def test_an_answer_greets_whom_it_is_for_and_names_who_signs_it(engine: Engine) -> None:
    _answer(engine, salutation="田中 様\nBcc: x", signature="佐藤")
    lines = _sent(engine, _answers(engine)[0].id).get_content().splitlines()
    assert lines[:3] == ["田中 様 Bcc: x", "", TEXT]
    assert lines[-3:] == [AUTHOR.name, "担当：佐藤", ADDRESS]


@pytest.mark.parametrize(
    ("sender", "salutation"),
    [
        ("佐藤 太郎 <sato@contractor.example>", "佐藤 太郎 様"),
        ("株式会社山田建設 <sato@contractor.example>", "株式会社山田建設 御中"),
        ("佐藤様 <sato@contractor.example>", "佐藤様"),
        ("佐藤さん <sato@contractor.example>", "佐藤様"),
        ("服部 <hattori@contractor.example>", "服部 様"),
        ("阿部 <abe@contractor.example>", "阿部 様"),
        ("総務部 <somu@contractor.example>", "総務部 御中"),
        ("公益財団法人東京研究所 <info@contractor.example>", "公益財団法人東京研究所 御中"),
        ("独立行政法人東京機構 <info@contractor.example>", "独立行政法人東京機構 御中"),
        ("東京建設協同組合 <info@contractor.example>", "東京建設協同組合 御中"),
        ("sato@contractor.example", "ご担当者様"),
        ('"https://evil.example" <sato@contractor.example>', "ご担当者様"),
        (f"問い合わせフォーム <{ADDRESS}>", "ご担当者様"),
    ],
)
def test_a_salutation_is_suggested_by_the_name_in_from(engine: Engine, sender: str, salutation: str) -> None:
    _take_in(engine, _mail(2, sender=sender))
    with reading(engine) as connection:
        record = inbox.find(connection, 2)
    assert record is not None
    message = parse_message(record.raw)
    assert isinstance(message, Message)
    assert salutation_of(shipped_letters(), Newest(record, message), AUTHOR) == salutation


def _preview(engine: Engine, case: int, words: Words, **more: Any) -> Any:
    with reading(engine) as connection:
        newest = newest_of(connection, 1)
        assert newest is not None
        return preview(connection, shipped_letters(), AUTHOR, case, newest, words, who="sato", now=NOW, **more)


def test_the_preview_is_the_mail_that_is_sent(engine: Engine) -> None:
    words = Words(TEXT, "田中 様", "佐藤")
    shown = _preview(engine, 1, words, seen=_seen(engine))
    assert isinstance(shown, Preview)
    assert (_answers(engine), _state(engine)) == ([], ("open", ["opened"]))
    _answer(engine, salutation="田中 様", signature="佐藤")
    mail = _sent(engine, _answers(engine)[0].id)
    assert (shown.recipient, shown.subject) == (mail["To"], mail["Subject"])
    assert shown.text.split() == mail.get_content().split()
    assert shown.sender == f"{AUTHOR.name} <{ADDRESS}>"


def test_a_preview_is_refused_for_what_an_answer_is_refused_for(engine: Engine) -> None:
    for case, text, refused in ((1, " ", Refused.EMPTY), (99, TEXT, Refusal.NO_CASE)):
        assert _preview(engine, case, Words(text)) is refused


def test_an_answer_to_a_mail_that_is_not_the_newest_any_more_is_kept_back(engine: Engine) -> None:
    with reading(engine) as connection:
        newest = newest_of(connection, 1)
    assert newest is not None
    _take_in(engine, _mail(2))
    with engine.begin() as connection:
        assert merging.merge(connection, 2, into=1, who="sato", now=NOW) is None
    with engine.begin() as connection:
        # Nobody but the author did anything since, so no event of others keeps it back.
        outcome = send(
            connection,
            shipped_letters(),
            AUTHOR,
            1,
            newest,
            Words(TEXT),
            who="sato",
            now=NOW,
            seen=case_events.newest(connection, 1),
            undo=timedelta(0),
        )
    assert outcome is Refused.NEWER_MAIL
    assert _answers(engine) == []


def _colleague_answers(engine: Engine) -> None:
    _answer(engine, who="suzuki")


def _another_mail_comes(engine: Engine) -> None:
    with reading(engine) as connection:
        ours = outbox.listing(connection)[0].message_id
    _take_in(engine, _mail(2, In_Reply_To=ours))


def _colleague_notes(engine: Engine) -> None:
    with engine.begin() as connection:
        casework.note(connection, 1, text="電話で回答済み", who="suzuki", now=NOW)


def _colleague_takes_over(engine: Engine) -> None:
    with engine.begin() as connection:
        casework.take_over(connection, 1, who="suzuki", now=NOW)


def _colleague_closes(engine: Engine) -> None:
    with engine.begin() as connection:
        casework.close(connection, 1, reason="called", who="suzuki", now=NOW)


def _colleague_merges(engine: Engine) -> None:
    _take_in(engine, _mail(2))
    with engine.begin() as connection:
        assert merging.merge(connection, 1, into=2, who="suzuki", now=NOW) is None


@pytest.mark.parametrize(
    ("between", "told"),
    [
        (_colleague_answers, ("answered", "suzuki")),
        (_another_mail_comes, ("opened", "responder")),
        (_colleague_notes, ("note", "suzuki")),
        (_colleague_takes_over, ("taken", "suzuki")),
        (_colleague_closes, ("closed", "suzuki")),
        (_colleague_merges, ("merged", "suzuki")),
    ],
)
def test_what_came_in_between_keeps_an_answer_back_and_is_told(
    engine: Engine, between: Callable[[Engine], None], told: tuple[str, str]
) -> None:
    seen = _seen(engine)
    between(engine)
    before = _answers(engine)
    outcome = _answer(engine, seen=seen)
    assert isinstance(outcome, Intervened)
    assert [(event.event, event.who) for event in outcome.events] == [told]
    assert _answers(engine) == before


def test_what_one_did_oneself_or_knows_of_keeps_nothing_back(engine: Engine) -> None:
    seen = _seen(engine)
    _another_mail_comes(engine)
    _take(engine, "sato")
    assert isinstance(_answer(engine, seen=seen), Intervened)
    assert isinstance(_answer(engine, seen=_seen(engine)), Queued)
    assert _answer(engine, seen=seen + 1) is Refusal.CLOSED


def test_an_answer_waits_to_be_undone_and_leaves_then(engine: Engine) -> None:
    _answer(engine, undo=UNDO)
    assert _claimed(engine, now=NOW + UNDO / 2) == ["acknowledgement"]
    assert _claimed(engine, now=NOW + UNDO) == ["person"]


def test_an_undone_answer_never_leaves_and_its_text_is_a_draft_again(engine: Engine) -> None:
    with engine.begin() as connection:
        composing.heartbeat(connection, 1, who="sato", now=NOW)
    sent = _answer(engine, undo=UNDO, salutation="田中 様")
    assert isinstance(sent, Queued)
    with engine.begin() as connection:
        assert drafts.load(connection, 1, who="sato") is None
        assert composing.holder(connection, 1, now=NOW) is None
    assert undo_answer(engine, 1, sent.delivery_id, who="suzuki", now=NOW) is Refused.NOT_THEIRS
    assert undo_answer(engine, 1, sent.delivery_id, who="sato", now=NOW) is None
    assert undo_answer(engine, 1, sent.delivery_id, who="sato", now=NOW) is Refused.TOO_LATE
    assert _state(engine) == ("taken", ["opened", "answered", "withdrawn"])
    with engine.begin() as connection:
        draft = drafts.load(connection, 1, who="sato")
        assert draft is not None
        assert (draft.text, draft.salutation) == (TEXT, "田中 様")
        assert not outbox.retry(connection, sent.delivery_id, now=NOW)
    assert "person" not in _claimed(engine, now=NOW + LEASE)
    again = _answer(engine, seen=draft.seen)
    assert isinstance(again, Queued)
    assert _claimed(engine, now=NOW + LEASE).count("person") == 1
    first, second = _answers(engine)
    assert first.message_id != second.message_id
    assert (first.state, second.state) == ("withdrawn", "queued")


def test_a_mail_that_came_while_an_answer_was_undone_is_not_overlooked(engine: Engine) -> None:
    sent = _answer(engine, undo=UNDO)
    assert isinstance(sent, Queued)
    _another_mail_comes(engine)
    assert undo_answer(engine, 1, sent.delivery_id, who="sato", now=NOW) is None
    with reading(engine) as connection:
        draft = drafts.load(connection, 1, who="sato")
    assert draft is not None
    assert isinstance(_answer(engine, seen=draft.seen), Intervened)


def test_what_a_courier_has_in_hand_is_not_undone(engine: Engine) -> None:
    sent = _answer(engine, undo=UNDO)
    assert isinstance(sent, Queued)
    assert "person" in _claimed(engine, now=NOW + UNDO)
    assert undo_answer(engine, 1, sent.delivery_id, who="sato", now=NOW + UNDO) is Refused.TOO_LATE
    assert _state(engine) == ("closed", ["opened", "answered"])
    assert undo_answer(engine, 99, sent.delivery_id, who="sato", now=NOW) is Refusal.NO_CASE


def test_an_answer_is_undone_or_sent_and_never_both(engine: Engine) -> None:
    for number in range(2, 7):
        _take_in(engine, _mail(number))
    sent = [_answer(engine, case) for case in range(1, 7)]
    barrier = Barrier(2)

    def undo() -> list[bool]:
        barrier.wait(timeout=30)
        queued = [(case, one) for case, one in enumerate(sent, 1) if isinstance(one, Queued)]
        return [undo_answer(engine, case, one.delivery_id, who="sato", now=NOW) is None for case, one in queued]

    def deliver() -> set[int]:
        barrier.wait(timeout=30)
        taken = set()
        for _ in range(20):
            with engine.begin() as connection:
                claimed = outbox.claim(connection, now=NOW, limit=1, lease=LEASE)
                taken |= {one.id for one in claimed if outbox.settle_sent(connection, one, reply="250", now=NOW)}
        return taken

    with ThreadPoolExecutor(2) as pool:
        undone, delivered = pool.submit(undo), pool.submit(deliver)
    for case, (one, withdrawn) in enumerate(zip(sent, undone.result(), strict=True), 1):
        assert isinstance(one, Queued)
        assert withdrawn is not (one.delivery_id in delivered.result())
        assert _state(engine, case)[0] == ("taken" if withdrawn else "closed")


def test_a_split_mail_is_answered_under_an_id_of_its_own(engine: Engine) -> None:
    _another_mail_comes(engine)
    _answer(engine)
    with engine.begin() as connection:
        assert merging.split(connection, 1, 2, who="sato", now=NOW) is None
    assert isinstance(_answer(engine, 2), Queued)
    first, second = _answers(engine)
    assert (first.inquiry_id, second.inquiry_id) == (2, 2)
    assert first.message_id != second.message_id


def test_a_merged_case_is_answered_where_it_went(engine: Engine) -> None:
    _colleague_merges(engine)
    assert _answer(engine) is Refusal.MERGED
    assert isinstance(_answer(engine, 2), Queued)
    assert _answers(engine)[0].inquiry_id == 2
