"""Machines that answer machines, forged senders, and budgets, through a real store and worker."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache

import pytest
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.reader import Reader
from responder.store import automatic, breaker, cases, inbox, muted, outbox
from responder.store.engine import reading
from responder.triage.policy import Budgets
from responder.worker import Briefing, triage_next
from tests.knowledge import ADDRESS, briefing, example, reader

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LEASE = timedelta(minutes=2)
TANAKA = "tanaka@contractor.example"

SHARED = (
    "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"
    "契約締結権限者の分も同じ共有アドレスになります。"
)
THREE = message_from_bytes(example("three-party-iso-2022-jp"), policy=default).get_content()
PAYMENT = "先月分のお支払日はいつでしょうか。"


def _mail(text: str, *, sender: str = TANAKA, subject: str = "お尋ね", number: int = 0, **fields: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ADDRESS, subject
    mail["Message-ID"] = f"<{number}.question@contractor.example>"
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def _take_in(engine: Engine, raw: bytes, *, sender: str = TANAKA) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(sender, (ADDRESS,)), raw)], now=NOW)


@cache
def _with(**budgets: object) -> Briefing:
    usual = briefing()
    return replace(usual, knowledge=replace(usual.knowledge, budgets=Budgets(**budgets)))  # type: ignore[arg-type]  # by name


def _triage(engine: Engine, *, now: datetime = NOW, using: Briefing | None = None) -> None:
    while triage_next(engine, using or briefing(), reader(), now=now, limit=50, lease=LEASE):
        pass


def _rows(engine: Engine) -> list[inbox.Listing]:
    with reading(engine) as connection:
        return list(reversed(inbox.listing(connection, limit=1000)))


def _reasons(engine: Engine) -> list[str]:
    return [str(row.reason) for row in _rows(engine)]


def _sent(engine: Engine) -> list[EmailMessage]:
    with reading(engine) as connection:
        raws = [outbox.raw_of(connection, row.id) for row in reversed(outbox.listing(connection, limit=1000))]
    return [message_from_bytes(raw or b"", policy=default) for raw in raws]


Responder = Callable[[EmailMessage, int], tuple[str, bytes]]
"""What another machine makes of a mail of ours: its MAIL FROM and its mail."""


def _echo(ours: EmailMessage, number: int) -> tuple[str, bytes]:
    text = ours.get_content()
    return TANAKA, _mail(text, subject=f"Re: {ours['Subject']}", number=number, In_Reply_To=ours["Message-ID"])


def _echo_without_thread(ours: EmailMessage, number: int) -> tuple[str, bytes]:
    return TANAKA, _mail(ours.get_content(), subject="ご連絡", number=number)


def _rewriting(ours: EmailMessage, number: int) -> tuple[str, bytes]:
    other = f"desk{number}@contractor.example"
    return TANAKA, _mail("ご連絡の件、確かに拝見しました。", sender=other, subject="ご確認", number=number)


def _ours(ours: EmailMessage, number: int) -> tuple[str, bytes]:
    """A responder like this one: from the null reverse-path, with our marks, in the thread."""
    fields = {"In_Reply_To": ours["Message-ID"], "Auto_Submitted": "auto-replied", "Precedence": "bulk"}
    return "", _mail("受け付けました。", subject=f"受付のお知らせ: {ours['Subject']}", number=number, **fields)


def _bouncing(ours: EmailMessage, number: int) -> tuple[str, bytes]:
    return "", _mail("<tanaka@contractor.example>: 550 5.1.1", sender="MAILER-DAEMON@mx.example", number=number)


def _bouncing_badly(ours: EmailMessage, number: int) -> tuple[str, bytes]:
    """As old gateways do: from an ordinary address, without a mark."""
    text = "Your message did not reach some or all of the intended recipients."
    return "gateway@contractor.example", _mail(text, sender="gateway@contractor.example", number=number)


@pytest.mark.parametrize("question", [SHARED, PAYMENT], ids=["answered", "acknowledged"])
@pytest.mark.parametrize(
    ("responder", "reason"),
    [
        (_ours, "null sender"),
        (_echo, "a reply to a mail of ours"),
        (_echo_without_thread, "our reference number in it"),
        (_bouncing, "null sender"),
        (_bouncing_badly, "text of an automatic mail"),
    ],
    ids=["one like ours", "an echo", "an echo out of the thread", "a bounce", "a bounce without marks"],
)
def test_another_machine_gets_one_automatic_mail_and_people_see_why(
    engine: Engine, question: str, responder: Responder, reason: str
) -> None:
    _take_in(engine, _mail(question))
    _triage(engine)
    for number in range(1, 6):
        if len(_sent(engine)) < number:
            break
        sender, raw = responder(_sent(engine)[-1], number)
        _take_in(engine, raw, sender=sender)
        _triage(engine)
    assert len(_sent(engine)) == 1
    assert _reasons(engine)[-1] == reason


def test_a_machine_that_rewrites_all_it_has_is_bounded_and_people_see_why(engine: Engine) -> None:
    """No mark, no thread, none of our words: only what was sent before can tell."""
    _take_in(engine, _mail(PAYMENT))
    for number in range(1, 6):
        _triage(engine)
        sender, raw = _rewriting(_sent(engine)[-1], number)
        _take_in(engine, raw, sender=sender)
    _triage(engine)
    assert len(_sent(engine)) == 1
    assert set(_reasons(engine)[1:]) == {"the sender had an automatic mail lately"}
    with reading(engine) as connection:
        assert len(cases.listing(connection)) == 6


def test_a_machine_that_rewrites_an_answer_gets_no_acknowledgement_besides(engine: Engine) -> None:
    _take_in(engine, _mail(SHARED))
    for number in range(1, 6):
        _triage(engine)
        sender, raw = _rewriting(_sent(engine)[-1], number)
        _take_in(engine, raw, sender=sender)
    _triage(engine)
    assert len(_sent(engine)) == 1


@pytest.mark.parametrize(
    ("mail_from", "author", "reason"),
    [
        ("victim@elsewhere.example", TANAKA, "sender and author of two organisations"),
        (TANAKA, "victim@elsewhere.example", "sender and author of two organisations"),
        ("victim@elsewhere.example", f"{TANAKA}, sato@contractor.example", "not exactly one author"),
    ],
    ids=["MAIL FROM is forged", "From is forged", "From names two"],
)
def test_a_forged_mail_makes_us_write_to_nobody(engine: Engine, mail_from: str, author: str, reason: str) -> None:
    _take_in(engine, _mail(SHARED, sender=author), sender=mail_from)
    _triage(engine)
    assert (_sent(engine), _reasons(engine)) == ([], [reason])


def test_many_forged_senders_trip_the_breaker_until_somebody_resets_it(engine: Engine) -> None:
    using = _with(per_hour=20)
    for number in range(60):
        victim = f"victim{number}@elsewhere{number}.example"
        _take_in(engine, _mail(SHARED, sender=victim, number=number), sender=victim)
    _triage(engine, using=using)
    assert len(_sent(engine)) == 20
    assert _reasons(engine)[20:] == ["the breaker for automatic mail has tripped"] * 40
    with reading(engine) as connection:
        trip = breaker.in_force(connection)
    assert trip is not None
    assert (trip.tripped_at, trip.sent) == (NOW, 20)
    _take_in(engine, _mail(SHARED, number=300))
    _triage(engine, using=using, now=NOW + 2 * HOUR)
    assert len(_sent(engine)) == 20
    with engine.begin() as connection:
        assert breaker.reset(connection, who="sato", now=NOW + 2 * HOUR)
    _take_in(engine, _mail(SHARED, number=301))
    _triage(engine, using=using, now=NOW + 2 * HOUR)
    assert _rows(engine)[-1].lane == "answered"


def test_after_a_reset_what_left_before_it_is_not_counted_again(engine: Engine) -> None:
    using = _with(per_hour=2)
    for number in range(3):
        sender = f"user{number}@contractor{number}.example"
        _take_in(engine, _mail(SHARED, sender=sender, number=number), sender=sender)
    _triage(engine, using=using)
    with engine.begin() as connection:
        breaker.reset(connection, who="sato", now=NOW + timedelta(minutes=1))
    _take_in(engine, _mail(SHARED, number=9))
    _triage(engine, using=using, now=NOW + timedelta(minutes=2))
    assert _rows(engine)[-1].lane == "answered"


@pytest.mark.parametrize(("falls_back", "lane"), [(True, "answered"), (False, "escalated")])
def test_a_breaker_falls_back_by_itself_only_where_it_may(engine: Engine, falls_back: bool, lane: str) -> None:
    using = _with(per_hour=1, falls_back=falls_back)
    for number in range(2):
        sender = f"user{number}@contractor{number}.example"
        _take_in(engine, _mail(SHARED, sender=sender, number=number), sender=sender)
    _triage(engine, using=using)
    assert [row.lane for row in _rows(engine)] == ["answered", "escalated"]
    _take_in(engine, _mail(SHARED, number=9))
    _triage(engine, using=using, now=NOW + 2 * HOUR)
    assert _rows(engine)[-1].lane == lane
    with reading(engine) as connection:
        assert (breaker.in_force(connection) is None) is falls_back


def test_the_same_answer_goes_to_a_sender_once_a_week(engine: Engine) -> None:
    for number, days in enumerate([0, 1, 6.9, 7.1]):
        tagged = TANAKA.replace("@", f"+{number}@")
        _take_in(engine, _mail(SHARED, number=number), sender=tagged)
        _triage(engine, now=NOW + timedelta(days=days))
    _take_in(engine, _mail(THREE, number=9))
    _triage(engine, now=NOW + timedelta(days=7.1))
    again = "the sender had the same answer lately"
    assert _reasons(engine) == ["recognised", again, again, "recognised", "recognised"]
    with reading(engine) as connection:
        assert [case.reason for case in cases.listing(connection)] == [again, again]


@pytest.mark.parametrize(
    ("budgets", "senders", "later", "reason"),
    [
        ({"per_sender_hour": 2}, [TANAKA] * 3, HOUR, "the sender had many automatic mails lately"),
        ({"per_sender_day": 2}, [TANAKA] * 3, timedelta(days=1), "the sender had many automatic mails lately"),
        (
            {"per_organisation_hour": 2},
            [f"{name}.contractor.example" for name in ("a@mail", "b@x", "c@y")],
            HOUR,
            "the sender's organisation had many automatic mails lately",
        ),
    ],
    ids=["of a sender in an hour", "of a sender in a day", "of an organisation in an hour"],
)
def test_a_budget_that_is_used_up_leaves_mail_to_people_until_time_has_passed(
    engine: Engine, budgets: dict[str, int], senders: list[str], later: timedelta, reason: str
) -> None:
    using = _with(acknowledge_again_after=timedelta(), **budgets)
    for number, sender in enumerate(senders):
        # Answers and acknowledgements are counted together.
        _take_in(engine, _mail([SHARED, PAYMENT, THREE][number], sender=sender, number=number), sender=sender)
    _triage(engine, using=using)
    assert len(_sent(engine)) == 2
    assert _reasons(engine)[-1] == reason
    _take_in(engine, _mail(THREE, sender=senders[0], number=9), sender=senders[0])
    _triage(engine, using=using, now=NOW + later + timedelta(seconds=1))
    assert _rows(engine)[-1].lane == "answered"


def test_a_second_acknowledgement_waits_for_its_time(engine: Engine) -> None:
    for number, minutes in enumerate([0, 59, 61]):
        _take_in(engine, _mail(PAYMENT, number=number))
        _triage(engine, now=NOW + timedelta(minutes=minutes))
    assert [row.lane for row in _rows(engine)] == ["escalated"] * 3
    assert len(_sent(engine)) == 2
    assert _reasons(engine)[1] == "the sender had an automatic mail lately"


def test_an_address_that_refused_a_mail_gets_no_automatic_mail_for_a_while(engine: Engine) -> None:
    _take_in(engine, _mail(PAYMENT))
    _triage(engine)
    with engine.begin() as connection:
        muted.mute(connection, TANAKA, reason="550 5.1.1", until=NOW + timedelta(days=60), now=NOW)
    for number, days in ((1, 59), (2, 61)):
        _take_in(engine, _mail(SHARED, number=number))
        _triage(engine, now=NOW + timedelta(days=days))
    assert _reasons(engine)[1:] == ["a mail of ours to the sender came back lately", "recognised"]


def test_one_mail_for_two_addresses_of_ours_gets_one_answer_from_two_workers(engine: Engine) -> None:
    """An MTA that hands over recipient by recipient makes two mails of it, which two workers take at one moment."""
    for number in range(12):
        raw = _mail(SHARED, sender=f"user@contractor{number}.example", number=number)
        for to in (ADDRESS, "info@example.jp"):
            with engine.begin() as connection:
                inbox.accept(connection, [(Envelope(f"user@contractor{number}.example", (to,)), raw)], now=NOW)

    def work() -> None:
        own = Reader()
        try:
            while triage_next(engine, briefing(), own, now=NOW, limit=1, lease=LEASE):
                pass
        finally:
            own.close()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {row.lane for row in _rows(engine)} == {"answered", "escalated"}
    assert len({mail["To"] for mail in _sent(engine)}) == len(_sent(engine)) == 12


def test_a_breaker_that_falls_back_forgets_nothing_that_left(engine: Engine) -> None:
    using = _with(per_hour=4, falls_back=True)
    for minute in range(0, 130, 5):
        sender = f"user@contractor{minute}.example"
        _take_in(engine, _mail(SHARED, sender=sender, number=minute), sender=sender)
        _triage(engine, using=using, now=NOW + timedelta(minutes=minute))
        with reading(engine) as connection:
            assert automatic.at_all(connection, since=NOW + timedelta(minutes=minute) - HOUR) <= 4
    assert len(_sent(engine)) > 4


def test_the_same_bytes_long_after_are_no_repetition_and_get_no_second_mail(engine: Engine) -> None:
    """A form or a device may write neither Date nor Message-ID: a person looks, and no machine writes again."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = TANAKA, ADDRESS, "お尋ね"
    mail.set_content(PAYMENT)
    for days in (0, 120):
        with engine.begin() as connection:
            envelope = Envelope(TANAKA, (ADDRESS,))
            inbox.accept(connection, [(envelope, mail.as_bytes())], now=NOW + timedelta(days=days))
        _triage(engine, now=NOW + timedelta(days=days))
    assert [row.lane for row in _rows(engine)] == ["escalated", "escalated"]
    assert len(_sent(engine)) == 1
    with reading(engine) as connection:
        assert len(cases.listing(connection)) == 2
