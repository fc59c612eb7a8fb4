"""A mail on the terminal: what it says, and what was made of it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from responder.cli.opened import Opened
from responder.cli.output import cell, printable, say


def mail_of(record: Any) -> dict[str, Any]:
    """What is shown of an inquiry, as JSON values."""
    from responder.mail.message import Message, parse_message

    message = parse_message(record.raw)
    text = message.text if isinstance(message, Message) else ""
    attachments = [asdict(one) for one in message.attachments] if isinstance(message, Message) else []
    listing = asdict(record.listing)
    return {**listing, "decision": record.decision, "text": text, "attachments": attachments}


def text_of(raw: bytes | None) -> str:
    """What a mail of ours says; "" where its bytes are not kept."""
    from responder.mail.message import Message, parse_message

    message = parse_message(raw or b"")
    return message.text if isinstance(message, Message) else ""


def print_fields(fields: Mapping[str, Any], place: Opened) -> None:
    """A line each; what is None is left out."""
    for name, value in fields.items():
        if value is not None:
            say(f"{name + ':':14}{cell(value, place.zone)}")


def print_mail(mail: Mapping[str, Any], place: Opened) -> None:
    """What `mail_of` gave."""
    decision = mail["decision"] or {}
    say()
    print_fields(
        {
            key: mail[key]
            for key in ("id", "received_at", "mail_from", "subject", "lane", "reason", "rule", "erased_at")
        },
        place,
    )
    for question in decision.get("questions", []):
        candidates = "  ".join(f"{entry} {score:.2f}" for entry, score in question["candidates"])
        say(f"{'candidates:':14}{candidates}")
    for part in decision.get("parts", []):
        say(f"{'asked:':14}{part['entry'] or 'no entry'}  {printable(part['question'])}")
    for attachment in mail["attachments"]:
        say(f"{'attachment:':14}{printable(attachment['name'])} ({attachment['size']} bytes)")
    say()
    say("\n".join(f"  {printable(line)}" for line in mail["text"].splitlines()))
    say()


def print_sent(row: Any, text: str, place: Opened) -> None:
    """A mail of ours."""
    say(f"{cell(row.created_at, place.zone)}  {row.kind} to {row.recipient}: {row.state}\n")
    say("\n".join(f"  {printable(line)}" for line in text.splitlines()) + "\n")
