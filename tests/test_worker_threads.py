"""Conversations and reports through the worker on a real store: what belongs together, and what came back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import cache

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from responder.desk.answering import Queued
from responder.desk.newest import newest_mail
from responder.mail.envelope import Envelope
from responder.mail.keyed import own_id
from responder.mail.message import Message, parse_message
from responder.store import case_events, cases, inbox, muted, outbox
from responder.store.engine import reading
from responder.worker import Briefing, triage_next
from tests.answered import answer_case
from tests.knowledge import ADDRESS, AUTHOR, briefing, reader
from tests.service import author_of

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
TANAKA = "tanaka@contractor.example"
QUESTION = (
    "部署の共有メールアドレスを契約担当者のアドレスとして届け出ても問題ないでしょうか。"
    "契約締結権限者の分も同じ共有アドレスになります。"
)
PAYMENT = "先月分のお支払日はいつでしょうか。"
MORE = "その後の手続きはどうすればよいでしょうか。"
THANKS = "ありがとうございました、助かりました。"


def _mail(text: str, *, number: int = 1, subject: str = "お尋ね", sender: str = TANAKA, **fields: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, ADDRESS, subject
    mail["Message-ID"] = f"<{number}@contractor.example>"
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


BOUNCES = "bounces@example.jp"


@cache
def _briefing() -> Briefing:
    usual = briefing()
    own = usual.knowledge.own_addresses | {BOUNCES}
    return replace(usual, knowledge=replace(usual.knowledge, own_addresses=own, bounces=frozenset({BOUNCES})))


def _take_in(
    engine: Engine, raw: bytes, *, sender: str | None = None, taken_for: str = ADDRESS, now: datetime = NOW
) -> inbox.Listing:
    """One mail in and through triage, from its author unless something else is said; gives its row."""
    sender = author_of(raw) if sender is None else sender
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(sender, (taken_for,)), raw)], now=now)
    triage_next(engine, _briefing(), reader(), now=now, limit=50, lease=timedelta(minutes=2))
    with reading(engine) as connection:
        return inbox.listing(connection)[0]


def _sent(engine: Engine) -> list[outbox.Listing]:
    with reading(engine) as connection:
        return list(reversed(outbox.listing(connection)))


def _case(engine: Engine, number: int) -> tuple[str, list[tuple[str, int | None]]] | None:
    with reading(engine) as connection:
        case = cases.find(connection, number)
        events = [(event.event, event.inquiry_id) for event in case_events.of_case(connection, number)]
    return None if case is None else (case.state, events)


def _answer(engine: Engine, case: int) -> outbox.Listing:
    queued = answer_case(engine, case, "翌月末です。", who="sato", now=NOW)
    assert isinstance(queued, Queued)
    return _sent(engine)[-1]


def _deliver(engine: Engine) -> None:
    with engine.begin() as connection:
        for delivery in outbox.claim(connection, now=NOW, limit=9, lease=timedelta(minutes=1)):
            assert outbox.settle_sent(connection, delivery, reply="250 ok", now=NOW)


# --- conversations ---


def test_a_reply_to_an_automatic_answer_opens_a_case_under_the_number_of_the_first_mail(engine: Engine) -> None:
    first = _take_in(engine, _mail(QUESTION))
    assert (first.lane, _case(engine, 1)) == ("answered", None)
    reply = _take_in(engine, _mail(MORE, number=2, In_Reply_To=_sent(engine)[0].message_id))
    assert (reply.lane, reply.reason) == ("escalated", "a reply to a mail of ours")
    assert _case(engine, 1) == ("open", [("opened", 2)])
    assert [row.kind for row in _sent(engine)] == ["answer"]


def test_a_reply_to_an_acknowledgement_joins_its_case_as_the_next_message(engine: Engine) -> None:
    _take_in(engine, _mail(PAYMENT))
    _take_in(engine, _mail(MORE, number=2, References=f"<x@y> {_sent(engine)[0].message_id}"))
    assert _case(engine, 1) == ("open", [("opened", None), ("opened", 2)])
    assert [row.kind for row in _sent(engine)] == ["acknowledgement"]


def test_a_reply_to_a_persons_answer_opens_the_closed_case_again(engine: Engine) -> None:
    _take_in(engine, _mail(PAYMENT))
    answer = _answer(engine, 1)
    _take_in(engine, _mail(MORE, number=2, In_Reply_To=answer.message_id))
    assert _case(engine, 1) == ("open", [("opened", None), ("answered", None), ("opened", 2)])


def test_the_case_number_in_the_subject_joins_the_case_of_its_own_contractor_alone(engine: Engine) -> None:
    opened = _take_in(engine, _mail(PAYMENT))
    contractor = opened.mail_from
    assert _take_in(engine, _mail(QUESTION, number=2, subject="件 R-000001", sender=contractor)).lane == "escalated"
    assert _case(engine, 1) == ("open", [("opened", None), ("opened", 2)])
    other = "suzuki@other.example"
    stranger = _take_in(engine, _mail(QUESTION, number=3, subject="件 R-000001", sender=other), sender=other)
    assert stranger.reason == "our reference number in it"
    assert _case(engine, 1) == ("open", [("opened", None), ("opened", 2)])
    assert _case(engine, 3) == ("open", [("opened", None)])


def test_a_forward_of_our_answer_has_a_case_of_its_own_and_no_machine_writes(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    cited = _sent(engine)[0].message_id
    row = _take_in(engine, _mail(QUESTION, number=2, subject="Fwd: お尋ね", References=cited))
    assert (row.lane, _case(engine, 1), _case(engine, 2)) == ("escalated", None, ("open", [("opened", None)]))
    assert len(_sent(engine)) == 1


def test_a_forward_that_is_not_of_ours_is_a_new_mail(engine: Engine) -> None:
    assert _take_in(engine, _mail(QUESTION, subject="Fwd: お尋ね", References="<x@y>")).lane == "answered"


def test_a_reply_is_known_when_the_outbox_has_its_mail_no_more(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    cited = _sent(engine)[0].message_id
    with engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM outbox"))
    row = _take_in(engine, _mail(MORE, number=2, In_Reply_To=cited))
    assert (row.reason, _case(engine, 1)) == ("a reply to a mail of ours", ("open", [("opened", 2)]))


def test_a_reference_that_our_key_did_not_make_is_a_strangers(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    with reading(engine) as connection:
        record = inbox.find(connection, 1)
    assert record is not None
    digest = inbox.digest_of(record.envelope, record.raw)
    forged = own_id(b"guessed", "answer", 1, digest, host="example.jp")
    assert _sent(engine)[0].message_id == own_id(AUTHOR.key, "answer", 1, digest, host="example.jp")
    again = NOW + timedelta(days=8)  # the same answer may go out once more
    assert _take_in(engine, _mail(QUESTION, number=2, In_Reply_To=forged), now=again).lane == "answered"


# --- thanks ---


def test_thanks_for_an_answer_are_kept_in_silence_and_open_no_case(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    cited = _sent(engine)[0].message_id
    row = _take_in(engine, _mail(THANKS, number=2, subject="Re: お尋ね", In_Reply_To=cited))
    assert (row.lane, row.reason) == ("suppressed", "only thanks, in a thread of ours")
    assert (_case(engine, 1), _case(engine, 2), len(_sent(engine))) == (None, None, 1)
    assert _take_in(engine, _mail(MORE, number=3, In_Reply_To=cited)).lane == "escalated"
    assert _case(engine, 1) == ("open", [("opened", 3)])


def _quoting_reply(engine: Engine, own: str, *, added: str = "") -> bytes:
    """What a mail program makes of "reply" to our latest mail, with the quotation behind marks."""
    latest = _sent(engine)[-1]
    with reading(engine) as connection:
        ours = parse_message(outbox.raw_of(connection, latest.id) or b"")
    assert isinstance(ours, Message)
    quoted = "".join(f"> {line}\n" for line in ours.text.splitlines())
    head = f"2026年11月24日(火) 18:00 {ours.from_name} <{ours.from_address}>:"
    text = f"{own}\n\n{head}\n{quoted}{added}"
    return _mail(text, number=2, subject=f"Re: {ours.subject}", In_Reply_To=latest.message_id)


@pytest.mark.parametrize("question", [_mail(QUESTION), _mail(PAYMENT)], ids=["answer", "acknowledgement"])
def test_thanks_above_our_whole_letter_under_its_own_subject_are_thanks(engine: Engine, question: bytes) -> None:
    _take_in(engine, question)
    row = _take_in(engine, _quoting_reply(engine, THANKS))
    assert (row.lane, row.reason) == ("suppressed", "only thanks, in a thread of ours")


@pytest.mark.parametrize(
    ("own", "added"),
    [("ありがとうございます。まだ開けません。", ""), (THANKS, "> 料金はいくらですか。\n")],
    ids=["beside the thanks", "in the quotation"],
)
def test_what_else_is_said_above_or_in_our_letter_opens_the_case(engine: Engine, own: str, added: str) -> None:
    _take_in(engine, _mail(QUESTION))
    row = _take_in(engine, _quoting_reply(engine, own, added=added))
    assert (row.lane, _case(engine, 1)) == ("escalated", ("open", [("opened", 2)]))


@pytest.mark.parametrize("answered", [False, True], ids=["an open case", "a closed case"])
def test_thanks_in_a_case_are_told_there_and_leave_its_state(engine: Engine, answered: bool) -> None:
    first = _take_in(engine, _mail(PAYMENT))
    cited = (_answer(engine, 1) if answered else _sent(engine)[0]).message_id
    thanks = _mail(THANKS, number=2, subject=f"Re: {first.subject}", In_Reply_To=cited)
    assert _take_in(engine, thanks).lane == "suppressed"
    state, events = _case(engine, 1) or ("", [])
    assert (state, events[-1]) == ("closed" if answered else "open", ("thanked", 2))
    with reading(engine) as connection:
        case = cases.find(connection, 1)
        assert case is not None
        assert newest_mail(connection, case).listing.id == 1


def test_thanks_that_belong_to_no_thread_are_read_by_a_person(engine: Engine) -> None:
    assert _take_in(engine, _mail(THANKS)).lane == "escalated"


def test_thanks_with_a_no_in_them_open_the_case(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    cited = _sent(engine)[0].message_id
    row = _take_in(engine, _mail("ありがとうございます。まだ解決していません。", number=2, In_Reply_To=cited))
    assert (row.lane, _case(engine, 1)) == ("escalated", ("open", [("opened", 2)]))


# --- reports ---


def _report(message_id: str, *, action: str = "failed", status: str = "5.1.1") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nSubject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; somebody@else.example\r\nAction: {action}\r\nStatus: {status}\r\n"
        "Diagnostic-Code: smtp; 550 User unknown\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


def _is_muted(engine: Engine, address: str, now: datetime) -> bool:
    with reading(engine) as connection:
        return muted.is_muted(connection, address, now=now)


def test_a_mail_of_ours_that_came_back_is_bounced_opens_a_case_and_mutes_its_address(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    _deliver(engine)
    row = _take_in(engine, _report(_sent(engine)[0].message_id), sender="")
    assert (row.lane, row.reason, row.rule) == ("suppressed", "a delivery report of ours", "null sender")
    (delivery,) = _sent(engine)
    assert (delivery.state, delivery.reply) == ("bounced", "5.1.1 550 User unknown")
    assert _case(engine, 1) == ("open", [("opened", None)])
    assert _is_muted(engine, TANAKA.upper(), NOW + timedelta(days=59))
    assert not _is_muted(engine, TANAKA, NOW + timedelta(days=60))
    assert not _is_muted(engine, "somebody@else.example", NOW)


def test_a_muted_sender_gets_a_person_and_no_automatic_mail_until_the_time_is_over(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    _take_in(engine, _report(_sent(engine)[0].message_id), sender="")
    row = _take_in(engine, _mail(QUESTION, number=2))
    assert (row.lane, row.reason) == ("escalated", "a mail of ours to the sender came back lately")
    assert len(_sent(engine)) == 1
    assert isinstance(answer_case(engine, 3, "はい。", who="sato", now=NOW), Queued)
    assert _take_in(engine, _mail(QUESTION, number=3), now=NOW + timedelta(days=61)).lane == "answered"


def test_a_person_may_unmute_an_address(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    _take_in(engine, _report(_sent(engine)[0].message_id), sender="")
    with engine.begin() as connection:
        assert [one.address for one in muted.listing(connection, now=NOW)] == [TANAKA]
        assert muted.unmute(connection, TANAKA.title())
        assert not muted.unmute(connection, TANAKA)
        assert muted.listing(connection, now=NOW) == []
    again = NOW + timedelta(days=8)  # the same answer may go out once more
    assert _take_in(engine, _mail(QUESTION, number=2), now=again).lane == "answered"


def test_a_report_opens_the_closed_case_of_a_persons_answer_again(engine: Engine) -> None:
    _take_in(engine, _mail(PAYMENT))
    answer = _answer(engine, 1)
    _deliver(engine)
    _take_in(engine, _report(answer.message_id, status="4.4.7"), sender="")
    assert _case(engine, 1) == ("open", [("opened", None), ("answered", None), ("opened", None)])
    assert _sent(engine)[-1].state == "bounced"
    assert not _is_muted(engine, answer.recipient, NOW)


def test_the_same_report_twice_changes_nothing_more(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    report = _report(_sent(engine)[0].message_id)
    assert [_take_in(engine, report, sender="").reason for _ in range(2)] == ["a delivery report of ours"] * 2
    assert _case(engine, 1) == ("open", [("opened", None)])


def test_a_delay_is_only_noted(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    _deliver(engine)
    row = _take_in(engine, _report(_sent(engine)[0].message_id, action="delayed", status="4.4.1"), sender="")
    assert row.reason == "a delivery report of ours"
    assert (_sent(engine)[0].state, _sent(engine)[0].reply) == ("sent", "delayed: 4.4.1 550 User unknown")
    assert (_case(engine, 1), _is_muted(engine, TANAKA, NOW)) == (None, False)


def test_a_courier_that_has_the_mail_in_hand_finds_it_settled(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    with engine.begin() as connection:
        (delivery,) = outbox.claim(connection, now=NOW, limit=1, lease=timedelta(minutes=1))
    _take_in(engine, _report(delivery.message_id), sender="")
    with engine.begin() as connection:
        assert not outbox.settle_sent(connection, delivery, reply="250 ok", now=NOW)
    assert _sent(engine)[0].state == "bounced"


@pytest.mark.parametrize(
    "forge",
    [lambda known: known.replace("answer.1", "answer.2"), lambda _: "<answer.1.0.0123456789abcdef.0@example.jp>"],
    ids=["another number", "a tag that was made up"],
)
def test_a_forged_report_has_no_effect(engine: Engine, forge: object) -> None:
    _take_in(engine, _mail(QUESTION))
    _deliver(engine)
    forged = forge(_sent(engine)[0].message_id)  # type: ignore[operator]  # a lambda of the table
    row = _take_in(engine, _report(forged), sender="")
    assert (row.lane, row.reason) == ("suppressed", "null sender")
    assert (_sent(engine)[0].state, _case(engine, 1), _is_muted(engine, TANAKA, NOW)) == ("sent", None, False)


@pytest.mark.parametrize(
    ("sender", "taken_for", "state"),
    [
        ("", ADDRESS, "bounced"),
        ("<>", ADDRESS, "bounced"),
        ("daemon@mx.example", BOUNCES.title(), "bounced"),
        ("", BOUNCES, "bounced"),
        ("mallory@elsewhere.example", ADDRESS, "sent"),
        ("postmaster@mx.example", ADDRESS, "sent"),
    ],
)
def test_rfc_5321_s6_1_a_report_counts_from_the_null_reverse_path_or_where_automatic_mail_left_from(
    engine: Engine, sender: str, taken_for: str, state: str
) -> None:
    _take_in(engine, _mail(QUESTION))
    _deliver(engine)
    row = _take_in(engine, _report(_sent(engine)[0].message_id), sender=sender, taken_for=taken_for)
    assert (row.lane, row.reason == "a delivery report of ours") == ("suppressed", state == "bounced")
    assert _sent(engine)[0].state == state
    assert (_case(engine, 1) is not None, _is_muted(engine, TANAKA, NOW)) == (state == "bounced", state == "bounced")


@pytest.mark.parametrize(
    ("sender", "subject"),
    [("", "自動返信: Re: 契約書の配送について"), (TANAKA, "自動返信: Re: 配信エラーの件"), (TANAKA, "[#42] お尋ね")],
    ids=["of the contractor's topic", "with an envelope", "a ticket"],
)
def test_an_absence_note_takes_no_mail_of_ours_back(engine: Engine, sender: str, subject: str) -> None:
    _take_in(engine, _mail(QUESTION))
    _deliver(engine)
    fields = {"In_Reply_To": _sent(engine)[0].message_id, "Auto_Submitted": "auto-replied"}
    row = _take_in(
        engine, _mail("届かない場合は宛先不明となります。", number=2, subject=subject, **fields), sender=sender
    )
    assert row.lane == "suppressed"
    assert (_sent(engine)[0].state, _case(engine, 1), _is_muted(engine, TANAKA, NOW)) == ("sent", None, False)


def test_a_report_in_words_that_names_our_mail_by_its_thread_alone_mutes_nobody(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    _deliver(engine)
    note = _mail("User unknown", number=2, subject="failure notice", In_Reply_To=_sent(engine)[0].message_id)
    assert _take_in(engine, note, sender="").reason == "a delivery report of ours"
    assert (_sent(engine)[0].state, _is_muted(engine, TANAKA, NOW)) == ("bounced", False)


def test_a_person_who_hands_a_report_on_reports_nothing(engine: Engine) -> None:
    _take_in(engine, _mail(QUESTION))
    _deliver(engine)
    words = f"User unknown 550 5.1.1\nMessage-ID: {_sent(engine)[0].message_id}"
    row = _take_in(engine, _mail(words, number=2, subject="Undelivered Mail"))
    assert (row.lane, _sent(engine)[0].state) == ("escalated", "sent")


# --- threads as mail programs show them ---


def _roots(raws: list[bytes]) -> set[str]:
    """The roots of the threads that these mails form, by the algorithm of J. Zawinski that most programs use."""
    parent: dict[str, str | None] = {}
    for raw in raws:
        mail = parse_message(raw)
        assert isinstance(mail, Message)
        assert mail.message_id is not None
        told = [one for value in mail.values("references") for one in value.split()]
        chain = told or [one for value in mail.values("in-reply-to") for one in value.split()][:1]
        for above, below in zip([None, *chain], [*chain, mail.message_id], strict=True):
            # A link that is there stays, but the mail's own word about itself counts.
            if below == mail.message_id or parent.get(below) is None:
                parent[below] = above

    def root(known: str) -> str:
        above = parent[known]
        return known if above is None else root(above)

    return {root(known) for known in parent}


@pytest.mark.parametrize("drops", [False, True], ids=["References are kept", "a client that writes In-Reply-To alone"])
@pytest.mark.parametrize("long", [False, True], ids=["short ids", "ids as long as Outlook's"])
def test_a_conversation_is_one_thread_in_mail_programs(engine: Engine, drops: bool, long: bool) -> None:
    first, second = (f"<{name}{'0123456789' * 12 if long else ''}@contractor.example>" for name in ("first", "second"))
    question = _mail(QUESTION).replace(b"<1@contractor.example>", first.encode())
    _take_in(engine, question)
    with reading(engine) as connection:
        answer = outbox.raw_of(connection, 1) or b""
    cited = message_from_bytes(answer, policy=default)["Message-ID"]
    fields = f"In-Reply-To: {cited}\r\n" + ("" if drops else f"References: {first}\r\n {cited}\r\n")
    reply = fields.encode() + _mail(MORE, number=2).replace(b"<2@contractor.example>", second.encode())
    _take_in(engine, reply)
    _answer(engine, 1)
    with reading(engine) as connection:
        person = outbox.raw_of(connection, 2) or b""
    assert _roots([question, answer, reply, person]) == {first}
    assert _roots([answer, reply, person]) == {first}


# --- whose case it is ---


@pytest.mark.parametrize(
    ("mail_from", "author"),
    [(TANAKA, "evil@evil.example"), ("evil@evil.example", TANAKA), ("evil@evil.example", "evil@evil.example")],
    ids=["MAIL FROM forged", "From forged", "a stranger"],
)
def test_nobody_else_joins_a_case_by_its_number(engine: Engine, mail_from: str, author: str) -> None:
    _take_in(engine, _mail(PAYMENT))
    _take_in(engine, _mail(MORE, number=2, subject="Re: 件 R-000001", sender=author), sender=mail_from)
    assert _case(engine, 1) == ("open", [("opened", None)])
    assert _case(engine, 2) == ("open", [("opened", None)])
    assert len(_sent(engine)) == 1


def test_a_stranger_who_cites_a_mail_of_ours_has_a_case_of_his_own(engine: Engine) -> None:
    _take_in(engine, _mail(PAYMENT))
    cited = _sent(engine)[0].message_id
    stranger = "x@stranger.example"
    _take_in(engine, _mail(MORE, number=2, sender=stranger, References=cited))
    assert _case(engine, 1) == ("open", [("opened", None)])
    assert _case(engine, 2) == ("open", [("opened", None)])
    assert len(_sent(engine)) == 1


def test_a_thread_of_their_own_gets_one_automatic_mail(engine: Engine) -> None:
    """Law 3: what goes on with a mail of theirs goes on with a thread that had its answer."""
    _take_in(engine, _mail(QUESTION))
    other = "3者契約の場合でも、電子契約により契約することができますか。"
    row = _take_in(engine, _mail(other, number=2, In_Reply_To="<1@contractor.example>"), now=NOW + timedelta(hours=2))
    assert (row.lane, row.reason) == ("escalated", "a reply to a mail of ours")
    assert _case(engine, 1) == ("open", [("opened", 2)])
    assert len(_sent(engine)) == 1


def test_their_mail_by_another_way_gets_no_second_automatic_mail(engine: Engine) -> None:
    _take_in(engine, _mail(PAYMENT))
    again = _mail(PAYMENT, X_Way="another")
    assert _take_in(engine, again, now=NOW + timedelta(hours=2)).lane == "escalated"
    assert _case(engine, 1) == ("open", [("opened", None), ("opened", 2)])
    assert len(_sent(engine)) == 1
