"""The figures as a plot: SVG, written by hand, for a browser or a README."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from boltq.bench.figure import Figure, number

WIDTH, LEFT, BAR, GAP, ROW = 900, 400, 12, 8, 20
"""In pixels: of all, of the words, of a bar's height, between blocks, of a line's height."""

ROOM = 130
"""Behind the longest bar, for its number."""

FAR = 3
"""So many times as far as all else, a bar of the design is left out."""

STYLE = (
    "text{font:12px sans-serif;fill:#222}.head{font-weight:bold}.bar{fill:#4c78a8}"
    ".span{stroke:#222}.asked{stroke:#d62728;stroke-width:2;stroke-dasharray:3 2}.back{fill:#fff}"
)


def plotted(about: Mapping[str, object], figures: Sequence[Figure]) -> str:
    """Draw figures: a block for each part and unit, medians as bars, least to most as a line.

    A dashed line is a bar of the design. Returns the text of an SVG file.
    """
    title = f"boltq bench: {about['server']}, {about['machine']}"
    drawn = [f'<text class="head" x="{GAP}" y="{ROW}">{escape(title)}</text>']
    blocks: dict[str, list[Figure]] = {}
    for one in figures:
        blocks.setdefault(f"{one.part}, {one.unit}", []).append(one)
    y = 2 * ROW
    for heading, rows in blocks.items():
        drawn.append(f'<text class="head" x="{GAP}" y="{y}">{escape(heading)}</text>')
        scale = (WIDTH - LEFT - ROOM) / max(map(_reach, rows))
        for one in rows:
            y += ROW
            drawn += _row(one, y, scale)
        y += ROW + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}">'
    back = f'<rect class="back" width="{WIDTH}" height="{y}"/>'
    return "\n".join((head, f"<style>{STYLE}</style>", back, *drawn, "</svg>\n"))


def _reach(one: Figure) -> float:
    """Return how far a row reaches: a bar that is very far off would press the others flat."""
    reached = one.most or 1.0
    near = one.bar is not None and one.bar < FAR * reached
    return max(reached, one.bar or 0.0) if near else reached


def _row(one: Figure, y: int, scale: float) -> Iterator[str]:
    top, middle = y - BAR + 2, y - BAR / 2 + 2
    end = LEFT + one.median * scale
    yield f'<text x="{LEFT - GAP}" y="{y}" text-anchor="end">{escape(one.what)}</text>'
    yield f'<rect class="bar" x="{LEFT}" y="{top}" width="{end - LEFT:.1f}" height="{BAR}"/>'
    least, most = LEFT + one.least * scale, LEFT + one.most * scale
    yield f'<path class="span" d="M{least:.1f} {middle}H{most:.1f}"/>'
    ends = [end, most]
    if one.bar is not None and one.bar <= _reach(one):
        ends.append(LEFT + one.bar * scale)
        yield f'<path class="asked" d="M{ends[-1]:.1f} {top - 2}v{BAR + 4}"/>'
    yield f'<text x="{max(ends) + GAP:.1f}" y="{y}">{number(one.median)}</text>'
