"""What the staff pages work with."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy.engine import Engine

from responder.corpus import Corpus, Entry, load_corpus, load_entries
from responder.desk.due import Calendar, due_of
from responder.desk.reading import SharedReader
from responder.letters import Letters
from responder.mail.reply import Mailbox
from responder.triage.reading import Knowledge

if TYPE_CHECKING:
    from responder.desk.provider import Provider  # it needs the extra `oidc`

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
    calendar: Calendar
    """When the office works, and where: times are shown in its zone."""
    url: str = ""
    """What stands before the paths of the pages in a link; "" is unknown."""
    reply_within: int = 3
    """Business days; 0 promises nothing."""
    undo: timedelta = UNDO
    reader: SharedReader = field(default_factory=SharedReader)
    """Closed by whoever serves the pages."""
    knowledge: Callable[[], Knowledge | None] = _unknown
    """What triage knows, where a worker runs in this process."""
    refused: Callable[[], Sequence[str]] = _nothing
    """The faults for which changed files are not in force."""
    provider: "Provider | None" = None
    """The OpenID provider that staff may log in by."""
    read_corpus: Callable[[], Corpus] | None = None
    """Reads the files anew, with what people taught; None: the files alone."""
    delta: float = 0.05
    """How sure the figures of entries are: certain to 1 - delta."""

    def due_of(self, opened_at: datetime) -> datetime | None:
        """When a case that was opened then is due; None where nothing is promised."""
        return due_of(opened_at, self.calendar, self.reply_within)

    def entries(self) -> tuple[Entry, ...]:
        """Those in force here; where no worker runs, those on disk. Raises CorpusError."""
        known = self.knowledge()
        return load_entries(self.corpus) if known is None else known.corpus.entries

    def on_disk(self) -> Corpus:
        """What the files and people's labels make now, whether it is in force or not. Raises CorpusError."""
        return load_corpus(self.corpus) if self.read_corpus is None else self.read_corpus()

    @property
    def zone(self) -> ZoneInfo:
        """Where the staff live."""
        return self.calendar.zone

    @property
    def name(self) -> str:
        """Of the organisation."""
        return self.author.name

    @property
    def secure(self) -> bool:
        """Whether browsers reach the pages by TLS alone."""
        return self.url.startswith("https://")
