"""How many mails a second are answered from SMTP in to SMTP out, and how long one waits for its answer.

    .venv/bin/python benchmarks/throughput.py [--mails 3000] [--sessions 20] [--rounds 3]

A whole `responder serve` takes mails in, reads, decides, writes, stores and delivers them to a next hop here that says
250 to everything. Every mail is a question that the shipped FAQ answers, from a sender of its own, so that no budget
stands in its way. *answers/s* is from the first connection to the last answer; *wait* from our 250 to the answer.
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median, quantiles

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.conftest import postgres_database, postgres_server
from tests.knowledge import STATE, shipped_classifier

ROOT = Path(__file__).parent.parent
QUESTION = (ROOT / "examples" / "shared-mailbox.eml").read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
_NUMBER = re.compile(rb"In-Reply-To:\s+<n(\d+)\.", re.IGNORECASE)


def mail(number: int) -> bytes:
    """A question that nobody has asked yet."""
    asked = QUESTION.replace(b"Message-ID: <", b"Message-ID: <n%d." % number, 1)
    return asked.replace(b"contractor.example", b"contractor%d.example" % number)


class Sink:
    """A next hop that takes everything, and knows when each answer came."""

    def __init__(self) -> None:
        self.came: dict[int, float] = {}
        self.twice = 0

    async def start(self) -> int:
        """Serve on a port of the system's choice, and give it."""
        server = await asyncio.start_server(self._session, "127.0.0.1", 0, limit=1 << 20)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink\r\n")
        try:
            while line := await reader.readline():
                match line[:4].upper():
                    case b"EHLO":
                        writer.write(b"250-sink\r\n250-8BITMIME\r\n250 SIZE\r\n")
                    case b"DATA":
                        writer.write(b"354 go on\r\n")
                        self._keep(await reader.readuntil(b"\r\n.\r\n"))
                        writer.write(b"250 2.0.0 taken\r\n")
                    case b"QUIT":
                        writer.write(b"221 bye\r\n")
                        break
                    case _:
                        writer.write(b"250 2.0.0 ok\r\n")
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the service ends first, or the round does
        writer.close()

    def _keep(self, raw: bytes) -> None:
        found = _NUMBER.search(raw)
        if found is None:
            return
        number = int(found[1])
        self.twice += number in self.came
        self.came[number] = time.perf_counter()


async def send(port: int, numbers: Iterator[int], taken: dict[int, float], pause: float = 0.0) -> None:
    """One session that sends mails, one after the other, while there are any."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def say(text: bytes, code: bytes) -> None:
        writer.write(text)
        while (line := await reader.readline())[3:4] == b"-":
            pass
        if not line.startswith(code):
            raise SystemExit(f"{text[:40]!r}: {line!r}")

    await say(b"", b"220")
    await say(b"EHLO contractor.example\r\n", b"250")
    for number in numbers:
        await say(b"MAIL FROM:<user%d@contractor%d.example>\r\n" % (number, number), b"250")
        await say(b"RCPT TO:<support@example.jp>\r\n", b"250")
        await say(b"DATA\r\n", b"354")
        await say(mail(number) + b"\r\n.\r\n", b"250")
        taken[number] = time.perf_counter()
        await asyncio.sleep(pause)
    await say(b"QUIT\r\n", b"221")
    writer.close()


@dataclass(frozen=True, slots=True)
class Running:
    """A service as a process."""

    port: int
    pid: int

    def megabytes(self) -> int:
        """Of it and its descendants; 0 where there is no /proc."""
        pids, total = [self.pid], 0
        for pid in pids:
            for file in Path(f"/proc/{pid}/task").glob("*/children"):
                pids += [int(child) for child in file.read_text().split()]
            rollup = Path(f"/proc/{pid}/smaps_rollup")
            found = re.search(r"^Pss: +(\d+)", rollup.read_text(), re.MULTILINE) if rollup.exists() else None
            total += int(found[1]) if found else 0
        return total // 1024


@contextmanager
def service(url: str, sink: int, *words: str) -> Iterator[Running]:
    """The whole service, with a port for mail to come in."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RESPONDER_")},
            "RESPONDER_LISTENER__SMTP": "127.0.0.1:0",
            "RESPONDER_LISTENER__LMTP": "",
            "RESPONDER_LISTENER__MAILS": "1000000",
            "RESPONDER_DESK__LISTEN": "",
            "RESPONDER_STORE__URL": url,
            "RESPONDER_SERVICE__STATE": str(STATE),
            "RESPONDER_SERVICE__LOG": "json",
            "RESPONDER_COURIER__NEXT_HOP": f"smtp://127.0.0.1:{sink}",
            "RESPONDER_COURIER__TLS": "none",
            "RESPONDER_GUARD__BREAKER_PER_HOUR": "1000000",
        }
        log = Path(folder, "log")
        command = [sys.executable, "-m", "responder", "serve", *words]
        with (
            log.open("wb") as written,
            subprocess.Popen(command, cwd=ROOT, env=environ, stderr=written) as process,  # noqa: S603 - our own program
        ):
            try:
                yield Running(_port(log), process.pid)
            finally:
                process.terminate()


