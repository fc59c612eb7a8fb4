"""The OpenID provider that staff log in by: the code flow with PKCE (OpenID Connect Core §3.1, RFC 7636).

Calls go to the issuer and to the endpoints that its metadata names, when somebody logs in and at no other time.
"""

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from responder.desk.identity import Departure, Identity, ProviderError, Registration

_TIMEOUT = 10
_LEEWAY = 120
# Signatures that only the issuer can make: with HS256 our own secret would do, and "none" is none at all.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]


class Provider:
    """One issuer, with its metadata and keys, which are fetched when they are needed first."""

    def __init__(self, registration: Registration) -> None:
        self.registration = registration
        # Made once: to read the authorities' certificates takes 50 ms, in which the loop would do nothing else.
        self._tls = httpx.create_ssl_context()
        self._metadata: Mapping[str, Any] | None = None
        self._keys: KeySet | None = None

    async def address(self, departure: Departure, *, redirect: str) -> str:
        """Where to send the browser, which comes back to `redirect`. Raises ProviderError."""
        async with self._client() as client:
            endpoint = (await self._known(client))["authorization_endpoint"]
        values = {
            "response_type": "code",
            "client_id": self.registration.client_id,
            "redirect_uri": redirect,
            "scope": "openid email profile",
            "state": departure.state,
            "nonce": departure.nonce,
            "code_challenge": create_s256_code_challenge(departure.verifier),
            "code_challenge_method": "S256",
        }
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(values)}"

    async def identity(self, code: str, departure: Departure, *, redirect: str, now: datetime) -> Identity:
        """Who comes back with this code. Raises ProviderError."""
        async with self._client() as client:
            token = await self._token(client, code, departure, redirect)
            claims = await self._claims(client, token, departure, now)
        return _identity(self.registration, claims)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=_TIMEOUT, verify=self._tls)

    async def _known(self, client: httpx.AsyncClient) -> Mapping[str, Any]:
        if self._metadata is None:
            issuer = self.registration.issuer
            found = await _json(client, "GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != issuer:
                raise ProviderError(f"its metadata is that of {found.get('issuer')!r}")
            for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
                _see_safe(name, found.get(name), issuer)
            self._metadata = found
        return self._metadata

    async def _token(
        self, client: httpx.AsyncClient, code: str, departure: Departure, redirect: str
    ) -> Mapping[str, Any]:
        metadata, ours = await self._known(client), self.registration
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect,
            "code_verifier": departure.verifier,
        }
        methods = metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if ours.client_secret and "client_secret_basic" in methods:
            # RFC 6749 §2.3.1: both are encoded as in a form first.
            auth = httpx.BasicAuth(quote(ours.client_id, safe=""), quote(ours.client_secret, safe=""))
            return await _json(client, "POST", metadata["token_endpoint"], data=fields, auth=auth)
        fields["client_id"] = ours.client_id
        if ours.client_secret:
            fields["client_secret"] = ours.client_secret
        return await _json(client, "POST", metadata["token_endpoint"], data=fields)

    async def _claims(
        self, client: httpx.AsyncClient, token: Mapping[str, Any], departure: Departure, now: datetime
    ) -> Mapping[str, Any]:
        """The claims of an ID token that holds by all of OpenID Connect Core §3.1.3.7."""
        ours = self.registration
        try:
            decoded = await self._decoded(client, token.get("id_token"))
            options = {
                "iss": {"essential": True, "value": ours.issuer},
                "aud": {"essential": True, "value": ours.client_id},
                "sub": {"essential": True, "allow_blank": False},
            }
            known = {"nonce": departure.nonce, "client_id": ours.client_id, "access_token": token.get("access_token")}
            claims = CodeIDToken(decoded.claims, decoded.header, options, known)
            claims.validate(now=int(now.timestamp()), leeway=_LEEWAY)
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ProviderError(f"its ID token does not hold: {error}") from error
        return dict(claims)

    async def _decoded(self, client: httpx.AsyncClient, text: Any) -> jwt.Token:
        if not isinstance(text, str):
            raise ProviderError("it gave no ID token")
        registry = JWSRegistry(algorithms=_ALGORITHMS, strict_check_header=False)
        if self._keys is not None:
            # The issuer may have other keys by now, which are fetched below; not every issuer numbers its keys.
            with suppress(InvalidKeyIdError, BadSignatureError):
                return jwt.decode(text, self._keys, registry=registry)
        found = await _json(client, "GET", (await self._known(client))["jwks_uri"])
        self._keys = KeySet.import_key_set(found)  # type: ignore[arg-type]  # its shape is what it looks at
        return jwt.decode(text, self._keys, registry=registry)


def _identity(ours: Registration, claims: Mapping[str, Any]) -> Identity:
    email = claims.get("email")
    verified = ours.trust_email or claims.get("email_verified") is True
    name = claims.get("name")
    return Identity(
        subject=f"{ours.issuer} {claims['sub']}",
        email=email if verified and isinstance(email, str) else None,
        name=name[:100] if isinstance(name, str) else "",
        groups=_groups(claims.get(ours.roles_claim)) if ours.roles_claim else None,
    )


def _groups(value: Any) -> frozenset[str]:
    several = value if isinstance(value, list) else [value]
    return frozenset(one for one in several if isinstance(one, str))


def _see_safe(name: str, url: Any, issuer: str) -> None:
    """Whoever speaks TLS with the issuer must not be led to an endpoint without it."""
    scheme = urlsplit(url).scheme if isinstance(url, str) else ""
    if scheme != "https" and scheme != urlsplit(issuer).scheme:
        raise ProviderError(f"its {name} is {url!r}")


async def _json(client: httpx.AsyncClient, method: str, url: str, **options: Any) -> Mapping[str, Any]:
    try:
        reply = await client.request(method, url, headers={"Accept": "application/json"}, **options)
        found = reply.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ProviderError(f"{url}: {type(error).__name__} {error}") from error
    if reply.status_code != 200 or not isinstance(found, dict):
        said = found.get("error") if isinstance(found, dict) else None
        raise ProviderError(f"{url}: {reply.status_code} {str(said or '')[:100]}")
    return found
