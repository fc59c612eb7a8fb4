"""Killed at each point of a mail's way, and at any moment: nothing is lost, and nothing is answered twice.

The client tries again whatever it has no 250 for, as every mail server does. What it was told and what the next hop
took are compared with the store, and with each other.
"""

import os
import random
import re
import smtplib
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from responder.failpoints import EXIT_CODE, Point
from responder.store import inbox, laws, outbox
from responder.store.engine import open_engine, reading
from responder.triage.policy import Reason
from tests.knowledge import example
from tests.next_hop import NextHop, next_hop
from tests.service import Service, running

KILLS = int(os.environ.get("RESPONDER_TEST_KILLS", "3"))
"""`make kills` asks for many more than a run of all tests has time for."""

RUNS = int(os.environ.get("RESPONDER_TEST_POINT_RUNS", "1"))
STORES = ["sqlite", "postgresql"] if RUNS > 1 else ["sqlite"]

MAILS = 6

UNKNOWN = {Point.DELIVERY_HANDED_OVER, Point.DELIVERY_TAKEN}
"""The next hop has the mail, and nothing of ours says so: the same Message-ID goes out again."""


@dataclass(slots=True)
class Client:
    """Sends mails until it has a 250 for each."""

    waiting: list[int]
    acknowledged: list[int]
    padding: bytes = b""
    """At the end of each mail."""

    def send(self, service: Service) -> None:
        """One after the other, until all are sent or the service is gone."""
        while self.waiting:
            number = self.waiting[0]
            name, there = ("shared-mailbox", "contractor.example") if number % 2 else ("payment-date", "example.com")
            # Like no other, and from a sender of its own: nobody's budget is touched.
            raw = example(name).replace(b"Message-ID: <", f"Message-ID: <n{number}.".encode(), 1) + self.padding
            try:
                service.mail(raw, sender=f"user{number}@{there}")
            except (OSError, smtplib.SMTPException):
                return
            self.acknowledged.append(self.waiting.pop(0))


@dataclass(frozen=True, slots=True)
class Account:
    """What came of it all."""

    lost: list[int]
    """Mails with a 250 that nobody answers: no machine, and no person knows of them."""
    twice: list[int]
    """Mails with two different answers."""
    repeated: int
    """Answers that came again, under the same Message-ID."""
    breaches: list[laws.Breach]
    unended: int
    """Mails in no lane, and deliveries that are not sent."""


def _settings(hop: NextHop, **more: str) -> dict[str, str]:
    budgets = ("AUTOMATIC_PER_ORGANISATION_PER_HOUR", "BREAKER_PER_HOUR")
    return {
        "RESPONDER_TRIAGE__LEASE": "1s",
        "RESPONDER_COURIER__NEXT_HOP": f"smtp://127.0.0.1:{hop.port}",
        "RESPONDER_COURIER__TLS": "none",
        "RESPONDER_COURIER__TIMEOUT": "1s",
        "RESPONDER_COURIER__FINAL_TIMEOUT": "1s",
        "RESPONDER_COURIER__RETRY_FIRST": "1s",
        "RESPONDER_DESK__LISTEN": "",
        **{f"RESPONDER_GUARD__{name}": "1000000" for name in budgets},
        **more,
    }


def _unended(url: str) -> int:
    engine = open_engine(url)
    with reading(engine) as connection:
        unsent = sum(row.state != "sent" for row in outbox.listing(connection, limit=100_000))
        found = inbox.balance(connection)["waiting"] + unsent
    engine.dispose()
    return found


def _account(url: str, client: Client, hop: NextHop) -> Account:
    engine = open_engine(url)
    with reading(engine) as connection:
        breaches = laws.breaches(connection, now=datetime.now(UTC))
        balance = inbox.balance(connection)
    engine.dispose()
    # A mail whose 250 was lost with the process is here twice, and its repetition is kept in silence.
    assert balance["accepted"] == len(client.acknowledged) + balance["suppressed"]
    answered, known = hop.answered(), _left_to_people(url)
    return Account(
        lost=[number for number in client.acknowledged if number not in answered and number not in known],
        twice=[number for number, ids in answered.items() if len(ids) > 1],
        repeated=sum(ids.total() - len(ids) for ids in answered.values()),
        breaches=breaches,
        unended=_unended(url),
    )


