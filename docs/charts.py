"""Charts of the pages as inline SVG: computed from the library when the pages are built, drawn with nothing else.

Each is a directive without content, so that no picture is kept that could grow old.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive

import holdwater

Point = tuple[float, float]

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 20, 56  # room for the numbers, and for what is written beside the lines
STYLE = "max-width:100%;height:auto;font:13px var(--font-stack, sans-serif);color:var(--color-foreground-primary, #222)"
HOPED, REAL = "#b3541e", "#2b6cb0"  # told apart by dashes and marks as well


@dataclass(frozen=True)
class Axes:
    across: float  # the largest number on each axis
    up: float

    def at(self, point: Point) -> Point:
        x, y = point
        return (
            LEFT + x / self.across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - y / self.up * (HEIGHT - TOP - BOTTOM),
        )

    def drawn(self, label_across: str, label_up: str, step_across: float, step_up: float) -> str:
        parts = []
        for number in steps(step_up, self.up):
            x, y = self.at((0, number))
            parts.append(f'<path d="M{x} {y:.1f}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity=".15"/>')
            parts.append(text((x - 8, y + 4), f"{number:,.0f}", "end"))
        for number in steps(step_across, self.across):
            x, y = self.at((number, 0))
            parts.append(text((x, y + 18), f"{number:,.0f}", "middle"))
        middle = (LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2
        parts.append(text((middle[0], HEIGHT - 12), label_across, "middle"))
        parts.append(text((16, middle[1]), label_up, "middle", f' transform="rotate(-90 16 {middle[1]})"'))
        return "".join(parts)

    def line(self, points: Iterable[Point], colour: str, dashes: str = "") -> str:
        path = "L".join("{:.1f} {:.1f}".format(*self.at(point)) for point in points)
        dashed = f' stroke-dasharray="{dashes}"' if dashes else ""
        return f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2.5"{dashed}/>'

    def disc(self, point: Point, colour: str) -> str:
        x, y = self.at(point)
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'

    def square(self, point: Point, colour: str) -> str:
        x, y = self.at(point)
        corner = f'x="{x - 5:.1f}" y="{y - 5:.1f}"'
        return f'<rect {corner} width="10" height="10" fill="none" stroke="{colour}" stroke-width="2.5"/>'

    def note(self, point: Point, words: str, dx: float = 0, dy: float = 0, anchor: str = "start") -> str:
        x, y = self.at(point)
        return text((x + dx, y + dy), words, anchor)


def steps(step: float, end: float) -> Iterable[float]:
    return (step * n for n in range(int(end / step + 1e-9) + 1))


def text(where: Point, words: str, anchor: str, more: str = "") -> str:
    return (
        f'<text x="{where[0]:.1f}" y="{where[1]:.1f}" text-anchor="{anchor}" fill="currentColor"{more}>{words}</text>'
    )


def picture(said: str, *parts: str) -> str:
    """`said` is what a person hears who does not see it."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" style="{STYLE}">'
        f"<title>{said}</title>{''.join(parts)}</svg>"
    )


CHURN, CAPACITY, SLOPE = 0.03, 150, 0.3


def with_capacity(new_customers: float) -> float:
    return holdwater.customers_settled(new_customers, CHURN, CAPACITY, SLOPE)


def without_capacity(new_customers: float) -> float:
    return holdwater.customers_ceiling(new_customers, CHURN)


def capacity() -> str:
    """Customers in the long run for 0 to 22 new ones a month, with a capacity and as if there were none."""
    axes, flows = Axes(22, 750), [n / 4 for n in range(89)]
    once, twice = 10, 20
    parts = [axes.drawn("new customers per month", "customers in the long run", 5, 150)]
    for path, colour, dashes, mark in (
        (without_capacity, HOPED, "7 5", axes.square), (with_capacity, REAL, "", axes.disc),
    ):  # fmt: skip
        parts.append(axes.line(((n, path(n)) for n in flows), colour, dashes))
        growth = path(twice) / path(once) - 1
        for new, words in ((once, f"{path(once):,.0f}"), (twice, f"{path(twice):,.0f} (+{growth * 100:.3g} %)")):
            parts.append(mark((new, path(new)), colour))
            parts.append(axes.note((new, path(new)), words, -10, -12, "end"))
        parts.append(axes.note((22, path(22)), "as if there were" if dashes else "with room for", 10, -2))
        parts.append(axes.note((22, path(22)), "no capacity" if dashes else f"{CAPACITY} customers", 10, 14))
    return picture("Customers in the long run grow far more slowly where capacity is limited.", *parts)


def directive(draw: Callable[[], str]) -> type[Directive]:
    class Chart(Directive):
        def run(self) -> list[Any]:
            return [nodes.raw("", draw(), format="html")]

    return Chart


def setup(app: Any) -> None:
    app.add_directive("chart-capacity", directive(capacity))
