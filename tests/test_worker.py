"""One step of the worker on a real store: every mail ends in one lane, with what belongs to it."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.letters import Letters, Sender, load_letters
from responder.mail.envelope import Envelope
from responder.mail.message import Unreadable
from responder.reader import Bounds, Reader, ReaderUnavailable
from responder.store import case_events, cases, inbox, outbox
from responder.store.engine import reading
from responder.store.inbox import Lane
from responder.store.schema import inbox as table
from responder.triage.contents import Contents
from responder.worker import Briefing, run, triage_next
from tests.knowledge import ADDRESS, AUTHOR, ROOT, briefing, example, reader, shipped_knowledge
from tests.service import author_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
TANAKA = "tanaka@contractor.example"


def _mail(text: str, *, subject: str = "お尋ね", **fields: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = TANAKA, ADDRESS, subject
    mail["Message-ID"] = "<question@contractor.example>"
    for name, value in fields.items():
        del mail[name.replace("_", "-")]
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def _take_in(engine: Engine, *raws: bytes, sender: str | None = None) -> None:
    """Mails from that envelope sender, else from whoever signed them."""
    mails = [(Envelope(author_of(raw) if sender is None else sender, (ADDRESS,)), raw) for raw in raws]
    with engine.begin() as connection:
        inbox.accept(connection, mails, now=NOW)


def _triage(engine: Engine, *, now: datetime = NOW, using: Briefing | None = None) -> int:
    return triage_next(engine, using or briefing(), reader(), now=now, limit=50, lease=LEASE)


def _rows(engine: Engine) -> list[inbox.Listing]:
    with reading(engine) as connection:
        return list(reversed(inbox.listing(connection)))


def _sent(engine: Engine) -> list[outbox.Listing]:
    with reading(engine) as connection:
        return list(reversed(outbox.listing(connection)))


def _bytes(engine: Engine, delivery: int) -> EmailMessage:
    with reading(engine) as connection:
        raw = outbox.raw_of(connection, delivery)
    assert raw is not None
    return message_from_bytes(raw, policy=default)


def _text(mail: EmailMessage) -> str:
    content: str = mail.get_content()
    return content.replace("\r\n", "\n")


SHARED = (
    "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"
    "契約締結権限者の分も同じ共有アドレスになります。"
)


def test_a_question_of_the_faq_is_answered_to_the_envelope_sender_alone(engine: Engine) -> None:
    _take_in(engine, _mail(SHARED, Reply_To="elsewhere@contractor.example"))
    assert _triage(engine) == 1
    (row,), (delivery,) = _rows(engine), _sent(engine)
    assert (row.lane, delivery.kind, delivery.recipient) == (Lane.ANSWERED, "answer", TANAKA)
    mail = _bytes(engine, delivery.id)
    assert (mail["To"], mail["Auto-Submitted"], mail["In-Reply-To"]) == (
        TANAKA,
        "auto-replied",
        "<question@contractor.example>",
    )
    assert shipped_knowledge().corpus.entry("q04").answer.strip() in _text(mail)
    with reading(engine) as connection:
        assert outbox.any_due(connection, now=NOW)
        assert cases.listing(connection) == []


def test_the_stored_decision_names_entries_evidence_and_corpus(engine: Engine) -> None:
    _take_in(engine, _mail(SHARED))
    _triage(engine)
    with reading(engine) as connection:
        record = inbox.find(connection, _rows(engine)[0].id)
    assert record is not None
    assert record.decision is not None
    knowledge = shipped_knowledge()
    assert record.decision["entries"] == ["q04"]
    assert record.decision["revisions"] == {"q04": 1}
    assert record.decision["corpus"] == knowledge.corpus.fingerprint
    assert record.decision["classifier"] == knowledge.classifier.fingerprint
    assert record.decision["questions"][0]["terms"]


def test_a_question_that_no_entry_answers_opens_a_case_and_is_acknowledged(engine: Engine) -> None:
    _take_in(engine, example("payment-date"))
    _triage(engine)
    (row,), (delivery,) = _rows(engine), _sent(engine)
    assert (row.lane, delivery.kind) == (Lane.ESCALATED, "acknowledgement")
    with reading(engine) as connection:
        (case,) = cases.listing(connection)
    assert (case.id, case.state, case.reason) == (row.id, "open", row.reason)
    assert cases.reference_of(case.id) in _bytes(engine, delivery.id)["Subject"]


@pytest.mark.parametrize(
    ("raw", "sender", "rule"),
    [
        (example("out-of-office"), "takahashi@example.co.jp", "auto-submitted"),
        (example("delivery-report"), "", "null sender"),
        (_mail(SHARED, From=ADDRESS), ADDRESS, "own address"),
    ],
    ids=["an out-of-office reply", "a delivery report", "a mail of our own"],
)
def test_a_machine_is_kept_with_its_rule_and_hears_nothing(engine: Engine, raw: bytes, sender: str, rule: str) -> None:
    _take_in(engine, raw, sender=sender)
    _triage(engine)
    (row,) = _rows(engine)
    assert (row.lane, row.rule) == (Lane.SUPPRESSED, rule)
    assert _sent(engine) == []
    with reading(engine) as connection:
        assert cases.listing(connection) == []
        record = inbox.find(connection, row.id)
    assert record is not None
    assert record.raw == raw


def test_list_mail_goes_to_a_person_in_silence(engine: Engine) -> None:
    _take_in(engine, _mail(SHARED, List_Id="<members.example>"))
    _triage(engine)
    assert (_rows(engine)[0].lane, _rows(engine)[0].rule) == (Lane.ESCALATED, "list mail")
    assert _sent(engine) == []
    with reading(engine) as connection:
        assert len(cases.listing(connection)) == 1


def test_two_questions_are_answered_in_one_mail_in_their_order(engine: Engine) -> None:
    _take_in(engine, example("two-questions"))
    _triage(engine)
    (delivery,) = _sent(engine)
    body = _text(_bytes(engine, delivery.id))
    first, second = (shipped_knowledge().corpus.entry(entry).answer.strip() for entry in ("q04", "q07"))
    assert body.index(first) < body.index(second)


def test_japanese_mail_of_the_old_encoding_is_answered(engine: Engine) -> None:
    _take_in(engine, example("three-party-iso-2022-jp"))
    _triage(engine)
    assert _rows(engine)[0].lane == Lane.ANSWERED
    assert _rows(engine)[0].subject


ENGLISH = "Can we use a shared mailbox for the signatory of the contract as well, or must he have his own?"


def test_an_english_question_is_answered_in_english(engine: Engine) -> None:
    _take_in(engine, _mail(f"{ENGLISH}\n\n株式会社ひまわり商事　田中", subject="Shared mailbox"))
    _triage(engine)
    (row,), (delivery,) = _rows(engine), _sent(engine)
    assert (row.lane, delivery.kind) == (Lane.ANSWERED, "answer")
    mail = _bytes(engine, delivery.id)
    english = shipped_knowledge().corpus.entry("q04").english
    assert english is not None
    assert english.answer in _text(mail)
    assert (mail["Subject"], mail["Content-Language"]) == ("Automatic reply: Shared mailbox", "en")
    assert mail.get_content_charset() == "utf-8"


@pytest.mark.parametrize(
    ("text", "language", "words"),
    [
        ("When will you pay what you owe us for the last month?", "en", "We have received your e-mail"),
        ("Wann wird uns die Rechnung für den letzten Monat bezahlt?", "ja, en", "We have received your e-mail"),
        ("先月分のお支払日はいつでしょうか。", "ja", "メールを受け付け"),
    ],
    ids=["English", "German", "Japanese"],
)
def test_an_acknowledgement_is_in_a_language_that_its_reader_may_know(
    engine: Engine, text: str, language: str, words: str
) -> None:
    _take_in(engine, _mail(text))
    _triage(engine)
    (row,), (delivery,) = _rows(engine), _sent(engine)
    mail = _bytes(engine, delivery.id)
    assert (row.lane, delivery.kind, mail["Content-Language"]) == (Lane.ESCALATED, "acknowledgement", language)
    assert words in _text(mail)


def test_the_same_mail_taken_in_twice_is_answered_once(engine: Engine) -> None:
    raw = _mail(SHARED)
    _take_in(engine, raw, raw)
    _triage(engine)
    _take_in(engine, raw)
    _triage(engine)
    assert [row.lane for row in _rows(engine)] == ["answered", "suppressed", "suppressed"]
    assert _rows(engine)[1].reason == "the same mail was taken in before"
    assert len(_sent(engine)) == 1


def test_a_reply_to_our_answer_goes_to_a_person_and_is_not_answered_again(engine: Engine) -> None:
    _take_in(engine, _mail(SHARED))
    _triage(engine)
    ours = _sent(engine)[0].message_id
    _take_in(engine, _mail(SHARED, Message_ID="<second@contractor.example>", In_Reply_To=ours))
    _triage(engine)
    first, second = _rows(engine)
    assert (second.lane, second.reason) == (Lane.ESCALATED, "a reply to a mail of ours")
    assert len(_sent(engine)) == 1
    with reading(engine) as connection:
        (case,) = cases.listing(connection)
        assert case.id == first.id
        assert [event.inquiry_id for event in case_events.of_case(connection, case.id)] == [second.id]
        assert cases.case_of(connection, second.id) == first.id


def test_a_mail_whose_work_broke_off_three_times_goes_to_a_person_unread(engine: Engine) -> None:
    _take_in(engine, _mail(SHARED))
    for round_ in range(2):
        with engine.begin() as connection:
            assert inbox.claim(connection, now=NOW + round_ * LEASE, limit=1, lease=LEASE)
    _triage(engine, now=NOW + 2 * LEASE)
    assert (_rows(engine)[0].lane, _rows(engine)[0].reason) == (
        Lane.ESCALATED,
        "work on the mail broke off three times",
    )
    assert _sent(engine) == []


def _questions(count: int) -> list[bytes]:
    """Each from an organisation of its own, and to be answered."""
    return [
        _mail(SHARED, From=f"taro@contractor{number}.example", Message_ID=f"<{number}@x.example>")
        for number in range(count)
    ]


def test_a_mail_that_takes_its_worker_down_takes_no_neighbour_along(engine: Engine) -> None:
    _take_in(engine, *_questions(4))
    deadly, now, deaths = 2, NOW, 0
    while True:
        with engine.begin() as connection:
            claimed = inbox.claim(connection, now=now, limit=50, lease=LEASE)
            if not claimed:
                break
            dies = deadly in [one.id for one in claimed] and claimed[0].lease < 3
            if not dies:
                inbox.release(connection, claimed)
        if dies:
            now, deaths = now + LEASE, deaths + 1
        else:
            assert _triage(engine, now=now) == len(claimed)
    assert deaths == 2
    assert [row.lane for row in _rows(engine)] == [Lane.ANSWERED, Lane.ESCALATED, Lane.ANSWERED, Lane.ANSWERED]


class _Watching(Reader):
    """Notes how many mails are in hand whenever one is read."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self._engine = engine
        self.in_hand: list[int] = []

    def read(self, raws: Sequence[bytes], *, within: timedelta) -> list[Contents | Unreadable]:
        with reading(self._engine) as connection:
            leased = sa.select(sa.func.count()).where(table.c.lane.is_(None), table.c.lease_until > NOW + LEASE)
            self.in_hand.append(connection.execute(leased).scalar_one())
        return super().read(raws, within=within)


