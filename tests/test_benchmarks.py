"""What is compared with works where it is installed, and what comes out is written where it belongs."""

import asyncio
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.client import deliver, question, small
from benchmarks.peers.bare import bare
from benchmarks.peers.dovecot import vacation
from benchmarks.peers.postfix import holding
from benchmarks.peers.processes import UnavailableError
from benchmarks.picture import Bar, Panel, drawn
from benchmarks.report import BEGIN, END, Part, put, ratio
from benchmarks.sink import Sink


@pytest.mark.parametrize("per_session", [0, 1], ids=["many mails a session", "one mail a session"])
@pytest.mark.parametrize("peer", [bare, holding], ids=["aiosmtpd", "Postfix"])
def test_a_peer_takes_every_mail_in(peer: type, per_session: int) -> None:
    try:
        with peer() as server:
            sent = asyncio.run(deliver(server.port, iter(range(7)), small, sessions=3, per_session=per_session))
            assert sent.taken.keys() == set(range(7))
            assert server.megabytes() > 0
    except UnavailableError as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize(("again", "authors"), [(False, 0), (True, 3)], ids=["new", "with authors it knows"])
def test_a_vacation_script_answers_through_the_next_hop(again: bool, authors: int) -> None:
    async def answers() -> int:
        sink = Sink()
        with vacation(await sink.start(), one_at_a_time=again, authors=authors) as server:
            await deliver(server.port, iter(range(3)), question)
            await sink.wait(3, patience=20)
        await sink.stop()
        return len(sink.came)

    try:
        assert asyncio.run(answers()) == 3
    except UnavailableError as reason:
        pytest.skip(str(reason))


def test_only_what_stands_between_the_markers_is_written_anew(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    put(page, Part("Title", "Words.", [["server", "rate"], ["ours", "1"]]).text())
    table = "| server | rate |\n|---|---|\n| ours | 1 |"
    assert page.read_text() == f"before\n{BEGIN}\n### Title\n\nWords.\n\n{table}\n{END}\nafter\n"


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n")
    with pytest.raises(SystemExit, match="has no line"):
        put(page, "new")
    assert page.read_text() == "before\n"


def test_a_bar_is_as_long_as_its_figure() -> None:
    bars = [Bar("a & b", 50, ours=True), Bar("c", 100, ours=False), Bar("none", 0, ours=False)]
    picture = ElementTree.fromstring(drawn([Panel("Rates", bars)]))  # noqa: S314 - we wrote it a line above
    first, second, none = (float(bar.attrib["width"]) for bar in picture.iter("{http://www.w3.org/2000/svg}rect"))
    assert first == pytest.approx(second / 2)
    assert none < 2


def test_a_ratio_is_that_of_neighbours_in_time() -> None:
    assert ratio([1, 20, 3], [2, 40, 3]) == 0.5
