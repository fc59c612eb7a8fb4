"""The first figures: the balance of the lanes, and what stands in the way of automatic answers."""

from sqlalchemy.engine import Connection
from starlette.responses import Response

from responder.desk.routing import page
from responder.desk.visit import Visit
from responder.store import breaker, cases, inbox


async def show(visit: Visit) -> Response:
    """The page of figures."""
    balance, counts, trip = await visit.read(_figures)
    refused = visit.desk.refused()
    return visit.page("status.html", balance=balance, cases=counts, refused=refused, trip=trip)


def _figures(conn: Connection) -> tuple[dict[str, int], dict[str, int], breaker.Trip | None]:
    return inbox.balance(conn), cases.waiting(conn), breaker.in_force(conn)


ROUTES = [page("/status", show)]
