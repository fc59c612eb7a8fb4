"""Places on a mail's way at which a test lets the process die as `kill -9` would, stand still, or be told to end.

RESPONDER_TEST_FAILPOINT names one, `name:3` the third time that it is reached, and `name:3:SIGSTOP` the signal that it
gets there. Where it is not set, `reach` is a function that does nothing: nobody who runs the service pays for it.
"""

import os
import signal
from collections.abc import Callable
from enum import StrEnum

EXIT_CODE = 137
"""What a shell says of a process that was killed."""


class Point(StrEnum):
    """In the order that a mail reaches them; each stands for what has happened by then, and nothing more."""

    MAIL_ASKED_FOR = "listener.asked"
    """The client wants to send a mail, and has not heard 354."""
    MAIL_HALF_HERE = "listener.half"
    """A piece of the mail has come, and not its end."""
    MAIL_WRITTEN = "listener.written"
    """The mail stands in the transaction, which is not committed."""
    MAIL_KEPT = "listener.kept"
    """It is committed, and the client has not heard 250."""
    MAIL_ACKNOWLEDGED = "listener.acknowledged"
    """The client has heard 250."""
    INQUIRY_CLAIMED = "worker.claimed"
    """A worker has a lease on it."""
    INQUIRY_READ = "worker.read"
    """It is parsed, guarded and recognised."""
    REPLY_BUILT = "worker.built"
    """It is decided, and what is sent stands ready in memory."""
    REPLY_QUEUED = "worker.queued"
    """The reply stands in the outbox, in a transaction that is not committed."""
    INQUIRY_SETTLED = "worker.settled"
    """Lane and reply are committed."""
    DELIVERY_CLAIMED = "courier.claimed"
    """A courier has a lease on the reply."""
    DELIVERY_ASKED_FOR = "courier.asked"
    """The next hop has said 354, and has nothing of the reply."""
    DELIVERY_HANDED_OVER = "courier.handed"
    """It has all of the reply, and we have not heard its 250."""
    DELIVERY_TAKEN = "courier.taken"
    """We have heard its 250, and have not written that down."""
    DELIVERY_SETTLED = "courier.settled"
    """We have."""


def _nothing(point: Point) -> None:
    """Nobody asked for a fault."""


def _failing_at(name: str, count: str = "1", number: str = "") -> Callable[[Point], None]:
    chosen, left = Point(name), int(count)

    def reach(point: Point) -> None:
        nonlocal left
        if point is chosen:
            left -= 1
            if left == 0:
                _fail(number)

    return reach


def _fail(number: str) -> None:
    if number:
        os.kill(os.getpid(), signal.Signals[number])
    else:
        # Without a word to anybody: no handler runs, no buffer is written.
        os._exit(EXIT_CODE)


_wanted = os.environ.get("RESPONDER_TEST_FAILPOINT", "")
reach = _failing_at(*_wanted.split(":")) if _wanted else _nothing
"""The process has come to a point."""
