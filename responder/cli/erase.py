"""erase: what is kept of a person, and letting go of it."""

import hashlib
from typing import TYPE_CHECKING, Annotated

import typer

from responder.cli.opened import Json, Who, noted, now, opened
from responder.cli.output import as_json, fail, say

if TYPE_CHECKING:
    from responder.store.erasure import Traces


def register(app: typer.Typer) -> None:
    """Hang the command into the program."""
    app.command("erase")(erase)


def erase(
    context: typer.Context,
    address: Annotated[str, typer.Argument(help="Whose mails: as envelope sender, or in From.")],
    who: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Without asking.")] = False,
    as_lines: Json = False,
) -> None:
    """Erase all that is kept of a person: mails, our replies, notes, drafts and what was taught with them.

    Rows stay without content, so that the figures do. What waits, is to be sent, or stands in an open case is left.
    """
    from responder.mail.address import normalised
    from responder.store import erasure
    from responder.store.engine import erasing, give_back, reading

    place = opened(context)
    with reading(place.engine) as connection:
        traces = erasure.traces_of(connection, address)
        over = erasure.ended(connection, traces.mails)
    if not traces.any:
        fail(f"Nothing is kept of {address}.")
    left = [number for number in traces.mails if number not in over]
    if not as_lines:
        _show(traces, left)
    if not yes and not typer.confirm("Erase them for good?"):
        fail("Nothing was erased.")
    with erasing(place.engine) as connection:
        # Looked at once more: somebody may have opened a case meanwhile.
        over = erasure.ended(connection, traces.mails, lock=True)
        done = erasure.erase(connection, over, examples=True, now=now())
        if len(over) == len(traces.mails):
            erasure.forget_address(connection, address)
        # Tells that it was done for whoever knows the address, and nobody else.
        digest = hashlib.sha256(normalised(address).encode()).hexdigest()[:16]
        noted(connection, who, "person.erase", f"person:{digest}", f"{done} mails")
    give_back(place.engine)
    left = [number for number in traces.mails if number not in over]
    told = f"{done} mails were erased, {len(left)} left. In the log they stand under these numbers, and by address."
    say(as_json({"erased": over, "left": left}) if as_lines else told)


def _show(traces: "Traces", left: list[int]) -> None:
    say(f"mails       {len(traces.mails)}: {_numbers(traces.mails)}")
    say(f"cases       {len(traces.cases)}: {_numbers(traces.cases)}")
    say(f"answers     {traces.answers} mails of ours")
    say(f"taught      {traces.examples} examples of them")
    say(f"audit       {traces.audited} rows that name the address")
    say(f"muted       {'yes' if traces.muted else 'no'}")
    say(f"left        {len(left)} that wait, are to be sent, or stand in an open case: {_numbers(left)}")
    if left:
        say("            Close the case (`responder cases close`) or have the answer leave (`responder outbox list`),")
        say("            and say this again.")


def _numbers(numbers: list[int]) -> str:
    shown = ", ".join(map(str, numbers[:20]))
    return f"{shown} …" if len(numbers) > 20 else shown or "none"
