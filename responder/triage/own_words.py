"""What a reply quotes of our mail, told from what its author wrote. What is no text of ours is theirs."""

import re
from collections.abc import Iterable, Sequence

from responder.mail.message import Message
from responder.triage.signature import is_of, squeezed
from responder.triage.text import normalised

_TOLD = 10
"""Characters from which on a line that stands in a mail of ours does so by no accident."""
_QUOTED = re.compile(r"^\s*>")
# A head of two lines, as Gmail folds it.
_FOLDED_HEAD = re.compile(
    r"^([ \t]*(?:on |\d{4}[年/]).{1,150})\n[ \t]*(.{0,100}wrote:|<[^<>\n]{1,100}>:)[ \t]*$", re.MULTILINE
)
_BAR = re.compile(r"^\s*-{3,}\s*(?:original message|元のメッセージ|original appointment)\s*-*\s*$|^\s*_{20,}\s*$")
# Each piece ends where the next kind of character begins: there is but one way to read a date.
_DATE = (
    r"(?:(?:\d{1,4}(?!\d)|[年月日時分]|\([月火水木金土日]\)|[月火水木金土日]曜日?|午前|午後|(?:at|am|pm|gmt|jst|utc"
    r"|(?:mon|tue|tues|wed|wednes|thu|thurs|fri|sat|satur|sun)(?:day)?|may|june?|july?|jan(?:uary)?|feb(?:ruary)?"
    r"|mar(?:ch)?|apr(?:il)?|aug(?:ust)?|sep(?:tember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z]))"
    r"[\s,/:+.、-]*){4,20}"
)
_ATTRIBUTION = re.compile(
    rf"^\s*(?:on )?({_DATE})[\s、,]*(.{{0,150}}?)\s*(?:wrote|のメール|のメッセージ|さんは書きました)?\s*:\s*$"
)
_FIELD = re.compile(r"^\s*(from|to|cc|date|sent|subject|差出人|宛先|送信者|送信日時|日時|日付|件名)\s*:\s*(.{0,300})$")
_ADDRESS = re.compile(r"[\[<(]?(?:mailto:)?[a-z0-9_.+-]+@[a-z0-9-]+(?:\.[a-z0-9-]+)+[\])>]?")


def says_no_more(subject: str, ours: str) -> bool:
    """Whether the subject is but our own: some people write all they have to say into it."""
    bare = re.sub(r"^(?:\s*(?:re|res|aw|返信)\s*:)+", "", normalised(subject))
    return squeezed(bare) in squeezed(normalised(ours))


def own_lines(message: Message, ours: Message) -> list[str] | None:
    """What they wrote in reply to `ours`, normalised; None where somebody may have written into the quotation."""
    lines = _FOLDED_HEAD.sub(r"\1 \2", normalised(message.text)).splitlines()
    told = normalised(ours.text).splitlines()
    end = next((index for index, line in enumerate(lines) if _is_head(line, message, ours)), len(lines))
    below = _below_fields(lines[end + 1 :], message, ours)
    quoted = [line for line in lines[:end] if _QUOTED.match(line)]
    if not (_is_told(quoted, told) and _is_told(below, told)):
        return None
    return [line for line in lines[:end] if not _QUOTED.match(line)]


def _is_told(lines: Iterable[str], told: Sequence[str]) -> bool:
    """Whether each of these lines stands in our mail, or all together do, broken elsewhere."""
    bare = [squeezed(line) for line in lines]
    whole, text = {squeezed(line) for line in told}, "".join(map(squeezed, told))
    together = "".join(bare)
    return (len(together) >= _TOLD and together in text) or all(
        not line or line in whole or (len(line) >= _TOLD and line in text) for line in bare
    )


def _is_head(line: str, message: Message, ours: Message) -> bool:
    """Whether this line begins a quotation, and speaks of nothing but us and the time."""
    if _BAR.match(line):
        return True
    if found := _ATTRIBUTION.match(line):
        return _is_somebody(found[2], (ours,))
    field = _FIELD.match(line)
    return field is not None and field[1] in {"from", "差出人"} and _is_field(line, message, ours)


def _below_fields(lines: Sequence[str], message: Message, ours: Message) -> Sequence[str]:
    """The lines under the fields that a head may have."""
    first = next((i for i, line in enumerate(lines) if line.strip() and not _is_field(line, message, ours)), len(lines))
    return lines[first:]


def _is_field(line: str, message: Message, ours: Message) -> bool:
    field = _FIELD.match(line)
    if field is None:
        return False
    name, value = field.groups()
    match name:
        case "subject" | "件名":
            return says_no_more(value, ours.subject)
        case "date" | "sent" | "送信日時" | "日時" | "日付":
            return re.fullmatch(_DATE, value.strip()) is not None
        case _:
            return all(_is_somebody(one, (message, ours)) for one in re.split("[;,]", value))


def _is_somebody(text: str, known: Sequence[Message]) -> bool:
    """Whether a text is an address, or the name of an author of these mails, or both."""
    name = squeezed(_ADDRESS.sub("", text)).strip("\"'、,")
    return not name or any(is_of(name, mail) for mail in known)
