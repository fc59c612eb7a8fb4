"""Addresses of our own pages."""

from typing import Any
from urllib.parse import urlencode


def linked(path: str, **pairs: Any) -> str:
    """A path with a query; what is "", 0, False or None is left out."""
    given = {name: value for name, value in pairs.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
