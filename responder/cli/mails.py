"""decide, explain and import: mails that lie in files."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from responder.cli.opened import Json, opened, settings
from responder.cli.output import as_json, fail, printable, say, warn

if TYPE_CHECKING:
    from responder.triage.guard.rules import Look
    from responder.triage.policy import Decision
    from responder.triage.reading import Knowledge, Reading

Paths = Annotated[list[Path], typer.Argument(help="Files, and folders with every file in them at any depth.")]


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.command("decide")(decide)
    app.command("explain")(explain)
    app.command("import")(import_mails)


def decide(context: typer.Context, paths: Paths, as_lines: Json = False) -> None:
    """Say what would become of mails, one line each. Needs no database and sends nothing."""
    from responder.app.pieces import judged_so_far, knowledge_of, taught_so_far

    config = settings(context)
    knowledge = knowledge_of(config, taught_so_far(config), judged_so_far(config))
    for path in _files(paths):
        line = _line(path, knowledge, config.listener.max_message_bytes)
        if as_lines:
            say(as_json(line))
        else:
            entries = ",".join(line["entries"]) or "-"
            verdict = f"{line['action']:9} {entries:12} {line['confidence']:.2f}  {line['reason']:40}"
            say(f"{verdict} {printable(line['file'])}")


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders.sort()
            yield from (Path(folder) / name for name in sorted(names))


def _line(path: Path, knowledge: "Knowledge", most_bytes: int) -> dict[str, Any]:
    from responder.triage.policy import Escalate, Reason

    decision: Decision = Escalate(Reason.UNREADABLE, acknowledge=False)
    try:
        with path.open("rb") as file:
            raw = file.read(most_bytes + 1)
        if len(raw) <= most_bytes:
            decision = _decided(raw, knowledge)[1]
        else:
            warn(f"{path}: larger than listener.max_message_bytes")
    except OSError as error:
        warn(f"{path}: {error.strerror}")
    except Exception as error:  # noqa: BLE001 - a fault of ours on one mail must not end the stream
        warn(f"{path}: {error!r}")
    return _values(path, decision)


def _values(path: Path, decision: "Decision") -> dict[str, Any]:
    from responder.triage.record import action_of

    return {
        # A file's name may hold any bytes; what is not UTF-8 is shown escaped.
        "file": os.fsencode(path).decode("utf-8", "backslashreplace"),
        "action": action_of(decision),
        "entries": list(getattr(decision, "entries", ())),
        "confidence": getattr(decision, "confidence", 0.0),
        "reason": decision.reason.value,
        "rule": getattr(decision, "rule", None),
    }


def _decided(raw: bytes, knowledge: "Knowledge") -> tuple["Reading", "Decision"]:
    from responder.triage.policy import NO_HISTORY
    from responder.triage.reading import decision_on, read_file

    _, found = read_file(raw, knowledge)
    return found, decision_on(found, NO_HISTORY, knowledge)


def explain(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="One mail; - is standard input.")],
    as_lines: Json = False,
) -> None:
    """Walk one mail through every step and show the evidence. Needs no database and sends nothing."""
    from responder.app.pieces import judged_so_far, knowledge_of, taught_so_far
    from responder.triage.record import record_of

    config = settings(context)
    knowledge = knowledge_of(config, taught_so_far(config), judged_so_far(config))
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        fail(f"{file} cannot be read: {error.strerror}.")
    found, decision = _decided(raw, knowledge)
    record = record_of(found, decision, knowledge)
    if as_lines:
        say(as_json({**record, "guard": [_look(look) for look in found.looks]}))
        return
    _explain_reading(found)
    _explain_questions(record["questions"], knowledge)
    say(f"decision     {record['action']}: {record['reason']}  {', '.join(record['entries'])}")
    thresholds = record["thresholds"]
    say(f"thresholds   floor {thresholds['floor']}, margin {thresholds['margin']}")
    if unproven := thresholds["unproven"]:
        say(f"unproven     {', '.join(unproven)}: too little is known of how often they are right")
    say(f"corpus       {record['corpus'][:16]}   classifier {record['classifier'][:16]}")


def _explain_reading(found: "Reading") -> None:
    from responder.mail.message import Message

    if not isinstance(found.message, Message):
        say(f"message      could not be read: {found.message.reason}")
        return
    message = found.message
    say(f"message      {printable(message.subject)}")
    sender = printable(message.from_address) or "nobody that could be read"
    lost = f", {message.replaced} characters lost" if message.replaced else ""
    declared = printable(message.declared) or "nothing"
    say(f"             from {sender}, decoded as {message.charset}, declared as {declared}{lost}")
    say(f"language     {found.language or 'none: it says nothing'}")
    say(f"guard        {found.suppression.value if found.suppression else 'no rule forbids an answer'}")
    for look in map(_look, found.looks):
        say(f"             {look['said']:4} {look['rule']:40} {look['source']}")


def _look(look: "Look") -> dict[str, str]:
    said = {True: "yes", False: "no", None: "off"}[look.held]
    return {"rule": look.rule.name.value, "said": said, "source": look.rule.source}


def _explain_questions(questions: list[dict[str, Any]], knowledge: "Knowledge") -> None:
    for number, question in enumerate(questions, 1):
        say(f"question {number}   {printable(question['text'])}")
        for entry, score in question["candidates"]:
            say(f"             {score:.3f}  {entry}  {knowledge.corpus.entry(entry).title}")
        words = "  ".join(f"{text} {weight:.3f}" for text, weight in question["terms"])
        say(f"             spoke for it: {words or 'nothing'}")
        say(f"             margin {question['margin']:.3f}")


def import_mails(context: typer.Context, paths: Paths) -> None:
    """Take .eml files, mboxes and Maildirs into the inbox, as if they had come by SMTP: they are answered too."""
    from rich.console import Console
    from rich.progress import Progress

    from responder.app.pieces import take_in

    place = opened(context)
    total = 0
    with Progress(transient=True, console=Console(stderr=True)) as progress:
        task = progress.add_task("Importing", total=None)
        try:
            for batch in _batches(_raws(paths)):
                take_in(place.engine, place.config, batch)
                total += len(batch)
                progress.update(task, completed=total, description=f"Importing ({total})")
        except OSError as error:
            fail(f"{error.filename}: {error.strerror}. What was read before it is in the inbox.")
    say(f"{total} mails taken in.")


def _batches(raws: Iterator[bytes], size: int = 100) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    try:
        for raw in raws:
            batch.append(raw)
            if len(batch) == size:
                yield batch
                batch = []
    except OSError:
        # What was read before the trouble is not to be lost with it.
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _raws(paths: list[Path]) -> Iterator[bytes]:
    for path in paths:
        if (path / "new").is_dir() and (path / "cur").is_dir():
            yield from (mail.read_bytes() for part in ("cur", "new") for mail in sorted((path / part).iterdir()))
        elif path.is_dir():
            yield from (mail.read_bytes() for mail in _files([path]))
        elif _is_mbox(path):
            yield from _mbox(path)
        else:
            yield path.read_bytes()


def _is_mbox(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(5) == b"From "


def _mbox(path: Path) -> Iterator[bytes]:
    import mailbox

    box = mailbox.mbox(path, create=False)
    try:
        yield from (box.get_bytes(key) for key in box.iterkeys())
    finally:
        box.close()
