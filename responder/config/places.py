"""Places: where mail comes in, where it goes, and where the store is."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import PlainValidator

from responder.config.values import as_line, quoted, unfit

MASK = "********"

LONGEST_SOCKET_PATH = 107
"""Octets in `sun_path` of unix(7), less the NUL at its end."""

_HOST_PORT = re.compile(r"(?:\[(?P<ipv6>[0-9A-Fa-f:.]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})")
# SQLAlchemy's own idea of where a URL's user ends and its password begins.
_AUTHORITY = re.compile(r"(?P<start>\w+(?:\+\w+)?://(?P<user>[^:/@?]*))(?P<password>:[^@]*)?(?P<end>@.*)", re.DOTALL)
_QUERY_PASSWORD = re.compile(r"(?<=[?&]password=)[^&]*")
_STORE_URL = re.compile(r"sqlite:///.+|postgres(?:ql)?(?:\+psycopg)?://.*", re.DOTALL)
_PAGE_URL = re.compile(r"https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")

_ISSUER = re.compile(r"https://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")
# Without TLS only on this machine, where somebody tries it out.
_LOCAL_ISSUER = re.compile(r"http://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


@dataclass(frozen=True, slots=True)
class HostPort:
    """A TCP address; an IPv6 host stands here without its brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A socket in the file system."""

    path: Path

    def __str__(self) -> str:
        return f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class MaildirHop:
    """Replies are laid into a folder."""

    path: Path

    def __str__(self) -> str:
        return f"maildir:{self.path}"


@dataclass(frozen=True, slots=True)
class SmtpHop:
    """Replies go to a server; `tls` is "tls" for smtps://, else what courier.tls says."""

    host: str
    port: int
    tls: Literal["auto", "starttls", "none", "tls"] = "auto"

    def __str__(self) -> str:
        return f"{'smtps' if self.tls == 'tls' else 'smtp'}://{HostPort(self.host, self.port)}"


def _host_port(text: str, *, least_port: int, like: str) -> HostPort:
    found = _HOST_PORT.fullmatch(text)
    if found is None:
        raise unfit(f"{quoted(text)} is not HOST:PORT", f"Write it like {like}")
    port = int(found["port"])
    if not least_port <= port <= 65_535:
        raise unfit(f"{port} is not a port", f"Write one from {least_port} to 65535")
    return HostPort(found["ipv6"] or found["host"], port)


def _listen(value: object) -> HostPort | None:
    text = as_line(value)
    # Port 0 is the system's choice, which is what tests listen on.
    return _host_port(text, least_port=0, like="127.0.0.1:2525 or [::1]:2525") if text else None


def _listen_anywhere(value: object) -> HostPort | UnixSocket | None:
    text = as_line(value)
    if not text.startswith("unix:"):
        return _listen(value)
    path = text.removeprefix("unix:")
    if not 0 < len(path.encode()) <= LONGEST_SOCKET_PATH:
        remedy = f'Write "unix:/run/responder/lmtp", at most {LONGEST_SOCKET_PATH} bytes after the colon'
        raise unfit(f"{quoted(text)} is not the path of a socket", remedy)
    return UnixSocket(Path(path))


def _next_hop(value: object) -> MaildirHop | SmtpHop:
    text = as_line(value)
    remedy = 'Write "maildir:PATH", "smtp://HOST:PORT" or "smtps://HOST:PORT"'
    kind, _, place = text.partition(":")
    if kind == "maildir" and place and (not place.startswith("//") or place.startswith("///")):
        return MaildirHop(Path(place))
    if kind not in ("smtp", "smtps") or not place.startswith("//"):
        raise unfit(f"{quoted(text)} is no next hop", remedy)
    if "@" in place:
        # Not quoted: what stands before the "@" is most likely a password.
        raise unfit("a next hop takes no user", "Write username and password_file on lines of their own")
    port = 587 if kind == "smtp" else 465
    found = _host_port(place[2:].removesuffix("/"), least_port=1, like=f"{kind}://relay.example.jp:{port}")
    return SmtpHop(found.host, found.port, "tls" if kind == "smtps" else "auto")


def _page_url(value: object) -> str:
    text = as_line(value).rstrip("/")
    if text and not _PAGE_URL.fullmatch(text):
        remedy = 'Write what browsers show before the path: "https://desk.example.jp"'
        raise unfit(f"{quoted(text)} is not the address of pages", remedy)
    return text


def _issuer(value: object) -> str:
    # Not to be changed in any way: what the issuer calls itself is compared letter by letter.
    text = as_line(value)
    if text and not (_ISSUER.fullmatch(text) or _LOCAL_ISSUER.fullmatch(text)):
        remedy = 'Write it as its metadata has it: "https://login.example.jp/realm"'
        raise unfit(f"{quoted(text)} is no issuer of OpenID Connect", remedy)
    return text


def _store_url(value: object) -> str:
    url = as_line(value)
    if not _STORE_URL.fullmatch(url):
        # Not quoted: it may hold a password.
        raise unfit("this is no URL of a store", "Write sqlite:///path/to/file.db or postgresql://user@host/database")
    return url


def has_password(url: str) -> bool:
    """Whether a password stands in the URL, in its usual place or as an option."""
    found = _AUTHORITY.fullmatch(url)
    return (found is not None and found["password"] is not None) or _QUERY_PASSWORD.search(url) is not None


def with_password(url: str, password: str) -> str | None:
    """The URL with the password in it; None if it names no user whose password that could be."""
    found = _AUTHORITY.fullmatch(url)
    return f"{found['start']}:{quote(password, safe='')}{found['end']}" if found and found["user"] else None


def masked_url(url: str) -> str:
    """The URL as it may be shown."""
    found = _AUTHORITY.fullmatch(url)
    masked = f"{found['start']}:{MASK}{found['end']}" if found and found["password"] else url
    return _QUERY_PASSWORD.sub(MASK, masked)


Listen = Annotated[HostPort | None, PlainValidator(_listen)]
ListenAnywhere = Annotated[HostPort | UnixSocket | None, PlainValidator(_listen_anywhere)]
NextHop = Annotated[MaildirHop | SmtpHop, PlainValidator(_next_hop)]
Issuer = Annotated[str, PlainValidator(_issuer)]
StoreUrl = Annotated[str, PlainValidator(_store_url)]
PageUrl = Annotated[str, PlainValidator(_page_url)]
