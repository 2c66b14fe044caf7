"""Which number of a workbook each label of the bucket comes from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from math import inf
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from engines import by_name
from made_once import template

from holdwater.bucket import Bucket
from holdwater.errors import FormulaError, NoDataError, NotOurWorkbookError, WorkbookError
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.workbook.describe import describe
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.layout import FIRST_INPUT
from holdwater.workbook.layout import TYPED as TYPED_FROM_ZERO
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.template import write_template

NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)
TYPED = {
    "monthly_revenue": 100.0, "margin_share": 0.8, "monthly_churn": 0.04, "monthly_discount": 0.01,
    "monthly_fixed_cost": 900.0, "lead_work_cost": 5.0, "monthly_sales_cost": 100.0, "sales_people": 2.0,
    "sales_hours": 50.0, "touch_minutes": 30.0, "hours_used": 1.0, "customers_now": 50.0, "service_capacity": 400.0,
    "monthly_referral": 0.01, "horizon_months": 36.0,
}  # fmt: skip
LIMIT = 2 * 50 * 60 / 30  # 200 leads a month


def counts(leads: int, customers: int, spend: float | None = None, judged: int | None = None) -> dict[str, Any]:
    judged = leads if judged is None else judged
    return {
        "leads": leads, "customers": customers, "judged_leads": judged, "judged_customers": customers,
        "open_leads": leads - judged, "days_to_win_median": 12.5, "days_to_win_p90": 40.0, "spend": spend,
    }  # fmt: skip


def report(*flow: int, paid: tuple[int, int, float | None] = (200, 20, 6000.0), won: int = 60) -> Report:
    """Months with so many leads each, the first in July 2026; `paid` is leads, customers and spend of one source."""
    leads, (bought, bought_won, spend) = sum(flow), paid
    return Report(
        as_of=NOW,
        judged_after_days=40.0,
        currency=None if spend is None else "EUR",
        total=Figures(**counts(leads, won, spend)),
        sources=(
            SourceFigures(source="paid_search", **counts(bought, bought_won, spend)),
            SourceFigures(source="organic_search", **counts(leads - bought, won - bought_won)),
        ),
        months=tuple(
            MonthFigures(month=date(2026, 7 + n, 1), **counts(number, won if n == 0 else 0))
            for n, number in enumerate(flow)
        ),
        undated_wins=0,
        unmatched_wins=0,
    )


Book = Callable[..., Path]


@pytest.fixture
def book(tmp_path: Path) -> Book:
    def made(figures: Report | None = None, **typed: float) -> Path:
        path = template(tmp_path / "leads.xlsx", TYPED)
        if typed:
            type_in(path, **typed)
        if figures:
            refresh(path, figures, origin="a test", now=NOW)
        return path

    return made


def type_in(path: Path, **typed: Any) -> None:
    package = Package.open(path)
    rows = {input_.name: row for row, input_ in enumerate(INPUTS, start=FIRST_INPUT + 1)}
    package.set_value("Inputs", {(rows[name], TYPED_FROM_ZERO + 1): value for name, value in typed.items()})
    package.save()


def test_each_label_has_its_source(book: Book) -> None:
    """Per month: 150, 200 and 190 leads; all can be worked, and paid ones buy as often as the others."""
    said = describe(book(report(150, 200, 190, paid=(270, 30, 8100.0))))
    assert said.bucket == Bucket(
        leads=180, cost_per_lead=8100 / 540, next_lead_cost=30, conversion=60 / 540, lead_capacity=LIMIT, lead_cost=5,
        revenue_per_customer=100, gross_margin=0.8, churn=0.04, referral_rate=0.01, discount=0.01, customers=50,
        customer_capacity=400, fixed_cost=1000, horizon=36,
    )  # fmt: skip
    assert (said.period, said.currency) == ("month", "EUR")
    assert said.origin == "a test, as of 2026-10-31 12:00 UTC"


def test_what_is_optional_may_be_empty(book: Book) -> None:
    path = book(report(150, 200, 190, paid=(270, 30, 8100.0)))
    type_in(path, service_capacity=None)
    assert describe(path).bucket.customer_capacity == inf


def test_leads_that_nobody_had_time_for_are_taken_off_once(book: Book, tmp_path: Path) -> None:
    """400 leads a month, half of which can be worked: what won 60 of 1,200 leads won 60 of 600 that were worked."""
    bucket = describe(book(report(400, 400, 400, paid=(600, 30, 18_000.0)))).bucket
    assert bucket.conversion == pytest.approx(60 / 600)
    shown = by_name(tmp_path / "leads.xlsx", "Results")
    assert shown["BUCKET_PROFIT"] == pytest.approx(bucket.profit(), rel=1e-12), "the workbook counts them so too"
    assert sum(shown[f"PROJECTION {month} burned"] for month in range(1, 37)) == pytest.approx(36 * 200)
    won_in_the_crm, months = 60, 3
    first = bucket.projection()[0]
    assert first["new"] - 0.01 * 50 == pytest.approx(won_in_the_crm / months)  # less the referred
    grown = describe(book(report(100, 300, 400, paid=(400, 30, 18_000.0)))).bucket
    assert grown.conversion == pytest.approx(60 / (100 + 200 + 200)), "month by month: the first had time for all"


def test_hours_that_cannot_have_been_enough_are_told(book: Book) -> None:
    path = book(report(400, 400, 400, paid=(600, 30, 18_000.0)), touch_minutes=2400.0)  # 2.5 a month for 20 customers
    with pytest.raises(NoDataError, match="More customers were won than the hours"):
        describe(path)
    type_in(path, sales_people=0)
    with pytest.raises(FormulaError):
        describe(path)


def test_the_next_leads_cost_what_one_as_good_as_the_average_costs(book: Book) -> None:
    """Of paid leads 5 % buy, of all 10 %: one as good takes two, at 30 each, and the second has to be worked too."""
    said = describe(book(report(200, 200, 200, paid=(200, 10, 6000.0))))
    assert said.bucket.next_lead_cost == pytest.approx(2 * 30 + 5)
    assert any("takes 2.00 of them" in note for note in said.notes)
    worth = 0.05 * 0.8 * 100 / (0.04 + 0.01) - 5  # of one paid lead, with room for everybody and without the referred
    for price in (worth - 1, worth + 1):
        paid = (200, 10, 200 * price)
        said = describe(
            book(report(200, 200, 200, paid=paid), monthly_referral=0, service_capacity=9999, sales_people=20)
        )
        assert (said.bucket.diagnosis().lead_worth > 0) == (price < worth)


def test_what_paid_leads_bring_must_be_known(book: Book) -> None:
    with pytest.raises(NoDataError, match="cost money has become a customer"):
        describe(book(report(200, 200, 200, paid=(200, 0, 6000.0))))


def test_a_further_lead_is_never_cheaper_than_nothing(book: Book) -> None:
    said = describe(book(report(200, 200, 200, paid=(200, 58, 20.0)), lead_work_cost=50.0))
    assert said.bucket.next_lead_cost == 0
    assert any("taken as 0" in note for note in said.notes)


def test_what_is_missing_is_named_with_what_to_fill_in(book: Book) -> None:
    path = book()
    write_template(path)
    with pytest.raises(NoDataError) as caught:
        describe(path)
    for label in ("Revenue per customer and month", "Gross margin", "People who work leads", "Minutes per touch"):
        assert label in str(caught.value)
    assert "sync a CRM" in str(caught.value)
    with pytest.raises(NoDataError, match="no complete month of leads"):
        describe(book())
    with pytest.raises(NoDataError, match="No spend is known"):
        describe(book(report(200, 200, 200, paid=(200, 10, None))))


@pytest.mark.parametrize(("value", "cell_error"), [("four", "#VALUE!"), (4, "#NUM!"), (True, "#VALUE!")])
def test_a_wrong_input_is_named_with_what_is_allowed(book: Book, value: Any, cell_error: str) -> None:
    path = book(report(150, 200, 190))
    type_in(path, monthly_churn=value)
    with pytest.raises(FormulaError, match="Customers lost per month on the sheet Inputs is not right") as caught:
        describe(path)
    assert caught.value.cell == cell_error
    assert "allowed is 0 to 1" in str(caught.value)


def test_a_text_in_a_column_of_numbers_is_no_zero(book: Book) -> None:
    path = book(report(150, 200, 190))
    package = Package.open(path)
    body = package.table("hw_months").body
    package.set_value("Months", {(body.first_row, body.first_column + 1): "many"})
    package.save()
    with pytest.raises(WorkbookError, match="on the sheet Months is no number"):
        describe(path)


ROWS = [("Leads", 100), ("cost per lead", 15), ("Conversion", 0.1), (None, None), ("revenue-per-customer", 50),
        ("gross margin", 0.8), ("churn", 0.05), ("lead capacity", 80)]  # fmt: skip


def foreign(path: Path, rows: list[tuple[Any, ...]], kind: str = "sheet", top: int = 1) -> Path:
    """A workbook that nobody here made, with the rows on a sheet, in a table or in a range called bucket."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Bucket" if kind == "sheet" else "Plan"
    for row, cells in enumerate(rows, start=top):
        for column, cell in enumerate(cells, start=1):
            sheet.cell(row, column, cell)
    last = top + len(rows) - 1
    if kind == "range":
        workbook.defined_names["bucket"] = openpyxl.workbook.defined_name.DefinedName(
            "bucket", attr_text=f"Plan!$A${top}:$B${last}"
        )
    elif kind == "table":
        sheet.add_table(openpyxl.worksheet.table.Table(displayName="Bucket", ref=f"A{top}:C{last}"))
    workbook.save(path)
    workbook.close()
    return path


