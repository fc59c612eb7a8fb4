"""Bars with their figures, as an SVG that reads in both schemes of a page."""

from collections.abc import Mapping
from html import escape

_WIDTH, _LINE, _LEFT, _RIGHT = 760, 26, 230, 90


def picture(groups: Mapping[str, Mapping[str, float]]) -> str:
    """One group of bars below the other, each in the measure of its longest; ours are the dark ones."""
    parts, y = list[str](), 10
    for title, bars in groups.items():
        y += 24
        parts.append(f'<text x="10" y="{y}" font-weight="bold">{escape(title)}</text>')
        longest = max(bars.values())
        for name, value in bars.items():
            y += _LINE
            length = (_WIDTH - _LEFT - _RIGHT) * value / longest
            fill = "#1f6f8b" if name.startswith("responder") else "#9aa5ab"
            parts.append(f'<text x="{_LEFT - 8}" y="{y}" text-anchor="end">{escape(name)}</text>')
            parts.append(f'<rect x="{_LEFT}" y="{y - 14}" width="{length:.1f}" height="18" fill="{fill}"/>')
            parts.append(f'<text x="{_LEFT + length + 6:.1f}" y="{y}">{value:,.0f}</text>')
        y += 14
    size = f'viewBox="0 0 {_WIDTH} {y + 10}" width="{_WIDTH}" height="{y + 10}"'
    ground = '<rect width="100%" height="100%" fill="#fff"/>'
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif" font-size="14">\n'
        f"{ground}\n{body}\n</svg>\n"
    )
