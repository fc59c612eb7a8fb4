"""Cases that become one, and mails that get a case of their own: where a mail belongs is never in doubt."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
from sqlalchemy.engine import Engine

from responder.mail.envelope import Envelope
from responder.store import case_events, cases, casework, inbox, merging
from responder.store.casework import Refusal
from responder.store.engine import open_engine, reading

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
SENDERS = (
    "tanaka@contractor.example",
    "Tanaka+tag@contractor.example",
    "suzuki@mail.contractor.example",
    "ito@elsewhere.example",
    "tanaka@contractor.example",
    "",
)


@pytest.fixture
def engine(made_url: str) -> Iterator[Engine]:
    """A store with an open case for each of six mails, opened an hour after one another; the fourth is a stranger's."""
    opened = open_engine(made_url)
    with opened.begin() as connection:
        for number, sender in enumerate(SENDERS, 1):
            inbox.accept(connection, [(Envelope(sender, ("support@example.jp",)), str(number).encode())], now=NOW)
            cases.open_case(connection, number, reason="asked", now=NOW + number * HOUR)
    yield opened
    opened.dispose()


def _merge(engine: Engine, number: int, into: int, *, who: str = "sato") -> Refusal | None:
    with engine.begin() as connection:
        return merging.merge(connection, number, into=into, who=who, now=NOW + 9 * HOUR)


def _split(engine: Engine, number: int, mail: int, *, who: str = "sato") -> Refusal | None:
    with engine.begin() as connection:
        return merging.split(connection, number, mail, who=who, now=NOW + 10 * HOUR)


def _case(engine: Engine, number: int) -> tuple[str, int | None, datetime]:
    with reading(engine) as connection:
        case = cases.find(connection, number)
    assert case is not None
    return case.state, case.merged_into, case.opened_at


def _mails(engine: Engine, number: int) -> list[int]:
    with reading(engine) as connection:
        return cases.mails_of(connection, number)


def _told(engine: Engine, number: int) -> list[tuple[str, str]]:
    with reading(engine) as connection:
        return [(event.event, event.detail) for event in case_events.of_case(connection, number)][1:]


def test_a_merged_case_is_closed_and_the_other_has_its_mails_and_its_place(engine: Engine) -> None:
    assert _merge(engine, 1, into=3) is None
    assert _case(engine, 1) == ("closed", 3, NOW + HOUR)
    assert _case(engine, 3) == ("open", None, NOW + HOUR)
    assert _mails(engine, 3) == [1, 3]
    assert (_told(engine, 1), _told(engine, 3)) == ([("merged", "R-000003")], [("joined", "R-000001")])


def test_a_mail_that_comes_later_opens_the_case_that_the_first_went_into(engine: Engine) -> None:
    _merge(engine, 1, into=2)
    _merge(engine, 2, into=3)
    with engine.begin() as connection:
        assert cases.case_of(connection, 1) == 3
        casework.close(connection, 3, reason="called", who="sato", now=NOW)
        cases.open_case(connection, 1, reason="person bounced: 550", now=NOW + 11 * HOUR)
    assert _case(engine, 3) == ("open", None, NOW + 11 * HOUR)
    assert [_case(engine, number)[0] for number in (1, 2)] == ["closed", "closed"]
    assert _told(engine, 3)[-1] == ("opened", "person bounced: 550")


def test_merging_into_a_closed_case_opens_it_and_ends_a_hold(engine: Engine) -> None:
    with engine.begin() as connection:
        casework.close(connection, 1, reason="called", who="sato", now=NOW)
        casework.hold(connection, 2, reason="waits", until=NOW + 99 * HOUR, who="sato", now=NOW)
    assert _merge(engine, 3, into=1) is None
    assert _case(engine, 1) == ("open", None, NOW + 3 * HOUR)
    assert _merge(engine, 5, into=2) is None
    with reading(engine) as connection:
        case = cases.find(connection, 2)
    assert case is not None
    assert case.held_until is None