def _port(log: Path) -> int:
    for _ in range(2400):
        events = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
        ready = {agent for event in events if event["event"] == "ready" for agent in event["agents"].split(",")}
        if "listener" in ready:
            places = [event["at"] for event in events if event["event"] == "listening" and event["protocol"] == "smtp"]
            return int(places[0].rpartition(":")[2])
        time.sleep(0.05)
    raise SystemExit(log.read_text())


@dataclass(frozen=True, slots=True)
class Round:
    """What one load gave; rates are in mails a second, waits in seconds from our 250 to the answer."""

    taken: float
    answered: float
    median: float
    p99: float
    twice: int
    megabytes: int = 0
    """Of the service and all of its processes, each with its share of what is common, when the load was over."""

    def __str__(self) -> str:
        cells = (self.taken, self.answered, self.median, self.p99, self.twice, self.megabytes)
        return "{:,.0f} | {:,.0f} | {:.2f} | {:.2f} | {} | {}".format(*cells)


async def load(port: int, sink: Sink, mails: int, sessions: int, pause: float = 0.0) -> Round:
    """Mails from so many sessions at once, or, with a pause, one after the other; until all have their answers."""
    numbers, taken = iter(range(mails)), dict[int, float]()
    began = time.perf_counter()
    await asyncio.gather(*(send(port, numbers, taken, pause) for _ in range(sessions)))
    accepted = time.perf_counter() - began
    while len(sink.came) < mails:
        await asyncio.sleep(0.02)
        if time.perf_counter() - began > 30 + mails / 10:
            raise SystemExit(f"{len(sink.came)} of {mails} answers came")
    took = max(sink.came.values()) - began
    waits = [max(sink.came[number] - taken[number], 0.0) for number in range(mails)]
    return Round(mails / accepted, mails / took, median(waits), quantiles(waits, n=100)[-1], sink.twice)


async def measured(url: str, mails: int, sessions: int, words: list[str], pause: float = 0.0) -> Round:
    """One round of a whole service on an empty store."""
    sink = Sink()
    with service(url, await sink.start(), *words) as running:
        found = await load(running.port, sink, mails, sessions, pause)
        return replace(found, megabytes=running.megabytes())


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("mails", 3000), ("sessions", 20), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--only", choices=("sqlite", "postgresql"))
    given, words = parser.parse_known_args()
    shipped_classifier()
    print("| store | taken in/s | answers/s | wait s, median | p99 | twice | MB |\n|---|---|---|---|---|---|---|")
    with postgres_server() if given.only != "sqlite" else nullcontext("") as server:
        for store in ("sqlite", "postgresql"):
            if given.only not in (None, store):
                continue
            for _ in range(given.rounds):
                with tempfile.TemporaryDirectory() as folder:
                    url = f"sqlite:///{folder}/r.db" if store == "sqlite" else postgres_database(server)
                    print(f"| {store} | {asyncio.run(measured(url, given.mails, given.sessions, words))} |", flush=True)


if __name__ == "__main__":
    main()
