"""The service in several processes: workers are forked, kept alive, told to reload and to stop."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.knowledge import cold_corpus, example
from tests.service import Service, running


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """A parent, the process that takes in and delivers, and two that decide."""
    settings = {"RESPONDER_TRIAGE__WORKERS": "2", "RESPONDER_SERVICE__CORPUS": str(cold_corpus(tmp_path))}
    with running(tmp_path, f"sqlite:///{tmp_path / 'responder.db'}", **settings) as made:
        made.wait_for(lambda: len(made.events("ready")) == 3)
        yield made


def _children(pid: int) -> list[int]:
    """In the order that they were started."""
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return sorted(int(child) for file in threads for child in file.read_text().split())


def _lives(pid: int) -> bool:
    with suppress(OSError):
        # A zombie has ended, although nobody has asked for its exit code yet.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def _settled(service: Service) -> list[str]:
    return [row["lane"] for row in service.command("inbox", "list") if row["lane"]]


def _ended(pids: list[int], seconds: float = 10) -> bool:
    until = time.monotonic() + seconds
    while any(map(_lives, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(map(_lives, pids))


def test_mails_are_decided_beside_the_process_that_takes_them_in(service: Service) -> None:
    main, *workers = _children(service.process.pid)
    assert len(workers) == 2
    assert [event["agents"] for event in service.events("ready")].count("worker") == 2
    service.mail(example("shared-mailbox"))
    service.wait_for(lambda: _settled(service))
    # Reading happens in children of the workers, and in none of the others.
    assert any(map(_children, workers))
    assert not _children(main)


def test_a_signal_ends_all_of_them_in_order(service: Service) -> None:
    pids = _children(service.process.pid)
    assert service.stop(signal.SIGTERM) == 0
    assert not any(map(_lives, pids))
    assert len(service.events("stopped")) == 3


def test_all_of_them_read_their_files_again(service: Service) -> None:
    service.process.send_signal(signal.SIGHUP)
    service.wait_for(lambda: len(service.events("reloaded")) == 3)


def test_a_worker_that_dies_is_started_again(service: Service) -> None:
    _, *workers = _children(service.process.pid)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    service.wait_for(lambda: len(service.events("ready")) == 5)
    assert [event["code"] for event in service.events("worker ended")] == [-9, -9]
    service.mail(example("shared-mailbox"))
    service.wait_for(lambda: _settled(service))


def test_a_worker_that_is_started_again_knows_what_was_changed_meanwhile(service: Service, tmp_path: Path) -> None:
    service.process.send_signal(signal.SIGHUP)
    service.wait_for(lambda: len(service.events("reloaded")) == 3)
    (file,) = (tmp_path / "corpus").glob("q04*.toml")
    file.write_text(file.read_text().replace("revision = ", "revision = 9"))
    service.process.send_signal(signal.SIGHUP)
    service.wait_for(lambda: len(service.events("reloaded")) == 6)
    new = service.events("knowledge")[-1]["corpus"]
    _, worker, _ = _children(service.process.pid)
    os.kill(worker, signal.SIGKILL)
    service.wait_for(lambda: len(service.events("ready")) == 4)
    assert [event["corpus"] for event in service.events("knowledge")][-1] == new
    assert len(service.events("reloaded")) == 7


def test_nobody_goes_on_where_nobody_takes_mail_in_any_more(service: Service) -> None:
    main, *workers = _children(service.process.pid)
    os.kill(main, signal.SIGKILL)
    assert service.process.wait(timeout=15) == signal.SIGKILL
    assert not any(map(_lives, workers))
    (event,) = service.events("ended")
    assert (event["agents"], event["code"]) == ("listener,courier,desk", -9)


def test_none_outlives_a_parent_that_was_killed(service: Service) -> None:
    pids = _children(service.process.pid)
    service.process.kill()
    service.process.wait()
    assert _ended(pids)


def test_what_an_operator_got_wrong_is_said_before_anything_is_forked(tmp_path: Path) -> None:
    settings = {"RESPONDER_TRIAGE__WORKERS": "2", "RESPONDER_SERVICE__CORPUS": str(tmp_path / "nothing")}
    with pytest.raises(AssertionError, match="it ended with 1") as ended:  # noqa: SIM117 - the block is never entered
        with running(tmp_path, f"sqlite:///{tmp_path / 'responder.db'}", **settings):
            pass
    assert str(ended.value).count("nothing") == 1
