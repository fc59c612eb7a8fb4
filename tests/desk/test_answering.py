"""A person's answer: who may give it, where it goes, and that it is given once."""

from collections.abc import Iterator
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

from responder.desk.answering import Queued, Refused, answer_case
from responder.mail.envelope import Envelope
from responder.store import cases, inbox, outbox
from responder.store.engine import open_engine, reading, upgrade
from responder.worker import triage_next
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
def engine(store_url: str) -> Iterator[Engine]:
    """A store with one case, number 1, that nobody has taken, and an acknowledgement, mail 1."""
    opened = open_engine(store_url)
    upgrade(opened)
    _take_in(opened, _mail(1))
    yield opened
    opened.dispose()


def _answer(
    engine: Engine, case: int = 1, *, text: str = TEXT, who: str = "sato", now: datetime = NOW
) -> Queued | Refused:
    return answer_case(engine, shipped_letters(), AUTHOR, case, text, who=who, now=now)


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
        return found.state, [event.event for event in cases.events(connection, case)]


def _take(engine: Engine, who: str) -> None:
    with engine.begin() as connection:
        assert cases.take(connection, 1, who=who, now=NOW)


def test_an_answer_stands_in_the_outbox_and_the_case_is_closed(engine: Engine) -> None:
    outcome = _answer(engine)
    (row,) = _answers(engine)
    assert outcome == Queued(row.id, TANAKA)
    assert (row.inquiry_id, row.recipient, row.state, row.next_attempt_at) == (1, TANAKA, "queued", NOW)
    assert _state(engine) == ("closed", ["opened", "answered"])
    with reading(engine) as connection:
        event = cases.events(connection, 1)[-1]
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
    assert _answer(engine, 99) is Refused.NO_CASE
    assert _answers(engine) == []


def test_another_persons_case_is_refused(engine: Engine) -> None:
    _take(engine, "suzuki")
    assert _answer(engine, who="sato") is Refused.TAKEN
    assert (_answers(engine), _state(engine)) == ([], ("taken", ["opened", "taken"]))


def test_a_closed_case_is_refused_until_it_is_opened_again(engine: Engine) -> None:
    assert isinstance(_answer(engine), Queued)
    assert _answer(engine) is Refused.CLOSED
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

    def answer(who: str) -> list[Queued | Refused]:
        outcomes = []
        for case in range(1, 9):
            barrier.wait(timeout=30)
            outcomes.append(_answer(engine, case, who=who))
        return outcomes

    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(answer, ["sato", "suzuki"]))
    for case, outcomes in enumerate(zip(*both, strict=True), 1):
        assert sum(isinstance(outcome, Queued) for outcome in outcomes) == 1
        assert set(outcomes) & {Refused.CLOSED, Refused.TAKEN}
        assert _state(engine, case) == ("closed", ["opened", "answered"])
    assert len(_answers(engine)) == 8


def test_an_answer_given_between_anothers_look_and_their_answer_is_the_only_one(engine: Engine, store_url: str) -> None:
    """The slow one has seen the case open. Whichever of the two is let through, the other must be refused."""
    slow = open_engine(store_url)
    with ThreadPoolExecutor(1) as pool:
        begun: list[Future[Queued | Refused]] = []

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
