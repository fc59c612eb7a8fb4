"""Lines of the audit for files: JSON for programs, CSV that no spreadsheet takes for formulas."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import astuple, fields
from io import StringIO
from typing import Any

from responder.store.audit import Event

# What makes a spreadsheet compute, or run, what stands in a cell (OWASP, "CSV Injection"). A Japanese one takes the
# full-width signs alike.
_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "＝",
    "＋",
    "－",
    "＠",
)


CSV_NAMES = ",".join(field.name for field in fields(Event))


def json_lines(events: Iterable[Event]) -> Iterator[str]:
    """One object a line, moments in ISO 8601, UTC."""
    names = [field.name for field in fields(Event)]
    for event in events:
        yield json.dumps(dict(zip(names, map(_plain, astuple(event)), strict=True)), ensure_ascii=False)


def csv_lines(events: Iterable[Event]) -> Iterator[str]:
    """RFC 4180 without line ends, below a line `CSV_NAMES`; moments in ISO 8601, UTC."""
    for event in events:
        line = StringIO()
        csv.writer(line).writerow([_harmless(_plain(value)) for value in astuple(event)])
        # The writer knows what to quote by its own line end, so it must have one.
        yield line.getvalue().removesuffix("\r\n")


def _plain(value: Any) -> str | int:
    return value if isinstance(value, int | str) else str(value.isoformat())


def _harmless(cell: str | int) -> str | int:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