@pytest.mark.parametrize(("broke_off", "most"), [(True, 1), (False, 2)])
async def test_nothing_is_read_ahead_of_a_mail_on_which_work_broke_off(
    engine: Engine, broke_off: bool, most: int
) -> None:
    count = 6
    _take_in(engine, *_questions(count))
    if broke_off:
        with engine.begin() as connection:
            assert len(inbox.claim(connection, now=NOW, limit=50, lease=LEASE)) == count
    watching, stop = _Watching(engine), asyncio.Event()
    working = asyncio.create_task(
        run(engine, briefing, watching, stop=stop, clock=lambda: NOW + LEASE, limit=1, lease=LEASE)
    )
    async with asyncio.timeout(30):
        while not all(row.lane for row in _rows(engine)):
            await asyncio.sleep(0.02)
    stop.set()
    await working
    watching.close()
    assert max(watching.in_hand) == most


class _BrokenLetters(Letters):
    """Letters that fail on one kind, as a template that its rehearsal let pass might."""

    def acknowledgement(self, **values: object) -> object:  # type: ignore[override]  # it never returns
        raise RuntimeError("broken")


def test_a_letter_that_breaks_holds_up_neither_its_mail_nor_the_others(engine: Engine) -> None:
    sender = Sender(AUTHOR.name, ADDRESS, 3)
    whole = load_letters(ROOT / "templates", sender)
    broken = _BrokenLetters(whole._templates, sender)
    _take_in(engine, example("payment-date"), _mail(SHARED))
    _triage(engine, using=Briefing(shipped_knowledge(), broken, AUTHOR))
    assert [(row.lane, row.reason) for row in _rows(engine)] == [
        ("escalated", "the answer could not be built"),
        ("answered", "recognised"),
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00\xff" * 500,
        b"Subject: =?utf-8?b?AA==?=\r\n\r\n\x00",
        b"From: \xff\xfe\r\n\r\n\x1b$B!!",
        b"\r\n" * 2000,
    ],
    ids=["nothing", "noise", "a NUL in the subject", "broken charsets", "empty lines"],
)
def test_bytes_that_are_no_mail_end_in_a_lane(engine: Engine, raw: bytes) -> None:
    _take_in(engine, raw, _mail(SHARED), sender=TANAKA)
    _triage(engine)
    assert all(row.lane for row in _rows(engine))
    assert _rows(engine)[1].lane == Lane.ANSWERED


