"""What the reading process may be asked of a mail, and how it writes down what it then says."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import ConfigDict, TypeAdapter

from responder.mail.attached import File, file_in
from responder.mail.markup import Markup, markup_in
from responder.mail.message import Message, Unreadable, parse_message
from responder.mail.rereading import Rereadings, rereadings_of
from responder.mail.view import View, view_of
from responder.triage.contents import Contents, contents_of

Told = TypeVar("Told")

# An attachment is octets, which JSON knows in base64 only.
_IN_BASE64 = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")


@dataclass(frozen=True, slots=True)
class Question(Generic[Told]):
    """One sort of question. Its name is what parent and child know it by."""

    name: str
    tell: Callable[[bytes, int], Told | Unreadable]
    """Of the mail's octets and a place in it, which most questions have no use for; never raises on what it holds."""
    shape: TypeAdapter[Told | Unreadable]


def _question(
    name: str, tell: Callable[[bytes, int], Told | Unreadable], shape: TypeAdapter[Told | Unreadable]
) -> Question[Told]:
    QUESTIONS[name] = made = Question(name, tell, shape)
    return made


QUESTIONS: dict[str, Question[Any]] = {}

CONTENTS: Question[Contents] = _question(
    "contents", lambda raw, _: contents_of(raw), TypeAdapter(Contents | Unreadable)
)
MESSAGE: Question[Message] = _question("message", lambda raw, _: parse_message(raw), TypeAdapter(Message | Unreadable))
VIEW: Question[View] = _question("view", lambda raw, _: view_of(raw), TypeAdapter(View | Unreadable))
MARKUP: Question[Markup] = _question("markup", lambda raw, _: markup_in(raw), TypeAdapter(Markup | Unreadable))
REREADINGS: Question[Rereadings] = _question(
    "rereadings", lambda raw, _: rereadings_of(raw), TypeAdapter(Rereadings | Unreadable)
)
FILE: Question[File] = _question("file", file_in, TypeAdapter(File | Unreadable, config=_IN_BASE64))
"""The place is the attachment's."""
