"""Mails taken in, mails that leave, and what stops them."""

import sqlalchemy as sa

from responder.store.schema.columns import Moment, Number, column, metadata

inbox = sa.Table(
    "inbox",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("received_at", Moment),
    column("mail_from", sa.Text),
    column("rcpt_to", sa.JSON),
    column("digest", sa.Text),
    column("size", sa.Integer),
    # Read out of the mail by the worker, for lists.
    column("subject", sa.Text, nullable=True),
    column("from_address", sa.Text, nullable=True),
    # The lease of the worker that has it in hand; `leases` counts them and fences a worker that was too slow.
    column("lease_until", Moment, nullable=True),
    column("leases", sa.Integer, server_default="0"),
    # The end: exactly one lane, with a reason (Law 2).
    column("lane", sa.Text, nullable=True),
    column("reason", sa.Text, nullable=True),
    column("rule", sa.Text, nullable=True),
    column("decision", sa.JSON, nullable=True),
    column("settled_at", Moment, nullable=True),
    column("raw", sa.LargeBinary),
    # What later mails of the same thread refer to.
    column("message_id", sa.Text, nullable=True),
    # The name beside from_address, as its author wrote it.
    column("from_name", sa.Text, nullable=True),
    # Since when nothing is left of it but that it was there.
    column("erased_at", Moment, nullable=True),
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
sa.Index(
    "ix_inbox_lane_settled_at",
    inbox.c.lane,
    inbox.c.settled_at,
    sqlite_where=inbox.c.erased_at.is_(None),
    postgresql_where=inbox.c.erased_at.is_(None),
)
sa.Index("ix_inbox_digest", inbox.c.digest)
sa.Index("ix_inbox_lane_id", inbox.c.lane, inbox.c.id)
sa.Index("ix_inbox_received_at", inbox.c.received_at)
sa.Index("ix_inbox_from_address_id", inbox.c.from_address, inbox.c.id)
sa.Index("ix_inbox_message_id", inbox.c.message_id)

# What staff search in: a row for each mail that was settled and not erased.
searchable = sa.Table(
    "searchable",
    metadata,
    column("inquiry_id", Number, sa.ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    column("text", sa.Text),
)

# Mails that a version settled which knew no search: each waits here until a worker has time for it.
unsearchable = sa.Table(
    "unsearchable",
    metadata,
    column("inquiry_id", Number, sa.ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
)

outbox = sa.Table(
    "outbox",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("inquiry_id", Number, sa.ForeignKey("inbox.id")),
    column("kind", sa.Text),
    # What may leave once only: one automatic mail for one mail taken in (Law 3).
    column("once", sa.Text, unique=True),
    column("message_id", sa.Text, unique=True),
    column("sender", sa.Text),
    column("recipient", sa.Text),
    column("created_at", Moment),
    column("queued_at", Moment),  # its time to live counts from here; a retry by hand begins it anew
    column("state", sa.Text, server_default="queued"),
    column("attempts", sa.Integer, server_default="0"),
    column("next_attempt_at", Moment, nullable=True),
    column("lease_until", Moment, nullable=True),
    column("leases", sa.Integer, server_default="0"),
    column("reply", sa.Text, nullable=True),
    column("settled_at", Moment, nullable=True),
    column("raw", sa.LargeBinary),
    # What budgets count by: the recipient without a tag, its organisation, and the entries of an answer.
    column("correspondent", sa.Text, nullable=True),
    column("organisation", sa.Text, nullable=True),
    column("entries", sa.Text, nullable=True),
    sa.CheckConstraint("kind IN ('answer', 'acknowledgement', 'person', 'notice')", name="kind"),
    sa.CheckConstraint("state IN ('queued', 'held', 'sent', 'bounced', 'expired', 'withdrawn')", name="state"),
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
    column("id", Number, primary_key=True, autoincrement=True),
    column("tripped_at", Moment),
    column("sent", sa.Integer),
    column("in_force", sa.Boolean, nullable=True, unique=True),
    column("reset_at", Moment, nullable=True),
    column("reset_by", sa.Text, nullable=True),
    sa.CheckConstraint("(in_force IS NULL) = (reset_at IS NOT NULL)", name="in_force_until_reset"),
    sa.CheckConstraint("(reset_at IS NULL) = (reset_by IS NULL)", name="reset_whole"),
    sqlite_autoincrement=True,
)

# Addresses, normalised, that a mail of ours came back from for good: no machine writes to them before the moment.
muted = sa.Table(
    "muted",
    metadata,
    column("address", sa.Text, primary_key=True),
    column("muted_at", Moment),
    column("muted_until", Moment),
    column("reason", sa.Text),
)
