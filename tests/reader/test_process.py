"""The reading process: what it costs a mail to kill it, and that nobody else pays."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from responder.mail.message import Unreadable
from responder.mail.view import View
from responder.reader import FILE, MARKUP, REREADINGS, VIEW, Bounds, Question, Reader, ReaderUnavailable
from responder.triage.contents import Contents, contents_of
from tests.hostile import HOSTILE
from tests.knowledge import EXAMPLES

AMPLE = timedelta(minutes=5)
SLOW = b"From: taro@example.jp\r\n\r\n" + b"\r\n" * 6_000_000
"""Some seconds of a processor and half a gigabyte to read."""
WITH_OCTETS = b"Content-Type: application/zip; name=a.zip\r\n\r\n" + bytes(range(256))
MAILS = [path.read_bytes() for path in sorted(EXAMPLES.glob("*.eml"))]


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = Reader()
    yield made
    made.close()


def _bounded(bounds: Bounds, *raws: bytes) -> list[Contents | Unreadable]:
    reader = Reader(bounds)
    try:
        return reader.read(raws, within=AMPLE)
    finally:
        reader.close()


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _ended(pid: int) -> bool:
    end = time.monotonic() + 20
    while _alive(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not _alive(pid)


def test_what_it_reads_is_what_would_have_been_read_here(reader: Reader) -> None:
    raws = [*MAILS, b"", b"\xff\0" * 50, b"X-\xff: \xfe\r\n\r\n", b"X: y\r\n" * 2000]
    assert reader.read(raws, within=AMPLE) == [contents_of(raw) for raw in raws]


def test_one_process_reads_many_mails(reader: Reader) -> None:
    reader.read(MAILS, within=AMPLE)
    pid = reader.pid
    reader.read(MAILS, within=AMPLE)
    assert pid is not None
    assert reader.pid == pid


@pytest.mark.parametrize(
    ("bounds", "reason"),
    [
        (Bounds(wall=timedelta(seconds=0.3)), "reading it broke off twice: it took too long"),
        (Bounds(processor=0), "reading it broke off twice: its process ended"),
        (Bounds(memory=200 * 1024**2), "the parser failed with MemoryError"),
    ],
    ids=["longer than the clock allows", "more of the processor", "more memory"],
)
def test_a_mail_that_takes_too_much_is_unreadable_and_the_next_one_is_read(bounds: Bounds, reason: str) -> None:
    first, second = _bounded(bounds, SLOW, MAILS[0])
    assert first == Unreadable(reason)
    assert isinstance(second, Contents)


def test_a_process_that_dies_once_costs_its_mail_nothing(reader: Reader) -> None:
    reader.read(MAILS[:1], within=AMPLE)
    pid = reader.pid
    assert pid is not None
    threading.Timer(0.2, os.kill, (pid, signal.SIGKILL)).start()
    (found,) = reader.read([SLOW[:4_000_000]], within=AMPLE)
    assert isinstance(found, Contents)
    assert reader.pid != pid


def test_a_process_that_died_between_two_mails_is_replaced(reader: Reader) -> None:
    reader.read(MAILS[:1], within=AMPLE)
    assert reader.pid is not None
    os.kill(reader.pid, signal.SIGKILL)
    (found,) = reader.read(MAILS[:1], within=AMPLE)
    assert isinstance(found, Contents)


def test_a_process_is_replaced_after_so_many_mails_or_octets() -> None:
    for bounds in (Bounds(mails=2), Bounds(octets=1)):
        reader = Reader(bounds)
        pids = set()
        for _ in range(2):
            reader.read(MAILS[:1], within=AMPLE)
            pids.add(reader.pid)
        assert len(pids) == 2 if bounds.octets > 1 else pids == {None}
        reader.close()


def test_its_memory_does_not_grow(reader: Reader) -> None:
    def resident() -> int:
        pages = Path(f"/proc/{reader.pid}/statm")
        if not pages.exists():
            pytest.skip("this system has no /proc")
        return int(pages.read_text().split()[1])

    reader.read(MAILS * 20, within=AMPLE)
    before = resident()
    reader.read(MAILS * 60, within=AMPLE)
    assert resident() < 1.2 * before


def test_as_many_are_read_as_the_time_allows_and_always_the_first(reader: Reader) -> None:
    assert len(reader.read(MAILS, within=timedelta())) == 1


def test_what_was_closed_reads_nothing_more_and_leaves_no_process(reader: Reader) -> None:
    reader.read(MAILS[:1], within=AMPLE)
    pid = reader.pid
    reader.close()
    assert pid is not None
    assert not _alive(pid)
    with pytest.raises(ReaderUnavailable):
        reader.read(MAILS[:1], within=AMPLE)


def test_closing_ends_a_mail_in_hand(reader: Reader) -> None:
    reader.read(MAILS[:1], within=AMPLE)
    begun = time.monotonic()
    threading.Timer(0.2, reader.close).start()
    with pytest.raises(ReaderUnavailable):
        reader.read([SLOW], within=AMPLE)
    assert time.monotonic() - begun < 2


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false"], ids=["no program", "one that ends at once"])
def test_where_no_process_can_start_the_mail_is_not_blamed(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", program)
    with pytest.raises(ReaderUnavailable, match="start"):
        _bounded(Bounds(), MAILS[0])


PARENT = """
import sys
from datetime import timedelta
from responder.reader import Reader
reader = Reader()
reader.read([b"x"], within=timedelta(minutes=5))
print(reader.pid, flush=True)
sys.stdin.read()
"""


def test_it_ends_when_its_parent_is_killed_and_not_by_the_interrupt_of_a_terminal(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,
    ) as parent:
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        # A terminal interrupts the group of processes in its foreground.
        assert os.getpgid(pid) != os.getpgid(parent.pid)
        parent.kill()
    assert _ended(pid)


def test_it_is_told_no_secrets(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPONDER_COURIER__PASSWORD", "swordfish")
    reader.read(MAILS[:1], within=AMPLE)
    environ = Path(f"/proc/{reader.pid}/environ")
    if not environ.exists():
        pytest.skip("this system has no /proc")
    assert b"swordfish" not in environ.read_bytes()


QUESTIONS = (VIEW, MARKUP, REREADINGS, FILE)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_what_a_page_asks_is_told_as_it_would_have_been_here(reader: Reader, question: Question[Any]) -> None:
    raws = [
        *MAILS,
        b"",
        b"\xff\0" * 50,
        WITH_OCTETS,
        *(case.raw for case in HOSTILE.values() if len(case.raw) < 20_000),
    ]
    for raw in raws:
        assert reader.ask(question, raw) == question.tell(raw, 0)


def test_a_page_that_asks_what_kills_the_process_is_told_so_and_the_next_is_served() -> None:
    bounded = Reader(Bounds(wall=timedelta(seconds=0.3)))
    late = bounded.ask(VIEW, SLOW)
    assert late == Unreadable("reading it broke off twice: it took too long")
    next_one = bounded.ask(VIEW, MAILS[0])
    bounded.close()
    assert isinstance(next_one, View)
