"""Which cases staff were told of by mail."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.store.engine import inserting
from responder.store.schema import cases, inbox, notices


class NoticeKind(StrEnum):
    """What is told of a case: that it waits, or that it is due soon."""

    OPENED = "opened"
    DUE = "due"


# What a case may be told of as: one that somebody has taken is no news, and may yet be forgotten.
_STATES = {NoticeKind.OPENED: ("open",), NoticeKind.DUE: ("open", "taken")}


@dataclass(frozen=True, slots=True)
class Untold:
    """A case that staff were not told of since it was last opened."""

    id: int
    opened_at: datetime
    reason: str
    taken_by: str | None
    """None where it is open, whoever had it before."""
    mail_from: str
    from_address: str | None
    subject: str | None


def untold(conn: Connection, kind: NoticeKind, *, now: datetime, limit: int = 1000) -> list[Untold]:
    """Cases to tell of, oldest first; those that are put off until later are not."""
    taken_by = sa.case((cases.c.state == "taken", cases.c.taken_by)).label("taken_by")
    own = (cases.c[name] for name in ("inquiry_id", "opened_at", "reason"))
    theirs = (inbox.c[name] for name in ("mail_from", "from_address", "subject"))
    columns: list[sa.ColumnElement[Any]] = [*own, taken_by, *theirs]
    told = sa.exists().where(
        notices.c.case_id == cases.c.inquiry_id,
        notices.c.kind == kind.value,
        notices.c.opened_at == cases.c.opened_at,
    )
    statement = (
        sa.select(*columns)
        .join(inbox, inbox.c.id == cases.c.inquiry_id)
        .where(cases.c.state.in_(_STATES[kind]), ~told)
        .where(sa.or_(cases.c.held_until.is_(None), cases.c.held_until <= now))
        .order_by(cases.c.opened_at, cases.c.inquiry_id)
    )
    return [Untold(*row) for row in conn.execute(statement.limit(limit))]


def settle(conn: Connection, kind: NoticeKind, told: Sequence[Untold], *, now: datetime) -> Collection[int]:
    """Note that these are told of. Gives those that nobody else had told of meanwhile."""
    if not told:
        return frozenset()
    # In one order everywhere: two processes that tell of the same cases wait for each other, and never in a ring.
    rows = [
        {"case_id": one.id, "kind": kind.value, "opened_at": one.opened_at, "told_at": now}
        for one in sorted(told, key=lambda one: one.id)
    ]
    new = inserting(conn.dialect.name, notices).values(rows).on_conflict_do_nothing().returning(notices.c.case_id)
    return frozenset(conn.execute(new).scalars())
