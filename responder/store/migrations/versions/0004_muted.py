"""Addresses that no machine writes to for a while."""

import sqlalchemy as sa
from alembic import op

from responder.store.schema import Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "muted",
        sa.Column("address", sa.Text, primary_key=True, nullable=False),
        sa.Column("muted_at", Moment, nullable=False),
        sa.Column("muted_until", Moment, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
