"""The whole service as a process of its own, as an operator starts it."""

import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr
from pathlib import Path
from typing import Any

import httpx

from responder.store import accounts, sessions
from responder.store.accounts import Role
from responder.store.engine import open_engine
from tests.knowledge import ADDRESS, ROOT, STATE, shipped_classifier

ALL = "listener,worker,courier,desk"


def author_of(raw: bytes) -> str:
    """The address in From."""
    return parseaddr(str(message_from_bytes(raw)["From"]))[1]


class Service:
    """One running process, its log, and the folder that it keeps its state in."""

    def __init__(self, folder: Path, only: str, environ: dict[str, str], before: Sequence[str] = ()) -> None:
        """`before` is a program that runs ours, such as `unshare`."""
        self.folder, self.environ = folder, environ
        if "RESPONDER_SERVICE__CORPUS" not in environ:
            shipped_classifier()  # learned once, and found on disk by every process
        self._log = folder / f"log-{time.monotonic_ns()}"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*before, sys.executable, "-m", "responder", "serve", "--only", only],
                cwd=ROOT,
                env=environ,
                stderr=log,
            )
        try:
            self.wait_for(lambda: set(only.split(",")) <= self._ready())
        except BaseException:
            self.process.kill()
            self.process.wait()
            raise

    def _ready(self) -> set[str]:
        return {agent for event in self.events("ready") for agent in event["agents"].split(",")}

    def events(self, event: str) -> list[dict[str, Any]]:
        """The log's lines of one kind; what is being written, or was when a process was killed, is none."""
        lines = self._log.read_text().splitlines()
        whole = (json.loads(line) for line in lines if line.startswith("{") and line.endswith("}"))
        return [line for line in whole if line["event"] == event]

    def wait_for(self, holds: Any, seconds: float = 30) -> Any:
        """Return what `holds` gives, once it gives something."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            if self.process.poll() is not None:
                raise AssertionError(f"it ended with {self.process.returncode}: {self._log.read_text()}")
            if time.monotonic() > end:
                raise AssertionError(f"waited in vain: {self._log.read_text()}")
            time.sleep(0.02)
        return found

    def at(self, protocol: str) -> tuple[str, int]:
        """Where it listens."""
        (place,) = [event["at"] for event in self.events("listening") if event["protocol"] == protocol]
        host, _, port = place.rpartition(":")
        return host, int(port)

    def mail(self, *raws: bytes, sender: str | None = None, to: str = ADDRESS) -> None:
        """Deliver over SMTP, from who signed it where no sender is given; raises where a mail is not taken."""
        with smtplib.SMTP(*self.at("smtp"), timeout=30) as client:
            for raw in raws:
                # With the line ends of SMTP, as a mail program writes them.
                client.sendmail(sender or author_of(raw), [to], re.sub(rb"\r?\n", b"\r\n", raw))

    def session(self, login: str = "sato", role: Role = Role.ADMINISTRATOR) -> str:
        """An account that is logged in at the staff pages, made where there is none: its session's token."""
        now = datetime.now(UTC)
        engine = open_engine(self.environ["RESPONDER_STORE__URL"])
        with engine.begin() as connection:
            account = accounts.by_login(connection, login)
            if account is None:
                account = accounts.add(connection, login=login, name=login, role=role, now=now)
            assert account is not None
            token = sessions.begin(connection, account.id, client="127.0.0.1", now=now)
        engine.dispose()
        return token

    def page(self, path: str) -> str:
        """What a page of the staff shows to somebody who is logged in."""
        reply = httpx.get(f"{self.url}{path}", cookies={"desk": self.session()}, follow_redirects=True, timeout=30)
        return reply.raise_for_status().text

    @property
    def url(self) -> str:
        """Of the staff pages."""
        host, port = self.at("http")
        return f"http://{host}:{port}"

    def command(self, *words: str) -> list[dict[str, Any]]:
        """The JSON lines that a command prints."""
        run = subprocess.run(
            [sys.executable, "-m", "responder", *words, "--json"],
            cwd=ROOT, env=self.environ, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return [json.loads(line) for line in run.stdout.splitlines()]

    def delivered(self) -> list[EmailMessage]:
        """The mails in the Maildir, oldest first."""
        paths = sorted((self.folder / "replies" / "new").glob("*"), key=lambda path: path.stat().st_mtime_ns)
        return [message_from_bytes(path.read_bytes(), policy=default) for path in paths]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it and give its exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=15)


def learners(parent: int | None = None) -> list[int]:
    """The processes that learn for a process, or for this one; where there is no /proc, none are seen."""
    found = []
    for file in Path(f"/proc/{parent or os.getpid()}/task").glob("*/children"):
        for pid in file.read_text().split():
            with suppress(OSError):
                if b"responder.app.learning" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(int(pid))
    return found


def environ_of(folder: Path, url: str, **more: str) -> dict[str, str]:
    """Settings of a service that disturbs no other: ports of the system's choice, state in `folder`."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("RESPONDER_")},
        "RESPONDER_LISTENER__SMTP": "127.0.0.1:0",
        "RESPONDER_LISTENER__LMTP": "127.0.0.1:0",
        "RESPONDER_DESK__LISTEN": "127.0.0.1:0",
        "RESPONDER_STORE__URL": url,
        "RESPONDER_COURIER__NEXT_HOP": f"maildir:{folder / 'replies'}",
        "RESPONDER_SERVICE__LOG": "json",
        "RESPONDER_SERVICE__STATE": str(STATE),
        # As many processes on every machine: tests/app/test_processes.py and the kills are about several.
        "RESPONDER_TRIAGE__WORKERS": "0",
        **more,
    }


@contextmanager
def running(folder: Path, url: str, only: str = ALL, **more: str) -> Iterator[Service]:
    """A service for as long as the block lasts."""
    service = Service(folder, only, environ_of(folder, url, **more))
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()
