"""What passes between us and an OpenID provider; `provider.py`, which asks it, needs the extra `oidc`."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass


class ProviderError(Exception):
    """The provider cannot be asked, or what it says does not hold; the words are for the log."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What we are to the issuer, and what its users are to us."""

    issuer: str
    client_id: str
    client_secret: str
    """"" for a public client."""
    make_accounts: bool = False
    """Whether somebody who has no account yet gets one."""
    trust_email: bool = False
    """Whether an address counts as verified though the issuer does not say so."""
    roles_claim: str = ""
    """The claim that settles the role at each login; "" leaves it to the administrators here."""
    editors: str = ""
    administrators: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """What must be known again when somebody comes back from the provider."""

    state: str
    nonce: str
    verifier: str
    target: str

    @classmethod
    def to(cls, target: str) -> "Departure":
        """A new one, that goes on to this page of ours."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return cls(state, nonce, verifier, target)

    def sealed(self) -> str:
        """As the value of a cookie."""
        return base64.urlsafe_b64encode(json.dumps(asdict(self)).encode()).decode()

    @classmethod
    def unsealed(cls, value: str) -> "Departure | None":
        """None where the value is none of ours."""
        try:
            made = cls(**json.loads(base64.urlsafe_b64decode(value.encode())))
        except (ValueError, TypeError, RecursionError):
            return None
        return made if all(isinstance(text, str) and text for text in asdict(made).values()) else None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider says it is."""

    subject: str
    """Issuer and subject, with a space between: the one name that is never given to somebody else."""
    email: str | None
    """Only where it is verified."""
    name: str
    groups: frozenset[str] | None
    """The values of `roles_claim`; None where no claim settles roles."""
