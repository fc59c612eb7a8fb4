"""The mail that an answer to a case answers. It is read before anything is locked: its octets are a stranger's."""

from dataclasses import dataclass

from sqlalchemy.engine import Connection

from responder.desk.visit import Visit
from responder.mail.message import Message, Unreadable, parse_message
from responder.reader import MESSAGE
from responder.store import cases, inbox
from responder.store.cases import Case
from responder.store.inbox import Record
from responder.triage.language import Language


@dataclass(frozen=True, slots=True)
class Newest:
    """The contractor's newest mail in a case, thanks aside."""

    record: Record
    message: Message | None
    """As it reads; None where it cannot be read."""

    @property
    def number(self) -> int:
        """Of its inquiry."""
        return self.record.listing.id

    @property
    def language(self) -> Language:
        """What an answer to it is written in; Japanese too where it is in neither language of ours."""
        english = (self.record.decision or {}).get("language") == Language.ENGLISH
        return Language.ENGLISH if english else Language.JAPANESE

    @property
    def subject(self) -> str:
        """As its reader was told; "" is none."""
        return self.message.subject if self.message is not None else ""


def newest_number(conn: Connection, case: Case) -> int:
    """The inquiry that the newest mail of a case is."""
    return cases.mails_of(conn, case.id, thanks=False)[-1]


def newest_mail(conn: Connection, case: Case) -> Record:
    """The newest mail of a case, unread."""
    record = inbox.find(conn, newest_number(conn, case))
    if record is None:
        raise LookupError(f"case {case.id} has lost its inquiry")  # a foreign key forbids it
    return record


def newest_of(conn: Connection, case_id: int) -> Newest | None:
    """The newest mail, read in this process, which then may die of it: for commands. None: there is no such case."""
    case = cases.find(conn, case_id)
    if case is None:
        return None
    record = newest_mail(conn, case)
    return _read(record, parse_message(record.raw))


async def read_newest(visit: Visit, case_id: int) -> Newest | None:
    """The newest mail, read in the process for that. None: there is no such case."""

    def find(conn: Connection) -> Record | None:
        case = cases.find(conn, case_id)
        return None if case is None else newest_mail(conn, case)

    record = await visit.read(find)
    return None if record is None else await as_read(visit, record)


async def as_read(visit: Visit, record: Record) -> Newest:
    """A mail that was found already, read in the process for that."""
    found = await visit.desk.reader.ask(MESSAGE, record.raw)
    return _read(record, found)


def _read(record: Record, message: Message | Unreadable) -> Newest:
    return Newest(record, None if isinstance(message, Unreadable) else message)
