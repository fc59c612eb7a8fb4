"""What every response forbids a browser to do, and how much a request may bring."""

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "; ".join(
    (
        "default-src 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms (Fetch, "append a request Origin").
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    # People's mail: neither a proxy nor a browser's disk keeps it.
    "Cache-Control": "no-store",
}


LONGEST_BODY = 2 << 20
"""Octets of a form: the longest honest one is an entry with all its phrasings, which is far below."""

LONGEST_OF_A_STRANGER = 16 << 10
"""Octets of the forms that need no account: two megabytes of "&" cost a second of everybody's loop."""

_STRANGERS = ("/login", "/welcome/")


def fields_of(*, secure: bool) -> dict[str, str]:
    """Of every response; where browsers come by TLS alone, they are told to stay with it."""
    return HEADERS | ({"Strict-Transport-Security": "max-age=31536000"} if secure else {})


class Protection:
    """Adds the fields to each response that has not set one of its own, and lets no request bring more than a form."""

    def __init__(self, app: ASGIApp, *, secure: bool) -> None:
        self._app = app
        self._headers = fields_of(secure=secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    fields.setdefault(name, value)
            await send(message)

        brought, most = 0, LONGEST_BODY
        if scope.get("path", "").startswith(_STRANGERS):
            most = LONGEST_OF_A_STRANGER

        async def bounded() -> Message:
            nonlocal brought
            message = await receive()
            brought += len(message.get("body", b""))
            if brought > most:
                # Whoever reads the body is told, before more of it is kept: a login needs no account to be tried.
                raise HTTPException(413)
            return message

        await self._app(scope, bounded, protected)
