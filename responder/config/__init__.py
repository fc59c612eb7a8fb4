"""config.toml and the environment → frozen values; every mistake reported at once."""

from responder.config.places import HostPort, MaildirHop, SmtpHop, UnixSocket
from responder.config.reading import load_config
from responder.config.sections import Config
from responder.config.showing import shown_config

__all__ = ["Config", "HostPort", "MaildirHop", "SmtpHop", "UnixSocket", "load_config", "shown_config"]
