"""What `responder check` asks of a next hop before the first mail needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from responder.courier.maildir import Maildir
from responder.courier.smtp import SmtpNextHop

if TYPE_CHECKING:
    from tests.courier.conftest import NextHopServer


async def test_a_server_that_would_take_our_mail_is_well_and_gets_none(server: NextHopServer) -> None:
    assert await SmtpNextHop(server.smarthost()).probe() is None
    assert server.told("MAIL") == 1
    assert server.mails == []
    assert "MAIL FROM:<>" in server.arguments


@pytest.mark.parametrize(
    ("verb", "mood", "words"),
    [
        ("GREETING", "554 go away", "go away"),
        ("EHLO", "drop", ""),
        ("MAIL", "550 no bounces here", "null reverse-path, which automatic mail needs"),
    ],
)
async def test_a_server_that_would_not_is_told_with_its_words(
    server: NextHopServer, verb: str, mood: str, words: str
) -> None:
    server.moods[verb] = [mood] * 2
    problem = await SmtpNextHop(server.smarthost()).probe()
    assert problem is not None
    assert words in problem


async def test_a_folder_is_made_and_left_empty(tmp_path: Path) -> None:
    assert await Maildir(tmp_path / "replies").probe() is None
    assert [path.name for path in sorted((tmp_path / "replies").iterdir())] == ["cur", "new", "tmp"]
    assert not list((tmp_path / "replies" / "tmp").iterdir())


async def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "replies").write_text("a file")
    problem = await Maildir(tmp_path / "replies").probe()
    assert problem is not None
    assert "cannot be written to" in problem
