"""Refreshing the real template: right values, nothing of the person's lost, nothing written twice."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from engines import formula_cells, values

import holdwater
from holdwater.bucket import Bucket, one_more_lead, profit
from holdwater.errors import NotOurWorkbookError, WorkbookError, WorkbookLockedError
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.template import write_template

NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)
TYPED = {
    "monthly_revenue": 100.0,
    "margin_share": 0.8,
    "monthly_churn": 0.04,
    "monthly_discount": 0.01,
    "lead_work_cost": 5.0,
    "sales_people": 2.0,
    "sales_hours": 80.0,
    "touch_minutes": 30.0,
    "customers_now": 50.0,
}


def counts(leads: int, customers: int, spend: float | None = None, young: int = 0) -> dict[str, Any]:
    return {
        "leads": leads,
        "customers": customers,
        "judged_leads": leads - young,
        "judged_customers": customers,
        "open_leads": young,
        "days_to_win_median": 12.5,
        "days_to_win_p90": 40.0,
        "spend": spend,
    }


REPORT = Report(
    as_of=NOW,
    judged_after_days=40.0,
    currency="USD",
    total=Figures(**counts(600, 60, 9000.0, 40)),
    sources=(
        SourceFigures(source="paid_search", **counts(300, 36, 9000.0, 20)),
        SourceFigures(source="organic_search", **counts(280, 23, None, 20)),
        SourceFigures(source=None, **counts(20, 1)),
    ),
    months=(
        MonthFigures(month=date(2026, 6, 1), **counts(200, 20, 3000.0)),
        MonthFigures(month=date(2026, 8, 1), **counts(210, 20, 3000.0)),
        MonthFigures(month=date(2026, 9, 1), **counts(150, 20, 3000.0, 10)),
        MonthFigures(month=date(2026, 10, 1), **counts(40, 0, None, 30)),
    ),
    undated_wins=1,
    unmatched_wins=2,
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "leads.xlsx"
    write_template(path, TYPED)
    return path


def refreshed(book: Path, report: Report = REPORT, **named: Any) -> Any:
    return refresh(book, report, origin="a test", now=NOW, **named)


def test_an_empty_template_shows_no_error_where_a_person_looks(book: Path) -> None:
    bare = book.with_name("bare.xlsx")
    write_template(bare)
    for path in (book, bare):
        today = [c for c in formula_cells(path) if c.place.startswith("Today!")]
        assert len(today) > 60
        assert [c for c in today if not c.agrees or str(c.cached).startswith("#")] == []


def test_every_formula_cell_computes_to_the_value_it_shows(book: Path) -> None:
    refreshed(book)
    cells = formula_cells(book)
    assert [c for c in cells if not c.agrees] == []
    assert sum(isinstance(c.cached, float) for c in cells) > 40


def test_the_figures_are_the_librarys(book: Path) -> None:
    refreshed(book)
    shown = dict(zip((values(book, "Figures")[f"A{row}"] for row in range(5, 20)),
                     (values(book, "Figures")[f"B{row}"] for row in range(5, 20)), strict=True))  # fmt: skip
    conversion = 36 / 280
    ltv = holdwater.ltv(80, 0.04, 0.01)
    allowed = holdwater.allowable_cac(ltv, 3, 80, 0.04, 12)
    expected = {
        "Leads per month": (0 + 210 + 150) / 3,  # July had no lead: it counts all the same
        "Leads that can be worked per month": holdwater.lead_capacity(2, 80, 30),
        "Customers per paid lead": conversion,
        "Lifetime value of a customer": ltv,
        "What a customer may cost": allowed,
        "What a lead may cost": holdwater.allowable_cpl(allowed, conversion, 5),
        "What a lead costs": holdwater.cpl(9000, 300),
        "What a lead is worth": holdwater.lead_value(ltv, conversion, 5),
        "What a customer costs": holdwater.cac(9000, 36),
        "Lifetime value for each 1 of cost": holdwater.ltv_cac(ltv, 250),
        "Months to pay back": holdwater.payback(250, 80, 0.04, 0.01),
        "Customers where growth ends": holdwater.customers_ceiling(120 * conversion, 0.04),
        "Revenue next month": holdwater.capacity_revenue(120, conversion, 100, 256, 50, 0.04),
    }
    for label, value in expected.items():
        assert shown[label] == pytest.approx(value, rel=1e-12), label


def test_results_that_need_a_loop(book: Path) -> None:
    refreshed(book)
    bucket = Bucket(
        leads=120, cost_per_lead=9000 / 600, next_lead_cost=30, conversion=36 / 280, lead_capacity=256, lead_cost=5,
        revenue_per_customer=100, gross_margin=0.8, churn=0.04, discount=0.01, customers=50, horizon=24,
    )  # fmt: skip
    shown = values(book, "Results")
    assert shown["B6"] == pytest.approx(one_more_lead(bucket), rel=1e-12)
    assert shown["B7"] == pytest.approx(profit(bucket), rel=1e-12)


def test_the_first_sheet_says_what_to_do(book: Path) -> None:
    said = refreshed(book).said
    assert said[0] == "More leads pay: one costs 30.00 and may cost 63.57."
    assert said[1] == "Sales: 120 leads a month for 256 that can be worked: room for 136 more."
    dear = replace(REPORT, sources=(replace(REPORT.sources[0], spend=30_000.0), *REPORT.sources[1:]))
    assert refreshed(book, dear).said[0].startswith("Leads are too dear: one costs 100.00 and may cost 63.57.")
    lossy = replace(REPORT, sources=(replace(REPORT.sources[0], spend=90_000.0), *REPORT.sources[1:]))
    assert refreshed(book, lossy).said[0].startswith("Each lead loses money: one costs 300.00")
    flood = tuple(replace(month, leads=month.leads * 9) for month in REPORT.months)
    assert refreshed(book, replace(REPORT, months=flood)).said[0].startswith("Make room first")
    assert [c for c in formula_cells(book) if not c.agrees] == []


def test_twice_changes_nothing_and_writes_nothing(book: Path) -> None:
    assert refreshed(book).changed
    before = book.read_bytes(), book.stat().st_mtime_ns
    again = refresh(book, REPORT, origin="a test", now=datetime(2026, 11, 5, tzinfo=UTC))
    assert not again.changed
    assert (book.read_bytes(), book.stat().st_mtime_ns) == before


def test_the_lambda_names_ride_along(book: Path, ironcalc: Callable[..., list[Any]]) -> None:
    names = {n.name: n.attr_text for n in openpyxl.load_workbook(book).defined_names.values()}
    lambdas = {name: text for name, text in names.items() if "LAMBDA" in text}
    assert "LTV" in lambdas
    computed = ironcalc(
        [([30, 0.04], ["LTV(A1,B1)"])], {name: text.removeprefix("=") for name, text in lambdas.items()}
    )
    assert computed == [[750.0]]


def test_no_name_is_also_a_function(shared: Path, book: Path) -> None:
    """A cell named like a function of the catalogue would hide it, or be hidden."""
    catalogue = (shared / "formulas.md").read_text()
    cells = {n.name.upper() for n in openpyxl.load_workbook(book).defined_names.values() if "LAMBDA" not in n.attr_text}
    assert len(cells) > 40
    assert not [name for name in cells if f"{name}(" in catalogue]


def type_in(book: Path, **inputs: Any) -> None:
    """As a person types, cell by cell; nothing is computed."""
    package = Package.open(book)
    rows = {i.name: position for position, i in enumerate(INPUTS, start=5)}
    package.set_value("Inputs", {(rows[name], 3): value for name, value in inputs.items()})
    package.save()


def parts(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def test_what_a_person_added_stays(book: Path) -> None:
    refreshed(book)
    mine = openpyxl.load_workbook(book)  # it is their file: another program, another sheet, notes beside our tables
    mine["Sources"]["R6"] = "ask Mia about this"
    mine["Sources"]["B2"] = "=SUM(hw_sources[Leads])"
    mine["Today"]["B40"] = "=C11*2"
    notes = mine.create_sheet("My notes")
    notes["A1"] = "=Inputs!C5"
    mine.save(book)
    before = parts(book)
    longer = replace(REPORT, sources=(*REPORT.sources, SourceFigures(source="email", **counts(9, 6))))
    assert refreshed(book, longer).changed
    after = openpyxl.load_workbook(book)
    assert after["Sources"]["R6"].value == "ask Mia about this"
    assert after["Sources"]["B2"].value == "=SUM(hw_sources[Leads])"
    assert after["Today"]["B40"].value == "=C11*2"
    assert after["My notes"]["A1"].value == "=Inputs!C5"
    assert after["Sources"]["A9"].value == "email"
    notes_part = [name for name in before if before[name] == parts(book).get(name)]
    assert len(notes_part) > len(before) / 2


def test_a_changed_input_turns_the_results_stale(book: Path) -> None:
    refreshed(book)
    assert values(book, "Today")["B7"] == "Results are current."
    type_in(book, monthly_churn=0.08)
    stale = {c.place: c.computed for c in formula_cells(book)}
    assert stale["Today!B7"].startswith("STALE")
    assert refreshed(book).changed
    assert values(book, "Today")["B7"] == "Results are current."


@pytest.mark.parametrize(
    ("name", "wrong", "error"), [("monthly_churn", 4, "#NUM!"), ("margin_share", "much", "#VALUE!")]
)
def test_a_wrong_input_shows_its_error_and_no_number(book: Path, name: str, wrong: Any, error: str) -> None:
    type_in(book, **{name: wrong})
    said = refreshed(book).said
    assert said[0] == "Fill in the sheet Inputs: what a lead may cost follows from them."
    assert error in values(book, "Inputs").values()
    assert values(book, "Figures")["B9"] == error
    assert [c for c in formula_cells(book) if not c.agrees] == []


@pytest.mark.parametrize("trouble", ["missing", "not a workbook", "not ours", "open in Excel", "renamed column"])
def test_a_workbook_that_cannot_be_refreshed_stays_as_it_was(book: Path, trouble: str) -> None:
    refreshed(book)
    kinds: dict[str, tuple[type[Exception], str]] = {
        "missing": (WorkbookError, "no workbook at"),
        "not a workbook": (WorkbookError, "leads.xlsx"),
        "not ours": (NotOurWorkbookError, "holdwater template"),
        "open in Excel": (WorkbookLockedError, "lose it"),
        "renamed column": (NotOurWorkbookError, "other columns"),
    }
    if trouble == "missing":
        book.unlink()
    elif trouble == "not a workbook":
        book.write_text("leads,customers\n1,2\n")
    elif trouble == "not ours":
        openpyxl.Workbook().save(book)
    elif trouble == "open in Excel":
        book.with_name("~$leads.xlsx").write_bytes(b"\x05owner")
    else:
        renamed = openpyxl.load_workbook(book)
        renamed["Sources"]["B5"] = "Enquiries"
        renamed["Sources"].tables["hw_sources"].tableColumns[1].name = "Enquiries"
        renamed.save(book)
    before = book.read_bytes() if book.exists() else None
    kind, message = kinds[trouble]
    with pytest.raises(kind, match=message):
        refreshed(book, replace(REPORT, sources=()))
    assert (book.read_bytes() if book.exists() else None) == before


def test_names_lead_to_the_inputs_wherever_they_have_moved(book: Path) -> None:
    package = Package.open(book)
    assert package.defined_names()["monthly_churn_typed"] == "Inputs!$C$7"
    renamed = openpyxl.load_workbook(book)
    renamed["Inputs"].title = "Our inputs"
    for name in renamed.defined_names.values():
        name.attr_text = name.attr_text.replace("Inputs!", "'Our inputs'!")
    renamed.save(book)
    outcome = refreshed(book)
    assert outcome.said[0].startswith("More leads pay")
    assert "Inputs" in outcome.left_alone
