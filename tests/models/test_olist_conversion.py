"""8,000 real leads: what the end of May showed against what came after, and whether the page still says so."""

from __future__ import annotations

import doctest
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(DOCS))
    yield importlib.import_module("olist")
    sys.modules.pop("olist")


def test_the_page_shows_what_the_export_says(page: Any, olist: Path) -> None:
    found = page.figures(olist)
    committed = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    assert [list(part) for part in committed.items()] == [list(part) for part in found.items()]


def test_the_model_is_closer_to_the_end_than_the_naive_figure(page: Any) -> None:
    figures = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    for row in [*figures["month"], *figures["all"], *(row for row in figures["source"] if row["leads"] > 1_000)]:
        end = row["won_in_the_end"] / row["leads"]
        assert abs(row["rate"] - end) < abs(row["won"] / row["leads"] - end), row["name"]


def test_what_the_page_admits(page: Any) -> None:
    """How many of the limits hold the later figure, as the text of the page says."""
    figures = json.loads(page.FIGURES.read_text(encoding="utf-8"))

    def held(kind: str) -> list[str]:
        return [r["name"] for r in figures[kind] if r["low"] <= r["won_in_the_end"] / r["leads"] <= r["high"]]

    text = " ".join((DOCS / "olist_conversion.md").read_text(encoding="utf-8").split())
    assert held("month") == ["January", "February"]
    assert "the later figure lies within the limits for January and February only" in text
    assert (len(held("source")), len(figures["source"])) == (10, 11)
    assert "for 10 of 11 sources" in text


def test_the_pictures_show_every_group(page: Any) -> None:
    pytest.importorskip("docutils", reason="only the pages need it")
    figures = json.loads(page.FIGURES.read_text(encoding="utf-8"))
    for kind in ("month", "source"):
        drawn = page.picture_of(kind)
        for row in figures[kind]:
            assert f">{row['name']} ({row['leads']:,})</text>" in drawn
        assert drawn.count("<circle") == drawn.count("<rect") == len(figures[kind]) + 1  # and the key
    rows = page.table().split("<tr>")
    assert len(rows) == 2 + sum(map(len, figures.values()))
    assert "<th>January</th><td>1,141</td><td>12.0%</td>" in page.table()
    sys.modules.pop("charts")


def test_every_line_of_the_models_page_runs() -> None:
    failed, tried = doctest.testfile(str(DOCS / "models_conversion.md"), module_relative=False)
    assert tried > 12
    assert failed == 0
