"""How much one client, and all of them together, may ask of us."""

import ipaddress
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Limits:
    """What a client may ask for; config.toml explains each."""

    message_bytes: int = 25 << 20
    memory: int = 256 << 20
    """Octets of mails that are coming in at one moment, all sessions together; one mail always fits."""
    connections: int = 200
    connections_per_client: int = 50
    recipients: int = 100
    """RFC 5321 §4.5.3.1.8 asks for at least these."""
    mails: int = 1000
    commands: int = 10_000
    errors: int = 20
    idle: timedelta = timedelta(minutes=5)
    """RFC 5321 §4.5.3.2.7."""
    data: timedelta = timedelta(minutes=15)
    session: timedelta = timedelta(hours=1)


def client_of(peer: Any) -> str | None:
    """A client's address out of `peername`: an IP address, or None on a Unix socket."""
    if not isinstance(peer, tuple):
        return None
    address = ipaddress.ip_address(peer[0])
    # What a socket for both families makes of an IPv4 client.
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


class Crowd:
    """Who is here at this moment, and what they have in their hands."""

    def __init__(self, limits: Limits, networks: Sequence[Network]) -> None:
        self.limits = limits
        self._networks = networks
        self._clients: Counter[str | None] = Counter()
        self._bytes = 0

    def refusal(self, client: str | None) -> str | None:
        """The words to turn a new client away with, or None where it may come in.

        Who may use a Unix socket is said by its folder, and an MTA that comes by it is one client with many
        connections: only the limit on all of them holds there.
        """
        if client is not None and not self._known(client):
            return "554 5.7.1 This server does not take mail from your network"
        if self._clients.total() >= self.limits.connections:
            return "421 4.7.0 Too many connections, please try again later"
        if client is not None and self._clients[client] >= self.limits.connections_per_client:
            return "421 4.7.0 Too many connections from your address, please try again later"
        return None

    def _known(self, client: str) -> bool:
        address = ipaddress.ip_address(client)
        return any(address in network for network in self._networks)

    def enter(self, client: str | None) -> None:
        """Count a connection in."""
        self._clients[client] += 1

    def leave(self, client: str | None) -> None:
        """Count it out."""
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]

    def hold(self, more: int) -> bool:
        """Count octets of unfinished mails in, or out where `more` is negative; whether there is room for them."""
        self._bytes += more
        return self._bytes <= max(self.limits.memory, self.limits.message_bytes)
