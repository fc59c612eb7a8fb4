from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from responder.mail.delivery import Schedule, is_about_the_address, next_attempt, reply_line

CREATED = datetime(2026, 4, 1, 9, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)

schedules = st.builds(
    Schedule,
    first=st.timedeltas(timedelta(seconds=1), timedelta(hours=2)),
    most=st.timedeltas(timedelta(seconds=1), timedelta(days=30)),
    expire_after=st.timedeltas(timedelta(0), timedelta(days=60)),
)
attempts_made = st.integers(1, 10**12)
ages = st.timedeltas(timedelta(0), timedelta(days=60))
jitters = st.floats(0, 1, exclude_max=True)


@pytest.mark.parametrize(
    ("attempts", "wait"),
    [
        pytest.param(1, MINUTE, id="a minute after the first failure"),
        pytest.param(2, 2 * MINUTE, id="twice as long after the second"),
        pytest.param(6, 32 * MINUTE, id="doubled five times after the sixth"),
        pytest.param(7, HOUR, id="an hour at most"),
        pytest.param(1_000_000, HOUR, id="an hour after a million, too"),
    ],
)
def test_the_wait_doubles_up_to_an_hour(attempts: int, wait: timedelta) -> None:
    assert next_attempt(Schedule(), attempts, created_at=CREATED, now=CREATED, jitter=0.0) == CREATED + wait


def test_jitter_lengthens_the_wait_by_up_to_a_fifth() -> None:
    due = next_attempt(Schedule(), 1, created_at=CREATED, now=CREATED, jitter=0.5)
    assert due == CREATED + timedelta(seconds=66)


def test_the_last_attempt_is_made_at_the_moment_of_expiry() -> None:
    expires = CREATED + timedelta(days=2)
    now = expires - timedelta(seconds=10)
    assert next_attempt(Schedule(), 50, created_at=CREATED, now=now, jitter=0.9) == expires


def test_nothing_is_due_once_the_delivery_has_expired() -> None:
    expires = CREATED + timedelta(days=2)
    assert next_attempt(Schedule(), 50, created_at=CREATED, now=expires, jitter=0.0) is None
    assert next_attempt(Schedule(), 1, created_at=CREATED, now=expires + 9 * HOUR, jitter=0.0) is None


@given(schedules, attempts_made, ages, jitters)
def test_it_is_always_later_than_now_and_never_past_expiry(
    schedule: Schedule, attempts: int, age: timedelta, jitter: float
) -> None:
    now = CREATED + age
    due = next_attempt(schedule, attempts, created_at=CREATED, now=now, jitter=jitter)
    if due is None:
        assert CREATED + schedule.expire_after <= now
    else:
        assert now < due <= CREATED + schedule.expire_after


@given(schedules, attempts_made, attempts_made, ages, jitters)
def test_more_failures_never_shorten_the_wait(
    schedule: Schedule, one: int, other: int, age: timedelta, jitter: float
) -> None:
    fewer, more = (
        next_attempt(schedule, attempts, created_at=CREATED, now=CREATED + age, jitter=jitter)
        for attempts in sorted((one, other))
    )
    assert (fewer is None) == (more is None)
    assert fewer is None or more is None or fewer <= more


@given(schedules, attempts_made, jitters, jitters)
def test_two_jitters_lie_at_most_a_fifth_of_the_longest_wait_apart(
    schedule: Schedule, attempts: int, one: float, other: float
) -> None:
    early, late = (
        next_attempt(schedule, attempts, created_at=CREATED, now=CREATED, jitter=jitter)
        for jitter in sorted((one, other))
    )
    if early is not None and late is not None:
        assert timedelta(0) <= late - early <= schedule.most * 0.2 + timedelta(microseconds=1)


@given(jitters, st.lists(st.timedeltas(timedelta(0), timedelta(minutes=10)), min_size=200, max_size=200))
def test_a_mail_that_is_never_taken_expires_after_finitely_many_attempts(
    jitter: float, delays: list[timedelta]
) -> None:
    now = CREATED
    for attempts, delay in enumerate(delays, start=1):
        due = next_attempt(Schedule(), attempts, created_at=CREATED, now=now, jitter=jitter)
        if due is None:
            assert now >= CREATED + timedelta(days=2)
            return
        now = due + delay
    pytest.fail("it was tried two hundred times in two days")


def test_extreme_durations_do_not_overflow() -> None:
    schedule = Schedule(first=timedelta(days=900_000), most=timedelta.max, expire_after=timedelta(days=2_000_000))
    due = next_attempt(schedule, 10**9, created_at=CREATED, now=CREATED, jitter=0.99)
    assert due == CREATED + timedelta(days=2_000_000)


@pytest.mark.parametrize(
    ("words", "line"),
    [
        pytest.param("250 2.0.0 Ok: queued as 4B1", "250 2.0.0 Ok: queued as 4B1", id="plain words stay"),
        pytest.param("550 no\r\nevent=sent", "550 no event=sent", id="several lines become one"),
        pytest.param("550 a\x00b\x1b[31mc\u202ed", "550 a b [31mc d", id="controls and bidi marks go"),
        pytest.param("550 \udcff宛先不明", "550 宛先不明", id="what is not UTF-8 goes, Japanese stays"),
        pytest.param("5" * 600, "5" * 500, id="500 characters at most"),
    ],
)
def test_a_reply_becomes_one_printable_line(words: str, line: str) -> None:
    assert reply_line(words) == line


@given(st.text(st.characters(exclude_categories=())))
def test_any_reply_can_be_stored(words: str) -> None:
    line = reply_line(words)
    assert line.encode("utf-8").decode("utf-8") == line
    assert line.isprintable()
    assert len(line) <= 500
    assert reply_line(line) == line


@pytest.mark.parametrize(
    ("reply", "about"),
    [
        ("550 5.1.1 <a@b>: User unknown", True),
        ("556 5.1.10 null MX", True),
        ("550 5.2.1 mailbox disabled", True),
        ("552 5.2.2 mailbox full", False),
        ("554 5.7.1 relay access denied", False),
        ("550 no", False),
        ("550 see 15.1.1 or 5.1.1.2", False),
    ],
    ids=[
        "RFC 3463 §3.2 no such mailbox",
        "RFC 7505 §5 null MX",
        "RFC 3463 §3.3 disabled",
        "RFC 3463 §3.3 full today",
        "RFC 3463 §3.8 a policy, perhaps against all of us",
        "no status",
        "other numbers",
    ],
)
def test_a_refusal_is_about_the_address_only_where_its_status_says_so(reply: str, about: bool) -> None:
    assert is_about_the_address(reply) is about
