"""aiosmtpd alone, in a process of its own: it takes every mail, and keeps none."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.peers.processes import Server

_NULL = """
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


@contextmanager
def bare() -> Iterator[Server]:
    """What of SMTP in Python costs without keeping anything: no server on aiosmtpd is quicker."""
    command = [sys.executable, "-c", _NULL]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - nothing of a stranger's
        assert process.stdout is not None  # noqa: S101 - it was asked for above
        try:
            yield Server(int(process.stdout.readline()), (process.pid,))
        finally:
            process.kill()
