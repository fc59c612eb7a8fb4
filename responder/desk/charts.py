"""Figures as pictures: pure functions that give inline SVG, coloured by the style sheet alone.

A picture says nothing that the table beside it does not. Its words come from the page, which knows the language.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, HEIGHT = 640, 200
"""Of the drawing, in its own units; the style sheet says how large it is shown."""

_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 24, 10, 26
_PLOT_WIDTH, _PLOT_HEIGHT = WIDTH - _LEFT - _RIGHT, HEIGHT - _TOP - _BOTTOM
_LABELS = 8
"""How many labels fit below without touching one another."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a chart is called, and what a person who cannot see it is told."""

    id: str
    """Unique on the page."""
    title: str
    description: str


@dataclass(frozen=True, slots=True)
class Column:
    """One stack, from the bottom up; `label` stands below it."""

    label: str
    parts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One value of a line; None where there is none, which leaves a gap."""

    label: str
    value: float | None


def stacked(picture: Picture, columns: Sequence[Column], series: Sequence[tuple[str, str]]) -> Markup:
    """Stacked columns. `series` gives the name and the CSS class of each part, from the bottom up."""
    top = _round_up(max((sum(column.parts) for column in columns), default=0))
    step = _PLOT_WIDTH / max(len(columns), 1)
    drawn = [*_scale(top), *_labels([column.label for column in columns])]
    for number, column in enumerate(columns):
        drawn.append(_stack(_LEFT + number * step, step, top, column, series))
    return _svg(picture, drawn)


def _stack(left: float, step: float, top: float, column: Column, series: Sequence[tuple[str, str]]) -> Markup:
    pieces, below = [], 0
    for part, (name, css) in zip(column.parts, series, strict=True):
        upper, lower = _height(below + part, top), _height(below, top)
        if part:
            # The words of a part are shown by the browser where the pointer rests.
            words = Markup("<title>{}: {} {}</title>").format(column.label, name, part)
            place = Markup('x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"').format(
                left + step * 0.12, upper, step * 0.76, lower - upper
            )
            pieces.append(Markup('<rect class="{}" {}>{}</rect>').format(css, place, words))
        below += part
    return Markup("").join(pieces)


def line(picture: Picture, points: Sequence[Point], *, css: str, unit: str = "") -> Markup:
    """A line with a dot at each value; where there is no value it is broken. `unit` follows the figure of a dot."""
    top = _round_up(max((point.value for point in points if point.value is not None), default=0))
    step = _PLOT_WIDTH / max(len(points), 1)
    drawn = [*_scale(top), *_labels([point.label for point in points])]
    for run in _runs(points):
        places = " ".join(f"{_LEFT + (at + 0.5) * step:.1f},{_height(value, top):.1f}" for at, _, value in run)
        drawn.append(Markup('<polyline class="{}" points="{}"/>').format(css, places))
        for at, label, value in run:
            shape = Markup('<circle class="{}" cx="{:.1f}" cy="{:.1f}" r="3"><title>{}: {}{}</title></circle>')
            centre = _LEFT + (at + 0.5) * step
            drawn.append(shape.format(css, centre, _height(value, top), label, _figure(value), unit))
    return _svg(picture, drawn)


def _runs(points: Sequence[Point]) -> Iterator[list[tuple[int, str, float]]]:
    """The stretches without a gap: number, label and value of each point."""
    run: list[tuple[int, str, float]] = []
    for number, point in enumerate(points):
        if point.value is not None:
            run.append((number, point.label, point.value))
        elif run:
            yield run
            run = []
    if run:
        yield run


def _svg(picture: Picture, drawn: Iterable[Markup]) -> Markup:
    # Title and description are named by their ids, since not every screen reader takes them from the children alone.
    head = Markup(
        '<svg class="chart" role="img" viewBox="0 0 {width} {height}" aria-labelledby="{id}-title {id}-description">'
        '<title id="{id}-title">{title}</title><desc id="{id}-description">{description}</desc>'
    ).format(width=WIDTH, height=HEIGHT, id=picture.id, title=picture.title, description=picture.description)
    return head + Markup("").join(drawn) + Markup("</svg>")


def _scale(top: float) -> list[Markup]:
    """Lines at nothing, half and all, with their figures."""
    rule = Markup('<line class="chart-rule" x1="{}" x2="{}" y1="{y:.1f}" y2="{y:.1f}"/>')
    words = Markup('<text class="chart-text" text-anchor="end" x="{}" y="{:.1f}">{}</text>')
    drawn = []
    for value in (0, top / 2, top):
        height = _height(value, top)
        drawn.append(rule.format(_LEFT, WIDTH - _RIGHT, y=height))
        drawn.append(words.format(_LEFT - 6, height + 4, _figure(value)))
    return drawn


def _labels(labels: Sequence[str]) -> list[Markup]:
    """As many as fit, the last of them always: it is the one that people look for."""
    every = -(-len(labels) // _LABELS) if labels else 1
    step = _PLOT_WIDTH / max(len(labels), 1)
    words = Markup('<text class="chart-text" text-anchor="middle" x="{:.1f}" y="{}">{}</text>')
    return [
        words.format(_LEFT + (number + 0.5) * step, HEIGHT - 6, label)
        for number, label in enumerate(labels)
        if (len(labels) - 1 - number) % every == 0
    ]


def _height(value: float, top: float) -> float:
    return _TOP + _PLOT_HEIGHT * (1 - value / top)


def _round_up(most: float) -> float:
    """The next of 2, 4, 10, 20, 40, 100 …: half of each is a round figure too."""
    top = 2.0
    for factor in (2, 2.5, 2) * 20:
        if top >= most:
            break
        top *= factor
    return top


def _figure(value: float) -> str:
    return str(escape(f"{value:g}" if value < 1000 else f"{value:,.0f}"))
