"""Who uses the staff pages, and what they did there."""

import sqlalchemy as sa

from responder.store.schema.columns import Moment, Number, column, metadata

# Who may use the staff pages. Nobody is deleted, for the records name them.
accounts = sa.Table(
    "accounts",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("login", sa.Text, unique=True),
    column("name", sa.Text),
    column("role", sa.Text),
    column("password", sa.Text, nullable=True),
    # Issuer and subject of an OpenID provider (OpenID Connect Core §2), with a space between.
    column("subject", sa.Text, nullable=True, unique=True),
    column("language", sa.Text, server_default="ja"),
    column("shortcuts", sa.Boolean, server_default=sa.true()),
    column("signature", sa.Text, server_default=""),
    column("made_at", Moment),
    column("disabled_at", Moment, nullable=True),
    sa.CheckConstraint("role IN ('agent', 'editor', 'administrator')", name="role"),
    sa.CheckConstraint("language IN ('ja', 'en')", name="language"),
    sqlite_autoincrement=True,
)

# Whoever is logged in. Only the digest of what the browser holds is kept, so that a copy of the store opens nothing.
sessions = sa.Table(
    "sessions",
    metadata,
    column("digest", sa.Text, primary_key=True),
    column("account_id", Number, sa.ForeignKey("accounts.id")),
    column("begun_at", Moment),
    column("seen_at", Moment),
    column("ends_at", Moment),
    column("client", sa.Text),
)
sa.Index("ix_sessions_account_id", sessions.c.account_id)

# Links that set a password once. Without an account it is the first administrator's.
invitations = sa.Table(
    "invitations",
    metadata,
    column("digest", sa.Text, primary_key=True),
    column("account_id", Number, sa.ForeignKey("accounts.id"), nullable=True),
    column("made_at", Moment),
    column("ends_at", Moment),
    column("used_at", Moment, nullable=True),
)

failed_logins = sa.Table(
    "failed_logins",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("at", Moment),
    column("login", sa.Text),
    column("client", sa.Text),
    sqlite_autoincrement=True,
)
sa.Index("ix_failed_logins_login_at", failed_logins.c.login, failed_logins.c.at)
sa.Index("ix_failed_logins_client_at", failed_logins.c.client, failed_logins.c.at)

# Who saw, changed, sent and taught what. The database itself refuses to change or delete a row.
audit = sa.Table(
    "audit",
    metadata,
    column("id", Number, primary_key=True, autoincrement=True),
    column("at", Moment),
    column("who", sa.Text),
    column("action", sa.Text),
    column("object", sa.Text),
    column("detail", sa.Text),
    column("client", sa.Text),
    sqlite_autoincrement=True,
)
sa.Index("ix_audit_object_id", audit.c.object, audit.c.id)
sa.Index("ix_audit_who_id", audit.c.who, audit.c.id)

# What the audit says of a person's mail may be let go of; who did what to which row, and when, never.
_EMPTIED = (
    "NEW.id = OLD.id AND NEW.at = OLD.at AND NEW.who = OLD.who AND NEW.action = OLD.action AND NEW.client = OLD.client"
    " AND (NEW.object = OLD.object OR NEW.object = 'erased') AND (NEW.detail = OLD.detail OR NEW.detail = '')"
)
REFUSE_CHANGES = {
    "sqlite": [
        f"CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit WHEN NOT ({_EMPTIED})"
        " BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END",
        "CREATE TRIGGER audit_refuses_delete BEFORE DELETE ON audit"
        " BEGIN SELECT RAISE(ABORT, 'the audit is only ever added to'); END",
    ],
    "postgresql": [
        "CREATE OR REPLACE FUNCTION audit_refuses() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the audit is only ever added to'; END $$",
        "CREATE TRIGGER audit_refuses_changes BEFORE DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_refuses()",
        f"CREATE TRIGGER audit_refuses_update BEFORE UPDATE ON audit FOR EACH ROW WHEN (NOT ({_EMPTIED}))"
        " EXECUTE FUNCTION audit_refuses()",
    ],
}
DROP_REFUSALS = {
    "sqlite": [f"DROP TRIGGER IF EXISTS audit_refuses_{verb}" for verb in ("update", "delete")],
    "postgresql": [f"DROP TRIGGER IF EXISTS audit_refuses_{what} ON audit" for what in ("changes", "update")],
}
for _dialect, _statements in REFUSE_CHANGES.items():
    for _statement in _statements:
        _trigger = sa.DDL(_statement)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it so
        sa.event.listen(audit, "after_create", _trigger.execute_if(dialect=_dialect))
