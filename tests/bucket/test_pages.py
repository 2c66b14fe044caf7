"""The pages about the bucket: what they print is what comes out."""

from __future__ import annotations

import doctest
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("page", ["capacity.md", "fixes.md"])
def test_every_line_of_the_page_runs(page: str) -> None:
    failed, tried = doctest.testfile(str(DOCS / page), module_relative=False)
    assert tried > 3
    assert failed == 0


def test_the_chart_of_capacity_shows_the_computed_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root of 0.3 / 150 N^2 - 0.24 N = new customers, and new customers / 0.03."""
    pytest.importorskip("docutils", reason="only the pages need it")
    monkeypatch.syspath_prepend(str(DOCS))
    import charts  # type: ignore[import-not-found, unused-ignore]  # lives beside the pages

    drawn = charts.capacity()
    roots = [(0.24 + (0.24**2 + 4 * 0.002 * new) ** 0.5) / (2 * 0.002) for new in (10, 20)]
    assert f">{roots[0]:.0f}<" in drawn
    assert f">{roots[1]:.0f} (+{(roots[1] / roots[0] - 1) * 100:.1f} %)<" in drawn
    assert ">333<" in drawn
    assert ">667 (+100 %)<" in drawn
    assert drawn.count("stroke-dasharray") == 1, "the lines differ without colour too"
    del sys.modules["charts"]
