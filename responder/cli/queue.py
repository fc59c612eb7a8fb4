"""cases, inbox and outbox: the human queue and what is behind it."""

import sys
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from responder.cli.opened import Json, Opened, Who, opened
from responder.cli.output import as_json, cell, fail, printable, rows, say

Number = Annotated[int, typer.Argument(help="The number in the first column.")]
Limit = Annotated[int, typer.Option(help="How many at most.", min=1)]


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    for name, group, about in (
        ("cases", cases_app, "What people must handle."),
        ("inbox", inbox_app, "Every mail taken in, and the lane it ended in."),
        ("outbox", outbox_app, "Every mail that leaves."),
    ):
        app.add_typer(group, name=name, help=about)


cases_app = typer.Typer(no_args_is_help=True)
inbox_app = typer.Typer(no_args_is_help=True)
outbox_app = typer.Typer(no_args_is_help=True)


_CASES = ("id", "reference", "opened_at", "state", "taken_by", "mail_from", "subject", "reason")
_INBOX = ("id", "received_at", "mail_from", "subject", "lane", "reason")
_OUTBOX = ("id", "inquiry_id", "kind", "recipient", "created_at", "state", "attempts", "next_attempt_at", "reply")


def _now() -> datetime:
    return datetime.now(UTC)


@cases_app.command("list")
def list_cases(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="Closed ones too.")] = False,
    limit: Limit = 100,
    as_lines: Json = False,
) -> None:
    """Open and taken cases, the one waiting longest first."""
    from responder.store import cases
    from responder.store.engine import reading

    place = opened(context)
    states = ("open", "taken", "closed") if everything else ("open", "taken")
    with reading(place.engine) as connection:
        found = [_case_row(case) for case in cases.listing(connection, states=states, limit=limit)]
    rows(found, _CASES, as_lines=as_lines, zone=place.zone, empty="No case is waiting.")


def _case_row(case: Any) -> dict[str, Any]:
    from responder.store.cases import reference_of

    row = asdict(case)
    return {"id": row.pop("id"), "reference": reference_of(case.id), **row}


@cases_app.command("show")
def show_case(
    context: typer.Context,
    number: Number,
    only_draft: Annotated[bool, typer.Option("--draft", help="The prepared answer alone, for a file.")] = False,
    as_lines: Json = False,
) -> None:
    """A case: its mails, what the machine made of them, what happened since, and the answer prepared for it."""
    from responder.cli.drafting import prepared
    from responder.store import cases, inbox, outbox
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        case = cases.find(connection, number)
        if case is None:
            fail(f"There is no case {number}.")
        events = cases.events(connection, number)
        joined = [event.inquiry_id for event in events if event.inquiry_id is not None]
        records = [inbox.find(connection, inquiry) for inquiry in (number, *joined)]
        numbers = dict.fromkeys((number, *joined))
        sent = [row for inquiry in numbers for row in reversed(outbox.listing(connection, inquiry_id=inquiry))]
        written = {row.id: _text_of(outbox.raw_of(connection, row.id)) for row in sent}
    mails = [_mail(record) for record in records if record is not None]
    draft = prepared(place, number)
    if only_draft and not as_lines:
        say((draft.text if draft is not None else fail(f"No answer is prepared for case {number}.")).rstrip("\n"))
        return
    if as_lines:
        say(
            as_json(
                {
                    **_case_row(case),
                    "mails": mails,
                    "events": [*map(asdict, events)],
                    "sent": [{**asdict(row), "text": written[row.id]} for row in sent],
                    "draft": None if draft is None else asdict(draft),
                }
            )
        )
        return
    _print_fields(_case_row(case), place)
    for mail in mails:
        _print_mail(mail, place)
    for event in events:
        say(f"{cell(event.at, place.zone)}  {event.event} by {printable(event.who)} {printable(event.detail)}")
    for row in sent:
        _print_sent(row, written[row.id], place)
    if draft is not None:
        say(f"\nprepared answer, not sent ({draft.unanswered} questions without an answer):\n")
        say("\n".join(f"  {printable(line)}" for line in draft.text.splitlines()))


def _mail(record: Any) -> dict[str, Any]:
    from responder.mail.message import Message, parse_message

    message = parse_message(record.raw)
    text = message.text if isinstance(message, Message) else ""
    attachments = [asdict(one) for one in message.attachments] if isinstance(message, Message) else []
    listing = asdict(record.listing)
    return {**listing, "decision": record.decision, "text": text, "attachments": attachments}


def _text_of(raw: bytes | None) -> str:
    """What a mail of ours says; "" where its bytes are not kept."""
    from responder.mail.message import Message, parse_message

    message = parse_message(raw or b"")
    return message.text if isinstance(message, Message) else ""


def _print_fields(fields: Mapping[str, Any], place: Opened) -> None:
    for name, value in fields.items():
        if value is not None:
            say(f"{name + ':':14}{cell(value, place.zone)}")


