"""Killed at each point of a mail's way, and at any moment: nothing is lost, and nothing is answered twice.

The client tries again whatever it has no 250 for, as every mail server does. What it was told and what the next hop
took are compared with the store, and with each other.
"""

import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from responder.failpoints import EXIT_CODE, Point
from tests.accounting import Account, Client, settings_for, work_off
from tests.next_hop import next_hop
from tests.service import running

KILLS = int(os.environ.get("RESPONDER_TEST_KILLS", "3"))
"""`make kills` asks for many more than a run of all tests has time for."""

RUNS = int(os.environ.get("RESPONDER_TEST_POINT_RUNS", "1"))
STORES = ["sqlite", "postgresql"] if RUNS > 1 else ["sqlite"]

EACH = [[point] for point in Point] if RUNS > 1 else [list(Point)]
"""By itself, with a service that works off what is left; in a run of all tests one after the other, on one store."""

MAILS = 5

UNKNOWN = {Point.DELIVERY_HANDED_OVER, Point.DELIVERY_TAKEN}
"""The next hop has the mail, and nothing of ours says so: the same Message-ID goes out again."""


@pytest.mark.parametrize("store_url", STORES, indirect=True)
@pytest.mark.parametrize("points", EACH, ids=lambda points: "-".join(points))
@pytest.mark.parametrize("run", range(RUNS))
def test_killed_at_a_point_it_loses_nothing_and_answers_nothing_twice(
    tmp_path: Path, store_url: str, points: list[Point], run: int
) -> None:
    client = Client([], [])
    with next_hop() as hop:
        for point in points:
            client.waiting += range(len(client.acknowledged) + len(client.waiting), MAILS * (points.index(point) + 1))
            # Only a mail that is longer than what is read at once can be half there.
            client.padding = b"\n" * 200_000 if point is Point.MAIL_HALF_HERE else b""
            # In one process and with one hand: the point ends all of it, and nobody else reaches it meanwhile.
            alone = {"RESPONDER_TRIAGE__WORKERS": "0", "RESPONDER_COURIER__CONNECTIONS": "1"}
            settings = settings_for(hop, **alone, RESPONDER_TEST_FAILPOINT=f"{point.value}:{2 - run % 2}")
            with running(tmp_path, store_url, "listener,worker,courier", **settings) as service:
                client.send(service)
                assert service.process.wait(timeout=30) == EXIT_CODE, point
        account = work_off(tmp_path, store_url, client, hop)
    _tell(store_url, points[0].value if len(points) == 1 else "each point", account)
    assert (account.lost, account.twice, account.breaches, account.unended) == ([], [], [], 0)
    assert account.repeated <= len(UNKNOWN & set(points))
    assert sorted(client.acknowledged) == list(range(MAILS * len(points)))


def test_killed_at_any_moment_it_loses_nothing_and_answers_nothing_twice(tmp_path: Path, store_url: str) -> None:
    # No faster than they are answered: each kill is to find mails at every stage of their way.
    client = Client(list(range(15 * (KILLS + 1))), [], pause=0.05)
    with next_hop() as hop:
        settings = settings_for(hop, RESPONDER_TRIAGE__WORKERS="1")
        for moment in _moments():
            with running(tmp_path, store_url, "listener,worker,courier", **settings) as service:
                sending = threading.Thread(target=client.send, args=[service])
                sending.start()
                time.sleep(moment)
                service.process.kill()
                service.process.wait()
                sending.join()
        account = work_off(tmp_path, store_url, client, hop)
    _tell(store_url, f"{KILLS} at random", account)
    assert (account.lost, account.twice, account.breaches, account.unended) == ([], [], [], 0)
    # Each hand of the courier may have been at the one point where nobody can know.
    assert account.repeated <= 4 * KILLS


def _moments() -> Iterator[float]:
    """Seconds of load before each kill, up to where all of it has long been at work; a failure comes back."""
    draw = random.Random(20261124)  # noqa: S311 - no secret depends on it
    return (draw.uniform(0.02, 4.0) for _ in range(KILLS))


def _tell(url: str, point: str, account: Account) -> None:
    """A line of the table that `make kills` prints: store, point, mails lost, answered twice, answers repeated."""
    store = url.partition(":")[0]
    with Path(os.environ.get("RESPONDER_TEST_KILL_TABLE", os.devnull)).open("a") as table:
        table.write(f"{store}\t{point}\t{len(account.lost)}\t{len(account.twice)}\t{account.repeated}\n")
