"""What an answer is written with: the draft, what may be put into it, and who else is at it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.engine import Connection

from responder.corpus import Entry
from responder.desk import drafting
from responder.desk.answering import recipient_of, salutation_of
from responder.desk.desk import Desk
from responder.desk.newest import Newest
from responder.store import accounts, automatic, case_events, cases, casework, composing, drafts, snippets
from responder.store.accounts import Account
from responder.store.case_events import CaseEvent
from responder.store.cases import Case
from responder.store.casework import Refusal
from responder.store.composing import Composer as Writer
from responder.store.drafts import Draft as Kept
from responder.store.snippets import Snippet
from responder.triage.language import Language


@dataclass(frozen=True, slots=True)
class Composer:
    """The form of an answer, as one person sees it."""

    case: Case
    seen: int
    """The last event of the case, which whoever looks at the page knows."""
    draft: Kept | None
    """What they have written of it; None: nothing was kept yet."""
    since: tuple[CaseEvent, ...]
    """What others did since the draft was begun."""
    snippets: tuple[Snippet, ...]
    colleagues: tuple[Account, ...]
    """Whom the case may be given to."""
    writer: Writer | None
    """Somebody else who is writing."""
    refusal: Refusal | None
    """Why they may not answer at this moment."""
    mails: tuple[int, ...]
    """Those that joined the case."""
    answered: frozenset[str]
    """The entries that a machine answered the case's first mail with."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What an answer may begin with."""

    salutation: str
    recipient: str | None
    """None: the mail names nobody."""
    prepared: drafting.Draft | None


def composer_of(conn: Connection, account: Account, case: Case, mails: list[int], *, now: datetime) -> Composer:
    """The form of an answer; `mails` are all of the case."""
    who = account.login
    draft = drafts.load(conn, case.id, who=who)
    events = case_events.of_case(conn, case.id)
    known = events[-1].id if draft is None else draft.seen
    writer = composing.holder(conn, case.id, now=now)
    return Composer(
        case=case,
        seen=events[-1].id,
        draft=draft,
        since=tuple(event for event in events if event.id > known and event.who != who),
        snippets=tuple(snippets.listing(conn, who=who)),
        colleagues=tuple(one for one in accounts.listing(conn) if one.disabled_at is None and one.login != who),
        writer=None if writer is None or writer.who == who else writer,
        refusal=Refusal.ERASED if cases.is_erased(conn, case.id) else casework.free(case, who),
        mails=tuple(number for number in mails if number != case.id),
        answered=automatic.entries_answered(conn, case.id),
    )


def beginning_of(desk: Desk, composer: Composer, newest: Newest) -> Beginning:
    """What an answer to the newest mail may begin with. Raises CorpusError where there is no FAQ."""
    letters = desk.letters()
    return Beginning(
        salutation=salutation_of(letters, newest, desk.author),
        recipient=recipient_of(newest, desk.author),
        prepared=drafting.draft_of(composer.case, newest, desk.entries(), letters, answered=composer.answered),
    )


def entry_text(entry: Entry, language: Language) -> str:
    """An entry as it is put into an answer: its words, in this language if it has them, and its links."""
    english = entry.english if language is Language.ENGLISH else None
    answer, links = (entry.answer, entry.links) if english is None else (english.answer, english.links or entry.links)
    return "\n\n".join([answer.strip(), *(f"{link.label}\n{link.url}" for link in links)])
