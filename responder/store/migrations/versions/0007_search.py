"""What staff search in: the text of a mail in one form, and the name of its author."""

import sqlalchemy as sa
from alembic import op

from responder.store.schema import Number

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("inbox", sa.Column("from_name", sa.Text))
    op.create_table(
        "searchable",
        sa.Column("inquiry_id", Number, sa.ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
        sa.Column("text", sa.Text, nullable=False),
    )
