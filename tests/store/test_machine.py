"""Inbox, worker, outbox and cases under every order of events: whatever happens, the books balance."""

import shutil
import tempfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from functools import cache
from pathlib import Path
from typing import Literal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy.engine import Connection

from responder.mail.envelope import Envelope
from responder.mail.reply import Reply
from responder.store import cases, casework, inbox, outbox
from responder.store.engine import open_engine, reading, upgrade
from responder.store.inbox import Inquiry, Lane, Settlement
from responder.store.outbox import Delivery, DeliveryKind
from responder.triage.policy import Reason
from responder.worker import triage_next
from tests.knowledge import ADDRESS, AUTHOR, briefing, example, reader

START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
LEASE = timedelta(minutes=2)
SENDERS = ("tanaka@contractor.example", "suzuki@contractor.example")
QUESTION = "三者契約でも、電子契約（クラウドサイン）により契約することができますか。"
THANKS = "ありがとうございました、助かりました。"
AUTOMATIC = {"answer", "acknowledgement"}


def _mail(name: str, text: str, **fields: str) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SENDERS[0], ADDRESS, "お尋ね"
    mail["Message-ID"] = f"<{name}@contractor.example>"
    for field, value in fields.items():
        mail[field.replace("_", "-")] = value
    mail.set_content(text)
    return mail.as_bytes()


def _report(message_id: str, action: str) -> bytes:
    status = f"Final-Recipient: rfc822; a@b.example\r\nAction: {action}\r\nStatus: 5.1.1\r\n\r\n"
    return (
        'From: MAILER-DAEMON@mx.example\r\nContent-Type: multipart/report; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: message/delivery-status\r\n\r\n{status}"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {message_id}\r\n\r\n--b--\r\n"
    ).encode()


# Few of them, so that most runs take the same bytes in again.
MAILS = (
    _mail("three", QUESTION),
    _mail("weather", "明日の天気はどうなりますか。"),
    _mail("list", QUESTION, List_Id="<members.example>"),
    _mail("machine", QUESTION, Auto_Submitted="auto-replied"),
    example("payment-date"),
    b"\x00\xff no mail at all",
)


