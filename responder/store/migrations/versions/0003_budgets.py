"""What budgets count by, and the breaker."""

import sqlalchemy as sa
from alembic import op

from responder.mail.address import correspondent_of, domain_of
from responder.mail.organisation import organisation_of
from responder.store.schema import Moment, Number

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    for name in ("correspondent", "organisation", "entries"):
        op.add_column("outbox", sa.Column(name, sa.Text))
    _fill()
    op.drop_index("ix_outbox_recipient_created_at", "outbox")
    op.create_index("ix_outbox_correspondent_created_at", "outbox", ["correspondent", "created_at"])
    op.create_index("ix_outbox_organisation_created_at", "outbox", ["organisation", "created_at"])
    op.create_index("ix_outbox_created_at", "outbox", ["created_at"])
    op.create_table(
        "breaker_trips",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("tripped_at", Moment, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False),
        sa.Column("in_force", sa.Boolean, unique=True),
        sa.Column("reset_at", Moment),
        sa.Column("reset_by", sa.Text),
        sa.CheckConstraint("(in_force IS NULL) = (reset_at IS NOT NULL)", name="in_force_until_reset"),
        sa.CheckConstraint("(reset_at IS NULL) = (reset_by IS NULL)", name="reset_whole"),
        sqlite_autoincrement=True,
    )


def _fill() -> None:
    """Who had mail before the upgrade is known by it; which entries they were is not, for a week at most."""
    outbox = sa.table("outbox", sa.column("recipient"), sa.column("correspondent"), sa.column("organisation"))
    connection = op.get_bind()
    for recipient in connection.execute(sa.select(outbox.c.recipient).distinct()).scalars().all():
        known = {
            "correspondent": correspondent_of(recipient),
            "organisation": organisation_of(domain_of(recipient)),
        }
        connection.execute(sa.update(outbox).where(outbox.c.recipient == recipient).values(known))
