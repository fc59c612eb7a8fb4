"""Which mail is taken: aiosmtpd's handler, one method per command."""

import ipaddress
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from responder import maillog
from responder.listener.intake import Intake
from responder.listener.limits import Limits, Network
from responder.mail.address import harmless_address, normalised, valid_address, without_needless_quotes
from responder.mail.envelope import Envelope
from responder.mail.trace import MOST_HOPS, hops, received_field, traced

log = maillog.log("listener")

LOOPBACK: tuple[Network, ...] = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What is taken in, and from whom."""

    hostname: str
    recipients: frozenset[str]
    """Our addresses, normalised."""
    postmaster: str
    """The address of ours that stands for `postmaster`, which a client may name without more (RFC 5321 §4.5.1)."""
    limits: Limits = field(default_factory=Limits)
    networks: tuple[Network, ...] = LOOPBACK


class Reception:
    """Looks at addresses, and hands a mail that has come whole to the intake."""

    def __init__(self, intake: Intake, acceptance: Acceptance, clock: Callable[[], datetime]) -> None:
        self._intake = intake
        self._acceptance = acceptance
        self._clock = clock

    def __dir__(self) -> list[str]:
        # As in conversation.py: aiosmtpd looks through a handler at each connection, too.
        return [name for name in vars(Reception) if name.startswith("handle_")]

    async def handle_MAIL(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        address = without_needless_quotes(address)
        # aiosmtpd keeps the null reverse-path as "<>", and needs it so. A sender that no answer can be written to is
        # let in all the same: refused for good, his mail would never reach the people who could read it.
        if address != "<>" and not harmless_address(address):
            return "553 5.1.7 That address cannot be answered"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= self._acceptance.limits.recipients:
            return "452 4.5.3 Too many recipients"
        if normalised(address) == "postmaster":
            address = self._acceptance.postmaster
        elif not valid_address(address) or normalised(address) not in self._acceptance.recipients:
            return "550 5.1.1 No such address here"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        if hops(envelope.original_content) > MOST_HOPS:
            return "554 5.4.6 Too many hops, this mail goes round in circles"
        sender = "" if envelope.mail_from == "<>" else envelope.mail_from
        number = secrets.token_hex(6)
        field = received_field(
            helo=session.host_name,
            client=server.client,
            by=self._acceptance.hostname,
            protocol=server.protocol(),
            number=number,
            at=self._clock(),
        )
        raw = traced(field, envelope.original_content)
        await self._intake.take(Envelope(sender, tuple(envelope.rcpt_tos)), raw)
        log.info("accepted", id=number, sender=sender, size=len(raw), peer=server.client or "unix")
        return f"250 2.0.0 Ok: queued as {number}"
