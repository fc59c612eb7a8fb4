"""The risk-coverage curve as an SVG."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from responder.triage.evaluation import Point

_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 320, 64, 24
_MOST_WRONG = 0.10
"""The top of the picture: what is wrong more often is of no use to anybody."""

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:currentColor}path,line{stroke:currentColor;fill:none}"
    ".grid{opacity:.2}.curve{stroke:#2563eb;stroke-width:2}.now{fill:#dc2626;stroke:none}"
)


def risk_coverage_svg(points: Sequence[Point], *, now: Point, title: str) -> str:
    """Coverage from left to right, wrong answers among all mails from bottom to top, `now` the floor in force."""
    shown = [point for point in points if point.wrong_rate <= _MOST_WRONG]
    path = "M" + " L".join(f"{_x(point.coverage):.1f} {_y(point.wrong_rate):.1f}" for point in (Point(1, 0, 0), *shown))
    size = f"{_WIDTH + _LEFT + 24} {_HEIGHT + _TOP + 52}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img">',
        f"<title>{escape(title)}</title><style>{_STYLE}</style>",
        *(_horizontal(share / 100) for share in range(0, 11, 2)),
        *(_vertical(share / 10) for share in range(0, 11, 2)),
        f'<path class="curve" d="{path}"/>',
        f'<circle class="now" cx="{_x(now.coverage):.1f}" cy="{_y(min(now.wrong_rate, _MOST_WRONG)):.1f}" r="5"/>',
        f'<text x="{_LEFT}" y="{_HEIGHT + _TOP + 44}">coverage of answerable mails; '
        f"the dot is the floor in force ({now.floor:.2f})</text>",
        f'<text x="{_LEFT}" y="16">wrong answers among all mails</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _x(coverage: float) -> float:
    return _LEFT + coverage * _WIDTH


def _y(wrong_rate: float) -> float:
    return _TOP + _HEIGHT * (1 - wrong_rate / _MOST_WRONG)


def _horizontal(share: float) -> str:
    y = _y(share)
    line = f'<line class="grid" x1="{_LEFT}" x2="{_LEFT + _WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return f'{line}<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{share:.0%}</text>'


def _vertical(share: float) -> str:
    x, bottom = _x(share), _TOP + _HEIGHT
    line = f'<line class="grid" y1="{_TOP}" y2="{bottom}" x1="{x:.1f}" x2="{x:.1f}"/>'
    return f'{line}<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{share:.0%}</text>'
