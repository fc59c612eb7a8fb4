"""What people do with a case, on both engines: who may do what in which state, and that every deed is told."""

import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sqlalchemy.engine import Connection, Engine

from responder.mail.envelope import Envelope
from responder.store import accounts, case_events, cases, casework, inbox, merging
from responder.store.accounts import Role
from responder.store.casework import Refusal
from responder.store.engine import open_engine, reading, upgrade

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
TANAKA = "tanaka@contractor.example"
MAILS = 8


def _fill(engine: Engine) -> None:
    envelope = Envelope(TANAKA, ("support@example.jp",))
    with engine.begin() as connection:
        inbox.accept(connection, [(envelope, str(number).encode()) for number in range(MAILS)], now=NOW)
        for login in ("sato", "suzuki", "left"):
            account = accounts.add(connection, login=login, name=login, role=Role.AGENT, now=NOW)
            assert account is not None
            if login == "left":
                accounts.disable(connection, account.id, now=NOW)


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store with eight mails of one sender, 1 to 8, and the accounts sato and suzuki."""
    opened = open_engine(made_url)
    _fill(opened)
    yield opened
    opened.dispose()


def _open(connection: Connection, *numbers: int) -> None:
    for number in numbers:
        cases.open_case(connection, number, reason="asked", now=NOW)


def _put(connection: Connection, state: str) -> int:
    """Case 1 in that state, as sato sees it; case 2 is open beside it."""
    _open(connection, 1, 2)
    match state:
        case "mine":
            casework.take(connection, 1, who="sato", now=NOW)
        case "a colleague's":
            casework.take(connection, 1, who="suzuki", now=NOW)
        case "closed":
            casework.close(connection, 1, reason="called", who="suzuki", now=NOW)
        case "merged":
            merging.merge(connection, 1, into=2, who="suzuki", now=NOW)
        case "none":
            return 7
    return 1


STATES = ("open", "mine", "a colleague's", "closed", "merged", "none")
_R = Refusal
_WORK = (None, None, _R.TAKEN, _R.CLOSED, _R.MERGED, _R.NO_CASE)
WHO: dict[str, Any] = {"who": "sato", "now": NOW + HOUR}

# What each deed gives in each of the states above, and where the case stands once it is done.
DEEDS: dict[str, tuple[Callable[[Connection, int], Refusal | None], tuple[Refusal | None, ...], tuple[str, str | None]]]
DEEDS = {
    "taken": (lambda conn, case: casework.take(conn, case, **WHO), _WORK, ("taken", "sato")),
    "assigned": (lambda conn, case: casework.assign(conn, case, to="Suzuki", **WHO), _WORK, ("taken", "suzuki")),
    "closed": (lambda conn, case: casework.close(conn, case, reason="called", **WHO), _WORK, ("closed", None)),
    "spam": (lambda conn, case: casework.close_as_spam(conn, case, **WHO), _WORK, ("closed", None)),
    "held": (
        lambda conn, case: casework.hold(conn, case, reason="waits", until=NOW + 9 * HOUR, **WHO),
        _WORK,
        ("as before", None),
    ),
    "merged": (
        lambda conn, case: merging.merge(conn, case, into=2, **WHO),
        _WORK,
        ("closed", None),
    ),
    "released": (
        lambda conn, case: casework.release(conn, case, **WHO),
        (_R.NOT_TAKEN, None, *_WORK[2:]),
        ("open", None),
    ),
    "resumed": (
        lambda conn, case: casework.resume(conn, case, **WHO),
        (_R.NOT_HELD, _R.NOT_HELD, *_WORK[2:]),
        ("as before", None),
    ),
    "reopened": (
        lambda conn, case: casework.reopen(conn, case, **WHO),
        (_R.NOT_CLOSED, _R.NOT_CLOSED, _R.NOT_CLOSED, None, _R.MERGED, _R.NO_CASE),
        ("open", None),
    ),
    "note": (
        lambda conn, case: casework.note(conn, case, text="電話で確認済み", **WHO),
        (None, None, None, None, None, _R.NO_CASE),
        ("as before", None),
    ),
}


def test_every_deed_is_done_and_told_where_it_may_be_and_changes_nothing_where_it_may_not(engine: Engine) -> None:
    for event, (deed, expected, after) in DEEDS.items():
        for state, refusal in zip(STATES, expected, strict=True):
            with engine.connect() as connection, connection.begin() as transaction:
                number = _put(connection, state)
                before, told = cases.find(connection, number), case_events.of_case(connection, number)
                assert deed(connection, number) is refusal, f"{event} of a case that is {state}"
                case, events = cases.find(connection, number), case_events.of_case(connection, number)
                if refusal is not None:
                    assert (case, events) == (before, told), f"{event} of a case that is {state}"
                else:
                    assert case is not None
                    assert before is not None
                    assert case.state == (before.state if after[0] == "as before" else after[0])
                    assert case.state != "taken" or case.taken_by == (after[1] or before.taken_by)
                    assert [(one.event, one.who) for one in events[len(told) :]] == [(event, "sato")]
                # Every combination begins with the same store.
                transaction.rollback()


def test_a_colleagues_case_is_taken_over_and_the_event_names_the_colleague(engine: Engine) -> None:
    with engine.begin() as connection:
        _open(connection, 1)
        casework.take(connection, 1, who="suzuki", now=NOW)
        assert casework.take_over(connection, 1, who="sato", now=NOW) is None
        assert casework.take(connection, 1, who="suzuki", now=NOW) is Refusal.TAKEN
        last = case_events.of_case(connection, 1)[-1]
        assert (last.event, last.who, last.detail) == ("taken over", "sato", "suzuki")
        casework.close(connection, 1, reason="called", who="sato", now=NOW)
        assert casework.take_over(connection, 1, who="suzuki", now=NOW) is Refusal.CLOSED


@pytest.mark.parametrize("to", ["nobody", "left"])
def test_nobody_gets_a_case_who_cannot_log_in(engine: Engine, to: str) -> None:
    with engine.begin() as connection:
        _open(connection, 1)
        assert casework.assign(connection, 1, to=to, who="sato", now=NOW) is Refusal.NO_COLLEAGUE


def test_what_needs_words_and_a_moment_to_come_gets_them(engine: Engine) -> None:
    with engine.begin() as connection:
        _open(connection, 1)
        by: dict[str, Any] = {"who": "sato", "now": NOW}
        assert casework.close(connection, 1, reason=" ", **by) is Refusal.EMPTY
        assert casework.note(connection, 1, text="\n", **by) is Refusal.EMPTY
        assert casework.hold(connection, 1, reason="", until=NOW + HOUR, **by) is Refusal.EMPTY
        assert casework.hold(connection, 1, reason="waits", until=NOW, **by) is Refusal.PAST


@pytest.mark.parametrize("cause", [2, None], ids=["a later mail", "a bounce of our answer"])
def test_what_comes_in_ends_a_hold(engine: Engine, cause: int | None) -> None:
    with engine.begin() as connection:
        _open(connection, 1)
        casework.take(connection, 1, who="sato", now=NOW)
        casework.hold(connection, 1, reason="委託者に確認中", until=NOW + HOUR, who="sato", now=NOW)
        held = cases.find(connection, 1)
        assert held is not None
        assert (held.state, held.held_until, held.hold_reason) == ("taken", NOW + HOUR, "委託者に確認中")
        cases.open_case(connection, 1, reason="person bounced: 550", caused_by=cause, now=NOW)
        case = cases.find(connection, 1)
        assert case is not None
        assert (case.state, case.taken_by, case.held_until, case.hold_reason) == ("taken", "sato", None, None)
        last = case_events.of_case(connection, 1)[-1]
        assert (last.event, last.detail, last.inquiry_id) == ("opened", "person bounced: 550", cause)


def test_the_next_case_is_the_open_one_that_waits_longest(engine: Engine) -> None:
    with engine.begin() as connection:
        for number, hours in ((1, 3), (2, 1), (3, 2), (4, 0)):
            cases.open_case(connection, number, reason="asked", now=NOW + hours * HOUR)
        casework.hold(connection, 4, reason="waits", until=NOW + 9 * HOUR, who="sato", now=NOW)
        assert cases.next_open(connection, but=2, now=NOW) == 3
        casework.take(connection, 3, who="suzuki", now=NOW)
        assert cases.next_open(connection, but=2, now=NOW) == 1
        assert cases.next_open(connection, but=2, now=NOW + 10 * HOUR) == 4


class Work(RuleBasedStateMachine):
    """Two people who do anything with eight mails, and mail that comes meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory(prefix="responder-work-")
        self._engine = open_engine(f"sqlite:///{Path(self._folder.name) / 'work.db'}")
        upgrade(self._engine)
        _fill(self._engine)

    def teardown(self) -> None:
        self._engine.dispose()
        self._folder.cleanup()

    @rule(number=st.integers(1, MAILS), joins=st.integers(1, MAILS))
    def a_mail_comes(self, number: int, joins: int) -> None:
        with self._engine.begin() as connection:
            if cases.case_of(connection, number) is not None:
                return
            thread = cases.case_of(connection, joins)
            caused_by = None if thread is None else number
            cases.open_case(connection, thread or number, reason="asked", caused_by=caused_by, now=NOW)

    @rule(number=st.integers(1, MAILS), who=st.sampled_from(["sato", "suzuki"]), deed=st.sampled_from(sorted(DEEDS)))
    def somebody_does_something(self, number: int, who: str, deed: str) -> None:
        with self._engine.begin() as connection:
            DEEDS[deed][0](connection, number)
            casework.take_over(connection, number, who=who, now=NOW)

    @rule(number=st.integers(1, MAILS), other=st.integers(1, MAILS), apart=st.booleans())
    def two_become_one_or_one_two(self, number: int, other: int, apart: bool) -> None:
        with self._engine.begin() as connection:
            if apart:
                merging.split(connection, number, other, who="sato", now=NOW)
            else:
                merging.merge(connection, number, into=other, who="sato", now=NOW)

    @invariant()
    def every_mail_belongs_to_one_case_and_every_way_of_asking_says_so(self) -> None:
        with reading(self._engine) as connection:
            states = ("open", "taken", "closed")
            known = cases.listing(connection, states=states)
            mails = {case.id: cases.mails_of(connection, case.id) for case in known if case.merged_into is None}
            belongs = {number: cases.case_of(connection, number) for number in range(1, MAILS + 1)}
        held = [number for numbers in mails.values() for number in numbers]
        assert sorted(held) == [number for number, case in belongs.items() if case]
        assert all(belongs[number] == case for case, numbers in mails.items() for number in numbers)

    @invariant()
    def what_was_merged_is_closed_and_nothing_closed_is_held(self) -> None:
        with reading(self._engine) as connection:
            for case in cases.listing(connection, states=("open", "taken", "closed")):
                assert case.merged_into is None or case.state == "closed"
                assert case.state != "closed" or case.held_until is None


Work.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestWork = Work.TestCase
