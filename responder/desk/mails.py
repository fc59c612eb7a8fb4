"""A mail as staff look at it: its text, its HTML made harmless in a frame of its own, its files, its octets."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from markupsafe import Markup as Escaped
from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk.reading import SharedReader
from responder.desk.routing import not_found, page
from responder.desk.visit import Visit
from responder.mail.message import Unreadable
from responder.mail.view import View
from responder.reader import FILE, MARKUP, REREADINGS, VIEW
from responder.store import cases, inbox, outbox
from responder.store.inbox import Record

FRAMED = "; ".join(("sandbox", "default-src 'none'", "style-src 'unsafe-inline'", "frame-ancestors 'self'"))
"""Nothing runs, nothing is loaded, nothing is sent: the sanitiser before it need not be perfect."""

PATIENCE = timedelta(seconds=20)
"""How long a page reads before it says of further mails that they took too long: fifty made for it take a half hour."""

LOOK = (
    "body{margin:.6rem;background:#fff;color:#000;font:16px/1.7 system-ui,sans-serif;overflow-wrap:anywhere}"
    ".address,.image{color:#555;font-size:.85em}"
)
"""Paper in both schemes, as senders choose colours for nothing else; a style sheet of ours may not be loaded there."""

ERASED = "its content was erased"

DOWNLOADED = {
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class ShownMail:
    """One mail, ours or theirs."""

    view: View | None
    unreadable: str = ""
    """Why there is none to show."""


async def shown(
    reader: SharedReader, raws: Mapping[int, bytes], *, within: timedelta = PATIENCE
) -> dict[int, ShownMail]:
    """Mails by number, as they read; the last ones first, as many as the time allows and always one."""
    until = time.monotonic() + within.total_seconds()
    mails: dict[int, ShownMail] = {}
    for number, raw in reversed(list(raws.items())):
        if mails and time.monotonic() > until:
            mails[number] = ShownMail(None, "it took too long")
            continue
        if not raw:  # every mail that was taken in has a line of ours at least
            mails[number] = ShownMail(None, ERASED)
            continue
        found = await reader.ask(VIEW, raw)
        mails[number] = ShownMail(None, found.reason) if isinstance(found, Unreadable) else ShownMail(found)
    return mails


def letters_of(conn: Connection, numbers: Sequence[int]) -> dict[int, bytes]:
    """The octets of mails of ours."""
    found = ((number, outbox.raw_of(conn, number)) for number in numbers)
    return {number: raw for number, raw in found if raw is not None}


async def show(visit: Visit) -> Response:
    """One mail by itself, with the case that it belongs to."""
    record = await _record(visit)
    if record is None:
        return not_found(visit)
    number = record.listing.id
    case = await visit.read(lambda conn: cases.case_of(conn, number))
    await visit.write(lambda conn: visit.noted(conn, "mail.see", f"mail:{number}"))
    mails = await shown(visit.desk.reader, {number: record.raw})
    return visit.page("mail_alone.html", mail=record, shown=mails, case=case)


async def markup(visit: Visit) -> Response:
    """The HTML of a mail, for a sandboxed frame."""
    record = await _kept(visit)
    if record is None:
        return not_found(visit)
    if visit.request.headers.get("sec-fetch-dest") != "iframe":  # there it is a part of a page that was noted
        await visit.write(lambda conn: visit.noted(conn, "mail.see", f"mail:{record.listing.id}"))
    found = await visit.desk.reader.ask(MARKUP, record.raw)
    body = None if isinstance(found, Unreadable) else found
    html = Escaped(body.html if body else "")  # noqa: S704 - mail.markup made it harmless, and it is shown in a sandbox
    reply = visit.page("mail_markup.html", html=html, found=body, look=Escaped(f"<style>{LOOK}</style>"))  # noqa: S704 - our own
    reply.headers["Content-Security-Policy"] = FRAMED
    return reply


async def rereadings(visit: Visit) -> Response:
    """A mail by other charsets than the one that it says it has."""
    record = await _kept(visit)
    if record is None:
        return not_found(visit)
    await visit.write(lambda conn: visit.noted(conn, "mail.see", f"mail:{record.listing.id}"))
    found = await visit.desk.reader.ask(REREADINGS, record.raw)
    known = None if isinstance(found, Unreadable) else found
    return visit.page("mail_readings.html", mail=record, found=known)


async def octets(visit: Visit) -> Response:
    """A mail as it came."""
    record = await _kept(visit)
    if record is None:
        return not_found(visit)
    await visit.write(lambda conn: visit.noted(conn, "mail.download", f"mail:{record.listing.id}"))
    return _download(record.raw, f"{cases.reference_of(record.listing.id)}.eml")


async def attachment(visit: Visit) -> Response:
    """A file of a mail, to be saved and never opened here."""
    record = await _kept(visit)
    index = visit.request.path_params["index"]
    place = int(index) if index.isascii() and index.isdigit() and len(index) < 6 else -1
    if record is None:
        return not_found(visit)
    found = await visit.desk.reader.ask(FILE, record.raw, place)
    if isinstance(found, Unreadable):
        return not_found(visit)
    detail = found.name
    await visit.write(lambda conn: visit.noted(conn, "mail.download", f"mail:{record.listing.id}", detail))
    return _download(found.octets, found.name)


async def _record(visit: Visit) -> Record | None:
    return await visit.read(lambda conn: inbox.find(conn, visit.number))


async def _kept(visit: Visit) -> Record | None:
    """The same, where anything is left of it."""
    record = await _record(visit)
    return None if record is None or record.listing.erased_at else record


def _download(content: bytes, name: str) -> Response:
    # RFC 6266 §4.3 with RFC 8187: the name in UTF-8, and one in ASCII for whoever reads only that.
    plain = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "_" for char in name)
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {**DOWNLOADED, "Content-Disposition": disposition}
    return Response(content, media_type="application/octet-stream", headers=headers)


ROUTES = [
    page("/mails/{number}", show),
    page("/mails/{number}/html", markup),
    page("/mails/{number}/readings", rereadings),
    page("/mails/{number}/raw", octets),
    page("/mails/{number}/attachments/{index}", attachment),
]
