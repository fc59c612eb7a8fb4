"""One request of somebody who is logged in, and what a page may do with it."""

import asyncio
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy.engine import Connection
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from responder.corpus import Entry
from responder.desk.desk import Desk
from responder.desk.links import linked
from responder.desk.rendering import Said, rendered
from responder.errors import CorpusError
from responder.store import audit
from responder.store.accounts import Account
from responder.store.audit import Actor
from responder.store.engine import reading

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Visit:
    """A request with the account that makes it."""

    request: Request
    desk: Desk
    account: Account
    session: str
    """The token of the session, which the browser alone has besides."""
    now: datetime

    @property
    def client(self) -> str:
        """The address that the request comes from."""
        return client_of(self.request)

    @property
    def by(self) -> Actor:
        """Who does what is done in this visit."""
        return Actor(self.account.login, self.client)

    @property
    def number(self) -> int:
        """The number that the path names; 0, which nothing has, where that is none."""
        return number_in(self.request.path_params["number"]) or 0

    async def read(self, ask: Callable[[Connection], Found]) -> Found:
        """Ask the store, without writing."""
        return await asyncio.to_thread(_read, self.desk, ask)

    async def write(self, change: Callable[[Connection], Found]) -> Found:
        """Change the store, in one transaction."""
        return await asyncio.to_thread(_write, self.desk, change)

    async def titles(self) -> Mapping[str, Entry]:
        """The entries in force by their id, for pages that do without: there are none where the files have faults."""
        return await asyncio.to_thread(_titles, self.desk)

    def noted(self, conn: Connection, action: str, what: str, detail: str = "") -> None:
        """Write into the audit what the account does, in the transaction that does it."""
        audit.write(conn, self.by, action, what, detail, now=self.now)

    def page(self, name: str, *, status: int = 200, **values: Any) -> Response:
        """A page, in the language of the account; Said by the query, if it says something known."""
        known = {
            "account": self.account,
            "csrf": csrf_of(self.session),
            "now": self.now,
            "said": Said.of(self.request.query_params.get("said", "")),
            "sent": sent_in(self.request.query_params.get("sent", "")),
        }
        return rendered(self.request, self.desk, name, self.account.language, status=status, **known, **values)

    def to(self, path: str, said: "Said | None" = None, **query: Any) -> Response:
        """On to another page of ours after something was done, which `said` tells there."""
        return RedirectResponse(linked(path, said=said.value if said else None, **query), status_code=303)


@dataclass(frozen=True, slots=True)
class Form:
    """What a form of ours holds; a field that is not there is empty, and a file is none."""

    fields: FormData

    def text(self, name: str, most: int = 100_000) -> str:
        """A field with "\\n" as line end, cut where it is longer than any honest one."""
        value = self.fields.get(name)
        return value.replace("\r\n", "\n").replace("\0", "")[:most] if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """All fields of a name."""
        return [value.replace("\0", "") for value in self.fields.getlist(name) if isinstance(value, str)]

    def number(self, name: str) -> int | None:
        """A whole number of 64 bits, or None."""
        return number_in(self.text(name, 20))


def number_in(text: str) -> int | None:
    """A positive whole number that a database takes, or None."""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 2**63 else None


def sent_in(text: str) -> tuple[int, int] | None:
    """The case and the delivery of an answer that was just sent, from a query such as 42.7."""
    case, _, delivery = text.partition(".")
    pair = number_in(case), number_in(delivery)
    return None if pair[0] is None or pair[1] is None else (pair[0], pair[1])


def csrf_of(session: str) -> str:
    """What a form of this session must carry: nobody makes it who has not the session's token."""
    return hashlib.sha256(f"form of {session}".encode()).hexdigest()


def client_of(request: Request) -> str:
    """The address that a request comes from, "" where it is unknown."""
    return request.client.host if request.client else ""


def _read(desk: Desk, ask: Callable[[Connection], Found]) -> Found:
    with reading(desk.engine) as connection:
        return ask(connection)


def _titles(desk: Desk) -> Mapping[str, Entry]:
    try:
        return {entry.id: entry for entry in desk.entries()}
    except CorpusError:
        return {}  # the pages of the corpus say what is wrong with them


def _write(desk: Desk, change: Callable[[Connection], Found]) -> Found:
    with desk.engine.begin() as connection:
        return change(connection)
