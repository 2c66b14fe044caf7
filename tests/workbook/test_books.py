"""How the books are kept, as typed on Inputs: clock, week, fiscal year, currency and rates reach every figure."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from engines import by_name, formula_cells, values
from made_once import template
from test_refresh import NOW, REPORT, TYPED, type_in

from holdwater.cli import main
from holdwater.crm.connector import Page
from holdwater.crm.records import Customer, Lead, Money, Record, Spend
from holdwater.errors import WorkbookError
from holdwater.metrics.conventions import UNSAID, Conventions
from holdwater.metrics.customer_figures import CustomerMonth, Share
from holdwater.store.database import Store
from holdwater.store.runs import Run
from holdwater.workbook.books import conventions_of
from holdwater.workbook.explain import explain
from holdwater.workbook.layout import RATES_TOP
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.restated import close_books, records_behind

CHECKS_LINE = "Checks!A3"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return template(tmp_path / "leads.xlsx", TYPED)


def put(book: Path, sheet: str, **cells: Any) -> None:
    package = Package.open(book)
    package.set_value(sheet, {(int(place[1:]), ord(place[0]) - 64): value for place, value in cells.items()})
    package.save()


def type_rates(book: Path, *rates: tuple[Any, Any]) -> None:
    cells: dict[str, Any] = {}
    for row, (code, rate) in enumerate(rates, start=RATES_TOP + 1):
        cells |= {f"B{row}": code, f"C{row}": rate}
    put(book, "Inputs", **cells)


def computed(book: Path) -> dict[str, Any]:
    return {cell.place: cell.computed for cell in formula_cells(book)}


def test_an_untouched_template_keeps_books_as_most_do(book: Path) -> None:
    assert conventions_of(Package.open(book)) == UNSAID


def test_what_is_typed_is_what_is_meant(book: Path) -> None:
    type_in(book, time_zone=" Europe/Berlin ", week_start=7, books_currency="eur")
    type_rates(book, ("usd", 0.92), (None, None), ("JPY", 0.0061))
    assert conventions_of(Package.open(book)) == Conventions("Europe/Berlin", 7, "EUR", {"USD": 0.92, "JPY": 0.0061})


@pytest.mark.parametrize(
    ("typed", "rates", "said"),
    [
        ({"time_zone": "Berlin"}, (), "Time zone is 'Berlin'"),
        ({"time_zone": 1}, (), "Time zone is 1"),
        ({"week_start": 8}, (), "First day of the week is 8"),
        ({"fiscal_start": "April"}, (), "First month of the fiscal year is 'April'; type 1 for January"),
        ({"fiscal_start": 13}, (), "First month of the fiscal year is 13"),
        ({"fiscal_start": 4.5}, (), "First month of the fiscal year is 4.5"),
        ({"week_start": "Monday"}, (), "First day of the week is 'Monday'"),
        ({"books_currency": "Euro"}, (), "Currency of the books is 'Euro'"),
        ({"books_currency": "EUR"}, (("USD", None),), "the rate of USD is None"),
        ({"books_currency": "EUR"}, (("USD", 0),), "the rate of USD is 0"),
        ({"books_currency": "EUR"}, (("USD", "0,92"),), "the rate of USD is '0,92'"),
        ({"books_currency": "EUR"}, ((None, 0.92),), "a currency with a rate is None"),
        ({"books_currency": "EUR"}, (("USD", 0.92), ("usd", 0.93)), "USD has two rates"),
        ({"books_currency": "EUR"}, (("EUR", 1.1),), "EUR is the currency of the books"),
        ({}, (("USD", 0.92),), "a rate for USD, but Currency of the books is empty"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    book: Path, typed: dict[str, Any], rates: tuple[tuple[Any, Any], ...], said: str
) -> None:
    type_in(book, **typed)
    type_rates(book, *rates)
    with pytest.raises(WorkbookError, match=r"leads\.xlsx, sheet Inputs: ") as caught:
        conventions_of(Package.open(book))
    assert said in str(caught.value)


@pytest.mark.parametrize("typed", [{"time_zone": "Asia/Tokyo"}, {"week_start": 7}, {"books_currency": "EUR"}])
def test_what_is_typed_later_turns_the_results_stale(book: Path, typed: dict[str, Any]) -> None:
    refresh(book, REPORT, origin="a test", now=NOW)
    assert computed(book)[CHECKS_LINE].startswith("OK")
    type_in(book, **typed)
    assert computed(book)[CHECKS_LINE].startswith("STALE")


def test_a_rate_typed_later_turns_the_results_stale(book: Path) -> None:
    type_in(book, books_currency="EUR")
    refresh(book, REPORT, origin="a test", now=NOW)
    assert computed(book)[CHECKS_LINE].startswith("OK")
    type_rates(book, ("USD", 0.92))
    assert computed(book)[CHECKS_LINE].startswith("STALE")
    refresh(book, REPORT, origin="a test", now=NOW)
    assert computed(book)[CHECKS_LINE].startswith("OK")


def customer_month(year: int, month: int, new: int, lost: int) -> CustomerMonth:
    return CustomerMonth(month=date(year, month, 1), new=new, lost=lost, churned=Share(count=0, of=0), complete=True)


def test_fiscal_years_begin_with_the_typed_month(book: Path) -> None:
    months = tuple(customer_month(2026, month, month, 1) for month in range(6, 11))
    report = replace(REPORT, customer_months=months)
    refresh(book, report, origin="a test", now=NOW)
    sheet = values(book, "Years")
    # June to October: 200 + 0 + 210 + 150 + 40 leads, and 6 + 7 + 8 + 9 + 10 customers
    assert [sheet.get(f"{c}6") for c in "ABCDEF"] == [2026, 600, 60, 9000, 40, 5]
    assert sheet.get("A7") in (None, "")
    assert [cell for cell in formula_cells(book) if not cell.agrees] == []

    type_in(book, fiscal_start=10)
    refresh(book, report, origin="a test", now=NOW)
    sheet = values(book, "Years")
    assert [sheet.get(f"{c}6") for c in "ABCDEF"] == [2026, 560, 60, 9000, 30, 4]
    assert [sheet.get(f"{c}7") for c in "ABCDEF"] == [2027, 40, 0, 0, 10, 1]
    assert sheet.get("B8") in (None, "")
    assert [cell for cell in formula_cells(book) if not cell.agrees] == []
    assert values(book, "Months")["N6"] == 2026  # June


def test_a_year_says_nothing_of_what_is_not_known(book: Path) -> None:
    """No spend, no billing; then a billing that is older than the leads."""
    unspent = replace(
        REPORT,
        sources=tuple(replace(row, spend=None) for row in REPORT.sources),
        months=tuple(replace(row, spend=None) for row in REPORT.months),
    )
    refresh(book, unspent, origin="a test", now=NOW)
    sheet = values(book, "Years")
    assert [sheet.get(f"{c}6") for c in "ABCDEF"] == [2026, 600, 60, "–", "–", "–"]  # noqa: RUF001  # as figures have it
    assert [cell for cell in formula_cells(book) if not cell.agrees] == []

    older = tuple(customer_month(2021, month, 10, 2) for month in range(11, 13))
    refresh(book, replace(unspent, customer_months=older), origin="a test", now=NOW)
    sheet = values(book, "Years")
    assert [sheet.get(f"{c}6") for c in "ABCDEF"] == [2021, "–", "–", "–", 20, 4]  # noqa: RUF001  # likewise
    assert [sheet.get(f"{c}11") for c in "ABCDEF"] == [2026, 600, 60, "–", "–", "–"]  # noqa: RUF001  # likewise
    assert sheet.get("A12") in (None, "")
    assert [cell for cell in formula_cells(book) if not cell.agrees] == []


def test_weeks_reach_their_sheet_and_the_checks(book: Path) -> None:
    refresh(book, REPORT, origin="a test", now=NOW)
    assert [values(book, "Weeks").get(f"{c}6") for c in "BC"] == [560, 58]
    put(book, "Weeks", B6=559)
    assert computed(book)[CHECKS_LINE].startswith("FAIL")


@pytest.mark.repeats
@pytest.mark.parametrize(("sheet", "place"), [("Months", "A7"), ("Weeks", "A6"), ("Customers", "A6")])
def test_a_changed_date_fails_the_checks(book: Path, sheet: str, place: str) -> None:
    report = replace(REPORT, customer_months=(customer_month(2026, 9, 4, 1), customer_month(2026, 10, 4, 1)))
    refresh(book, report, origin="a test", now=NOW)
    assert computed(book)[CHECKS_LINE].startswith("OK")
    put(book, sheet, **{place: date(2020, 3, 1)})
    assert computed(book)[CHECKS_LINE].startswith("FAIL")


# From the store to the workbook

LATE = datetime(2026, 8, 31, 23, 30, tzinfo=UTC)  # in Berlin the first of September


def records() -> list[Record]:
    found: list[Record] = [
        Lead(id=str(n), created_at=LATE + timedelta(days=n - 5), updated_at=NOW, source="email") for n in range(10)
    ]
    found.append(Customer(id="c", lead_id="5", started_at=LATE, updated_at=NOW))
    for currency, amount in (("EUR", "100.00"), ("USD", "50.00")):
        money = Money.of(Decimal(amount), currency, amount)
        found.append(Spend(id=currency, day=date(2026, 9, 5), amount=money, updated_at=NOW, source="email"))
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    path = tmp_path / "store.db"
    with Store.open(path) as opened:
        opened.keep("hubspot:1", Page("any", records()))
        opened.log("hubspot:1", Run(started_at=NOW, status="done"))
    return path


def refreshed(book: Path, store: Path) -> int:
    return main(["refresh", str(book), "--store", str(store), "--as-of", "2026-10-31"])


def test_a_refresh_uses_what_is_typed(book: Path, store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = book.read_bytes()
    assert refreshed(book, store) != 0
    assert "several currencies (EUR, USD)" in capsys.readouterr().err
    type_in(book, books_currency="EUR", time_zone="Europe/Berlin", week_start=7)
    typed = book.read_bytes()
    assert refreshed(book, store) != 0
    assert "Some spend is in USD" in capsys.readouterr().err
    assert book.read_bytes() == typed != before
    type_rates(book, ("USD", 0.9))
    assert refreshed(book, store) == 0
    assert [values(book, "Sources").get(f"{c}6") for c in "AI"] == ["email", 145.0]
    months = values(book, "Months")
    assert [months.get(f"B{row}") for row in (6, 7)] == [5, 5]  # by UTC it would be 6 and 4
    assert values(book, "Customers")["B6"] == 1
    assert by_name(book, "About")["Time zone of days and months"] == "Europe/Berlin"
    assert by_name(book, "About")["Rate of one USD in EUR"] == 0.9
    assert computed(book)[CHECKS_LINE].startswith("OK")

    lines = "\n".join(explain(Package.open(book), "Months!B7", store))
    assert "5 records in the store:" in lines
    assert "another number" not in lines
    told = records_behind(store, conventions_of(Package.open(book)))(date(2026, 9, 1), "Leads", None)
    assert {line.split()[1] for line in told} == {"5", "6", "7", "8", "9", "c"}  # c is the customer that 5 became


def test_a_month_is_over_when_it_is_over_there(book: Path) -> None:
    ends = datetime(2026, 10, 31, 23, 30, tzinfo=UTC)
    for name, over in (("Europe/Berlin", True), ("UTC", False), ("America/New_York", False)):
        kept = replace(REPORT, as_of=ends, conventions=Conventions(time_zone=name))
        refresh(book, kept, origin="a test", now=NOW)
        package = Package.open(book)
        if over:
            assert close_books(package, date(2026, 10, 1)) is None
        else:
            with pytest.raises(Exception, match="is not over"):
                close_books(package, date(2026, 10, 1))


def test_a_month_is_over_once_dates_without_a_time_have_passed_it(book: Path) -> None:
    midnight = datetime(2026, 11, 1, tzinfo=UTC)
    refresh(book, replace(REPORT, as_of=midnight, conventions=Conventions("America/New_York")), origin="a test")
    assert close_books(Package.open(book), date(2026, 10, 1)) is None
