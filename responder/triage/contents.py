"""What a mail says, taken out of its octets: all of reading that a stranger can aim at, in one pure function."""

from dataclasses import dataclass

from responder.mail.message import Message, Unreadable, parse_message
from responder.triage.questions import Questions, questions_of


@dataclass(frozen=True, slots=True)
class Contents:
    """A mail that could be read."""

    message: Message
    questions: Questions


def contents_of(raw: bytes) -> Contents | Unreadable:
    """Never raises on what a mail holds."""
    message = parse_message(raw)
    if isinstance(message, Unreadable):
        return message
    return Contents(message, questions_of(message.subject, message.text))