def test_no_case_goes_into_itself_or_round_in_a_circle(engine: Engine) -> None:
    assert _merge(engine, 1, into=1) is Refusal.SAME
    _merge(engine, 1, into=2)
    assert _merge(engine, 2, into=1) is Refusal.SAME
    assert _merge(engine, 1, into=3) is Refusal.MERGED
    assert _merge(engine, 3, into=1) is None
    assert _mails(engine, 2) == [1, 2, 3]
    assert _merge(engine, 99, into=1) is Refusal.NO_CASE
    assert _merge(engine, 2, into=99) is Refusal.NO_CASE


def test_a_strangers_case_is_merged_with_nobodys(engine: Engine) -> None:
    assert _merge(engine, 4, into=1) is Refusal.STRANGERS
    assert _merge(engine, 6, into=6) is Refusal.SAME
    assert _merge(engine, 6, into=1) is Refusal.STRANGERS
    assert [_case(engine, number)[0] for number in (1, 4, 6)] == ["open"] * 3


def test_two_who_merge_two_cases_each_into_the_other_make_one_case(engine: Engine) -> None:
    barrier = Barrier(2)

    def merge(pair: tuple[int, int]) -> Refusal | None:
        barrier.wait(timeout=30)
        return _merge(engine, pair[0], into=pair[1], who=f"person {pair[0]}")

    with ThreadPoolExecutor(2) as pool:
        refusals = list(pool.map(merge, [(1, 2), (2, 1)]))
    assert sum(refusal is None for refusal in refusals) == 1
    assert sorted(_case(engine, number)[0] for number in (1, 2)) == ["closed", "open"]


def test_two_users_of_one_provider_are_strangers_and_one_user_is_none(engine: Engine) -> None:
    with engine.begin() as connection:
        for number, sender in ((7, "ito@gmail.com"), (8, "kato@gmail.com"), (9, "Ito+2@gmail.com")):
            inbox.accept(connection, [(Envelope(sender, ("support@example.jp",)), str(number).encode())], now=NOW)
            cases.open_case(connection, number, reason="asked", now=NOW)
    assert _merge(engine, 7, into=8) is Refusal.STRANGERS
    assert _merge(engine, 7, into=9) is None


def test_a_joined_mail_gets_a_case_of_its_own_and_counts_no_longer(engine: Engine) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(SENDERS[0], ("support@example.jp",)), b"7")], now=NOW)
        cases.open_case(connection, 1, reason="a reply", caused_by=7, now=NOW)
    assert _mails(engine, 1) == [1, 7]
    assert _split(engine, 1, 7) is None
    assert (_mails(engine, 1), _mails(engine, 7)) == ([1], [7])
    assert _case(engine, 7) == ("open", None, NOW + 10 * HOUR)
    assert _told(engine, 1)[-1] == ("split", "R-000007")
    with reading(engine) as connection:
        assert cases.case_of(connection, 7) == 7
    assert _split(engine, 1, 7) is Refusal.NOT_JOINED


def test_splitting_undoes_a_merge(engine: Engine) -> None:
    _merge(engine, 1, into=2)
    _merge(engine, 2, into=3)
    assert _mails(engine, 3) == [1, 2, 3]
    assert _split(engine, 3, 2) is None
    assert (_mails(engine, 3), _mails(engine, 2)) == ([3], [1, 2])
    assert _case(engine, 2)[:2] == ("open", None)


@pytest.mark.parametrize(("number", "mail"), [(1, 1), (1, 2), (1, 99)], ids=["its own", "another case's", "none"])
def test_only_a_mail_that_joined_is_split_off(engine: Engine, number: int, mail: int) -> None:
    assert _split(engine, number, mail) is Refusal.NOT_JOINED
    assert _split(engine, 99, mail) is Refusal.NO_CASE


def test_thanks_belong_to_a_case_and_are_not_what_is_answered(engine: Engine) -> None:
    with engine.begin() as connection:
        inbox.accept(connection, [(Envelope(SENDERS[0], ("support@example.jp",)), b"7")], now=NOW)
        cases.keep_thanks(connection, 1, 7, now=NOW)
        assert cases.mails_of(connection, 1) == [1, 7]
        assert cases.mails_of(connection, 1, thanks=False) == [1]
