"""What the staff pages keep: accounts, drafts, reviews, the history of entries, and the audit."""

import sqlalchemy as sa
from alembic import op

from responder.store.schema import REFUSE_CHANGES, Moment, Number

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    _widen("outbox", "kind IN ('answer', 'acknowledgement', 'person'", ", 'notice'")
    _widen("outbox", "state IN ('queued', 'held', 'sent', 'bounced', 'expired'", ", 'withdrawn'")
    _extend_cases()
    op.drop_index("ix_inbox_lane", "inbox")
    op.create_index("ix_inbox_lane_id", "inbox", ["lane", "id"])
    op.create_index("ix_inbox_received_at", "inbox", ["received_at"])
    op.create_index("ix_inbox_from_address_id", "inbox", ["from_address", "id"])
    _create_drafts()
    _create_composing()
    _create_snippets()
    _create_reviews()
    _create_entry_revisions()
    _create_rehearsals()
    _create_accounts()
    _create_sessions()
    _create_invitations()
    _create_failed_logins()
    _create_audit()
    _create_notices()
    for statement in REFUSE_CHANGES[op.get_bind().dialect.name]:
        op.execute(statement)


def _widen(table: str, known: str, more: str) -> None:
    """Allow a further word in a column: the constraint, which names all, is changed in place."""
    name = f"ck_{table}_{known.split(maxsplit=1)[0]}"
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint(op.f(name), table)
        op.create_check_constraint(op.f(name), table, f"{known}{more})")
        return
    # SQLite has no ALTER for it, and copying the table would pull it from under the keys that refer to it. Its own
    # way for what changes no row on disk (https://sqlite.org/lang_altertable.html, section 7): to change the text.
    connection = op.get_bind()
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema=ON")
    changed = connection.execute(
        sa.text("UPDATE sqlite_master SET sql = replace(sql, :known, :wider) WHERE type = 'table' AND name = :table"),
        {"known": known, "wider": known + more, "table": table},
    )
    if changed.rowcount != 1:
        raise LookupError(f"{table} has no constraint {name}")
    connection.exec_driver_sql(f"PRAGMA schema_version={version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema=OFF")


def _extend_cases() -> None:
    op.add_column("cases", sa.Column("held_until", Moment))
    op.add_column("cases", sa.Column("hold_reason", sa.Text))
    if op.get_bind().dialect.name == "postgresql":
        op.add_column("cases", sa.Column("merged_into", Number, sa.ForeignKey("cases.inquiry_id")))
    else:
        # SQLite takes a key with the column, which alembic would add by a statement of its own.
        reference = "CONSTRAINT fk_cases_merged_into REFERENCES cases (inquiry_id)"
        op.execute(f"ALTER TABLE cases ADD COLUMN merged_into INTEGER {reference}")
    op.create_index("ix_cases_taken_by_state_opened_at", "cases", ["taken_by", "state", "opened_at"])
    op.create_index("ix_cases_merged_into", "cases", ["merged_into"])


def _create_drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column(
            "case_id", Number, sa.ForeignKey("cases.inquiry_id"), primary_key=True, autoincrement=False, nullable=False
        ),
        sa.Column("who", sa.Text, primary_key=True, nullable=False),
        sa.Column("salutation", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("seen", Number, nullable=False),
        sa.Column("saved_at", Moment, nullable=False),
    )


def _create_composing() -> None:
    op.create_table(
        "composing",
        sa.Column(
            "case_id", Number, sa.ForeignKey("cases.inquiry_id"), primary_key=True, autoincrement=False, nullable=False
        ),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("begun_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
    )


def _create_snippets() -> None:
    op.create_table(
        "snippets",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("changed_at", Moment, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_snippets_owner", "snippets", ["owner"])


def _create_reviews() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("inquiry_id", Number, sa.ForeignKey("inbox.id"), nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("entries", sa.Text, nullable=False),
        sa.Column("reviewed_at", Moment, nullable=False),
        sa.Column("reviewed_by", sa.Text, nullable=False),
        sa.Column("undone_at", Moment),
        sa.Column("undone_by", sa.Text),
        sa.CheckConstraint("(undone_at IS NULL) = (undone_by IS NULL)", name="undone_whole"),
        sa.CheckConstraint("verdict IN ('right', 'wrong')", name="verdict"),
        sqlite_autoincrement=True,
    )
    in_force = sa.text("undone_at IS NULL")
    op.create_index(
        "ix_reviews_in_force", "reviews", ["inquiry_id"], unique=True, sqlite_where=in_force, postgresql_where=in_force
    )


def _create_entry_revisions() -> None:
    op.create_table(
        "entry_revisions",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("written_at", Moment, nullable=False),
        sa.Column("written_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_entry_revisions_entry_id_id", "entry_revisions", ["entry_id", "id"])


def _create_rehearsals() -> None:
    op.create_table(
        "rehearsals",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("entry_id", sa.Text, nullable=False),
        sa.Column("asked_at", Moment, nullable=False),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("note", sa.Text, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("corpus", sa.Text, nullable=False),
        sa.Column("state", sa.Text, server_default="waiting", nullable=False),
        sa.Column("done", sa.Integer, server_default="0", nullable=False),
        sa.Column("total", sa.Integer),
        sa.Column("result", sa.JSON),
        sa.Column("problem", sa.Text),
        sa.Column("changed_at", Moment, nullable=False),
        sa.CheckConstraint("state IN ('waiting', 'running', 'ready', 'failed', 'applied', 'dropped')", name="state"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_rehearsals_entry_id_id", "rehearsals", ["entry_id", "id"])


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("login", sa.Text, unique=True, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password", sa.Text),
        sa.Column("subject", sa.Text, unique=True),
        sa.Column("language", sa.Text, server_default="ja", nullable=False),
        sa.Column("shortcuts", sa.Boolean, server_default=sa.true(), nullable=False),
        sa.Column("signature", sa.Text, server_default="", nullable=False),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("disabled_at", Moment),
        sa.CheckConstraint("language IN ('ja', 'en')", name="language"),
        sa.CheckConstraint("role IN ('agent', 'editor', 'administrator')", name="role"),
        sqlite_autoincrement=True,
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("digest", sa.Text, primary_key=True, nullable=False),
        sa.Column("account_id", Number, sa.ForeignKey("accounts.id"), nullable=False),
        sa.Column("begun_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("digest", sa.Text, primary_key=True, nullable=False),
        sa.Column("account_id", Number, sa.ForeignKey("accounts.id")),
        sa.Column("made_at", Moment, nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
        sa.Column("used_at", Moment),
    )


def _create_failed_logins() -> None:
    op.create_table(
        "failed_logins",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("login", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_failed_logins_client_at", "failed_logins", ["client", "at"])
    op.create_index("ix_failed_logins_login_at", "failed_logins", ["login", "at"])


def _create_audit() -> None:
    op.create_table(
        "audit",
        sa.Column("id", Number, primary_key=True, autoincrement=True, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("who", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("object", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_object_id", "audit", ["object", "id"])
    op.create_index("ix_audit_who_id", "audit", ["who", "id"])


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column(
            "case_id", Number, sa.ForeignKey("cases.inquiry_id"), primary_key=True, autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.Text, primary_key=True, nullable=False),
        sa.Column("opened_at", Moment, primary_key=True, nullable=False),
        sa.Column("told_at", Moment, nullable=False),
        sa.CheckConstraint("kind IN ('opened', 'due')", name="kind"),
    )