class Post(RuleBasedStateMachine):
    """A service whose workers and couriers die at any moment, and the books that it keeps."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = Path(tempfile.mkdtemp(prefix="responder-machine-", dir=_memory()))
        (self._folder / "responder.db").write_bytes(_empty_store())
        self._engine = open_engine(f"sqlite:///{self._folder / 'responder.db'}")
        self._now = START
        self._accepted = 0
        self._inquiries: list[tuple[Inquiry, datetime]] = []
        self._deliveries: list[tuple[Delivery, datetime]] = []
        # Who claimed it last: whoever claimed it before must be told that it is theirs no more.
        self._last: dict[tuple[type, int], Inquiry | Delivery] = {}

    def teardown(self) -> None:
        self._engine.dispose()
        shutil.rmtree(self._folder)

    @initialize(answered=st.integers(1, 3))
    def begin_with_work_for_everybody(self, answered: int) -> None:
        mails = (_mail(f"first-{number}", QUESTION) for number in range(answered))
        self._take_in([(Envelope(SENDERS[0], (ADDRESS,)), raw) for raw in (*mails, MAILS[1])])
        self.triage(answered + 1)
        self._take_in([(Envelope(SENDERS[1], (ADDRESS,)), MAILS[0])])

    @rule(picks=st.lists(st.tuples(st.sampled_from(MAILS), st.sampled_from(SENDERS)), min_size=1, max_size=3))
    def accept(self, picks: list[tuple[bytes, str]]) -> None:
        self._take_in([(Envelope(sender, (ADDRESS,)), raw) for raw, sender in picks])

    @rule(data=st.data())
    def accept_a_reply_to_a_mail_of_ours(self, data: st.DataObject) -> None:
        with reading(self._engine) as connection:
            ours = [row.message_id for row in outbox.listing(connection)]
        if ours:
            raw = _mail("reply", QUESTION, In_Reply_To=data.draw(st.sampled_from(ours)))
            self._take_in([(Envelope(SENDERS[0], (ADDRESS,)), raw)])

    @rule(data=st.data())
    def accept_thanks_for_a_mail_of_ours(self, data: st.DataObject) -> None:
        with reading(self._engine) as connection:
            ours = [row.message_id for row in outbox.listing(connection)]
        if ours:
            raw = _mail("thanks", THANKS, In_Reply_To=data.draw(st.sampled_from(ours)))
            self._take_in([(Envelope(SENDERS[0], (ADDRESS,)), raw)])

    @rule(data=st.data(), action=st.sampled_from(["failed", "delayed"]))
    def accept_a_report_of_a_mail_of_ours(self, data: st.DataObject, action: str) -> None:
        with reading(self._engine) as connection:
            ours = [row.message_id for row in outbox.listing(connection)]
        if ours:
            self._take_in([(Envelope("", (ADDRESS,)), _report(data.draw(st.sampled_from(ours)), action))])

    def _take_in(self, mails: list[tuple[Envelope, bytes]]) -> None:
        with self._engine.begin() as connection:
            inbox.accept(connection, mails, now=self._now)
        self._accepted += len(mails)

    @rule(minutes=st.sampled_from([1, 2, 5, 90]))
    def let_time_pass(self, minutes: int) -> None:
        self._now += timedelta(minutes=minutes)

    @rule(limit=st.integers(1, 4))
    def triage(self, limit: int) -> None:
        triage_next(self._engine, briefing(), reader(), now=self._now, limit=limit, lease=LEASE)

    @rule(limit=st.integers(1, 3))
    def claim(self, limit: int) -> None:
        with self._engine.begin() as connection:
            claimed = inbox.claim(connection, now=self._now, limit=limit, lease=LEASE)
        self._inquiries += [(inquiry, self._now + LEASE) for inquiry in claimed]
        self._last |= {(Inquiry, inquiry.id): inquiry for inquiry in claimed}

    @precondition(lambda self: self._inquiries)
    @rule(data=st.data(), lane=st.sampled_from(Lane))
    def settle(self, data: st.DataObject, lane: Lane) -> None:
        """As a worker does whose mail needs no thought."""
        inquiry, _ = held = data.draw(st.sampled_from(self._inquiries))
        self._inquiries.remove(held)
        with self._engine.begin() as connection:
            if not inbox.hold(connection, [inquiry]):
                assert not _settled(connection, inquiry, lane, self._now)
                return
            assert not self._lost(inquiry)
            if lane is not Lane.SUPPRESSED and _enqueued(connection, inquiry, lane, self._now) is None:
                lane = Lane.SUPPRESSED
            assert _settled(connection, inquiry, lane, self._now)
            if lane is Lane.ESCALATED:
                cases.open_case(connection, inquiry.id, reason="reason", now=self._now)

    @precondition(lambda self: self._inquiries)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        held = data.draw(st.sampled_from(self._inquiries))
        self._inquiries.remove(held)
        with self._engine.begin() as connection:
            inbox.release(connection, [held[0]])
        if not self._lost(held[0]):
            # Nobody has it now: not even who had it before, and was too slow.
            del self._last[Inquiry, held[0].id]

    @rule()
    def die(self) -> None:
        """What was in hand is forgotten; only the leases remember it."""
        self._inquiries.clear()
        self._deliveries.clear()

    @rule(limit=st.integers(1, 3))
    def take_out(self, limit: int) -> None:
        with self._engine.begin() as connection:
            claimed = outbox.claim(connection, now=self._now, limit=limit, lease=LEASE)
        self._deliveries += [(delivery, self._now + LEASE) for delivery in claimed]
        self._last |= {(Delivery, delivery.id): delivery for delivery in claimed}

    def _lost(self, held: Inquiry | Delivery) -> bool:
        return self._last.get((type(held), held.id)) is not held

    @precondition(lambda self: self._deliveries)
    @rule(data=st.data(), outcome=st.sampled_from(["sent", "deferred", "bounced", "expired"]))
    def deliver(self, data: st.DataObject, outcome: str) -> None:
        delivery, _ = held = data.draw(st.sampled_from(self._deliveries))
        self._deliveries.remove(held)
        with self._engine.begin() as connection:
            assert not (_delivered(connection, delivery, outcome, self._now) and self._lost(delivery))

    @rule(data=st.data(), again=st.booleans())
    def a_person_holds_or_retries(self, data: st.DataObject, again: bool) -> None:
        with self._engine.begin() as connection:
            rows = outbox.listing(connection)
            if rows:
                row = data.draw(st.sampled_from(rows))
                changed = (outbox.retry if again else outbox.hold)(connection, row.id, now=self._now)
                assert not (changed and row.state == "sent")

    @rule(data=st.data(), who=st.sampled_from(["sato", "suzuki"]), end=st.booleans())
    def a_person_takes_or_closes(self, data: st.DataObject, who: str, end: bool) -> None:
        with self._engine.begin() as connection:
            waiting = cases.listing(connection)
            if waiting:
                case = data.draw(st.sampled_from(waiting))
                mine = case.state == "open" or case.taken_by == who
                if end:
                    refusal = casework.close(connection, case.id, reason="called", who=who, now=self._now)
                else:
                    refusal = casework.take(connection, case.id, who=who, now=self._now)
                assert (refusal is None) is mine

    @invariant()
    def the_balance_closes(self) -> None:
        with reading(self._engine) as connection:
            balance = inbox.balance(connection)
        lanes = sum(balance[lane.value] for lane in Lane)
        assert balance["accepted"] == lanes + balance["waiting"] == self._accepted

    @invariant()
    def every_lane_has_what_belongs_to_it(self) -> None:
        with reading(self._engine) as connection:
            sent = _kinds(connection)
            for row in inbox.listing(connection, limit=1000):
                case = cases.case_of(connection, row.id)
                match row.lane:
                    case "answered":
                        assert sent[row.id] == Counter(answer=1)
                    case "escalated":
                        assert case is not None
                        assert sent[row.id] in (Counter(), Counter(acknowledgement=1))
                    case _:
                        # Thanks are told in the case of their thread, where it has one, and begin none.
                        assert sent[row.id] == Counter()
                        assert case is None or (case != row.id and row.reason == Reason.THANKS)

    @invariant()
    def no_bytes_are_answered_twice(self) -> None:
        with reading(self._engine) as connection:
            rows = outbox.listing(connection, limit=1000)
            digests = Counter(_digest(connection, row.inquiry_id) for row in rows if row.kind in AUTOMATIC)
        assert max(digests.values(), default=0) <= 1

    @invariant()
    def nothing_is_held_by_two_live_leases(self) -> None:
        for held in (self._inquiries, self._deliveries):
            live = Counter(one.id for one, until in held if until > self._now)
            assert max(live.values(), default=0) <= 1

    @invariant()
    def what_is_finished_has_no_next_attempt(self) -> None:
        with reading(self._engine) as connection:
            for row in outbox.listing(connection, limit=1000):
                assert (row.next_attempt_at is None) == (row.state in ("sent", "bounced", "expired", "withdrawn"))


def _memory() -> str | None:
    # Every commit is flushed, which a folder in memory does at no cost.
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - mkdtemp makes it ours alone


@cache
def _empty_store() -> bytes:
    with tempfile.TemporaryDirectory(dir=_memory()) as name:
        path = Path(name) / "empty.db"
        engine = open_engine(f"sqlite:///{path}")
        upgrade(engine)
        engine.dispose()
        return path.read_bytes()


def _enqueued(connection: Connection, inquiry: Inquiry, lane: Lane, now: datetime) -> int | None:
    kind = DeliveryKind.ANSWER if lane is Lane.ANSWERED else DeliveryKind.ACKNOWLEDGEMENT
    message_id = AUTHOR.message_id(kind.value, inquiry.id, inquiry.digest)
    reply = Reply(message_id, "", inquiry.envelope.mail_from, b"")
    once = f"automatic:{inquiry.digest}"
    return outbox.enqueue(connection, reply, inquiry_id=inquiry.id, kind=kind, once=once, now=now)


def _settled(connection: Connection, inquiry: Inquiry, lane: Lane, now: datetime) -> bool:
    return inbox.settle(connection, inquiry, Settlement(lane, "reason", None, {}, "", ""), now=now)


def _delivered(connection: Connection, delivery: Delivery, outcome: str, now: datetime) -> bool:
    """As a courier does, once the next hop has spoken."""
    if outcome == "sent":
        return outbox.settle_sent(connection, delivery, reply="250 ok", now=now)
    if outcome == "deferred":
        later = now + timedelta(minutes=5)
        return outbox.settle_deferred(connection, delivery, reply="451 later", next_attempt_at=later, now=now)
    state: Literal["bounced", "expired"] = "bounced" if outcome == "bounced" else "expired"
    failed = outbox.settle_failed(connection, delivery, state=state, reply="550 no", now=now)
    if failed:
        cases.open_case(connection, delivery.inquiry_id, reason=f"{delivery.kind.value} {outcome}", now=now)
    return failed


def _kinds(connection: Connection) -> dict[int, Counter[str]]:
    """The automatic mails of each inquiry, by kind."""
    kinds: dict[int, Counter[str]] = {row.id: Counter() for row in inbox.listing(connection, limit=1000)}
    for row in outbox.listing(connection, limit=1000):
        kinds[row.inquiry_id][row.kind] += 1
    return kinds


def _digest(connection: Connection, number: int) -> str:
    record = inbox.find(connection, number)
    assert record is not None
    return inbox.digest_of(record.envelope, record.raw)


Post.TestCase.settings = settings(max_examples=30, stateful_step_count=40, deadline=None)
TestPost = Post.TestCase
