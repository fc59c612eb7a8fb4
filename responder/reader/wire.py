"""What parent and child say to each other: frames of octets, and in them JSON that is checked against its types."""

import socket
import time

from pydantic import ValidationError

from responder.mail.message import Unreadable
from responder.reader.asking import Question, Told

MOST_OCTETS = 32 * 1024 * 1024
"""Of an answer: a million characters of text, and header fields that are bounded too, are a quarter of it at most."""

_LENGTH = 8


class BrokenOff(Exception):  # noqa: N818 - it names what became of the talk
    """The other side has ended, is late, or says what nobody of ours would say."""


def put(channel: socket.socket, frame: bytes, *, until: float | None = None) -> None:
    """Send one frame; `until` is on the monotonic clock. Raises BrokenOff."""
    try:
        channel.settimeout(_left(until))
        channel.sendall(len(frame).to_bytes(_LENGTH))
        channel.sendall(frame)
    except OSError as error:
        raise BrokenOff(_words(error)) from error


def get(channel: socket.socket, *, until: float | None = None, most: int | None = None) -> bytes:
    """Receive one frame of up to `most` octets; `until` is on the monotonic clock. Raises BrokenOff."""
    length = int.from_bytes(_exactly(channel, _LENGTH, until))
    if most is not None and length > most:
        raise BrokenOff(f"it wanted to say {length} octets")
    return _exactly(channel, length, until)


def _exactly(channel: socket.socket, length: int, until: float | None) -> bytes:
    received = bytearray()
    while len(received) < length:
        try:
            channel.settimeout(_left(until))
            chunk = channel.recv(min(length - len(received), 1 << 20))
        except OSError as error:
            raise BrokenOff(_words(error)) from error
        if not chunk:
            raise BrokenOff("its process ended")
        received += chunk
    return bytes(received)


def _left(until: float | None) -> float | None:
    if until is None:
        return None
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _words(error: OSError) -> str:
    return "it took too long" if isinstance(error, TimeoutError) else "its process ended"


def frame_of(question: Question[Told], told: Told | Unreadable) -> bytes:
    """As JSON."""
    return question.shape.dump_json(told)


def told_in(question: Question[Told], frame: bytes) -> Told | Unreadable:
    """What a frame says. Raises BrokenOff where it is anything but the JSON of this question's shape."""
    try:
        return question.shape.validate_json(frame)
    except ValidationError as error:
        raise BrokenOff("what it said is no reading of a mail") from error
