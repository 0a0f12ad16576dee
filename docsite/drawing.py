"""Boxes and arrows as SVG: readable in light and dark, by screen readers, and without a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

UNIT = 10
"""Pixels of one step of the coordinates."""

_STYLE = """\
  :root { --ink: #1f2328; --soft: #59636e; --line: #818b98; --box: #ffffff; --part: #f3f6f8;
          --main: #00796b; --on-main: #ffffff; --paper: #ffffff; }
  @media (prefers-color-scheme: dark) {
    :root { --ink: #f0f6fc; --soft: #a3adb8; --line: #7d8792; --box: #1c232b; --part: #151b23;
            --main: #4db6ac; --on-main: #06201d; --paper: #0d1117; }
  }
  text { font: 14px system-ui, "Segoe UI", Helvetica, Arial, sans-serif; fill: var(--ink); }
  .title { font-weight: 600; }
  .note { font-size: 12px; fill: var(--soft); }
  .said { paint-order: stroke; stroke: var(--paper); stroke-width: 6px; }
  rect { fill: var(--box); stroke: var(--line); }
  .paper { fill: var(--paper); stroke: none; }
  .part { fill: var(--part); stroke-dasharray: 4 3; }
  .answer { fill: var(--main); stroke: none; }
  .answer + text, .answer + text .note { fill: var(--on-main); }
  path { fill: none; stroke: var(--line); stroke-width: 1.5; }
  marker path { fill: var(--line); stroke: none; }"""


@dataclass(frozen=True)
class Box:
    """A box: its place and size in units, a title, and smaller lines below that.

    Args:
        kind: ``step``; ``answer``, which stands out; or ``part``, which is around others.
    """

    x: int
    y: int
    width: int
    height: int
    title: str
    lines: tuple[str, ...] = ()
    kind: str = "step"

    def svg(self) -> str:
        """The box's elements."""
        x, y, width, height = (n * UNIT for n in (self.x, self.y, self.width, self.height))
        middle = f"{x + width / 2:g}"
        first = y + 22 if self.kind == "part" else y + height / 2 + 5 - 8.5 * len(self.lines)
        texts = [f'<tspan class="title" x="{middle}" y="{first:g}">{escape(self.title)}</tspan>']
        texts += [
            f'<tspan class="note" x="{middle}" dy="17">{escape(line)}</tspan>'
            for line in self.lines
        ]
        return (
            f'<rect class="{self.kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>'
            f'<text text-anchor="middle">{"".join(texts)}</text>'
        )


@dataclass(frozen=True)
class Arrow:
    """A line through points, in units, with a head at its end, and words on its first part."""

    points: tuple[tuple[float, float], ...]
    words: str = ""

    def svg(self) -> str:
        """The arrow's elements."""
        places = [(x * UNIT, y * UNIT) for x, y in self.points]
        way = " L".join(f"{x:g} {y:g}" for x, y in places)
        line = f'<path d="M{way}" marker-end="url(#head)"/>'
        if not self.words:
            return line
        (x0, y0), (x1, y1) = places[:2]
        x, y = (x0 + x1) / 2, (y0 + y1) / 2 + 4
        return (
            f'{line}<text text-anchor="middle" x="{x:g}" y="{y:g}">'
            f'<tspan class="note said">{escape(self.words)}</tspan></text>'
        )


@dataclass(frozen=True)
class Drawing:
    """A picture: its title, what it says in words, its size in units, and its parts."""

    width: int
    height: int
    title: str
    text: str
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...] = field(default=())

    def svg(self) -> str:
        """The whole file."""
        width, height = self.width * UNIT, self.height * UNIT
        parts = [box.svg() for box in self.boxes if box.kind == "part"]
        parts += [arrow.svg() for arrow in self.arrows]
        parts += [box.svg() for box in self.boxes if box.kind != "part"]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                f'width="{width}" height="{height}" role="img" aria-labelledby="title text">',
                f'<title id="title">{escape(self.title)}</title>',
                f'<desc id="text">{escape(self.text)}</desc>',
                f"<style>\n{_STYLE}\n</style>",
                '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" '
                'markerHeight="8" orient="auto-start-reverse"><path d="M0 1 L9 5 L0 9 z"/>'
                "</marker></defs>",
                f'<rect class="paper" width="{width}" height="{height}"/>',
                *parts,
                "</svg>",
                "",
            ]
        )
