"""The figures as a plot: SVG, written by hand, for a browser or a README."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby

from boltq.bench.figure import Figure, number

WIDTH, LEFT, BAR, GAP, ROW = 900, 400, 12, 8, 20
"""In pixels: of all, of the words, of a bar's height, between blocks, of a line's height."""

ROOM = 130
"""Behind the longest bar, for its number."""

STYLE = (
    "text{font:12px sans-serif;fill:#222}.head{font-weight:bold}.bar{fill:#4c78a8}"
    ".span{stroke:#222}.asked{stroke:#d62728;stroke-dasharray:3 2}.back{fill:#fff}"
)


def plotted(about: Mapping[str, object], figures: Sequence[Figure]) -> str:
    """Draw figures: a block for each part and unit, medians as bars, least to most as a line.

    A dashed line is a bar of the design. Returns the text of an SVG file.
    """
    drawn: list[str] = []
    title = f"boltq bench: {about['server']}, {about['machine']}"
    drawn.append(f'<text class="head" x="{GAP}" y="{ROW}">{escape(title)}</text>')
    y = 2 * ROW
    for (part, unit), block in groupby(figures, key=lambda one: (one.part, one.unit)):
        drawn.append(f'<text class="head" x="{GAP}" y="{y}">{escape(f"{part}, {unit}")}</text>')
        rows = list(block)
        # A bar that is far off would press the others flat.
        widest = max(one.most for one in rows) or 1.0
        for one in rows:
            y += ROW
            drawn += _row(one, y, (WIDTH - LEFT - ROOM) / widest)
        y += ROW + GAP
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}">'
    back = f'<rect class="back" width="{WIDTH}" height="{y}"/>'
    return "\n".join((head, f"<style>{STYLE}</style>", back, *drawn, "</svg>\n"))


def _row(one: Figure, y: int, scale: float) -> Iterator[str]:
    top, middle = y - BAR + 2, y - BAR / 2 + 2
    end = LEFT + one.median * scale
    yield f'<text x="{LEFT - GAP}" y="{y}" text-anchor="end">{escape(one.what)}</text>'
    yield f'<rect class="bar" x="{LEFT}" y="{top}" width="{end - LEFT:.1f}" height="{BAR}"/>'
    least, most = LEFT + one.least * scale, LEFT + one.most * scale
    yield f'<path class="span" d="M{least:.1f} {middle}H{most:.1f}"/>'
    if one.bar is not None and LEFT + one.bar * scale <= WIDTH - ROOM:
        yield f'<path class="asked" d="M{LEFT + one.bar * scale:.1f} {top - 2}v{BAR + 4}"/>'
    yield f'<text x="{max(end, most) + GAP:.1f}" y="{y}">{number(one.median)}</text>'
