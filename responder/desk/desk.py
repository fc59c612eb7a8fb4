"""What the staff pages work with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Engine

from responder.letters import Letters
from responder.mail.reply import Mailbox
from responder.triage.reading import Knowledge

UNDO = timedelta(seconds=10)
"""How long an answer waits in the outbox for whoever sent it to think better of it."""


def _nothing() -> tuple[str, ...]:
    return ()


def _unknown() -> None:
    return None


@dataclass(frozen=True, slots=True)
class Desk:
    """The store, the wording, and what the organisation has settled; what can change while we run is asked for anew."""

    engine: Engine
    author: Mailbox
    letters: Callable[[], Letters]
    corpus: Path
    """The folder of the entries."""
    clock: Callable[[], datetime]
    zone: ZoneInfo
    url: str = ""
    """What stands before the paths of the pages in a link; "" is unknown."""
    reply_within: int = 3
    """Business days; 0 promises nothing."""
    undo: timedelta = UNDO
    knowledge: Callable[[], Knowledge | None] = _unknown
    """What triage knows, where a worker runs in this process."""
    refused: Callable[[], Sequence[str]] = _nothing
    """The faults for which changed files are not in force."""

    @property
    def name(self) -> str:
        """Of the organisation."""
        return self.author.name

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages by TLS alone."""
        return self.url.startswith("https://")
