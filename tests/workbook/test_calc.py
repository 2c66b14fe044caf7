"""Whole workbooks in LibreOffice Calc, without any add-in, in IronCalc, and beside the library called directly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest
from engines import formula_cells, values
from library_results import library_results, table_of_results
from simulated_books import demo_book, exporters_book, newcomers_book

from holdwater.crm.files import Exports
from holdwater.metrics.customer_figures import LeadWeek
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.metrics.reporting import report
from holdwater.store.database import Store
from holdwater.store.sync import sync
from holdwater.workbook.refresh import refresh
from holdwater.workbook.template import write_template

pytestmark = pytest.mark.slow

MAPPING = Path(__file__).parents[1] / "crm" / "fixtures" / "olist.toml"

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
        weeks=(LeadWeek(week=date(2026, 9, 28), leads=300, won=36),),
    )  # fmt: skip
    typed = {"monthly_revenue": 100, "margin_share": 0.8, "monthly_churn": 0.04, "sales_people": 2, "sales_hours": 160}
    write_template(book, typed | {"touch_minutes": 30.0})
    assert refresh(book, figures, origin="a test", now=now).said[0].startswith("A lead may cost up to ")


def of_olist(book: Path, folder: Path) -> None:
    """8,000 real leads; what they cost and what the customers pay is made up."""
    typed = {"monthly_revenue": 400, "margin_share": 0.5, "monthly_churn": 0.06, "sales_people": 8, "sales_hours": 120}
    write_template(book, typed | {"touch_minutes": 45.0})
    with Store.open(book.with_suffix(".db")) as store:
        sync(Exports(folder, MAPPING), store)
        figures = report(store)
    sources = tuple(replace(row, spend=row.leads * 9.5) if row.leads > 1000 else row for row in figures.sources)
    refresh(book, replace(figures, sources=sources, currency="BRL"), origin="Olist", now=figures.as_of)


SIMULATED = {"demo": demo_book, "exporter": exporters_book, "newcomer": newcomers_book}


@pytest.fixture(scope="module", params=[*SIMULATED, "template", "no spend", "olist"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A kind of workbook, made once for all tests of it."""
    kind, book = request.param, tmp_path_factory.mktemp("filled") / "book.xlsx"
    if kind in SIMULATED:
        SIMULATED[kind](book)
    elif kind == "no spend":
        without_spend(book)
    elif kind == "olist":
        of_olist(book, request.getfixturevalue("olist"))
    else:
        write_template(book)
    return kind, book


def test_calc_and_ironcalc_compute_what_the_cells_show(filled: tuple[str, Path], calc: Callable[..., Path]) -> None:
    kind, book = filled
    cells = formula_cells(book)
    assert [cell for cell in cells if not cell.agrees] == []
    computed = openpyxl.load_workbook(calc(book), data_only=True)
    wrong = []
    for cell in cells:
        sheet, _, place = cell.place.partition("!")
        in_calc = replace(cell, computed=computed[sheet][place].value)
        if not in_calc.agrees:
            wrong.append(in_calc)
    assert len(cells) > 500
    assert wrong == []
    if kind != "template":
        says = {str(cell.cached) for cell in cells if cell.place.startswith("Checks!D") and cell.cached}
        assert {word for word in says if not word.startswith("not told")} == {"OK", "Results are current."}


def test_every_result_is_the_librarys(filled: tuple[str, Path]) -> None:
    kind, book = filled
    shown = table_of_results(book)
    if kind in ("template", "no spend"):
        assert shown.keys() <= {"COMPUTED", "INPUTS", "VERDICT", "FIX_SEQUENCE", None}, "the rest waits for a verdict"
        return
    wanted = dict(library_results(book))
    assert shown.keys() - wanted.keys() == {"COMPUTED", "INPUTS"} | ({"SPEND_SPLIT"} if kind == "exporter" else set())
    assert len(wanted) > 150
    for key, value in wanted.items():
        assert shown[key] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-9, abs=1e-9)), key


@pytest.mark.parametrize("filled", ["exporter"], indirect=True)
def test_the_exporter_keeps_books_unlike_the_others(filled: tuple[str, Path]) -> None:
    """What is typed for the accountant reaches the cells that the engines have just computed."""
    _, book = filled
    months = openpyxl.load_workbook(book, data_only=True)["Months"]
    headers = {str(cell.value): cell.column for cell in months[5]}
    rows = [row for row in months.iter_rows(min_row=6) if row[0].value is not None]
    years = {(row[0].value.month, row[headers["Fiscal year"] - 1].value - row[0].value.year) for row in rows}
    assert years == {(month, int(month >= 4)) for month in range(1, 13)}
    about = {v for v in values(book, "About").values() if isinstance(v, str)}
    assert {"America/New_York", "EUR"} <= about
    weeks = [row[0].value for row in openpyxl.load_workbook(book)["Weeks"].iter_rows(min_row=6) if row[0].value]
    assert {week.isoweekday() for week in weeks} == {7}
