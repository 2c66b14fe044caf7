"""The workbook in real LibreOffice Calc, without any add-in."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from holdwater.demo import demo
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.workbook.refresh import refresh
from holdwater.workbook.template import write_template

pytestmark = pytest.mark.slow

NO_SPEND = {
    "leads": 300, "customers": 36, "judged_leads": 280, "judged_customers": 36, "open_leads": 20,
    "days_to_win_median": 12.0, "days_to_win_p90": 40.0, "spend": None,
}  # fmt: skip


def without_spend(book: Path) -> None:
    """Some figures are errors then, and no guard may let them through."""
    now = datetime(2026, 10, 31, tzinfo=UTC)
    sources = (SourceFigures(source="organic_search", **NO_SPEND),)  # type: ignore[arg-type]  # the names are right
    months = (MonthFigures(month=date(2026, 9, 1), **NO_SPEND),)  # type: ignore[arg-type]  # likewise
    figures = Report(
        as_of=now, judged_after_days=40.0, currency=None, total=Figures(**NO_SPEND),  # type: ignore[arg-type]  # likewise
        sources=sources, months=months, undated_wins=0, unmatched_wins=0,
    )  # fmt: skip
    typed = {"monthly_revenue": 100, "margin_share": 0.8, "monthly_churn": 0.04, "sales_people": 2, "sales_hours": 160}
    write_template(book, typed | {"touch_minutes": 30.0})
    assert refresh(book, figures, origin="a test", now=now).said[0].startswith("A lead may cost up to ")


@pytest.mark.parametrize("kind", ["demo", "template", "no spend"])
def test_calc_computes_what_the_cells_show(tmp_path: Path, calc: Callable[..., Path], kind: str) -> None:
    book = tmp_path / "book.xlsx"
    if kind == "demo":
        demo(book, seed=3)
    elif kind == "no spend":
        without_spend(book)
    else:
        write_template(book)
    formulas = openpyxl.load_workbook(book)
    shown = openpyxl.load_workbook(book, data_only=True)
    computed = openpyxl.load_workbook(calc(book), data_only=True)
    wrong, seen = [], 0
    for sheet in formulas.worksheets:
        for cell in (cell for row in sheet.iter_rows() for cell in row if cell.data_type == "f"):
            ours, theirs = shown[sheet.title][cell.coordinate].value, computed[sheet.title][cell.coordinate].value
            seen += 1
            numbers = isinstance(ours, (int, float)) and isinstance(theirs, (int, float))
            same = (
                math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-12) if numbers else (ours or "") == (theirs or "")
            )
            if not same:
                wrong.append(f"{sheet.title}!{cell.coordinate} {cell.value}: shows {ours!r}, Calc {theirs!r}")
    assert seen > 100
    assert wrong == []
