"""Long lists piece by piece, newest first, each piece at a bounded cost."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa
from sqlalchemy.engine import Connection

SPAN = 20_000
"""Numbers that one piece looks through. What is asked for may be rare, and to find that there is none took a minute
where a million mails stood on a cold disk."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """A piece of a list."""

    rows: list[T]
    older: int | None
    """What to give as `before` to go on; None at the end. A piece may be empty and not the last."""


def sliced(
    conn: Connection,
    statement: sa.Select[Any],
    number: sa.ColumnElement[int],
    make: Callable[[Any], T],
    *,
    before: int | None,
    limit: int,
) -> Slice[T]:
    """The rows of a statement with the highest numbers below `before`, at most `limit` of them."""
    if before is None:
        before = (conn.execute(sa.select(sa.func.max(number))).scalar_one() or 0) + 1
    floor = max(before - SPAN, 0)
    within = statement.where(number < before, number >= floor).order_by(number.desc()).limit(limit)
    found = conn.execute(within).all()
    rows = [make(row) for row in found]
    if len(rows) == limit:
        return Slice(rows, found[-1].id)
    return Slice(rows, floor or None)
