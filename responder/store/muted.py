"""Addresses that no machine writes to for a while, because a mail of ours came back from them for good."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from responder.mail.address import correspondent_of
from responder.store.engine import upsert
from responder.store.schema import muted


@dataclass(frozen=True, slots=True)
class Muted:
    """One address."""

    address: str
    muted_at: datetime
    muted_until: datetime
    reason: str


def mute(conn: Connection, address: str, *, reason: str, until: datetime, now: datetime) -> None:
    """Let no machine write to the address before `until`; a later word replaces an earlier one."""
    values = {"muted_at": now, "muted_until": until, "reason": reason}
    upsert(conn, muted, {"address": correspondent_of(address)}, values)


_NOW: sa.BindParameter[datetime] = sa.bindparam("now")

IS_MUTED = sa.select(sa.exists().where(muted.c.address == sa.bindparam("correspondent"), muted.c.muted_until > _NOW))
"""What `is_muted` gives; of the correspondent, `now`."""


def is_muted(conn: Connection, address: str, *, now: datetime) -> bool:
    """Whether no machine may write to the address now."""
    found: bool = conn.execute(IS_MUTED, {"correspondent": correspondent_of(address), "now": now}).scalar_one()
    return found


def unmute(conn: Connection, address: str) -> bool:
    """Let machines write to it again; False where nothing forbade it."""
    return conn.execute(sa.delete(muted).where(muted.c.address == correspondent_of(address))).rowcount == 1


def listing(conn: Connection, *, now: datetime, limit: int = 100) -> list[Muted]:
    """What is muted now, the newest first."""
    names = ("address", "muted_at", "muted_until", "reason")
    statement = sa.select(*(muted.c[name] for name in names)).where(muted.c.muted_until > now)
    return [Muted(*row) for row in conn.execute(statement.order_by(muted.c.muted_at.desc()).limit(limit))]
