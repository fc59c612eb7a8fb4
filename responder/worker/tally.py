"""What leaves by itself, to anybody: counted for the breaker, by whoever settles mails and is alone at it."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.engine import Connection

from responder import maillog
from responder.store import automatic, breaker
from responder.triage.policy import Budgets

log = maillog.log("worker")


@dataclass(slots=True)
class Tally:
    """As it stands in a transaction that `one_at_a_time` keeps others from."""

    sent: int
    """Automatic mails of the last hour, since a person last reset the breaker."""
    tripped: bool


def tally_of(conn: Connection, budgets: Budgets, *, now: datetime) -> Tally:
    """Read it; a breaker that falls back by itself does so here, before the next mail."""
    hour = now - timedelta(hours=1)
    tripped = breaker.in_force(conn)
    if tripped is not None and budgets.falls_back and automatic.at_all(conn, since=hour) < budgets.per_hour:
        breaker.reset(conn, who=breaker.ITSELF, now=now)
        log.warning("breaker fell back", tripped_at=tripped.tripped_at.isoformat())
        tripped = None
    since = max(hour, breaker.last_reset_at(conn) or hour)
    return Tally(automatic.at_all(conn, since=since), tripped is not None)


def trip(conn: Connection, tally: Tally, *, now: datetime) -> None:
    """Stop automatic mail, where it is not stopped yet."""
    if not tally.tripped and breaker.trip(conn, sent=tally.sent, now=now):
        log.error("breaker tripped", sent=tally.sent, remedy="responder breaker show")
    tally.tripped = True
