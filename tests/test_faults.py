"""What befalls a service in its life: power cuts, full disks, locks, standstill, jumping clocks, and being told to end.

After each the account is closed as after a kill: client, store and next hop agree that nothing is lost or comes twice.
"""

import os
import re
import shlex
import shutil
import signal
import smtplib
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa

from responder.failpoints import Point
from responder.store import inbox, outbox
from responder.store.engine import open_engine, reading, upgrade
from responder.store.schema import searchable
from tests.accounting import Client, settings_for, unended, work_off
from tests.conftest import postgres_database, postgres_server
from tests.knowledge import example
from tests.next_hop import next_hop
from tests.service import Service, environ_of, running

SOAK = float(os.environ.get("RESPONDER_TEST_SOAK_SECONDS", "8"))
"""`make soak` asks for ten minutes."""

AGENTS = "listener,worker,courier"
TOLD = list(Point) if SOAK > 60 else [Point.MAIL_HALF_HERE, Point.INQUIRY_READ, Point.DELIVERY_ASKED_FOR]


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'store' / 'responder.db'}"


# F2: power loss.


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_f2_what_a_250_stands_for_was_flushed_to_the_disk_before(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    calls = "trace=fsync,fdatasync,pwrite64,write,sendto"
    with next_hop() as hop, running(tmp_path, _sqlite(tmp_path), "listener", **settings_for(hop)) as service:
        command = ["strace", "-f", "-y", "-s", "80", "-e", calls, "-o", str(trace), "-p", str(service.process.pid)]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as tracer:
            assert tracer.stderr is not None
            tracer.stderr.readline()  # attached
            Client([0, 1, 2], []).send(service)
            tracer.send_signal(signal.SIGINT)
    kept = [_kind(line) for line in trace.read_text().splitlines()]
    assert kept.count("250") == 3
    dirty = False
    for kind in kept:
        if kind in ("written", "flushed"):
            dirty = kind == "written"
        if kind == "250":
            assert not dirty, "a 250 was said while the log of the database was not on the disk"
    # The first 250 as well comes after a flush, and after something to be flushed.
    assert "written" in kept[: kept.index("250")]
    assert "flushed" in kept[: kept.index("250")]


def _kind(line: str) -> str:
    """What a line of the trace tells of the log of the database, or of the client."""
    if "responder.db-wal" in line:
        return "written" if "pwrite64(" in line else "flushed" if "sync(" in line else ""
    return "250" if '"250 2.0.0 Ok: queued' in line else ""


def test_f2_of_a_log_that_was_cut_off_only_what_no_client_heard_of_is_gone(tmp_path: Path) -> None:
    """A power cut leaves any beginning of what was being written; whatever was flushed before stands whole."""
    engine = open_engine(_sqlite(tmp_path))
    upgrade(engine)
    with engine.connect() as keeping_the_log_open, closing(sqlite3.connect(engine.url.database or "")):
        del keeping_the_log_open
        for number in range(3):
            _take(engine, number)
        file, log = Path(engine.url.database or ""), Path(f"{engine.url.database}-wal")
        before = log.stat().st_size
        _take(engine, 3)
        after = log.stat().st_size
        assert after > before
        for cut in sorted({before, before + 1, before + 24, (before + after) // 2, after - 1, after}):
            copy = tmp_path / f"cut-{cut}.db"
            shutil.copy(file, copy)
            shutil.copy(log, f"{copy}-wal")
            os.truncate(f"{copy}-wal", cut)
            with closing(sqlite3.connect(copy)) as cut_off:
                assert cut_off.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                (count,) = cut_off.execute("SELECT count(*) FROM inbox").fetchone()
            assert count == (4 if cut == after else 3), cut
    engine.dispose()


def _take(engine: sa.Engine, number: int) -> None:
    from datetime import UTC, datetime

    from responder.mail.envelope import Envelope

    mail = (Envelope(f"user{number}@contractor.example", ("support@example.jp",)), example("shared-mailbox"))
    with engine.begin() as connection:
        inbox.accept(connection, [mail], now=datetime.now(UTC))


# F3: a full disk.


def _may_mount() -> bool:
    words = ["unshare", "--user", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"]
    return shutil.which("unshare") is not None and subprocess.run(words, capture_output=True).returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="no file system of our own can be mounted here")
def test_f3_a_full_disk_is_told_to_clients_and_what_they_were_promised_is_answered(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    ballast = disk / "ballast"
    shell = f'mount -t tmpfs -o size=16m none {disk} && head -c 14000000 /dev/zero > {ballast} && exec "$@"'
    with next_hop() as hop:
        environ = environ_of(tmp_path, f"sqlite:///{disk}/responder.db", **settings_for(hop))
        command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", shell, "sh"]
        service = Service(tmp_path, AGENTS, environ, before=command)
        try:
            client = Client(list(range(400)), [])
            assert _until_refused(service, client, 400) == 451
            # Inside of the process's own file system.
            Path(f"/proc/{service.process.pid}/root{ballast}").unlink()
            client.waiting = client.waiting[:10]
            service.wait_for(lambda: _sends(service, client), seconds=60)
            promised = set(client.acknowledged)
            service.wait_for(lambda: promised <= hop.answered().keys(), seconds=60)
            assert service.stop() == 0
        finally:
            service.process.kill()
    assert all(ids.total() == 1 for ids in hop.answered().values())


def _until_refused(service: Service, client: Client, most: int) -> int:
    """Send until a mail is not taken; the code that says so."""
    for _ in range(most):
        number = client.waiting[0]
        raw = example("shared-mailbox").replace(b"Message-ID: <", f"Message-ID: <n{number}.".encode(), 1)
        try:
            service.mail(raw + b"\n" * 20_000, sender=f"user{number}@contractor.example")
        except smtplib.SMTPDataError as error:
            return error.smtp_code
        client.acknowledged.append(client.waiting.pop(0))
    raise AssertionError("the disk did not fill")


def _sends(service: Service, client: Client) -> bool:
    client.send(service)
    return not client.waiting


# F4: a database that is locked, goes away and comes back, or is none.


def test_f4_a_lock_that_somebody_holds_is_waited_for(tmp_path: Path) -> None:
    url, client = _sqlite(tmp_path), Client(list(range(4)), [])
    with next_hop() as hop:
        with running(tmp_path, url, AGENTS, **settings_for(hop)) as service:
            with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as somebody:
                somebody.execute("BEGIN IMMEDIATE")
                sending = threading.Thread(target=client.send, args=[service])
                sending.start()
                time.sleep(3)
                assert client.acknowledged == []  # and nothing was promised meanwhile
                somebody.execute("ROLLBACK")
            sending.join()
            assert service.stop() == 0
        account = work_off(tmp_path, url, client, hop)
    assert (account.lost, account.twice, account.repeated, account.breaches) == ([], [], 0, [])
    assert client.acknowledged == list(range(4))


def test_f4_a_server_that_goes_away_and_comes_back_is_waited_for(tmp_path: Path) -> None:
    client = Client(list(range(30)), [])
    with postgres_server() as server, next_hop() as hop:
        url = postgres_database(server)
        with running(tmp_path, url, AGENTS, **settings_for(hop)) as service:
            sending = threading.Thread(target=_send_all, args=[service, client])
            sending.start()
            service.wait_for(lambda: len(client.acknowledged) > 3)
            _restart(server, down=2.0)
            sending.join(timeout=60)
            service.wait_for(lambda: not client.waiting and unended(url) == 0, seconds=90)
            assert service.stop() == 0
        account = work_off(tmp_path, url, client, hop)
    assert (account.lost, account.twice, account.breaches) == ([], [], [])
    # What the next hop had taken, and could not be written down in time.
    assert account.repeated <= 4


def _send_all(service: Service, client: Client) -> None:
    """As a mail server does: what was refused for now is tried again."""
    end = time.monotonic() + 60
    while client.waiting and time.monotonic() < end:
        client.send(service)
        time.sleep(0.1)


def _restart(server: str, *, down: float) -> None:
    """As a machine does that loses its power: at once, and back some time later."""
    folder = Path(server.partition("host=")[2])
    program, *words = shlex.split((folder / "data" / "postmaster.opts").read_text())
    owner = folder.stat()

    def control(*asked: str) -> None:
        command = [str(Path(program).with_name("pg_ctl")), "-w", "-D", str(folder / "data"), *asked]
        quiet = subprocess.DEVNULL
        subprocess.run(command, check=True, cwd=folder, user=owner.st_uid, group=owner.st_gid, stdout=quiet)

    control("-m", "immediate", "stop")
    time.sleep(down)
    control("-l", str(folder / "log"), "-o", shlex.join(words), "start")


def test_f4_a_file_that_is_no_database_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "responder.db"
    file.write_bytes(b"no database, but somebody's only copy" * 200)
    run = subprocess.run(
        [sys.executable, "-m", "responder", "serve"],
        env=environ_of(tmp_path, f"sqlite:///{file}"),
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert run.returncode == 1
    assert "responder.db" in run.stderr
    assert "Traceback" not in run.stderr
    assert file.read_bytes().startswith(b"no database, but")


# F5: a next hop in a bad mood, under load.


@pytest.mark.parametrize("store_url", ["sqlite", "postgresql"] if SOAK > 60 else ["sqlite"], indirect=True)
def test_f5_where_the_next_hop_fails_a_third_of_the_time_the_balance_closes(tmp_path: Path, store_url: str) -> None:
    client = Client(list(range(1_000_000)), [])
    end = time.monotonic() + SOAK
    with next_hop(fails=1 / 3) as hop:
        settings = settings_for(hop, RESPONDER_TRIAGE__WORKERS="1")
        with running(tmp_path, store_url, AGENTS, **settings) as service:
            memory = [_memory(service)]
            while time.monotonic() < end:
                few = Client(client.waiting[:20], [], pause=0.03)  # slower than they are answered
                few.send(service)
                client.acknowledged += few.acknowledged
                client.waiting = client.waiting[20:]
                memory.append(_memory(service))
            assert service.stop() == 0
        client.waiting = []
        account = work_off(tmp_path, store_url, client, hop)
    assert (account.lost, account.twice, account.repeated, account.breaches) == ([], [], 0, [])
    assert account.unended == 0
    _tell(store_url, len(client.acknowledged), memory)


def _memory(service: Service) -> int:
    """Of the process and all of its descendants, what each has for itself and its share of what is common, in MB."""
    pids, total = [service.process.pid], 0
    for pid in pids:
        # A process that reads mails is replaced after a thousand: it may end between two of these lines.
        with suppress(ProcessLookupError, FileNotFoundError):
            for file in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += [int(child) for child in file.read_text().split()]
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += int(re.search(r"^Pss: +(\d+)", rollup, re.MULTILINE)[1])  # type: ignore[index]  # always there
    return total // 1024


def _tell(url: str, mails: int, memory: list[int]) -> None:
    """A line of what `make soak` prints: megabytes after the first minute, and in the last one."""
    tenth = max(len(memory) // 10, 1)
    with Path(os.environ.get("RESPONDER_TEST_SOAK_TABLE", os.devnull)).open("a") as table:
        early, late = max(memory[:tenth]), max(memory[-tenth:])
        table.write(f"{url.partition(':')[0]}\t{SOAK:.0f} s\t{mails} mails\t{early} MB\t{late} MB\n")


# F8: a lease that ends while its owner lives.


@pytest.mark.parametrize(
    ("store_url", "point"),
    [("sqlite", Point.INQUIRY_READ), ("postgresql", Point.DELIVERY_CLAIMED)],
    indirect=["store_url"],
)
def test_f8_an_owner_that_stood_still_finds_its_lease_gone_and_does_nothing(
    tmp_path: Path, store_url: str, point: Point
) -> None:
    client, agent = Client(list(range(3)), []), point.value.partition(".")[0]
    with next_hop() as hop, ExitStack() as stack:
        usual = settings_for(hop, RESPONDER_COURIER__CONNECTIONS="1")
        before = "listener" if agent == "worker" else "listener,worker"
        with running(tmp_path, store_url, before, **usual) as front:
            client.send(front)
            front.wait_for(lambda: agent == "worker" or _queued(store_url) == 3)
        # Alone in its process: on SQLite nobody could take the lock away that another agent of it may hold just then.
        still = usual | {"RESPONDER_TEST_FAILPOINT": f"{point.value}:1:SIGSTOP"}
        first = stack.enter_context(running(tmp_path, store_url, agent, **still))
        first.wait_for(lambda: _stands_still(first.process.pid))
        second = stack.enter_context(running(tmp_path, store_url, "worker,courier", **usual))
        second.wait_for(lambda: unended(store_url) == 0, seconds=60)
        first.process.send_signal(signal.SIGCONT)
        time.sleep(1)
        assert first.stop() == 0
        assert second.stop() == 0
        account = work_off(tmp_path, store_url, client, hop)
    assert (account.lost, account.twice, account.repeated, account.breaches) == ([], [], 0, [])


def _queued(url: str) -> int:
    engine = open_engine(url)
    with reading(engine) as connection:
        count = len(outbox.listing(connection, state="queued"))
    engine.dispose()
    return count


def _stands_still(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


# F18: told to end, at any point.


@pytest.mark.parametrize("point", TOLD, ids=lambda point: point.value)
def test_f18_told_to_end_at_a_point_it_ends_in_time_and_repeats_nothing(tmp_path: Path, point: Point) -> None:
    url, padding = _sqlite(tmp_path), b"\n" * 200_000 if point is Point.MAIL_HALF_HERE else b""
    client = Client(list(range(6)), [], padding)
    with next_hop() as hop:
        told = settings_for(hop, RESPONDER_TEST_FAILPOINT=f"{point.value}:1:SIGTERM")
        with running(tmp_path, url, AGENTS, **told) as service:
            client.send(service)
            assert service.process.wait(timeout=15) == 0
        account = work_off(tmp_path, url, client, hop)
    assert (account.lost, account.twice, account.repeated, account.breaches) == ([], [], 0, [])
    assert sorted(client.acknowledged) == list(range(6))


# F20: old queues under a new schema.


def _versions() -> list[str]:
    folder = Path(inbox.__file__).parent / "migrations" / "versions"
    return sorted(path.name[:4] for path in folder.glob("[0-9]*.py"))


@pytest.mark.parametrize(
    ("store_url", "version"), [("sqlite", _versions()[0]), ("postgresql", _versions()[-2])], indirect=["store_url"]
)
def test_f20_what_an_older_version_left_in_its_queues_is_decided_and_sent(
    tmp_path: Path, store_url: str, version: str
) -> None:
    engine = open_engine(store_url)
    _upgrade_to(engine, version)
    raw = example("shared-mailbox").replace(b"Message-ID: <", b"Message-ID: <n0.", 1)
    reply = b"Message-ID: <old@example.jp>\r\nIn-Reply-To: <n1.x>\r\nSubject: an answer\r\n\r\nyes\r\n"
    with engine.begin() as connection:
        _insert(connection, "inbox", mail_from="a@contractor.example", rcpt_to='["support@example.jp"]', raw=raw)
        lane = {"lane": "answered", "reason": "answered", "settled_at": "2026-11-24 09:00:00"}
        _insert(connection, "inbox", mail_from="b@contractor.example", rcpt_to="[]", raw=b"old", **lane)
        words = {"kind": "answer", "once": "old", "message_id": "<old@example.jp>", "sender": "", "state": "queued"}
        moments = dict.fromkeys(("created_at", "queued_at", "next_attempt_at"), "2026-11-24 09:00:00")
        _insert(connection, "outbox", inquiry_id=2, recipient="b@b.example", raw=reply, **words, **moments)
    engine.dispose()
    with next_hop() as hop, running(tmp_path, store_url, "worker,courier", **settings_for(hop)) as service:
        service.wait_for(lambda: hop.answered().keys() == {0, 1}, seconds=60)
        service.wait_for(lambda: unended(store_url) == 0)
        # One was settled by a version that kept nothing to search in, one by this.
        service.wait_for(lambda: _searchable(store_url) == [1, 2])
        assert service.stop() == 0


def _searchable(store_url: str) -> list[int]:
    engine = open_engine(store_url)
    with reading(engine) as connection:
        numbers = sorted(connection.execute(sa.select(searchable.c.inquiry_id)).scalars())
    engine.dispose()
    return numbers


def _upgrade_to(engine: sa.Engine, version: str) -> None:
    from alembic import command

    from responder.store.engine import _alembic_config

    with engine.begin() as connection:
        config = _alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def _insert(connection: sa.Connection, table: str, **values: object) -> None:
    """Into a table as it was then: what it knows of these, and something for what else it asks for."""
    columns = {column["name"]: column for column in sa.inspect(connection).get_columns(table)}
    usual = {"received_at": "2026-11-24 09:00:00", "digest": os.urandom(8).hex(), "size": 1}
    given = {name: value for name, value in (usual | values).items() if name in columns}
    names, marks = ", ".join(given), ", ".join(f":{name}" for name in given)
    statement = sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})")  # noqa: S608 - our own names
    connection.execute(statement, given)
