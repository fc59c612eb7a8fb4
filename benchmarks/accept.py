"""How many small mails a second the listener takes in, against aiosmtpd with a handler that keeps nothing.

    .venv/bin/python benchmarks/accept.py [--mails 2000] [--sessions 20] [--rounds 3]

Both serve from a process of their own, in turns. The listener commits every mail to an SQLite file in the folder for
temporary files, and says 250 after the flush; aiosmtpd keeps nothing. A second mode gives every mail a session. Beside
the rate stands the processor time of the server for one mail, which other work on the machine disturbs less.
"""

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
MAIL = b"Subject: question\r\nFrom: tanaka@contractor.example\r\n\r\n" + b"May we share a mailbox?\r\n" * 20 + b".\r\n"

NULL = """
import asyncio, aiosmtpd.smtp
class Null:
    async def handle_DATA(self, server, session, envelope):
        return "250 2.0.0 Ok"
async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: aiosmtpd.smtp.SMTP(Null(), hostname="mx", loop=loop), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A process that takes mail in."""

    port: int
    pid: int

    def seconds(self) -> float:
        """Processor time it has used so far; 0 where there is no /proc."""
        stat = Path(f"/proc/{self.pid}/stat")
        fields = stat.read_text().rpartition(")")[2].split() if stat.exists() else ["0"] * 13
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def bare() -> Iterator[Server]:
    """aiosmtpd alone."""
    command = [sys.executable, "-c", NULL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - nothing of a stranger's
        assert process.stdout is not None  # noqa: S101 - it was asked for above
        try:
            yield Server(int(process.stdout.readline()), process.pid)
        finally:
            process.kill()


@contextmanager
def listener() -> Iterator[Server]:
    """A listener as `responder serve` runs it, on an empty SQLite."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("RESPONDER_")},
            "RESPONDER_LISTENER__SMTP": "127.0.0.1:0",
            "RESPONDER_LISTENER__LMTP": "",
            "RESPONDER_STORE__URL": f"sqlite:///{folder}/responder.db",
            "RESPONDER_SERVICE__LOG": "json",
        }
        log = Path(folder, "log")
        command = [sys.executable, "-m", "responder", "serve", "--only", "listener"]
        with (
            log.open("wb") as written,
            subprocess.Popen(command, cwd=ROOT, env=environ, stderr=written) as process,  # noqa: S603 - likewise
        ):
            try:
                yield Server(_port(log), process.pid)
            finally:
                process.terminate()


def _port(log: Path) -> int:
    for _ in range(600):
        for line in log.read_text().splitlines():
            if line.startswith("{") and json.loads(line)["event"] == "listening":
                return int(json.loads(line)["at"].rpartition(":")[2])
        time.sleep(0.05)
    raise SystemExit(log.read_text())


async def _session(port: int, mails: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def say(text: bytes, code: bytes) -> None:
        writer.write(text)
        while (line := await reader.readline())[3:4] == b"-":
            pass
        if not line.startswith(code):
            raise SystemExit(f"{text[:40]!r}: {line!r}")

    await say(b"", b"220")
    await say(b"EHLO contractor.example\r\n", b"250")
    for _ in range(mails):
        await say(b"MAIL FROM:<tanaka@contractor.example>\r\n", b"250")
        await say(b"RCPT TO:<support@example.jp>\r\n", b"250")
        await say(b"DATA\r\n", b"354")
        await say(MAIL, b"250")
    await say(b"QUIT\r\n", b"221")
    writer.close()


async def _deliver(port: int, mails: int, sessions: int, per_session: int) -> None:
    async def one_after_another(count: int) -> None:
        for _ in range(count // per_session):
            await _session(port, per_session)

    await asyncio.gather(*(one_after_another(mails // sessions) for _ in range(sessions)))


def _figures(server: Server, mails: int, sessions: int, per_session: int) -> tuple[float, float]:
    """Mails a second, and milliseconds of the server's processor for one."""
    used, began = server.seconds(), time.perf_counter()
    asyncio.run(_deliver(server.port, mails, sessions, per_session))
    return mails / (time.perf_counter() - began), (server.seconds() - used) / mails * 1000


def main() -> None:
    """Print the figures of both, round by round, and the ratio of the rates."""
    parser = argparse.ArgumentParser()
    for name, default in (("mails", 2000), ("sessions", 20), ("rounds", 3)):
        parser.add_argument(f"--{name}", type=int, default=default)
    given = parser.parse_args()
    each = given.mails // given.sessions
    with bare() as nothing, listener() as ours:
        for words, per_session in ((f"{each} mails a session", each), ("one mail a session", 1)):
            for number in range(given.rounds):
                least, least_ms = _figures(nothing, given.mails, given.sessions, per_session)
                rate, ms = _figures(ours, given.mails, given.sessions, per_session)
                figures = f"aiosmtpd {least:,.0f}/s {least_ms:.2f} ms, listener {rate:,.0f}/s {ms:.2f} ms"
                print(f"{words}, round {number + 1}: {figures}, {rate / least:.2f}")


if __name__ == "__main__":
    main()