def test_a_workbook_of_ones_own_may_hold_labels_and_values(tmp_path: Path) -> None:
    gym = Bucket(leads=100, cost_per_lead=15, conversion=0.1, revenue_per_customer=50, gross_margin=0.8, churn=0.05,
                 lead_capacity=80)  # fmt: skip
    notes = [(*row, "why so") for row in ROWS]
    kinds: dict[str, list[tuple[Any, ...]]] = {
        "sheet": [("Label", "Value"), *ROWS], "range": [*ROWS], "table": [("Label", "Value", "Note"), *notes],
    }  # fmt: skip
    for kind, rows in kinds.items():
        said = describe(foreign(tmp_path / f"{kind}.xlsx", rows, kind, top=1 if kind == "sheet" else 4))
        assert said.bucket == gym, kind
        assert said.origin == f"{kind}.xlsx"
        assert said.period == "period"


def test_a_foreign_workbook_says_how_to_proceed(tmp_path: Path) -> None:
    path = foreign(tmp_path / "plan.xlsx", ROWS, "neither")
    with pytest.raises(NotOurWorkbookError, match="sheet, table or range named bucket"):
        describe(path)


def test_bad_rows_are_told_as_in_a_cell(tmp_path: Path) -> None:
    path = tmp_path / "own.xlsx"
    for rows, words in (
        ([*ROWS, ("chrun", 0.1)], "closest is churn"),
        (ROWS[:-2], "churn is missing"),
        ([*ROWS[:-2], ("churn", "5 %")], "churn is '5 %'"),
        ([*ROWS[:-2], ("churn", 5)], "churn is 5; allowed is 0 to 1"),
        ([], "is empty"),
    ):
        with pytest.raises(FormulaError, match=words):
            describe(foreign(path, rows))


def test_a_formula_that_was_never_computed_is_no_empty_cell(tmp_path: Path) -> None:
    with pytest.raises(WorkbookError, match="B8 on the sheet Bucket was never computed"):
        describe(foreign(tmp_path / "own.xlsx", [*ROWS[:-1], ("lead capacity", "=8*10")]))


def test_our_own_tables_come_before_a_sheet_called_bucket(book: Book) -> None:
    path = book(report(150, 200, 190))
    before = describe(path)
    workbook = openpyxl.load_workbook(path, data_only=True)
    workbook.create_sheet("bucket").append(("leads", 7))
    workbook.save(path)
    workbook.close()
    assert describe(path) == before
