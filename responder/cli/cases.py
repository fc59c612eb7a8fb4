"""What people must handle."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from responder.cli.opened import Json, Limit, Number, Who, noted, now, opened
from responder.cli.output import as_json, cell, fail, printable, report, rows, say
from responder.cli.shown import mail_of, print_fields, print_mail, print_sent, text_of

cases_app = typer.Typer(no_args_is_help=True)

_CASES = ("id", "reference", "opened_at", "state", "taken_by", "mail_from", "subject", "reason")


def register(app: typer.Typer) -> None:
    """Hang the commands into the program."""
    app.add_typer(cases_app, name="cases", help="What people must handle.")


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
    from responder.store import case_events, cases, inbox, outbox
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        case = cases.find(connection, number)
        if case is None:
            fail(f"There is no case {number}.")
        events = case_events.of_case(connection, number)
        numbers = cases.mails_of(connection, number)
        records = [inbox.find(connection, inquiry) for inquiry in numbers]
        sent = [row for inquiry in numbers for row in reversed(outbox.listing(connection, inquiry_id=inquiry))]
        written = {row.id: text_of(outbox.raw_of(connection, row.id)) for row in sent}
    mails = [mail_of(record) for record in records if record is not None]
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
    print_fields(_case_row(case), place)
    for mail in mails:
        print_mail(mail, place)
    for event in events:
        say(f"{cell(event.at, place.zone)}  {event.event} by {printable(event.who)} {printable(event.detail)}")
    for row in sent:
        print_sent(row, written[row.id], place)
    if draft is not None:
        say(f"\nprepared answer, not sent ({draft.unanswered} questions without an answer):\n")
        say("\n".join(f"  {printable(line)}" for line in draft.text.splitlines()))


@cases_app.command("take")
def take_case(context: typer.Context, number: Number, who: Who, as_lines: Json = False) -> None:
    """Make a case yours, so that nobody else answers it."""
    from responder.store import casework

    place = opened(context)
    with place.engine.begin() as connection:
        refusal = casework.take(connection, number, who=who, now=now())
        if refusal is None:
            noted(connection, who, "case.take", f"case:{number}")
    words = f"Case {number} was not taken: {refusal}."
    report(refusal is None, {"id": number, "taken_by": who}, words, as_lines=as_lines)


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
    from responder.desk.answering import Intervened, Queued, Words, send
    from responder.desk.newest import newest_of
    from responder.store import case_events
    from responder.store.casework import Refusal
    from responder.store.engine import reading

    place = opened(context)
    with reading(place.engine) as connection:
        seen = case_events.newest(connection, number)
    words = words_of(place, number, text, file, draft=draft)
    if edit:
        words = edited(words)
    with reading(place.engine) as connection:
        newest = newest_of(connection, number) or fail(f"Case {number} was not answered: {Refusal.NO_CASE}.")
    letters, author, given = place.letters(), place.author, Words(words)
    with place.engine.begin() as connection:
        outcome = send(connection, letters, author, number, newest, given, who=who, now=now(), seen=seen)
        if isinstance(outcome, Queued):
            noted(connection, who, "case.answer", f"case:{number}", outcome.told)
    if not isinstance(outcome, Queued):
        hint = f" Your text is in {kept(words)}." if edit else ""
        told = "others did something in it meanwhile; look at `responder cases show` first"
        reason = told if isinstance(outcome, Intervened) else outcome.value
        fail(f"Case {number} was not answered: {reason}.{hint}")
    report(True, {"id": number, "delivery": outcome.delivery_id, "to": outcome.recipient}, "", as_lines=as_lines)


@cases_app.command("close")
def close(
    context: typer.Context,
    number: Number,
    who: Who,
    reason: Annotated[str, typer.Option(help="Why it needs no answer.")],
    as_lines: Json = False,
) -> None:
    """Close a case without an answer."""
    from responder.store import casework

    place = opened(context)
    with place.engine.begin() as connection:
        refusal = casework.close(connection, number, reason=reason, who=who, now=now())
        if refusal is None:
            noted(connection, who, "case.close", f"case:{number}")
    words = f"Case {number} was not closed: {refusal}."
    report(refusal is None, {"id": number, "state": "closed"}, words, as_lines=as_lines)
