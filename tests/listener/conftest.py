"""A database for tests of what is said on the wire, which is the same on both."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from responder.store.engine import open_engine


@pytest.fixture
def sqlite(empty_store: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(empty_store, tmp_path / "responder.db")
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    yield engine
    engine.dispose()
