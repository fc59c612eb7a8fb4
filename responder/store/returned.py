"""A mail of ours that came back: what its report changes."""

from datetime import datetime

from sqlalchemy.engine import Connection

from responder.mail.keyed import recognised
from responder.mail.report import Fate, Report
from responder.store import cases, muted, outbox
from responder.store.outbox import DeliveryKind, Earlier


def delivery_of(conn: Connection, report: Report, key: bytes) -> Earlier | None:
    """The mail of ours that a report is about. An id that was not made with our key is nobody's word; of a mail that
    was erased nothing is to be written down again."""
    ours = [known.lower() for known in report.ids if recognised(key, known) is not None]
    found = {one.message_id: one for one in outbox.of_message_ids(conn, ours) if one.recipient}
    return next((found[known] for known in ours if known in found), None)


def take_back(conn: Connection, delivery: Earlier, report: Report, *, mute_until: datetime, now: datetime) -> None:
    """Write the report down: a failure ends the delivery, puts it before people, and may mute the address.

    Of a notice to staff nothing more than its end: a case would be told of by the next, to the same address.
    """
    if report.fate is Fate.DELAYED:
        outbox.note(conn, delivery.id, reply=f"delayed: {report.diagnostic}")
        return
    if delivery.kind is DeliveryKind.NOTICE:
        outbox.settle_returned(conn, delivery.id, reply=report.diagnostic, now=now)
        return
    reason = f"{delivery.kind.value} bounced: {report.diagnostic}"
    if outbox.settle_returned(conn, delivery.id, reply=report.diagnostic, now=now):
        # A later mail of a thread has no case of its own.
        case_id = cases.case_of(conn, delivery.inquiry_id) or delivery.inquiry_id
        cases.open_case(conn, case_id, reason=reason, now=now)
    if report.hard:
        # Our own record of whom we wrote to counts, and not whom the report names.
        muted.mute(conn, delivery.recipient, reason=reason, until=mute_until, now=now)
