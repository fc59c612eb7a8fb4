"""A small OpenID provider on loopback: it signs with RS256, asks nobody anything, and can be told to misbehave."""

import asyncio
import base64
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "responder", "s3cret/+ word"


class Issuer:
    """What it says of its user, and how."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.key = RSAKey.generate_key(2048, {"kid": "1"})
        self.behave()

    def behave(self) -> None:
        """Forget what a test told it."""
        self.claims: dict[str, Any] = {"sub": "42", "email": "sato@example.jp", "email_verified": True, "name": "佐藤"}
        self.metadata: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.signed_by: RSAKey | OctKey | None = None
        self.algorithm = "RS256"
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def site(self) -> Starlette:
        """Its four endpoints."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/keys", self._keys),
            ]
        )

    async def _configuration(self, _: Request) -> Response:
        self.asked.append("metadata")
        endpoints = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        named = {name: f"{self.url}/{path}" for name, path in endpoints.items()}
        return JSONResponse({"issuer": self.url, **named, **self.metadata})

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["client_id"] == CLIENT
        assert "openid" in asked["scope"].split()
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self._codes[code] = asked
        query = urlencode({"code": code, "state": asked["state"], "iss": self.url})
        return RedirectResponse(f"{asked['redirect_uri']}?{query}", status_code=302)

    async def _token(self, request: Request) -> Response:
        self.asked.append("token")
        fields = dict(parse_qsl((await request.body()).decode()))
        asked = self._codes.pop(fields["code"], None)
        if asked is None or not _knows_secret(request) or fields["redirect_uri"] != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(fields["code_verifier"].encode()).digest())
        if challenge.decode().rstrip("=") != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(time.time())
        claims = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.claims}
        header = {"alg": self.algorithm, "kid": (self.signed_by or self.key).kid}
        text = jwt.encode(header, claims, self.signed_by or self.key, algorithms=[self.algorithm])
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": text, **self.token})

    async def _keys(self, _: Request) -> Response:
        self.asked.append("keys")
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})


def _knows_secret(request: Request) -> bool:
    # RFC 6749 §2.3.1: encoded as in a form, then as Basic.
    expected = base64.b64encode(b"responder:s3cret%2F%2B%20word").decode()
    return request.headers.get("authorization") == f"Basic {expected}"


@contextmanager
def issuing() -> Iterator[Issuer]:
    """The provider for as long as the block lasts."""
    bound = socket.create_server(("127.0.0.1", 0))
    issuer = Issuer(f"http://127.0.0.1:{bound.getsockname()[1]}")
    server = uvicorn.Server(uvicorn.Config(issuer.site(), log_config=None, access_log=False, lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server._serve([bound])), name="issuer")
    thread.start()
    try:
        yield issuer
    finally:
        server.should_exit = True
        thread.join(10)
        bound.close()
