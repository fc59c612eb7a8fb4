"""cases teach and unteach, and the labels that come of it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder.cli.opened import Json, Opened, Who, noted, now, opened
from responder.cli.output import as_json, fail, rows, say

if TYPE_CHECKING:
    from responder.mail.message import Message

Inquiry = Annotated[int, typer.Argument(help="The number of the mail; a case has that of the mail that began it.")]

labels_app = typer.Typer(no_args_is_help=True)


def register(app: typer.Typer, cases: typer.Typer) -> None:
    """Hang the commands into the program, two of them under `cases`."""
    cases.command("teach")(teach)
    cases.command("unteach")(unteach)
    app.add_typer(labels_app, name="labels", help="What people taught: mails, and the entries that answer them.")


def teach(
    context: typer.Context,
    number: Inquiry,
    who: Who,
    entry: Annotated[list[str] | None, typer.Option(help="An entry that answers it; may be given again.")] = None,
    nobody: Annotated[bool, typer.Option("--nobody", help="No entry answers it: a person must.")] = False,
    partly: Annotated[bool, typer.Option("--partly", help="It asks something else besides these entries.")] = False,
    as_lines: Json = False,
) -> None:
    """Say which entries answer a mail. The running service learns it; a label the mail has is replaced."""
    from responder.store import labels

    place = opened(context)
    entries = _entries(place, entry or [], nobody=nobody, partly=partly)
    message = _message(place, number)
    with place.engine.begin() as connection:
        label = labels.teach(
            connection,
            number,
            subject=message.subject,
            body=message.text,
            expected=entries,
            complete=not partly,
            who=who,
            now=now(),
        )
        if label is None:
            fail(f"Mail {number} cannot be taught: it was erased.")
        noted(
            connection,
            who,
            "label.teach",
            f"mail:{number}",
            ",".join(entries) or "nobody" if not partly else f"{','.join(entries)} partly",
        )
    values = {"id": number, "label": label, "expected": entries, "complete": not partly, "taught_by": who}
    said = f"mail: {number}  answered by: {_said(entries)}{' and something else' if partly else ''}"
    say(as_json(values) if as_lines else said)


def _entries(place: Opened, given: list[str], *, nobody: bool, partly: bool) -> list[str]:
    """The entries, each once. Ends the command where what was given says nothing, or two things."""
    from responder.corpus import load_entries

    if bool(given) == nobody:
        fail("Name the entries that answer it, --entry q04, or say --nobody.")
    if nobody and partly:
        fail("--partly goes with --entry: it says that these entries answer a part of the mail.")
    known = [entry.id for entry in load_entries(place.config.service.corpus)]
    for name in given:
        if name not in known:
            fail(f"There is no entry {name}. There are {', '.join(known)}.")
    return list(dict.fromkeys(given))


def _message(place: Opened, number: int) -> "Message":
    from responder.mail.message import Message, parse_message
    from responder.store import inbox
    from responder.store.engine import reading

    with reading(place.engine) as connection:
        record = inbox.find(connection, number)
    if record is None:
        fail(f"There is no mail {number}.")
    if record.listing.erased_at:
        fail(f"Mail {number} cannot be taught: it was erased.")
    message = parse_message(record.raw)
    if not isinstance(message, Message):
        fail(f"Mail {number} cannot be taught: it could not be read.")
    return message


def _said(entries: list[str]) -> str:
    return ", ".join(entries) or "nobody"


def unteach(context: typer.Context, number: Inquiry, who: Who, as_lines: Json = False) -> None:
    """Take back what was taught of a mail; it stays on record, with your name."""
    from responder.store import labels

    place = opened(context)
    with place.engine.begin() as connection:
        undone = labels.undo(connection, number, who=who, now=now())
        if undone:
            noted(connection, who, "label.undo", f"mail:{number}")
    if not undone:
        fail(f"Mail {number} has no label to take back.")
    say(as_json({"id": number, "undone_by": who}) if as_lines else f"mail: {number}  undone by: {who}")


_LABELS = ("id", "inquiry_id", "expected", "complete", "taught_at", "taught_by", "undone_at", "undone_by", "subject")


@labels_app.command("list")
def list_labels(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Those that were taken back too.")] = False,
    as_lines: Json = False,
) -> None:
    """What was taught, oldest first."""
    from responder.store import labels
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        found = [asdict(label) for label in labels.listing(connection, undone=everything)]
    shown: list[dict[str, Any]] = found if as_lines else [{**row, "expected": _said(row["expected"])} for row in found]
    rows(shown, _LABELS, as_lines=as_lines, zone=place.zone, empty="Nothing was taught yet.")


@labels_app.command("export")
def export_labels(
    context: typer.Context,
    _: Annotated[bool, typer.Option("--json", help="As it is anyway.")] = False,
) -> None:
    """The labels in force as lines for a file in faq_corpus/examples. They hold the text of the mails."""
    from responder.app.teaching import line_of
    from responder.store import labels
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        for label in labels.listing(connection):
            say(as_json(line_of(label)))
