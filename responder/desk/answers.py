"""The automatic answers, to be read and judged by people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk.judging import judge, take_back
from responder.desk.links import linked
from responder.desk.mails import ShownMail, shown
from responder.desk.rendering import Said
from responder.desk.routing import action, not_found, page
from responder.desk.visit import Form, Visit, number_in
from responder.store import accounts, answers
from responder.store.answers import AnswerSent
from responder.store.reviews import Judgement
from responder.store.slices import Slice

PATH = "/answers"
A_PAGE = 20


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for."""

    entry: str
    unjudged: bool
    before: int | None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Asked":
        """From the query of the page, or from a form that was on it."""
        return cls(
            str(given.get("entry", ""))[:32], given.get("unjudged") == "1", number_in(str(given.get("before", "")))
        )

    @property
    def pairs(self) -> dict[str, str]:
        """As the query of a link, or the fields of a form; "" is nothing."""
        unjudged, before = "1" if self.unjudged else "", "" if self.before is None else str(self.before)
        return {"entry": self.entry, "unjudged": unjudged, "before": before}

    def link(self, **other: Any) -> str:
        """The page with something changed."""
        return linked(PATH, **{**self.pairs, **other})


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer as people read it."""

    sent: AnswerSent
    question: str
    """As recognition read it, without greeting and signature."""
    text: str
    """What the contractor got."""


async def show(visit: Visit) -> Response:
    """The newest answers, and the one that was judged just now."""
    given = visit.request.query_params
    asked, done = Asked.of(given), number_in(given.get("done", ""))

    def find(conn: Connection) -> tuple[Slice[AnswerSent], AnswerSent | None, dict[str, str]]:
        known = accounts.names(conn)
        found = answers.listing(conn, entry=asked.entry, unjudged=asked.unjudged, before=asked.before, limit=A_PAGE)
        return found, None if done is None else answers.find(conn, done), known

    found, judged, names = await visit.read(find)
    letters = await shown(visit.desk.reader, {sent.inquiry_id: sent.raw for sent in found.rows})
    rows = [_shown(sent, letters[sent.inquiry_id]) for sent in found.rows]
    titles = await visit.titles()
    return visit.page(
        "answers.html", asked=asked, rows=rows, older=found.older, judged=judged, names=names, entries=titles
    )


def _shown(sent: AnswerSent, letter: ShownMail) -> Shown:
    questions = (sent.decision or {}).get("questions", [])
    text = letter.view.text if letter.view is not None else ""
    return Shown(sent, questions[0]["text"] if questions else "", text.strip())


async def say(visit: Visit, form: Form) -> Response:
    """Judge an answer; then on to the next one of the list."""
    number, said = form.number("mail") or 0, form.text("verdict", 10)
    if said not in set(Judgement):
        return not_found(visit)

    def change(conn: Connection) -> bool:
        judged = judge(conn, number, Judgement(said), who=visit.account.login, now=visit.now)
        if judged:
            visit.noted(conn, "answer.judge", f"mail:{number}", said)
        return judged

    return visit.to(_back(form, done=number)) if await visit.write(change) else not_found(visit)


async def undo(visit: Visit, form: Form) -> Response:
    """Take back what was said of an answer."""
    number = form.number("mail") or 0

    def change(conn: Connection) -> bool:
        taken_back = take_back(conn, number, who=visit.account.login, now=visit.now)
        if taken_back is not None:
            visit.noted(conn, "answer.take-back", f"mail:{number}", taken_back.value)
        return taken_back is not None

    said = Said.UNDONE if await visit.write(change) else Said.TOO_LATE
    return visit.to(_back(form, said=said.value))


def _back(form: Form, **more: Any) -> str:
    """To the list that the form stood in, at the answer that is next there."""
    asked = Asked.of({name: form.text(name, 40) for name in ("entry", "unjudged", "before")})
    following = form.number("next")
    return asked.link(**more) + (f"#answer-{following}" if following else "")


ROUTES = [page(PATH, show), action(f"{PATH}/judge", say), action(f"{PATH}/undo", undo)]
