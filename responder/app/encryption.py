"""The listener's certificate."""

import ssl

from responder.config import Config
from responder.errors import ConfigError, Fault
from responder.listener import Encryption


def encryption_of(config: Config) -> Encryption | None:
    """What STARTTLS shows, read anew; None where it is not offered. Raises ConfigError."""
    listener = config.listener
    if listener.tls == "none" or listener.tls_certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Without a password here OpenSSL would ask the terminal for one.
        context.load_cert_chain(listener.tls_certificate, listener.tls_key, password=lambda: "")
    except (OSError, ValueError) as error:
        raise ConfigError([_fault(config, error)]) from error
    return Encryption(context, required=listener.tls == "require")


def _fault(config: Config, error: OSError | ValueError) -> Fault:
    key = "listener.tls_key" if config.listener.tls_key else "listener.tls_certificate"
    place = config.origins.get(key, "config.toml")
    if isinstance(error, ssl.SSLError) and error.reason == "KEY_VALUES_MISMATCH":
        return Fault(place, key, "this is not the key of the certificate", "Name the key that it was made with")
    if not isinstance(error, ssl.SSLError):
        return Fault(place, key, f"it cannot be read ({error})", "Let us read both files")
    remedy = "Name files in PEM: the certificate first, then what signs it; the key without a password"
    return Fault(place, key, "certificate and key cannot be used", remedy)
