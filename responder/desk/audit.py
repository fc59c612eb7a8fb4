"""/audit: who did what, for administrators; to look at, and as a file."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from functools import partial
from urllib.parse import urlencode

from sqlalchemy.engine import Connection
from starlette.responses import Response, StreamingResponse

from responder.desk.records import CSV_NAMES, csv_lines, json_lines
from responder.desk.routing import not_found, page
from responder.desk.visit import Visit, number_in
from responder.store import audit
from responder.store.accounts import Role
from responder.store.audit import Filters

PAGE = 50
_TEXTS = ("who", "action", "object")
_DATES = ("since", "until")


async def show(visit: Visit) -> Response:
    """A page of it, newest first."""
    filters, before = _filters(visit), number_in(visit.request.query_params.get("before", ""))
    given = _given(visit)

    def ask(conn: Connection) -> tuple[list[audit.Event], list[str]]:
        return audit.listing(conn, filters, before=before, limit=PAGE + 1), audit.actions(conn)

    events, actions = await visit.read(ask)
    return visit.page(
        "audit.html",
        events=events[:PAGE],
        older=events[PAGE - 1].id if len(events) > PAGE else None,
        before=before,
        actions=actions,
        given=given,
        query=urlencode({key: text for key, text in given.items() if text}),
    )


async def export(visit: Visit) -> Response:
    """All that the filters let through, as a file; that somebody took it is recorded too."""
    kind, filters = visit.request.path_params["kind"], _filters(visit)
    if kind not in ("csv", "jsonl"):
        return not_found(visit)
    await visit.write(lambda conn: visit.noted(conn, "audit.export", "audit", urlencode(_given(visit))))
    media = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl; charset=utf-8"}[kind]
    fields = {"Content-Disposition": f'attachment; filename="audit.{kind}"'}
    return StreamingResponse(_lines(visit, filters, kind), media_type=media, headers=fields)


async def _lines(visit: Visit, filters: Filters, kind: str) -> AsyncIterator[str]:
    # Page by page, each read for itself, so that a slow reader keeps no transaction of the database open.
    if kind == "csv":
        # Japanese Excel takes UTF-8 for Shift_JIS unless a byte order mark says otherwise.
        yield f"\ufeff{CSV_NAMES}\r\n"
    lines, end = (csv_lines, "\r\n") if kind == "csv" else (json_lines, "\n")
    last = 0
    while events := await visit.read(partial(audit.after, filters=filters, last=last)):
        yield "".join(f"{line}{end}" for line in lines(events))
        last = events[-1].id


def _given(visit: Visit) -> dict[str, str]:
    return {key: visit.request.query_params.get(key, "").strip()[:200] for key in (*_TEXTS, *_DATES)}


def _filters(visit: Visit) -> Filters:
    given = _given(visit)
    who, action, what = (given[key] or None for key in _TEXTS)
    since, until = (_day(visit, given[key]) for key in _DATES)
    # The last day counts whole.
    return Filters(who, action, what, since, None if until is None else until + timedelta(days=1))


def _day(visit: Visit, text: str) -> datetime | None:
    """The beginning of a day where the staff live; None where it is none, or too near the ends of time to convert."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return datetime.combine(day, time(), visit.desk.zone) if 1900 <= day.year <= 9000 else None


ROUTES = [
    page("/audit", show, Role.ADMINISTRATOR),
    page("/audit/export.{kind}", export, Role.ADMINISTRATOR),
]