def test_an_empty_inbox_is_nothing_to_do(engine: Engine) -> None:
    assert _triage(engine) == 0


def test_a_mail_that_kills_the_reader_goes_to_a_person_and_the_others_are_answered(engine: Engine) -> None:
    _take_in(engine, b"\r\n" * 4_000_000, _mail(SHARED))
    hasty = Reader(Bounds(wall=timedelta(seconds=0.3)))
    try:
        assert triage_next(engine, briefing(), hasty, now=NOW, limit=50, lease=LEASE) == 2
    finally:
        hasty.close()
    killer, innocent = _rows(engine)
    assert (killer.lane, killer.reason, innocent.lane) == (Lane.ESCALATED, "the mail could not be read", Lane.ANSWERED)
    with reading(engine) as connection:
        record = inbox.find(connection, killer.id)
    assert record is not None
    assert record.raw == b"\r\n" * 4_000_000


def test_mails_for_which_the_lease_leaves_no_time_are_given_back_as_if_never_claimed(engine: Engine) -> None:
    _take_in(engine, _mail(SHARED), _mail(SHARED, subject="もう一通"), example("payment-date"))
    for _ in range(3):
        assert triage_next(engine, briefing(), reader(), now=NOW, limit=50, lease=timedelta(microseconds=4)) > 0
    assert [row.lane for row in _rows(engine)] == ["answered", "escalated", "escalated"]
    assert _rows(engine)[2].reason != "work on the mail broke off three times"


def test_while_no_mail_can_be_read_all_of_them_wait_and_none_is_blamed(engine: Engine) -> None:
    _take_in(engine, _mail(SHARED))
    closed = Reader()
    closed.close()
    for _ in range(4):
        with pytest.raises(ReaderUnavailable):
            triage_next(engine, briefing(), closed, now=NOW, limit=50, lease=LEASE)
    assert _rows(engine)[0].lane is None
    _triage(engine)
    assert _rows(engine)[0].lane == Lane.ANSWERED
