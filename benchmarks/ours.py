"""The whole service, as an operator starts it: `responder serve` with a settings file."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.engine import make_url

from benchmarks.client import ROOT
from benchmarks.peers.processes import Server
from tests.knowledge import STATE

ALL = "listener,worker,courier"

_SETTINGS = """
[service]
corpus = "{root}/faq_corpus"
templates = "{root}/templates"
# Where the tests keep what was learned of the shipped corpus: learning is not measured here.
state = "{state}"
log = "json"

[listener]
smtp = "127.0.0.1:0"
lmtp = ""
mails = 1000000
commands = 10000000

[store]
url = "{url}"

[guard]
# A breaker that trips after 200 answers would end the measurement.
breaker_per_hour = 1000000

[courier]
next_hop = "smtp://127.0.0.1:{next_hop}"
tls = "none"
# As a peer's queue is told to: the second attempt comes after some seconds.
retry_first = "2s"
retry_most = "4s"

[desk]
listen = ""
"""


@contextmanager
def service(url: str, next_hop: int, *, only: str = ALL, words: Sequence[str] = ()) -> Iterator[Server]:
    """Our service on that store and with a next hop on that port; `words` follow `serve`."""
    with tempfile.TemporaryDirectory(prefix="responder-bench-") as name:
        folder = Path(name)
        settings, log = folder / "config.toml", folder / "log"
        settings.write_text(_SETTINGS.format(root=ROOT, state=STATE, url=url, next_hop=next_hop), encoding="utf-8")
        # What somebody has set for the service that he runs is not for this one.
        environ = {key: value for key, value in os.environ.items() if not key.startswith("RESPONDER_")}
        command = [sys.executable, "-m", "responder", "--config", str(settings), "serve", "--only", only, *words]
        with (
            log.open("wb") as written,
            subprocess.Popen(command, cwd=ROOT, env=environ, stderr=written) as process,  # noqa: S603 - our own program
        ):
            try:
                yield Server(_port(process, log, set(only.split(","))), (process.pid, *_database(url)))
            finally:
                process.terminate()


def _database(url: str) -> tuple[int, ...]:
    """The process of a PostgreSQL that the benchmark started: what it uses is used for us."""
    folder = make_url(url).query.get("host")
    return (int(Path(str(folder), "data", "postmaster.pid").read_text().split()[0]),) if folder else ()


def _port(process: subprocess.Popen[bytes], log: Path, agents: set[str]) -> int:
    """Where it listens, once all agents are ready. Raises SystemExit where it ends before."""
    while process.poll() is None:
        events = [
            json.loads(line) for line in log.read_text().splitlines() if line.startswith("{") and line.endswith("}")
        ]
        ready = {agent for event in events if event["event"] == "ready" for agent in event["agents"].split(",")}
        if agents <= ready:
            places = [event["at"] for event in events if event["event"] == "listening"]
            return int(places[0].rpartition(":")[2])
        time.sleep(0.05)
    raise SystemExit(log.read_text())
