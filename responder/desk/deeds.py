"""What people do with a case besides answering it: one form each."""

from collections.abc import Callable
from functools import partial

from sqlalchemy.engine import Connection
from starlette.responses import Response
from starlette.routing import Route

from responder.desk.rendering import Said
from responder.desk.routing import action, not_found
from responder.desk.visit import Form, Visit
from responder.desk.writing import local_moment
from responder.store import cases, casework, composing, merging
from responder.store.casework import Refusal

Deed = Callable[[Connection, int, Visit, Form], Refusal | None]


def _plain(change: Callable[..., Refusal | None]) -> Deed:
    """A deed that needs no more than the case."""

    def do(conn: Connection, number: int, visit: Visit, form: Form) -> Refusal | None:
        return change(conn, number, who=visit.account.login, now=visit.now)

    return do


def _take_over(conn: Connection, number: int, visit: Visit, form: Form) -> Refusal | None:
    refusal = casework.take_over(conn, number, who=visit.account.login, now=visit.now)
    if refusal is None:
        composing.take_over(conn, number, who=visit.account.login, now=visit.now)
    return refusal


def _assign(conn: Connection, number: int, visit: Visit, form: Form) -> Refusal | None:
    return casework.assign(conn, number, to=form.text("to", 100), who=visit.account.login, now=visit.now)


def _hold(conn: Connection, number: int, visit: Visit, form: Form) -> Refusal | None:
    until = local_moment(visit, form.text("until", 40))
    if until is None:
        return Refusal.EMPTY
    reason = form.text("reason", 1000)
    return casework.hold(conn, number, reason=reason, until=until, who=visit.account.login, now=visit.now)


def _note(conn: Connection, number: int, visit: Visit, form: Form) -> Refusal | None:
    return casework.note(conn, number, text=form.text("text", 10_000), who=visit.account.login, now=visit.now)


def _close(conn: Connection, number: int, visit: Visit, form: Form) -> Refusal | None:
    return casework.close(conn, number, reason=form.text("reason", 1000), who=visit.account.login, now=visit.now)


def _merge(conn: Connection, number: int, visit: Visit, form: Form) -> Refusal | None:
    into = cases.number_of(form.text("into", 20)) or 0
    return merging.merge(conn, number, into=into, who=visit.account.login, now=visit.now)


def _split(conn: Connection, number: int, visit: Visit, form: Form) -> Refusal | None:
    return merging.split(conn, number, form.number("mail") or 0, who=visit.account.login, now=visit.now)


async def _do(visit: Visit, form: Form, *, deed: Deed, name: str) -> Response:
    number = visit.number

    def change(conn: Connection) -> Refusal | None:
        refusal = deed(conn, number, visit, form)
        if refusal is None:
            # What was written stands in the case; the audit says whom or which other case it was about.
            detail = form.text("to", 100) or form.text("into", 20) or form.text("mail", 20)
            visit.noted(conn, f"case.{name}", f"case:{number}", detail)
        return refusal

    refusal = await visit.write(change)
    if refusal is not None and await visit.read(lambda conn: cases.find(conn, number)) is None:
        return not_found(visit)
    if refusal is not None:
        reference = cases.reference_of(number)
        return visit.page("undone_deed.html", status=409, refusal=refusal, number=number, reference=reference)
    return visit.to(f"/cases/{number}", said=Said.SAVED)


_DEEDS: dict[str, Deed] = {
    "take": _plain(casework.take),
    "take-over": _take_over,
    "assign": _assign,
    "release": _plain(casework.release),
    "hold": _hold,
    "resume": _plain(casework.resume),
    "note": _note,
    "close": _close,
    "spam": _plain(casework.close_as_spam),
    "reopen": _plain(casework.reopen),
    "merge": _merge,
    "split": _split,
}

ROUTES: list[Route] = [
    action(f"/cases/{{number}}/{name}", partial(_do, deed=deed, name=name)) for name, deed in _DEEDS.items()
]
