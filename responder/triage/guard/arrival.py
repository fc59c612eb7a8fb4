"""What every rule of the guard looks at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from responder.mail.envelope import Envelope
from responder.mail.message import Message


@dataclass(frozen=True)
class Arrival:
    """A mail as it came in, and who we are."""

    envelope: Envelope
    message: Message
    own: frozenset[str]
    """Our addresses, normalised."""
    authserv_id: str = ""
    """The server whose Authentication-Results we believe; "" is none."""
    bounces: frozenset[str] = frozenset()
    """Those of our addresses that only automatic mail was ever sent from, normalised."""

    @property
    def sender(self) -> str:
        """MAIL FROM; "" is the null reverse-path."""
        return self.envelope.mail_from

    def values(self, *names: str) -> tuple[str, ...]:
        """The values of all fields of these names."""
        return tuple(value for name in names for value in self._values.get(name.lower(), ()))

    def has_any(self, *names: str) -> bool:
        """Whether there is a field of one of these names."""
        return bool(self.values(*names))

    @cached_property
    def _values(self) -> Mapping[str, Sequence[str]]:
        """By the field's name: all rules together ask for some sixty."""
        values: dict[str, list[str]] = {}
        for name, value in self.message.fields:
            values.setdefault(name, []).append(value)
        return values

    @property
    def senders(self) -> tuple[str, ...]:
        """MAIL FROM and From, those that are there."""
        return tuple(address for address in (self.sender, self.message.from_address) if address)

    @property
    def content_types(self) -> tuple[str, ...]:
        """Of the mail and of all that hangs on it, in lower case."""
        hanging = (attachment.content_type.lower() for attachment in self.message.attachments)
        return (self.message.content_type, *hanging)
