"""A database for tests of what is said on the wire, which is the same on both."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine

from responder.store.engine import open_engine, upgrade


@pytest.fixture(scope="session")
def _empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "responder.db"
    engine = open_engine(f"sqlite:///{path}")
    upgrade(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite(_empty: Path, tmp_path: Path) -> Iterator[Engine]:
    shutil.copy(_empty, tmp_path / "responder.db")
    engine = open_engine(f"sqlite:///{tmp_path}/responder.db")
    yield engine
    engine.dispose()
