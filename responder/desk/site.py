"""The staff pages as one ASGI application, and how it is served."""

import asyncio
import socket
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from responder import maillog
from responder.desk import (
    answers,
    audit,
    case,
    corpus,
    deeds,
    editing,
    gate,
    mails,
    own,
    probes,
    queue,
    silence,
    snippets,
    sso,
    staff,
    status,
    suggestions,
    teaching,
    trying,
    welcome,
    writing,
)
from responder.desk.desk import Desk
from responder.desk.protection import Protection, fields_of
from responder.desk.reading import SharedReader
from responder.desk.rendering import ASSETS, rendered
from responder.desk.routing import desk_of

log = maillog.log("desk")

# A page of ours stands in the list of its module, made by `routing.page` or `routing.action`.
PAGES: list[Route] = [
    *queue.ROUTES,
    *case.ROUTES,
    *mails.ROUTES,
    *answers.ROUTES,
    *silence.ROUTES,
    *teaching.ROUTES,
    *suggestions.ROUTES,
    *editing.ROUTES,
    *trying.ROUTES,
    *corpus.ROUTES,
    *writing.ROUTES,
    *deeds.ROUTES,
    *snippets.ROUTES,
    *status.ROUTES,
    *gate.ROUTES,
    *own.ROUTES,
    *staff.ROUTES,
    *audit.ROUTES,
]
# What anybody may open, logged in or not.
OPEN: list[Route] = [*probes.ROUTES, *gate.OPEN, *welcome.OPEN, *sso.OPEN]


def site(desk: Desk) -> Starlette:
    """The pages of this desk."""
    routes = [Route("/", _first), *PAGES, *OPEN, Mount("/assets", _Assets(directory=ASSETS))]
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Protection, secure=desk.secure)],
        exception_handlers={HTTPException: _refused, Exception: _broken},
    )
    # Nothing of ours ends in a slash, and a redirect to what a stranger wrote as a path is one too many.
    app.router.redirect_slashes = False
    app.state.desk = desk
    return app


class _Assets(StaticFiles):
    """Named by their content's version, so a browser need not ask again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


async def _first(_: Request) -> Response:
    return RedirectResponse("/cases", status_code=303)


async def _refused(request: Request, error: Exception) -> Response:
    status_code = error.status_code if isinstance(error, HTTPException) else 500
    fields = error.headers if isinstance(error, HTTPException) else None
    page = rendered(request, desk_of(request), "refused.html", "ja", status=status_code, code=status_code)
    page.headers.update(fields or {})
    return page


async def _broken(request: Request, error: Exception) -> Response:
    # The log has the kind and place of it; what people wrote may stand in its words, and a one-time link in its path.
    path = getattr(request.scope.get("route"), "path", request.url.path)
    log.error("not shown", path=path, method=request.method, reason=type(error).__name__)
    page = rendered(request, desk_of(request), "refused.html", "ja", status=500, code=500)
    # It is made outside of what protects all other pages.
    page.headers.update(fields_of(secure=desk_of(request).secure))
    return page


async def serve(
    app: Starlette, sock: socket.socket, *, stop: asyncio.Event, proxies: Sequence[str] = ("127.0.0.1", "::1")
) -> None:
    """Serve the pages on a bound socket until `stop`; whoever comes from a proxy is who that says (X-Forwarded-For)."""
    import uvicorn

    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=list(proxies),
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    # The process's signals belong to app.py, which stops every agent; uvicorn would take them for itself.
    serving = asyncio.create_task(server._serve([sock]), name="desk")
    await stop.wait()
    server.should_exit = True
    # A mail that is being read must not hold up the end.
    reader: SharedReader = app.state.desk.reader
    reader.close()
    await serving
