"""Pictures of figures: what they show is what they were given, and nothing in them can be anything but text."""

from xml.etree import ElementTree

import pytest

from responder.desk.charts import HEIGHT, Column, Picture, Point, line, stacked

PICTURE = Picture("lanes", "By day", "Where mails ended")
SERIES = (("answered", "lane-answered"), ("escalated", "lane-escalated"))
SVG = {"": "http://www.w3.org/2000/svg"}


def _root(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup)  # noqa: S314 - it is our own


def test_columns_are_as_high_as_their_figures_and_stand_on_one_another() -> None:
    root = _root(stacked(PICTURE, [Column("11/23", (10, 5)), Column("11/24", (20, 0))], SERIES))
    tall, upper, alone = ((float(one.attrib["y"]), float(one.attrib["height"])) for one in root.iter("rect"))
    assert alone[1] == pytest.approx(2 * tall[1])
    assert upper[1] == pytest.approx(tall[1] / 2)
    assert upper[0] + upper[1] == pytest.approx(tall[0])
    assert [one.findtext("title") for one in root.iter("rect")] == [
        "11/23: answered 10",
        "11/23: escalated 5",
        "11/24: answered 20",
    ]
    assert [one.attrib["class"] for one in root.iter("rect")] == ["lane-answered", "lane-escalated", "lane-answered"]


def test_a_line_is_broken_where_there_is_no_value() -> None:
    points = [Point("1", 2.0), Point("2", 4.0), Point("3", None), Point("4", 1.5)]
    root = _root(line(PICTURE, points, css="chart-line", unit=" h"))
    assert [len(one.attrib["points"].split()) for one in root.iter("polyline")] == [2, 1]
    assert [one.findtext("title") for one in root.iter("circle")] == ["1: 2 h", "2: 4 h", "4: 1.5 h"]


@pytest.mark.parametrize("drawn", [stacked(PICTURE, [], SERIES), line(PICTURE, [], css="x")], ids=["columns", "line"])
def test_of_nothing_there_is_an_empty_picture_with_its_name(drawn: str) -> None:
    root = _root(drawn)
    assert root.attrib["role"] == "img"
    named = [one.text for name in root.attrib["aria-labelledby"].split() for one in root if one.get("id") == name]
    assert named == ["By day", "Where mails ended"]


@pytest.mark.parametrize("most", [0, 1, 3, 9, 10, 11, 999, 1_000_000])
def test_whatever_the_largest_figure_it_fits_under_a_round_scale(most: int) -> None:
    root = _root(stacked(PICTURE, [Column("a", (most, 0))], SERIES))
    assert all(0 <= float(one.attrib["y"]) <= HEIGHT for one in root.iter("rect"))
    top = float([one.text or "" for one in root.iter("text")][2].replace(",", ""))
    assert most <= top <= max(2.5 * most, 2)


def test_of_many_labels_as_many_are_shown_as_fit_and_the_last_always() -> None:
    root = _root(stacked(PICTURE, [Column(f"d{number}", (1, 1)) for number in range(30)], SERIES))
    shown = [one.text for one in root.iter("text") if (one.text or "").startswith("d")]
    assert len(shown) <= 8
    assert shown[-1] == "d29"


def test_what_words_hold_stays_text_and_no_style_stands_inline() -> None:
    hostile = '"><script>alert(1)</script>'
    picture = Picture("x", hostile, hostile)
    drawn = stacked(picture, [Column(hostile, (1, 1))], ((hostile, "a"), (hostile, "b"))) + line(
        picture, [Point(hostile, 1.0)], css="c", unit=hostile
    )
    assert "<script" not in drawn
    assert "style=" not in drawn
