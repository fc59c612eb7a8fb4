"""Inbox, outbox, cases and their events."""

import sqlalchemy as sa
from alembic import op

from responder.store.schema import Moment, Number

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_inbox()
    _create_outbox()
    _create_cases()


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("received_at", Moment, nullable=False),
        sa.Column("mail_from", sa.Text, nullable=False),
        sa.Column("rcpt_to", sa.JSON, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("subject", sa.Text),
        sa.Column("from_address", sa.Text),
        sa.Column("lease_until", Moment),
        sa.Column("leases", sa.Integer, server_default="0", nullable=False),
        sa.Column("lane", sa.Text),
        sa.Column("reason", sa.Text),
        sa.Column("rule", sa.Text),
        sa.Column("decision", sa.JSON),
        sa.Column("settled_at", Moment),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("lane IN ('answered', 'escalated', 'suppressed')", name="lane"),
        sa.CheckConstraint(
            "(lane IS NULL AND reason IS NULL AND settled_at IS NULL)"
            " OR (lane IS NOT NULL AND reason IS NOT NULL AND settled_at IS NOT NULL)",
            name="settled_whole",
        ),
        sqlite_autoincrement=True,
    )
    waiting = sa.text("lane IS NULL")
    op.create_index("ix_inbox_waiting", "inbox", ["id"], sqlite_where=waiting, postgresql_where=waiting)
    op.create_index("ix_inbox_digest", "inbox", ["digest"])
    op.create_index("ix_inbox_lane", "inbox", ["lane"])


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("inquiry_id", Number, sa.ForeignKey("inbox.id"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("once", sa.Text, unique=True, nullable=False),
        sa.Column("message_id", sa.Text, unique=True, nullable=False),
        sa.Column("sender", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("queued_at", Moment, nullable=False),
        sa.Column("state", sa.Text, server_default="queued", nullable=False),
        sa.Column("attempts", sa.Integer, server_default="0", nullable=False),
        sa.Column("next_attempt_at", Moment),
        sa.Column("lease_until", Moment),
        sa.Column("leases", sa.Integer, server_default="0", nullable=False),
        sa.Column("reply", sa.Text),
        sa.Column("settled_at", Moment),
        sa.Column("raw", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("kind IN ('answer', 'acknowledgement', 'person')", name="kind"),
        sa.CheckConstraint("state IN ('queued', 'held', 'sent', 'bounced', 'expired')", name="state"),
        sqlite_autoincrement=True,
    )
    queued = sa.text("state = 'queued'")
    op.create_index("ix_outbox_due", "outbox", ["next_attempt_at"], sqlite_where=queued, postgresql_where=queued)
    op.create_index("ix_outbox_inquiry_id", "outbox", ["inquiry_id"])
    op.create_index("ix_outbox_recipient_created_at", "outbox", ["recipient", "created_at"])


def _create_cases() -> None:
    op.create_table(
        "cases",
        sa.Column(
            "inquiry_id",
            Number,
            sa.ForeignKey("inbox.id"),
            primary_key=True,
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("opened_at", Moment, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("state", sa.Text, server_default="open", nullable=False),
        sa.Column("taken_by", sa.Text),
        sa.Column("changed_at", Moment, nullable=False),
        sa.CheckConstraint("state IN ('open', 'taken', 'closed')", name="state"),
        sa.CheckConstraint("state <> 'taken' OR taken_by IS NOT NULL", name="taken_by_somebody"),
    )
    op.create_index("ix_cases_state_opened_at", "cases", ["state", "opened_at"])
    op.create_table(
        "case_events",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("case_id", Number, sa.ForeignKey("cases.inquiry_id"), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("inquiry_id", Number, sa.ForeignKey("inbox.id")),
        sa.Column("delivery_id", Number, sa.ForeignKey("outbox.id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_case_events_case_id", "case_events", ["case_id"])
    op.create_index("ix_case_events_inquiry_id", "case_events", ["inquiry_id"])
