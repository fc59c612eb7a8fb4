"""Empty stores of both kinds, for servers that run as processes."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count

from tests.conftest import postgres_database, postgres_server

Stores = dict[str, Callable[[], str]]
"""By the kind's name, a function that gives the URL of a new store."""

KINDS = ("SQLite", "PostgreSQL")


@contextmanager
def stores(missing: dict[str, str], kinds: tuple[str, ...] = KINDS) -> Iterator[Stores]:
    """Both, in folders for temporary files, with fsync as they come; one that cannot be had is put into `missing`."""
    with ExitStack() as stack:
        folder, numbers = stack.enter_context(tempfile.TemporaryDirectory(prefix="responder-bench-")), count()
        found: Stores = {}
        if "SQLite" in kinds:
            found["SQLite"] = lambda: f"sqlite:///{folder}/{next(numbers)}.db"
        if "PostgreSQL" in kinds:
            try:
                server = stack.enter_context(postgres_server())
                found["PostgreSQL"] = lambda: postgres_database(server)
            except AssertionError as error:
                missing["PostgreSQL"] = str(error)
        yield found
