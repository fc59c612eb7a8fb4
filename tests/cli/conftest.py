"""Commands as an operator types them, on a store of the test's own."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import Engine
from typer.testing import CliRunner

from responder.cli import app
from responder.errors import OperatorError
from responder.store.engine import make_ready, open_engine
from tests.knowledge import ROOT, STATE


@pytest.fixture(autouse=True)
def engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """The store, where the commands find it."""
    for name in [name for name in os.environ if name.startswith("RESPONDER_") and "_TEST_" not in name]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(ROOT)
    url = f"sqlite:///{tmp_path / 'responder.db'}"
    monkeypatch.setenv("RESPONDER_STORE__URL", url)
    monkeypatch.setenv("RESPONDER_COURIER__NEXT_HOP", f"maildir:{tmp_path / 'replies'}")
    monkeypatch.setenv("RESPONDER_SERVICE__STATE", str(STATE))
    monkeypatch.setenv("RESPONDER_DESK__URL", "https://desk.example.jp")
    monkeypatch.setenv("USER", "sato")
    opened = open_engine(url)
    make_ready(opened)
    yield opened
    opened.dispose()


def run(*words: str | Path, given: str | None = None) -> tuple[int, str]:
    """The exit code and what was said, by a fault of the operator's too."""
    done = CliRunner().invoke(app, [str(word) for word in words], input=given)
    if isinstance(done.exception, OperatorError):
        return 1, str(done.exception)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.output
