"""The settings as they may be shown: every one, where it comes from, no secret."""

import shlex
from datetime import timedelta
from typing import Any

from pydantic import SecretStr

from responder.config.places import MASK, masked_url
from responder.config.sections import KEYS, Config
from responder.config.values import duration_text, size_text


def shown_config(config: Config) -> list[tuple[str, str, str, str]]:
    """(section, key, value, origin) of every key; origin is "default", the file's name or "environment"."""
    rows = []
    for key in KEYS:
        section, _, name = key.partition(".")
        value = getattr(getattr(config, section), name)
        rows.append((section, name, shown_value(key, value), config.origins.get(key, "default")))
    return rows


def shown_value(key: str, value: Any) -> str:
    """One value by its dotted key, masked where it is or holds a secret."""
    match key, value:
        case "store.url", str():
            return masked_url(value)
        case "courier.token_command", tuple():
            # Its arguments may well hold a client's secret; the program alone says what runs.
            return shlex.join(value[:1]) + (f" {MASK}" if len(value) > 1 else "")
        case "listener.max_message_bytes" | "listener.memory", int():
            return size_text(value)
        case _, SecretStr():
            return MASK if value else ""
        case _:
            return plain_value(value)


def plain_value(value: Any) -> str:
    """A value without secrets, as config.toml has it but for the quotes."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case timedelta():
            return duration_text(value)
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
