"""An answer while it is written: kept, shown, sent, and taken back."""

from datetime import datetime

from sqlalchemy.engine import Connection
from starlette.responses import RedirectResponse, Response

from responder.desk import answering, drafting
from responder.desk.answering import Intervened, Kept, Preview, Queued, Refused, Words
from responder.desk.composer import entry_text
from responder.desk.newest import Newest, read_newest
from responder.desk.rendering import Said
from responder.desk.routing import action, not_found
from responder.desk.visit import Form, Visit
from responder.store import accounts, automatic, cases, composing, drafts, snippets
from responder.store.casework import Refusal
from responder.store.composing import Composer as Writer

LONGEST = 20_000


async def write(visit: Visit, form: Form) -> Response:
    """What the button of the form says: send, show first, put something in, or keep it."""
    number = visit.number
    if await visit.read(lambda conn: cases.find(conn, number)) is None:
        return not_found(visit)
    match form.text("do"), form.text("insert"):
        case "send", _:
            return await _send(visit, form, number)
        case "preview", _:
            return await _preview(visit, form, number)
        case do, entry:
            return await _put_in(visit, form, number, do, entry)


async def keep(visit: Visit, form: Form) -> Response:
    """The draft by itself, while somebody writes; colleagues see that they do."""
    number = visit.number

    def change(conn: Connection) -> bool:
        if cases.find(conn, number) is None:
            return False
        _save(conn, visit, form, number)
        _tell(conn, visit, form, number)
        return True

    return visit.page("draft_state.html", saved_at=visit.now) if await visit.write(change) else not_found(visit)


async def look(visit: Visit, form: Form) -> Response:
    """Who else is writing; whoever has a text in hand says so with it."""
    number = visit.number
    if await visit.read(lambda conn: cases.find(conn, number)) is None:
        return not_found(visit)
    writer = await visit.write(lambda conn: _tell(conn, visit, form, number))
    others = None if writer is None or writer.who == visit.account.login else writer
    return visit.page("composing.html", writer=others, number=number, names=await visit.read(accounts.names))


async def undo(visit: Visit, form: Form) -> Response:
    """Take an answer back, while no courier has had it in hand."""
    number, delivery = visit.number, form.number("delivery") or 0

    def change(conn: Connection) -> Refused | Refusal | None:
        refused = answering.take_back(conn, number, delivery, who=visit.account.login, now=visit.now)
        if refused is None:
            visit.noted(conn, "case.withdraw", f"case:{number}", f"delivery {delivery}")
        return refused

    refused = await visit.write(change)
    if refused is Refusal.NO_CASE:
        return not_found(visit)
    return visit.to(f"/cases/{number}", said=Said.UNDONE if refused is None else Said.ON_ITS_WAY)


async def _send(visit: Visit, form: Form, number: int) -> Response:
    words, seen, newest = _words(visit, form), form.number("seen") or 0, await read_newest(visit, number)
    account, desk = visit.account, visit.desk
    if newest is None:
        return not_found(visit)

    def change(conn: Connection) -> tuple[Queued | Kept, int | None]:
        if len(words.text) > LONGEST:
            return Refused.TOO_LONG, None
        outcome = answering.send(
            conn,
            desk.letters(),
            desk.author,
            number,
            newest,
            words,
            who=account.login,
            now=visit.now,
            seen=seen,
            undo=desk.undo,
        )
        if not isinstance(outcome, Queued):
            _save(conn, visit, form, number)
            return outcome, None
        visit.noted(conn, "case.answer", f"case:{number}", outcome.told)
        return outcome, cases.next_open(conn, but=number, now=visit.now)

    outcome, following = await visit.write(change)
    if isinstance(outcome, Queued):
        return visit.to(f"/cases/{following}" if following else "/cases", sent=f"{number}.{outcome.delivery_id}")
    return await _kept_back(visit, number, words, outcome)


