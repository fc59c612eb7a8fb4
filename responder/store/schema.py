"""The tables. Whatever a Law says about rows stands here as a constraint, so that no code can break it unseen."""

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect


class Moment(sa.types.TypeDecorator[datetime]):
    """A moment in UTC. SQLite has no zone to keep, so it is taken off on the way in and put back on the way out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment in the store needs a zone")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQLite numbers rows only for INTEGER PRIMARY KEY; PostgreSQL gets 64 bits.
Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _column(name: str, type_: Any, *args: Any, **kwargs: Any) -> sa.Column[Any]:
    return sa.Column(name, type_, *args, nullable=kwargs.pop("nullable", False), **kwargs)


inbox = sa.Table(
    "inbox",
    metadata,
    _column("id", Number, primary_key=True, autoincrement=True),
    _column("received_at", Moment),
    _column("mail_from", sa.Text),
    _column("rcpt_to", sa.JSON),
    _column("digest", sa.Text),
    _column("size", sa.Integer),
    # Read out of the mail by the worker, for lists.
    _column("subject", sa.Text, nullable=True),
    _column("from_address", sa.Text, nullable=True),
    # The lease of the worker that has it in hand; `leases` counts them and fences a worker that was too slow.
    _column("lease_until", Moment, nullable=True),
    _column("leases", sa.Integer, server_default="0"),
    # The end: exactly one lane, with a reason (Law 2).
    _column("lane", sa.Text, nullable=True),
    _column("reason", sa.Text, nullable=True),
    _column("rule", sa.Text, nullable=True),
    _column("decision", sa.JSON, nullable=True),
    _column("settled_at", Moment, nullable=True),
    _column("raw", sa.LargeBinary),
    # What later mails of the same thread refer to.
    _column("message_id", sa.Text, nullable=True),
    sa.CheckConstraint("lane IN ('answered', 'escalated', 'suppressed')", name="lane"),
    sa.CheckConstraint(
        "(lane IS NULL AND reason IS NULL AND settled_at IS NULL)"
        " OR (lane IS NOT NULL AND reason IS NOT NULL AND settled_at IS NOT NULL)",
        name="settled_whole",
    ),
    sqlite_autoincrement=True,
)
sa.Index(
    "ix_inbox_waiting",
    inbox.c.id,
    sqlite_where=inbox.c.lane.is_(None),
    postgresql_where=inbox.c.lane.is_(None),
)
sa.Index("ix_inbox_digest", inbox.c.digest)
sa.Index("ix_inbox_lane", inbox.c.lane)
sa.Index("ix_inbox_message_id", inbox.c.message_id)

outbox = sa.Table(
    "outbox",
    metadata,
    _column("id", Number, primary_key=True, autoincrement=True),
    _column("inquiry_id", Number, sa.ForeignKey("inbox.id")),
    _column("kind", sa.Text),
    # What may leave once only: one automatic mail for one mail taken in (Law 3).
    _column("once", sa.Text, unique=True),
    _column("message_id", sa.Text, unique=True),
    _column("sender", sa.Text),
    _column("recipient", sa.Text),
    _column("created_at", Moment),
    _column("queued_at", Moment),  # its time to live counts from here; a retry by hand begins it anew
    _column("state", sa.Text, server_default="queued"),
    _column("attempts", sa.Integer, server_default="0"),
    _column("next_attempt_at", Moment, nullable=True),
    _column("lease_until", Moment, nullable=True),
    _column("leases", sa.Integer, server_default="0"),
    _column("reply", sa.Text, nullable=True),
    _column("settled_at", Moment, nullable=True),
    _column("raw", sa.LargeBinary),
    # What budgets count by: the recipient without a tag, its organisation, and the entries of an answer.
    _column("correspondent", sa.Text, nullable=True),
    _column("organisation", sa.Text, nullable=True),
    _column("entries", sa.Text, nullable=True),
    sa.CheckConstraint("kind IN ('answer', 'acknowledgement', 'person')", name="kind"),
    sa.CheckConstraint("state IN ('queued', 'held', 'sent', 'bounced', 'expired')", name="state"),
    sqlite_autoincrement=True,
)
sa.Index(
    "ix_outbox_due",
    outbox.c.next_attempt_at,
    sqlite_where=outbox.c.state == "queued",
    postgresql_where=outbox.c.state == "queued",
)
sa.Index("ix_outbox_inquiry_id", outbox.c.inquiry_id)
sa.Index("ix_outbox_correspondent_created_at", outbox.c.correspondent, outbox.c.created_at)
sa.Index("ix_outbox_organisation_created_at", outbox.c.organisation, outbox.c.created_at)
sa.Index("ix_outbox_created_at", outbox.c.created_at)

# When automatic mail was stopped, and who let it go on. The row that is in force is the only one that says so.
breaker_trips = sa.Table(
    "breaker_trips",
    metadata,
    _column("id", Number, primary_key=True, autoincrement=True),
    _column("tripped_at", Moment),
    _column("sent", sa.Integer),
    _column("in_force", sa.Boolean, nullable=True, unique=True),
    _column("reset_at", Moment, nullable=True),
    _column("reset_by", sa.Text, nullable=True),
    sa.CheckConstraint("(in_force IS NULL) = (reset_at IS NOT NULL)", name="in_force_until_reset"),
    sa.CheckConstraint("(reset_at IS NULL) = (reset_by IS NULL)", name="reset_whole"),
    sqlite_autoincrement=True,
)

# A case is the inquiry that began it: one number for the contractor, the staff and the log.
cases = sa.Table(
    "cases",
    metadata,
    _column("inquiry_id", Number, sa.ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    _column("opened_at", Moment),
    _column("reason", sa.Text),
    _column("state", sa.Text, server_default="open"),
    _column("taken_by", sa.Text, nullable=True),
    _column("changed_at", Moment),
    sa.CheckConstraint("state IN ('open', 'taken', 'closed')", name="state"),
    sa.CheckConstraint("state <> 'taken' OR taken_by IS NOT NULL", name="taken_by_somebody"),
)
sa.Index("ix_cases_state_opened_at", cases.c.state, cases.c.opened_at)

# What happened to a case, and which later mails belong to it. Rows are only ever added.
case_events = sa.Table(
    "case_events",
    metadata,
    _column("id", Number, primary_key=True, autoincrement=True),
    _column("case_id", Number, sa.ForeignKey("cases.inquiry_id")),
    _column("at", Moment),
    _column("event", sa.Text),
    _column("who", sa.Text),
    _column("detail", sa.Text),
    _column("inquiry_id", Number, sa.ForeignKey("inbox.id"), nullable=True),
    _column("delivery_id", Number, sa.ForeignKey("outbox.id"), nullable=True),
    sqlite_autoincrement=True,
)
sa.Index("ix_case_events_case_id", case_events.c.case_id)
sa.Index("ix_case_events_inquiry_id", case_events.c.inquiry_id)

# What people taught: which entries answer a mail. The text is a copy of its own, as recognition reads it, so that it
# can be learned from after the mail itself was cleared out. An undo is written beside a label and never deletes it.
labels = sa.Table(
    "labels",
    metadata,
    _column("id", Number, primary_key=True, autoincrement=True),
    _column("inquiry_id", Number, sa.ForeignKey("inbox.id")),
    _column("subject", sa.Text),
    _column("body", sa.Text),
    _column("expected", sa.JSON),
    _column("complete", sa.Boolean),
    _column("taught_at", Moment),
    _column("taught_by", sa.Text),
    _column("undone_at", Moment, nullable=True),
    _column("undone_by", sa.Text, nullable=True),
    sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone_whole"),
    sqlite_autoincrement=True,
)
# A mail has one label in force at most.
sa.Index(
    "ix_labels_in_force",
    labels.c.inquiry_id,
    unique=True,
    sqlite_where=labels.c.undone_at.is_(None),
    postgresql_where=labels.c.undone_at.is_(None),
)
sa.Index("ix_labels_inquiry_id", labels.c.inquiry_id)

# Addresses, normalised, that a mail of ours came back from for good: no machine writes to them before the moment.
muted = sa.Table(
    "muted",
    metadata,
    _column("address", sa.Text, primary_key=True),
    _column("muted_at", Moment),
    _column("muted_until", Moment),
    _column("reason", sa.Text),
)
