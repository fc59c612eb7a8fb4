"""The lists of cases: the first thing that staff see, kept up to date while they look at it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk.links import linked
from responder.desk.routing import page
from responder.desk.visit import Visit, number_in
from responder.store import accounts, queue, search
from responder.store.queue import Page, Place, View

LONGEST_QUERY = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page asks for."""

    view: View
    query: str
    after: Place | None

    def link(self, **other: str) -> str:
        """The same list with something changed."""
        return linked("/cases", **{"view": self.view.value, "q": self.query, **other})


@dataclass(frozen=True, slots=True)
class Found:
    """What the store has to show for it."""

    page: Page
    counts: Mapping[View, int]
    names: Mapping[str, str]
    """Of accounts, by login."""

    @property
    def version(self) -> str:
        """Another value whenever the list would look another way, but for the time that passes."""
        return hashlib.sha256(repr((self.page, self.counts)).encode()).hexdigest()[:16]


async def show(visit: Visit) -> Response:
    """A list; for a page that has it already, and says so, nothing where it is still the same."""
    asked = _asked(visit)
    found = await visit.read(lambda conn: _find(conn, asked, visit))
    if visit.request.query_params.get("have") == found.version:
        return Response(status_code=204)
    live = "have" in visit.request.query_params
    return visit.page(
        "queue_list.html" if live else "queue.html",
        asked=asked,
        found=found,
        entries=await visit.titles(),
        counted=queue.COUNTED,
        most=queue.MOST_COUNTED,
        next=None if found.page.next is None else asked.link(after=_written(found.page.next)),
    )


def _asked(visit: Visit) -> Asked:
    given = visit.request.query_params
    query = given.get("q", "").strip()[:LONGEST_QUERY]
    fallback = View.ALL if query else View.OPEN
    view = View(given["view"]) if given.get("view") in set(View) else fallback
    return Asked(view, query, _read(given.get("after", "")))


def _find(conn: Connection, asked: Asked, visit: Visit) -> Found:
    who, now = visit.account.login, visit.now
    words = search.words_of(asked.query)
    found = queue.page(conn, asked.view, who, now=now, words=words, after=asked.after)
    names = accounts.names(conn)
    return Found(found, queue.counts(conn, who, now=now), names)


def _written(place: Place) -> str:
    return f"{int(place.at.timestamp() * 1_000_000)}.{place.id}"


def _read(text: str) -> Place | None:
    at, _, number = text.partition(".")
    known, moment = number_in(number), number_in(at)
    if known is None or moment is None or moment > _LAST:
        return None
    seconds, rest = divmod(moment, 1_000_000)
    return Place(datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest), known)


_LAST = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000

ROUTES = [page("/cases", show)]
