"""The key that our Message-IDs are signed with: of a configured secret, or made once and kept in the state folder."""

import hashlib
import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from responder.config import Config
from responder.errors import ConfigError, Fault, shown

_OCTETS = 32


def message_id_key(config: Config) -> bytes:
    """The key of this service, the same for all its processes. Raises ConfigError."""
    given = config.service.secret_file
    secret = given.secret.get_secret_value().encode() if given is not None else _kept(config.service.state / "secret")
    # A key of its own for each use, so that what is signed for one never counts for another.
    return hashlib.blake2b(b"message-id", key=hashlib.sha256(secret).digest()).digest()


def _kept(file: Path) -> bytes:
    try:
        if not file.exists():
            _make(file)
        secret = file.read_bytes()
    except OSError as error:
        remedy = "Run as the user that made it, or name service.secret_file"
        raise ConfigError([Fault(shown(file), "service.state", f"no access ({error.strerror})", remedy)]) from error
    if len(secret) < _OCTETS:
        remedy = "Restore it from a backup; without it, remove it, and older mails of ours are not known again"
        raise ConfigError([Fault(shown(file), "service.state", "the secret in it is cut short", remedy)])
    return secret


def _make(file: Path) -> None:
    """Whole or not at all, and once: of processes that start together, all take what the first has linked."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # mkstemp gives it the mode 0600.
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".secret-")
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(secrets.token_bytes(_OCTETS))
            temporary.flush()
            os.fsync(temporary.fileno())
        with suppress(FileExistsError):
            os.link(name, file)
    finally:
        Path(name).unlink()
