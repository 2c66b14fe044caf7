"""The page about Olist: conversion by source and by month, as estimated at the end of May 2018, and as it turned out.

`python docs/olist.py FOLDER` counts the export in that folder again and writes olist.json; the export itself may not be
shipped. The pictures and the table are drawn from that file when the pages are built.
"""

from __future__ import annotations

import csv
import json
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any

FIGURES = Path(__file__).parent / "olist.json"
FIRST, SEEN = date(2018, 1, 1), date(2018, 5, 31)  # before 2018 hardly any win was recorded
LEFT, RIGHT, TOP, ROW = 150, 24, 34, 26

Row = dict[str, Any]


def figures(folder: Path) -> dict[str, list[Row]]:
    """Of the leads of January to May: their conversion as the end of May showed it, and as it was half a year later."""
    won = {row["mql_id"]: _day(row["won_date"]) for row in _rows(folder / "olist_closed_deals_dataset.csv")}
    groups: dict[str, dict[str, list[tuple[date, date | None]]]] = {"all": {}, "month": {}, "source": {}}
    for row in _rows(folder / "olist_marketing_qualified_leads_dataset.csv"):
        came = _day(row["first_contact_date"])
        if not FIRST <= came <= SEEN:
            continue
        names = {"all": "all", "month": f"{came:%B}", "source": row["origin"].replace("_", " ") or "no source"}
        for kind, name in names.items():
            groups[kind].setdefault(name, []).append((came, won.get(row["mql_id"])))
    found = {kind: [_figures(name, leads) for name, leads in parts.items()] for kind, parts in groups.items()}
    found["month"].sort(key=lambda row: datetime.strptime(row["name"], "%B").month)  # noqa: DTZ007  # a month's name
    found["source"].sort(key=lambda row: -row["leads"])
    return found


def _rows(file: Path) -> Iterable[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as lines:
        yield from csv.DictReader(lines)


def _day(text: str) -> date:
    return datetime.strptime(text[:10], "%d-%m-%Y").date()  # noqa: DTZ007  # a date has no zone


def _figures(name: str, leads: list[tuple[date, date | None]]) -> Row:
    from holdwater.models import cure  # here, because the pages are built without it

    counts: dict[tuple[int, str], int] = defaultdict(int)
    for came, won in leads:
        in_time = won is not None and won <= SEEN
        ended = won if won is not None and in_time else SEEN
        counts[max((ended - came).days, 0), "won" if in_time else "open"] += 1
    ages = [days for days, _ in counts]
    fit = cure.fit(ages, [status for _, status in counts], list(counts.values()))
    low, high, too_young = fit.conversion_limits()
    by_then = sum(count for (_, status), count in counts.items() if status == "won")
    in_the_end = sum(won is not None for _, won in leads)
    return {
        "name": name,
        "leads": len(leads),
        "won": by_then,
        "won_in_the_end": in_the_end,
        "low": round(low, 4),
        "rate": round(fit.conversion, 4),
        "high": round(high, 4),
        "too_young": too_young,
    }


def picture_of(kind: str) -> str:
    import charts

    rows = json.loads(FIGURES.read_text(encoding="utf-8"))[kind]
    most = 5 * math.ceil(20 * max(row["high"] for row in rows))  # percent
    height = TOP + ROW * len(rows) + 44

    def across(share: float) -> float:
        return LEFT + 100 * share / most * (charts.WIDTH - LEFT - RIGHT)

    parts = []
    for percent in range(0, most + 1, 5):
        x = across(percent / 100)
        parts.append(f'<path d="M{x:.1f} {TOP}V{height - 40}" stroke="currentColor" stroke-opacity=".15"/>')
        parts.append(charts.text((x, height - 22), f"{percent} %", "middle"))
    for x, shape, words in (
        (LEFT, _square, "won / all, end of May"),
        (LEFT + 190, _disc, "cure model, end of May"),
        (LEFT + 390, _cross, "half a year later"),
    ):
        parts += [shape(x, 14), charts.text((x + 12, 18), words, "start")]
    for place, row in enumerate(rows):
        y = TOP + ROW * (place + 0.5)
        parts.append(charts.text((LEFT - 12, y + 4), f"{row['name']} ({row['leads']:,})", "end"))
        ends = f"M{across(row['low']):.1f} {y:.1f}H{across(row['high']):.1f}"
        parts.append(f'<path d="{ends}" stroke="{charts.REAL}" stroke-width="2.5"/>')
        parts.append(_disc(across(row["rate"]), y))
        parts.append(_square(across(row["won"] / row["leads"]), y))
        parts.append(_cross(across(row["won_in_the_end"] / row["leads"]), y))
    said = f"Conversion by {kind}: won / all, the cure model with its limits, and what it was half a year later."
    return charts.picture(said, *parts).replace(
        f'viewBox="0 0 {charts.WIDTH} {charts.HEIGHT}"', f'viewBox="0 0 {charts.WIDTH} {height}"'
    )


def _disc(x: float, y: float) -> str:
    import charts

    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{charts.REAL}"/>'


def _square(x: float, y: float) -> str:
    import charts

    corner = f'x="{x - 4.5:.1f}" y="{y - 4.5:.1f}"'
    return f'<rect {corner} width="9" height="9" fill="none" stroke="{charts.HOPED}" stroke-width="2"/>'


def _cross(x: float, y: float) -> str:
    return f'<path d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10" stroke="currentColor" stroke-width="2"/>'


def table() -> str:
    """All figures, for those who would rather read."""
    parts = json.loads(FIGURES.read_text(encoding="utf-8"))
    heads = ("", "leads", "won / all", "cure model", "90 % between", "half a year later")
    lines = ["<tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"]
    for row in [*parts["month"], *parts["source"], *parts["all"]]:
        cells = [
            f"{row['leads']:,}",
            f"{row['won'] / row['leads']:.1%}",
            "too young" if row["too_young"] else f"{row['rate']:.1%}",
            f"{row['low']:.1%} and {row['high']:.1%}",
            f"{row['won_in_the_end'] / row['leads']:.1%}",
        ]
        lines.append(f"<tr><th>{row['name']}</th>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f'<table class="docutils">{"".join(lines)}</table>'


def setup(app: Any) -> None:
    import charts

    drawings: dict[str, Callable[[], str]] = {
        "chart-olist-months": lambda: picture_of("month"),
        "chart-olist-sources": lambda: picture_of("source"),
        "table-olist": table,
    }
    for name, draw in drawings.items():
        app.add_directive(name, charts.directive(draw))


def as_text(found: dict[str, list[Row]]) -> str:
    """One line a row."""
    kinds = [
        f'  "{kind}": [\n' + ",\n".join(f"    {json.dumps(row)}" for row in rows) + "\n  ]"
        for kind, rows in found.items()
    ]
    return "{\n" + ",\n".join(kinds) + "\n}\n"


if __name__ == "__main__":
    FIGURES.write_text(as_text(figures(Path(sys.argv[1]))), encoding="utf-8")
