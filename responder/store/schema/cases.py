"""What people must handle, and what they have in hand."""

import sqlalchemy as sa

from responder.store.schema.columns import Moment, Number, column, metadata

# A case is the inquiry that began it: one number for the contractor, the staff and the log.
cases = sa.Table(
    "cases",
    metadata,
    column("inquiry_id", Number, sa.ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    column("opened_at", Moment),
    column("reason", sa.Text),
    column("state", sa.Text, server_default="open"),
    column("taken_by", sa.Text, nullable=True),
    column("changed_at", Moment),
    # Put off until then, whatever its state; what the contractor writes ends it.
    column("held_until", Moment, nullable=True),
    column("hold_reason", sa.Text, nullable=True),
    # The case that this one's mails belong to since the two were merged; it is closed then.
    column("merged_into", Number, sa.ForeignKey("cases.inquiry_id"), nullable=True),
    sa.CheckConstraint("state IN ('open', 'taken', 'closed')", name="state"),
    sa.CheckConstraint("state <> 'taken' OR taken_by IS NOT NULL", name="taken_by_somebody"),
)
sa.Index("ix_cases_state_opened_at", cases.c.state, cases.c.opened_at)
sa.Index("ix_cases_taken_by_state_opened_at", cases.c.taken_by, cases.c.state, cases.c.opened_at)
sa.Index("ix_cases_merged_into", cases.c.merged_into)

# What happened to a case, and which later mails belong to it. Rows are only ever added.
case_events = sa.Table(
    "case_events",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("case_id", Number, sa.ForeignKey("cases.inquiry_id")),
    column("at", Moment),
    column("event", sa.Text),
    column("who", sa.Text),
    column("detail", sa.Text),
    column("inquiry_id", Number, sa.ForeignKey("inbox.id"), nullable=True),
    column("delivery_id", Number, sa.ForeignKey("outbox.id"), nullable=True),
    sqlite_autoincrement=True,
)
sa.Index("ix_case_events_case_id", case_events.c.case_id)
sa.Index("ix_case_events_inquiry_id", case_events.c.inquiry_id)

# What somebody has written so far in answer to a case. `seen` is the last event of the case that he knew.
drafts = sa.Table(
    "drafts",
    metadata,
    column("case_id", Number, sa.ForeignKey("cases.inquiry_id"), primary_key=True, autoincrement=False),
    column("who", sa.Text, primary_key=True),
    column("salutation", sa.Text),
    column("text", sa.Text),
    column("seen", Number),
    column("saved_at", Moment),
)

# Who is writing an answer at this moment: a lock that only warns, and ends when its owner is not heard of any more.
composing = sa.Table(
    "composing",
    metadata,
    column("case_id", Number, sa.ForeignKey("cases.inquiry_id"), primary_key=True, autoincrement=False),
    column("who", sa.Text),
    column("begun_at", Moment),
    column("seen_at", Moment),
)

# Pieces of text that somebody uses again and again; without an owner they are everybody's.
snippets = sa.Table(
    "snippets",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("owner", sa.Text, nullable=True),
    column("title", sa.Text),
    column("text", sa.Text),
    column("changed_at", Moment),
    sqlite_autoincrement=True,
)
sa.Index("ix_snippets_owner", snippets.c.owner)

# Of which case staff were told what by mail, and when: never the same twice.
notices = sa.Table(
    "notices",
    metadata,
    column("case_id", Number, sa.ForeignKey("cases.inquiry_id"), primary_key=True, autoincrement=False),
    column("kind", sa.Text, primary_key=True),
    # When the case was opened: one that is opened again is told of again.
    column("opened_at", Moment, primary_key=True),
    column("told_at", Moment),
    sa.CheckConstraint("kind IN ('opened', 'due')", name="kind"),
)
