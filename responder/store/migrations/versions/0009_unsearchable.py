"""Which mails wait to be made searchable: asked once, here, and not by every worker at its start."""

import sqlalchemy as sa
from alembic import op

from responder.store.schema import Number

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "unsearchable",
        sa.Column("inquiry_id", Number, sa.ForeignKey("inbox.id"), primary_key=True, autoincrement=False),
    )
    op.execute(
        "INSERT INTO unsearchable (inquiry_id) SELECT inbox.id FROM inbox"
        " LEFT JOIN searchable ON searchable.inquiry_id = inbox.id"
        " WHERE searchable.inquiry_id IS NULL AND inbox.lane IS NOT NULL AND inbox.erased_at IS NULL"
    )
