"""When the content of a mail was erased; and the audit lets go of what it says about it, and of nothing else."""

import sqlalchemy as sa
from alembic import op

from responder.store.schema import DROP_REFUSALS, REFUSE_CHANGES, Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.add_column("inbox", sa.Column("erased_at", Moment))
    op.create_index(
        "ix_inbox_lane_settled_at",
        "inbox",
        ["lane", "settled_at"],
        sqlite_where=sa.text("erased_at IS NULL"),
        postgresql_where=sa.text("erased_at IS NULL"),
    )
    dialect = op.get_bind().dialect.name
    for statement in (*DROP_REFUSALS[dialect], *REFUSE_CHANGES[dialect]):
        op.execute(statement)
