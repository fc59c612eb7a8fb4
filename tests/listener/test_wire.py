"""Lines and pieces out of one buffer."""

import asyncio

import pytest

from responder.listener.wire import LONGEST_COMMAND, EndlessLineError, Wire

pytestmark = pytest.mark.anyio


def _wire(*pieces: bytes) -> tuple[Wire, asyncio.StreamReader]:
    reader = asyncio.StreamReader()
    for piece in pieces:
        reader.feed_data(piece)
    reader.feed_eof()
    return Wire(reader), reader


async def test_lines_come_one_by_one_and_a_cut_off_one_does_not() -> None:
    wire, _ = _wire(b"NOOP\r\nRSET\nQU", b"IT\r\nhalf")
    assert [await wire.line() for _ in range(4)] == [b"NOOP", b"RSET", b"QUIT", None]


async def test_what_is_put_back_comes_first() -> None:
    wire, _ = _wire(b"DATA\r\ntext")
    assert await wire.line() == b"DATA"
    assert await wire.piece() == b"text"
    wire.put_back(b"NOOP\r\n")
    assert await wire.line() == b"NOOP"
    assert await wire.piece() == b""


async def test_what_is_forgotten_does_not_come() -> None:
    wire, _ = _wire(b"STARTTLS\r\nMAIL FROM:<x@y.example>\r\n")
    assert await wire.line() == b"STARTTLS"
    wire.forget()
    assert await wire.line() is None


@pytest.mark.parametrize("size", [LONGEST_COMMAND, LONGEST_COMMAND + 1, 300_000])
async def test_of_a_long_line_little_comes_back_and_the_next_is_whole(size: int) -> None:
    wire, _ = _wire(b"x" * size + b"\r\nNOOP\r\n")
    line = await wire.line()
    assert line is not None
    assert len(line) <= LONGEST_COMMAND + 1
    assert (len(line) > LONGEST_COMMAND) is (size >= LONGEST_COMMAND)  # its CR counts
    assert await wire.line() == b"NOOP"


async def test_a_line_without_end_is_given_up() -> None:
    wire, _ = _wire(b"x" * (3 << 20))
    with pytest.raises(EndlessLineError):
        await wire.line()
