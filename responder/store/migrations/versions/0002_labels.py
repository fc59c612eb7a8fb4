"""What people taught."""

import sqlalchemy as sa
from alembic import op

from responder.store.schema import Moment, Number

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "labels",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("inquiry_id", Number, sa.ForeignKey("inbox.id"), nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("expected", sa.JSON, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("taught_at", Moment, nullable=False),
        sa.Column("taught_by", sa.Text, nullable=False),
        sa.Column("undone_at", Moment),
        sa.Column("undone_by", sa.Text),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone_whole"),
        sqlite_autoincrement=True,
    )
    in_force = sa.text("undone_at IS NULL")
    op.create_index(
        "ix_labels_in_force", "labels", ["inquiry_id"], unique=True, sqlite_where=in_force, postgresql_where=in_force
    )
    op.create_index("ix_labels_inquiry_id", "labels", ["inquiry_id"])
