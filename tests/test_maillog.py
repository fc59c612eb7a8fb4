"""The log, as whoever reads it gets it."""

import io
import json
import sys

import pytest
import structlog

from responder.maillog import log, open_log


class _Pieces(io.StringIO):
    """Keeps apart what was written apart."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def write(self, text: str) -> int:
        self.pieces.append(text)
        return len(text)


def test_a_line_is_written_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several processes write to one standard error; in two pieces their lines would run into each other."""
    error = _Pieces()
    open_log("json")
    monkeypatch.setattr(sys, "stderr", error)
    log("listener").info("accepted", id="1")
    log("worker").info("answered", reason="two\nlines")
    structlog.reset_defaults()
    assert [json.loads(piece)["event"] for piece in error.pieces] == ["accepted", "answered"]
    assert all(piece.endswith("}\n") and piece.count("\n") == 1 for piece in error.pieces)
