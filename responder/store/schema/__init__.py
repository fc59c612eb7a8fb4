"""The tables. Whatever a Law says about rows stands here as a constraint, so that no code can break it unseen."""

from responder.store.schema.accounts import (
    DROP_REFUSALS,
    REFUSE_CHANGES,
    accounts,
    audit,
    failed_logins,
    invitations,
    sessions,
)
from responder.store.schema.cases import case_events, cases, composing, drafts, notices, snippets
from responder.store.schema.columns import Moment, Number, metadata
from responder.store.schema.mails import breaker_trips, inbox, muted, outbox, searchable, unsearchable
from responder.store.schema.taught import entry_revisions, labels, rehearsals, reviews

__all__ = [
    "DROP_REFUSALS",
    "REFUSE_CHANGES",
    "Moment",
    "Number",
    "accounts",
    "audit",
    "breaker_trips",
    "case_events",
    "cases",
    "composing",
    "drafts",
    "entry_revisions",
    "failed_logins",
    "inbox",
    "invitations",
    "labels",
    "metadata",
    "muted",
    "notices",
    "outbox",
    "rehearsals",
    "reviews",
    "searchable",
    "sessions",
    "snippets",
    "unsearchable",
]
