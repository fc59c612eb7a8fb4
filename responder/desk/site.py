"""The first page, which shows the balance of the lanes, and the two probes of an orchestrator."""

import asyncio
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sqlalchemy.engine import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from responder.store import breaker, cases, inbox
from responder.store.engine import reading

PAGES = Path(__file__).parent / "pages"


def site(engine: Engine, name: str, refused: Callable[[], Sequence[str]] = tuple) -> Starlette:
    """The staff pages as an ASGI application. It shows counts only, so that it needs no accounts.

    `refused` gives the faults for which changed files are not in force.
    """
    pages = Environment(loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined)

    async def status(_: Request) -> Response:
        balance, counts, trip = await asyncio.to_thread(_counts, engine)
        nonce = secrets.token_urlsafe(16)
        page = pages.get_template("status.html").render(
            name=name, balance=balance, cases=counts, refused=refused(), trip=trip, nonce=nonce
        )
        return HTMLResponse(page, headers=_headers(nonce))

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        try:
            trip = (await asyncio.to_thread(_counts, engine))[2]
        except SQLAlchemyError:
            return JSONResponse({"status": "store not available"}, status_code=503)
        # Whoever answers by the old files, or leaves all to people, is ready all the same.
        stopped = {} if trip is None else {"breaker": f"tripped at {trip.tripped_at.isoformat()}"}
        return JSONResponse({"status": "ok"} | ({"refused": list(faults)} if (faults := refused()) else {}) | stopped)

    return Starlette(routes=[Route("/", status), Route("/healthz", healthz), Route("/readyz", readyz)])


def _counts(engine: Engine) -> tuple[dict[str, int], dict[str, int], breaker.Trip | None]:
    with reading(engine) as connection:
        return inbox.balance(connection), cases.waiting(connection), breaker.in_force(connection)


def _headers(nonce: str) -> dict[str, str]:
    return {
        "Content-Security-Policy": f"default-src 'none'; style-src 'nonce-{nonce}'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-store",
    }


async def serve(app: Starlette, sock: socket.socket, *, stop: asyncio.Event) -> None:
    """Serve the pages on a bound socket until `stop`."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=3))
    # The process's signals belong to app.py, which stops every agent; uvicorn would take them for itself.
    serving = asyncio.create_task(server._serve([sock]), name="desk")
    await stop.wait()
    server.should_exit = True
    await serving
