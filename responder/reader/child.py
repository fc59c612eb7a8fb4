"""The child: reads one mail after the other under limits of the kernel, and knows neither database nor secrets."""

import resource
import socket
import sys
from contextlib import suppress
from typing import Any

from responder.mail.markup import markup_in
from responder.mail.message import Unreadable
from responder.reader.asking import QUESTIONS, Question
from responder.reader.wire import BrokenOff, frame_of, get, put
from responder.triage.contents import contents_of

READY = b"ready"

# It makes parser, layout engine, sanitiser and codecs be imported before the first mail, and outside of its time.
_FIRST = "Content-Type: text/html; charset=iso-2022-jp\r\n\r\n<p>はい</p>".encode("iso2022_jp")


def main() -> None:
    """Standard input is the socket to the parent; its end is the child's end. Arguments: octets, seconds."""
    memory, processor = int(sys.argv[1]), int(sys.argv[2])
    channel = socket.socket(fileno=sys.stdin.fileno())
    contents_of(_FIRST)
    markup_in(_FIRST)
    _confine(memory)
    # A parent that has gone, or does not listen any more, needs no further word.
    with suppress(BrokenOff):
        put(channel, READY)
        while True:
            name, _, place = get(channel).decode("ascii").partition(" ")
            raw = get(channel)
            _allow(processor)
            put(channel, _answer(QUESTIONS[name], raw, int(place)))


def _answer(question: Question[Any], raw: bytes, place: int) -> bytes:
    try:
        return frame_of(question, question.tell(raw, place))
    except Exception as error:  # noqa: BLE001 - a fault of ours on one mail is that mail's, and a person sees it
        return frame_of(question, Unreadable(f"reading it failed with {type(error).__name__}"))


def _confine(memory: int) -> None:
    # Where a system knows no such limit, the parent's clock is the one that is left.
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    # What dies here would leave somebody's mail on the disk as a core.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _allow(seconds: int) -> None:
    """So much more of the processor from now on: whoever uses it up is killed by the kernel."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + 1 + seconds, hard))


if __name__ == "__main__":
    main()
