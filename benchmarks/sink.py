"""The next hop of every server that answers: it takes everything, and knows when each answer came."""

import asyncio
import re
import time

_NUMBER = re.compile(rb"In-Reply-To:\s+<n(\d+)\.", re.IGNORECASE)


class Sink:
    """Answers by the number of the mail that they answer."""

    def __init__(self) -> None:
        self.port = 0
        self.came: dict[int, float] = {}
        """When each came; moments of the monotonic clock, in seconds."""
        self.twice = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Serve on a port of the system's choice, or on the one before, and give it."""
        self._server = await asyncio.start_server(self._session, "127.0.0.1", self.port, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]
        return self.port

    async def stop(self) -> None:
        """Be away: who connects is refused."""
        assert self._server is not None, "it was never started"  # noqa: S101 - a mistake of the benchmark
        self._server.close()
        await self._server.wait_closed()

    async def wait(self, count: int, *, patience: float) -> None:
        """Return when so many answers came, or none for `patience` seconds."""
        seen, since = len(self.came), time.perf_counter()
        while len(self.came) < count and time.perf_counter() - since < patience:
            await asyncio.sleep(0.02)
            if len(self.came) != seen:
                seen, since = len(self.came), time.perf_counter()

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
            pass  # the server ends first, or the round does
        writer.close()

    def _keep(self, raw: bytes) -> None:
        found = _NUMBER.search(raw)
        if found is None:
            return
        number = int(found[1])
        self.twice += number in self.came
        self.came.setdefault(number, time.perf_counter())