async def _preview(visit: Visit, form: Form, number: int) -> Response:
    words, seen, newest = _words(visit, form), form.number("seen") or 0, await read_newest(visit, number)
    desk, who = visit.desk, visit.account.login
    if newest is None:
        return not_found(visit)

    def ask(conn: Connection) -> Preview | Kept:
        if len(words.text) > LONGEST:
            return Refused.TOO_LONG
        letters = desk.letters()
        return answering.preview(conn, letters, desk.author, number, newest, words, who=who, now=visit.now, seen=seen)

    await visit.write(lambda conn: _save(conn, visit, form, number))
    outcome = await visit.read(ask)
    if isinstance(outcome, Preview):
        reference = cases.reference_of(number)
        return visit.page("preview.html", shown=outcome, words=words, seen=seen, number=number, reference=reference)
    return await _kept_back(visit, number, words, outcome)


async def _kept_back(visit: Visit, number: int, words: Words, outcome: Kept) -> Response:
    """The draft is kept, and its author told why it was not sent."""
    if not isinstance(outcome, Intervened):
        return RedirectResponse(f"/cases/{number}?refused={outcome.name.lower()}#answer", status_code=303)
    names, reference = await visit.read(accounts.names), cases.reference_of(number)
    return visit.page(
        "intervened.html",
        status=409,
        events=outcome.events,
        words=words,
        number=number,
        reference=reference,
        names=names,
    )


async def _put_in(visit: Visit, form: Form, number: int, do: str, entry: str) -> Response:
    """Keep the draft, with what was asked for at its end."""
    newest = await read_newest(visit, number)
    if newest is None:
        return not_found(visit)

    def change(conn: Connection) -> None:
        text = form.text("text")
        piece = _piece(conn, visit, form, newest, do, entry)
        _save(conn, visit, form, number, f"{text.rstrip()}\n\n{piece}".lstrip("\n") if piece else text)

    await visit.write(change)
    return RedirectResponse(f"/cases/{number}#answer", status_code=303)


def _piece(conn: Connection, visit: Visit, form: Form, newest: Newest, do: str, entry: str) -> str:
    if entry:
        piece = next((entry_text(one, newest.language) for one in visit.desk.entries() if one.id == entry), "")
        alone = piece and not form.text("text").strip()
        return visit.desk.letters().framed(piece, newest.language) if alone else piece
    if do == "snippet":
        snippet = snippets.find(conn, form.number("snippet") or 0, who=visit.account.login)
        return "" if snippet is None else snippet.text
    case = cases.find(conn, visit.number)
    if do != "prepared" or case is None:
        return ""
    answered = automatic.entries_answered(conn, case.id)
    prepared = drafting.draft_of(case, newest, visit.desk.entries(), visit.desk.letters(), answered=answered)
    return "" if prepared is None else prepared.text


def _save(conn: Connection, visit: Visit, form: Form, number: int, text: str | None = None) -> None:
    written = form.text("text") if text is None else text
    who, seen = visit.account.login, form.number("seen") or 0
    if not written.strip():
        drafts.drop(conn, number, who=who)
        return
    salutation = form.text("salutation", 200)
    drafts.save(conn, number, who=who, salutation=salutation, text=written, seen=seen, now=visit.now)


def _tell(conn: Connection, visit: Visit, form: Form, number: int) -> Writer | None:
    """Say that they write, where they have written anything, and hear who does."""
    who, case = visit.account.login, cases.find(conn, number)
    if case is not None and case.state != "closed" and form.text("text").strip():
        return composing.heartbeat(conn, number, who=who, now=visit.now)
    composing.leave(conn, number, who=who)
    return composing.holder(conn, number, now=visit.now)


def _words(visit: Visit, form: Form) -> Words:
    return Words(form.text("text"), form.text("salutation", 200), visit.account.signature)


def local_moment(visit: Visit, text: str) -> datetime | None:
    """What a field for date and time holds, where the staff live."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=visit.desk.zone)
    except ValueError:
        return None


ROUTES = [
    action("/cases/{number}/answer", write),
    action("/cases/{number}/draft", keep),
    action("/cases/{number}/composing", look),
    action("/cases/{number}/undo", undo),
]