def _left_to_people(url: str) -> set[int]:
    """Mails whose work broke off three times: a person gets them unread, and nothing is sent."""
    engine = open_engine(url)
    with reading(engine) as connection:
        rows = inbox.listing(connection, lane="escalated", limit=100_000)
        found = [inbox.find(connection, row.id) for row in rows if row.reason == Reason.ABANDONED.value]
    engine.dispose()
    return {int(_NUMBER.findall(record.raw)[0]) for record in found if record is not None}


_NUMBER = re.compile(rb"Message-ID: <n(\d+)\.", re.IGNORECASE)


def _work_off(folder: Path, url: str, client: Client, hop: NextHop) -> Account:
    """With a service that nobody kills any more."""
    with running(folder, url, "listener,worker,courier", **_settings(hop)) as service:
        client.send(service)
        service.wait_for(lambda: _unended(url) == 0, seconds=120)
        assert service.stop() == 0
    return _account(url, client, hop)


@pytest.mark.parametrize("store_url", STORES, indirect=True)
@pytest.mark.parametrize("point", Point, ids=lambda point: point.value)
@pytest.mark.parametrize("run", range(RUNS))
def test_killed_at_a_point_it_loses_nothing_and_answers_nothing_twice(
    tmp_path: Path, store_url: str, point: Point, run: int
) -> None:
    # Only a mail that is longer than what is read at once can be half there.
    padding = b"\n" * 200_000 if point is Point.MAIL_HALF_HERE else b""
    client, later = Client(list(range(MAILS)), [], padding), f"{point.value}:{2 + run % 3}"
    with next_hop() as hop:
        # In one process and with one hand, so that the point ends all of it and is reached by nobody else meanwhile.
        alone = {"RESPONDER_TRIAGE__WORKERS": "0", "RESPONDER_COURIER__CONNECTIONS": "1"}
        settings = _settings(hop, **alone, RESPONDER_TEST_FAILPOINT=later)
        with running(tmp_path, store_url, "listener,worker,courier", **settings) as service:
            client.send(service)
            assert service.process.wait(timeout=30) == EXIT_CODE
        account = _work_off(tmp_path, store_url, client, hop)
    _tell(store_url, point.value, account)
    assert (account.lost, account.twice, account.breaches, account.unended) == ([], [], [], 0)
    assert account.repeated <= (1 if point in UNKNOWN else 0)
    assert sorted(client.acknowledged) == list(range(MAILS))


def test_killed_at_any_moment_it_loses_nothing_and_answers_nothing_twice(tmp_path: Path, store_url: str) -> None:
    client = Client(list(range(40 * (KILLS + 1))), [])
    with next_hop() as hop:
        settings = _settings(hop, RESPONDER_TRIAGE__WORKERS="1")
        for moment in _moments():
            with running(tmp_path, store_url, "listener,worker,courier", **settings) as service:
                sending = threading.Thread(target=client.send, args=[service])
                sending.start()
                time.sleep(moment)
                service.process.kill()
                service.process.wait()
                sending.join()
        account = _work_off(tmp_path, store_url, client, hop)
    _tell(store_url, f"{KILLS} at random", account)
    assert (account.lost, account.twice, account.breaches, account.unended) == ([], [], [], 0)
    # Each hand of the courier may have been at the one point where nobody can know.
    assert account.repeated <= 4 * KILLS


def _moments() -> Iterator[float]:
    """Seconds of load before each kill; drawn from a fixed seed, so that a failure comes back."""
    draw = random.Random(20261124)  # noqa: S311 - no secret depends on it
    return (draw.uniform(0.02, 0.9) for _ in range(KILLS))


def _tell(url: str, point: str, account: Account) -> None:
    """A line of the table that `make kills` prints: store, point, mails lost, answered twice, answers repeated."""
    store = url.partition(":")[0]
    with Path(os.environ.get("RESPONDER_TEST_KILL_TABLE", os.devnull)).open("a") as table:
        table.write(f"{store}\t{point}\t{len(account.lost)}\t{len(account.twice)}\t{account.repeated}\n")
