"""What people taught and judged, and how the entries came to be what they are."""

import sqlalchemy as sa

from responder.store.schema.columns import Moment, Number, column, metadata

# What people taught: which entries answer a mail. The text is a copy of its own, as recognition reads it, so that it
# can be learned from after the mail itself was cleared out. An undo is written beside a label and never deletes it.
labels = sa.Table(
    "labels",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("inquiry_id", Number, sa.ForeignKey("inbox.id")),
    column("subject", sa.Text),
    column("body", sa.Text),
    column("expected", sa.JSON),
    column("complete", sa.Boolean),
    column("taught_at", Moment),
    column("taught_by", sa.Text),
    column("undone_at", Moment, nullable=True),
    column("undone_by", sa.Text, nullable=True),
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

# What people said of automatic answers after they had gone. An undo is written beside it, as for labels.
reviews = sa.Table(
    "reviews",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("inquiry_id", Number, sa.ForeignKey("inbox.id")),
    column("verdict", sa.Text),
    # The entries that were sent, with commas, as in the outbox.
    column("entries", sa.Text),
    column("reviewed_at", Moment),
    column("reviewed_by", sa.Text),
    column("undone_at", Moment, nullable=True),
    column("undone_by", sa.Text, nullable=True),
    sa.CheckConstraint("verdict IN ('right', 'wrong')", name="verdict"),
    sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone_whole"),
    sqlite_autoincrement=True,
)
sa.Index(
    "ix_reviews_in_force",
    reviews.c.inquiry_id,
    unique=True,
    sqlite_where=reviews.c.undone_at.is_(None),
    postgresql_where=reviews.c.undone_at.is_(None),
)

# The entries as they were written, file by file: each change a row, the newest one in force.
entry_revisions = sa.Table(
    "entry_revisions",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("entry_id", sa.Text),
    column("revision", sa.Integer),
    column("written_at", Moment),
    column("written_by", sa.Text),
    column("note", sa.Text),
    column("content", sa.Text),
    sqlite_autoincrement=True,
)
sa.Index("ix_entry_revisions_entry_id_id", entry_revisions.c.entry_id, entry_revisions.c.id)

# What a change of an entry would do to the mails that are kept, found before it is made.
rehearsals = sa.Table(
    "rehearsals",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("entry_id", sa.Text),
    column("asked_at", Moment),
    column("asked_by", sa.Text),
    column("note", sa.Text),
    # The file as it would be, and the fingerprint of the corpus that it changes.
    column("content", sa.Text),
    column("corpus", sa.Text),
    column("state", sa.Text, server_default="waiting"),
    column("done", sa.Integer, server_default="0"),
    column("total", sa.Integer, nullable=True),
    column("result", sa.JSON, nullable=True),
    column("problem", sa.Text, nullable=True),
    column("changed_at", Moment),
    sa.CheckConstraint("state IN ('waiting', 'running', 'ready', 'failed', 'applied', 'dropped')", name="state"),
    sqlite_autoincrement=True,
)
sa.Index("ix_rehearsals_entry_id_id", rehearsals.c.entry_id, rehearsals.c.id)
