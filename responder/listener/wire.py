"""What a client sends: lines of commands and pieces of mails, out of one buffer that cannot grow."""

import asyncio

PIECE = 1 << 16
"""Octets read at once. The stream's own buffer stops the client at twice as much."""

LONGEST_COMMAND = 2048
"""RFC 5321 §4.5.3.1.4 wants 512 and some more for extensions; Postfix allows this."""

MOST_DISCARDED = 1 << 20


class EndlessLineError(Exception):
    """A command had no end within reason."""


class Wire:
    """The client's side of a connection. It reads ahead by itself and gives the stream's own buffer no second user."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        # Taking from its front moves no octet, so that many commands sent at once cost no more than one by one.
        self._held = bytearray()

    async def line(self) -> bytes | None:
        """The next line without its end; None where the client has finished.

        Of a line longer than LONGEST_COMMAND only a bit more than that comes back. Raises EndlessLineError.
        """
        discarded = 0
        while (end := self._held.find(b"\n")) < 0:
            if len(self._held) > LONGEST_COMMAND:
                discarded += len(self._held) - LONGEST_COMMAND - 1
                del self._held[LONGEST_COMMAND + 1 :]
            if discarded > MOST_DISCARDED:
                raise EndlessLineError
            piece = await self._reader.read(PIECE)
            if not piece:
                return None
            self._held += piece
        line = bytes(self._held[: min(end, LONGEST_COMMAND + 1)])
        del self._held[: end + 1]
        return line.rstrip(b"\r") if end <= LONGEST_COMMAND else line

    async def piece(self) -> bytes:
        """Some octets, at most PIECE and what was there already; b"" where the client has finished."""
        if self._held:
            held = bytes(self._held)
            self._held.clear()
            return held
        return await self._reader.read(PIECE)

    def put_back(self, rest: bytes) -> None:
        """What was read and belongs to the commands that follow."""
        self._held[:0] = rest

    def forget(self) -> None:
        """Drop what the client sent ahead (RFC 3207 §4.2: nothing that came before encryption counts after it)."""
        self._held.clear()
