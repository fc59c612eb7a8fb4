"""The Message-IDs of mails taken in, which a later mail of the same thread refers to."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("inbox", sa.Column("message_id", sa.Text))
    op.create_index("ix_inbox_message_id", "inbox", ["message_id"])
