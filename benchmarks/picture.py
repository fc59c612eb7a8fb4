"""Bars as SVG, readable on a light page and on a dark one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

_WIDTH, _NAMES, _FIGURES = 760, 250, 70
_BAR, _GAP, _HEAD = 18, 8, 34
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.head{font-weight:600}"
    ".ours{fill:#0969da}.peer{fill:#8c959f}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.ours{fill:#4493f8}.peer{fill:#6e7681}}"
)


@dataclass(frozen=True, slots=True)
class Bar:
    """One server's figure."""

    name: str
    value: float
    ours: bool


@dataclass(frozen=True, slots=True)
class Panel:
    """Bars of one unit, the longest of which fills the width."""

    title: str
    bars: Sequence[Bar]


def drawn(panels: Sequence[Panel]) -> str:
    """The whole file."""
    pieces: list[str] = []
    top = 6
    for panel in panels:
        pieces += _panel(panel, top)
        top += _HEAD + len(panel.bars) * (_BAR + _GAP) + 10
    words = escape("; ".join(panel.title for panel in panels))
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {top}" width="{_WIDTH}" height="{top}"'
        f' role="img" aria-label="{words}"><style>{_STYLE}</style>'
    )
    return "\n".join([head, *pieces, "</svg>", ""])


def _panel(panel: Panel, top: int) -> Iterator[str]:
    yield f'<text class="head" x="0" y="{top + 18}">{escape(panel.title)}</text>'
    most = max((bar.value for bar in panel.bars), default=0) or 1
    for place, bar in enumerate(panel.bars):
        y = top + _HEAD + place * (_BAR + _GAP)
        width = max(bar.value / most * (_WIDTH - _NAMES - _FIGURES), 1)
        yield f'<text x="{_NAMES - 8}" y="{y + 14}" text-anchor="end">{escape(bar.name)}</text>'
        css = "ours" if bar.ours else "peer"
        yield f'<rect class="{css}" x="{_NAMES}" y="{y}" width="{width:.1f}" height="{_BAR}" rx="2"/>'
        yield f'<text x="{_NAMES + width + 6:.1f}" y="{y + 14}">{figure(bar.value)}</text>'


def figure(value: float) -> str:
    """Three digits that say something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