def _print_mail(mail: Mapping[str, Any], place: Opened) -> None:
    decision = mail["decision"] or {}
    say()
    _print_fields(
        {key: mail[key] for key in ("id", "received_at", "mail_from", "subject", "lane", "reason", "rule")},
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


def _print_sent(row: Any, text: str, place: Opened) -> None:
    say(f"{cell(row.created_at, place.zone)}  {row.kind} to {row.recipient}: {row.state}\n")
    say("\n".join(f"  {printable(line)}" for line in text.splitlines()) + "\n")


@cases_app.command("take")
def take_case(context: typer.Context, number: Number, who: Who, as_lines: Json = False) -> None:
    """Make a case yours, so that nobody else answers it."""
    from responder.store import cases

    place = opened(context)
    with place.engine.begin() as connection:
        taken = cases.take(connection, number, who=who, now=_now())
    _report(taken, {"id": number, "taken_by": who}, f"Case {number} is not open to be taken.", as_lines=as_lines)


@cases_app.command("answer")
def answer(
    context: typer.Context,
    number: Number,
    who: Who,
    text: Annotated[str | None, typer.Option(help="The answer.")] = None,
    file: Annotated[Path | None, typer.Option(help="A file that holds it; - is standard input.")] = None,
    draft: Annotated[bool, typer.Option("--draft", help="The prepared answer that `cases show` prints.")] = False,
    edit: Annotated[bool, typer.Option("--edit", help="Open it in $EDITOR before it is sent.")] = False,
    as_lines: Json = False,
) -> None:
    """Answer the contractor in their thread, and close the case."""
    from responder.cli.drafting import edited, kept, words_of
    from responder.desk.answering import Queued, answer_case

    place = opened(context)
    words = words_of(place, number, text, file, draft=draft)
    if edit:
        words = edited(words)
    outcome = answer_case(place.engine, place.letters(), place.author, number, words, who=who, now=_now())
    if not isinstance(outcome, Queued):
        hint = f" Your text is in {kept(words)}." if edit else ""
        fail(f"Case {number} was not answered: {outcome.value}.{hint}")
    _report(True, {"id": number, "delivery": outcome.delivery_id, "to": outcome.recipient}, "", as_lines=as_lines)


@cases_app.command("close")
def close(
    context: typer.Context,
    number: Number,
    who: Who,
    reason: Annotated[str, typer.Option(help="Why it needs no answer.")],
    as_lines: Json = False,
) -> None:
    """Close a case without an answer."""
    from responder.store import cases

    place = opened(context)
    with place.engine.begin() as connection:
        closed = cases.close_case(connection, number, who=who, detail=reason, now=_now())
    refusal = f"Case {number} is closed, another's, or none at all."
    _report(closed, {"id": number, "state": "closed"}, refusal, as_lines=as_lines)


def _report(done: bool, values: dict[str, Any], refusal: str, *, as_lines: bool) -> None:
    if not done:
        fail(refusal)
    say(as_json(values) if as_lines else "  ".join(f"{name}: {value}" for name, value in values.items()))


@inbox_app.command("list")
def list_inbox(
    context: typer.Context,
    lane: Annotated[str | None, typer.Option(help="answered, escalated, suppressed or waiting.")] = None,
    limit: Limit = 100,
    as_lines: Json = False,
) -> None:
    """Mails taken in, newest first."""
    from responder.store import inbox
    from responder.store.engine import reading

    place = opened(context)
    if lane is not None and lane not in {*inbox.Lane, "waiting"}:
        fail("--lane is answered, escalated, suppressed or waiting.")
    with reading(place.engine) as connection:
        found = [asdict(row) for row in inbox.listing(connection, lane=lane, limit=limit)]
        balance = inbox.balance(connection)
    rows(found, _INBOX, as_lines=as_lines, zone=place.zone, empty="Nothing here yet.")
    if not as_lines:
        say("  ".join(f"{name} {count}" for name, count in balance.items()))


@inbox_app.command("show")
def show_inquiry(
    context: typer.Context,
    number: Number,
    raw: Annotated[bool, typer.Option("--raw", help="The mail as it came, byte by byte.")] = False,
    as_lines: Json = False,
) -> None:
    """One mail with what was decided on it."""
    from responder.store import inbox
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        record = inbox.find(connection, number)
    if record is None:
        fail(f"There is no inquiry {number}.")
    if raw:
        sys.stdout.buffer.write(record.raw)
    elif as_lines:
        say(as_json(_mail(record)))
    else:
        _print_mail(_mail(record), place)


@inbox_app.command("call-back")
def call_back(context: typer.Context, number: Number, who: Who, as_lines: Json = False) -> None:
    """Put a mail that was kept in silence before people, as a case. Its lane stays as it was."""
    from responder.store import cases

    place = opened(context)
    with place.engine.begin() as connection:
        called = cases.call_back(connection, number, who=who, now=_now())
    refusal = f"Mail {number} was not kept in silence, or has a case already."
    _report(called, {"id": number, "reference": cases.reference_of(number)}, refusal, as_lines=as_lines)


@outbox_app.command("list")
def list_outbox(
    context: typer.Context,
    state: Annotated[str | None, typer.Option(help="queued, held, sent, bounced or expired.")] = None,
    limit: Limit = 100,
    as_lines: Json = False,
) -> None:
    """Mails that leave, newest first."""
    from responder.store import outbox
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        found = [asdict(row) for row in outbox.listing(connection, state=state, limit=limit)]
    rows(found, _OUTBOX, as_lines=as_lines, zone=place.zone, empty="Nothing here.")


@outbox_app.command("retry")
def retry(context: typer.Context, number: Number, as_lines: Json = False) -> None:
    """Try a held, deferred or failed mail at once."""
    from responder.store import outbox

    place = opened(context)
    with place.engine.begin() as connection:
        done = outbox.retry(connection, number, now=_now())
    _report(
        done,
        {"id": number, "state": "queued"},
        f"Mail {number} was sent, is in hand, or is none.",
        as_lines=as_lines,
    )


@outbox_app.command("hold")
def hold(context: typer.Context, number: Number, as_lines: Json = False) -> None:
    """Keep a queued mail back until `retry`."""
    from responder.store import outbox

    place = opened(context)
    with place.engine.begin() as connection:
        done = outbox.hold(connection, number, now=_now())
    _report(
        done,
        {"id": number, "state": "held"},
        f"Mail {number} is not queued, or is in hand.",
        as_lines=as_lines,
    )
