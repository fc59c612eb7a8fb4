"""Cases that somebody opened because what a machine wrote was wrong."""

from datetime import datetime

from sqlalchemy.engine import Connection

from responder.store import case_events, cases, casework

REASON = "an automatic answer was wrong"


def open_correction(conn: Connection, inquiry_id: int, *, who: str, now: datetime) -> int:
    """Put a mail before people whose automatic answer was wrong, and give its case.

    A case in which a person has answered since stays as it is: what was wrong has been put right there.
    """
    known = cases.case_of(conn, inquiry_id)
    if known is None or not _answered(conn, known):
        cases.open_case(conn, known or inquiry_id, reason=REASON, now=now, who=who)
    return known or inquiry_id


def _answered(conn: Connection, case_id: int) -> bool:
    events = [event.event for event in case_events.of_case(conn, case_id)]
    return events.count("answered") > events.count("withdrawn")


def drop_correction(conn: Connection, inquiry_id: int, *, who: str, now: datetime) -> bool:
    """Close the case that `open_correction` opened, where nothing has happened in it since; False where more has."""
    case = cases.find(conn, inquiry_id, lock=True)
    if case is None or (case.state, case.reason) != ("open", REASON) or len(case_events.of_case(conn, inquiry_id)) > 1:
        return False
    return casework.close(conn, inquiry_id, reason="the judgement was taken back", who=who, now=now) is None
