"""What other programs ask: whether the process lives, whether it can work, and how much."""

import asyncio

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from responder.desk.desk import Desk
from responder.desk.metrics import CONTENT_TYPE, exposition, registry_of
from responder.desk.routing import desk_of
from responder.store import breaker, inbox
from responder.store.engine import reading


async def healthz(_: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


async def readyz(request: Request) -> Response:
    """The store answers too. Whoever answers by old files, or leaves all to people, is ready all the same; of what is
    wrong with the files only the number stands here, for the rest is for staff."""
    desk = desk_of(request)
    try:
        trip = await asyncio.to_thread(_trip, desk)
    except SQLAlchemyError:
        return JSONResponse({"status": "store not available"}, status_code=503)
    stopped = {} if trip is None else {"breaker": f"tripped at {trip.tripped_at.isoformat()}"}
    return JSONResponse({"status": "ok"} | ({"refused": len(faults)} if (faults := desk.refused()) else {}) | stopped)


def _trip(desk: Desk) -> breaker.Trip | None:
    with reading(desk.engine) as connection:
        inbox.any_waiting(connection, now=desk.clock())  # where this cannot be read, nothing can
        return breaker.in_force(connection)


async def metrics(request: Request) -> Response:
    """The figures for Prometheus."""
    desk = desk_of(request)
    content = await asyncio.to_thread(lambda: exposition(registry_of(desk.engine, desk.clock)))
    return Response(content, media_type=CONTENT_TYPE)


# Anybody may ask: they tell nothing of anybody's mail.
ROUTES = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
