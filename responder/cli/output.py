"""What commands print: a table for people, JSON for programs."""

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import datetime
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from responder.errors import OperatorError


def as_json(value: Any) -> str:
    """One line of JSON; moments in ISO 8601 with their zone."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def say(line: str = "") -> None:
    """One line to standard output; a reader who has had enough (head, less) ends the command in peace."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still in the buffer must go somewhere when the program ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None


def warn(line: str) -> None:
    """One line to standard error."""
    sys.stderr.write(f"{line}\n")


def fail(line: str) -> NoReturn:
    """Say why on standard error and end with exit code 1."""
    warn(line)
    raise SystemExit(1)


def fail_with(error: OperatorError) -> NoReturn:
    """Every fault on a line of its own, and exit code 1."""
    fail("\n".join(str(fault) for fault in error.faults))


def rows(
    items: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_lines: bool, zone: ZoneInfo, empty: str
) -> None:
    """A list: all that is known as JSON, one object a line, or these columns as a table in the service's zone."""
    if as_lines:
        for item in items:
            say(as_json(item))
        return
    if not items:
        warn(empty)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        table.add_column(
            name.removesuffix("_at"), overflow="fold", no_wrap=name in {"id", "state"} or name.endswith("_at")
        )
    for item in items:
        table.add_row(*(cell(item[name], zone) for name in columns))
    # A pipe has no width; what reads it wants whole lines.
    width = None if sys.stdout.isatty() else 240
    Console(markup=False, highlight=False, width=width).print(table)


def cell(value: Any, zone: ZoneInfo) -> str:
    """One value for a person's eye; nothing a terminal would take for a command."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    return printable(str(value))


def printable(text: str) -> str:
    """One line without control characters: a mail's subject must not drive the terminal of who lists it."""
    return "".join(char if char.isprintable() else " " for char in text)


def report(done: bool, values: dict[str, Any], refusal: str, *, as_lines: bool) -> None:
    """What a command has done; where it has not, the refusal, and exit code 1."""
    if not done:
        fail(refusal)
    say(as_json(values) if as_lines else "  ".join(f"{name}: {value}" for name, value in values.items()))
