"""Months whose books are closed: what a refresh would change in them is told, figure by figure, and not written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from engines import values
from made_once import template
from test_refresh import REPORT, TYPED, counts, refreshed

from holdwater.cli import main
from holdwater.crm.connector import Page
from holdwater.crm.records import Customer, Deal, Lead, Money, Record, Spend
from holdwater.errors import NotOurWorkbookError, RestatedError, UsageError, WorkbookError
from holdwater.metrics.customer_figures import CustomerMonth, Share
from holdwater.metrics.figures import MonthFigures, Report
from holdwater.store.database import Store
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import restated
from holdwater.workbook.restated import close_books, closed_through, records_behind
from holdwater.workbook.template import write_template


def month(number: int, new: int, lost: int, of: int, churned: int, *, complete: bool = True) -> CustomerMonth:
    share = Share(count=churned, of=of)
    return CustomerMonth(month=date(2026, number, 1), new=new, lost=lost, churned=share, complete=complete)


CUSTOMER_MONTHS = (month(8, 20, 2, 30, 2), month(9, 22, 3, 48, 3), month(10, 18, 1, 67, 1, complete=False))
WITH_CUSTOMERS = replace(REPORT, customer_months=CUSTOMER_MONTHS)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = template(tmp_path_factory.mktemp("filled") / "leads.xlsx", TYPED)
    refreshed(path, WITH_CUSTOMERS)
    close(path, date(2026, 9, 1))
    return path.read_bytes()


@pytest.fixture
def book(tmp_path: Path, filled: bytes) -> Path:
    """Filled, with the books closed through September."""
    path = tmp_path / "leads.xlsx"
    path.write_bytes(filled)
    return path


def close(book: Path, closed: date) -> None:
    package = Package.open(book)
    close_books(package, closed)
    package.save()


def with_month(number: int, **changed: Any) -> Report:
    months = tuple(replace(row, **changed) if row.month.month == number else row for row in REPORT.months)
    return replace(WITH_CUSTOMERS, months=months)


def with_customers(*months: CustomerMonth) -> Report:
    return replace(REPORT, customer_months=months)


NEW_FIRST = MonthFigures(month=date(2026, 3, 1), **counts(7, 0))
NOT_THERE_BEFORE = MonthFigures(month=date(2026, 7, 1), **counts(0, 0, 500.0))


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("report", "told"),
    [
        (with_month(8, leads=211), ["2026-08 Leads 210 -> 211"]),
        (with_month(8, customers=19), ["2026-08 Customers 20 -> 19"]),
        (with_month(6, spend=2999.5), ["2026-06 Spend 3,000 -> 2,999.5"]),
        (with_month(6, spend=None), ["2026-06 Spend 3,000 -> 0"]),
        (replace(WITH_CUSTOMERS, months=(NEW_FIRST, *REPORT.months)), ["2026-03 Leads 0 -> 7"]),
        (replace(WITH_CUSTOMERS, months=(NOT_THERE_BEFORE, *REPORT.months)), ["2026-07 Spend 0 -> 500"]),
        (with_customers(month(8, 20, 3, 30, 3), *CUSTOMER_MONTHS[1:]),
         ["2026-08 Customers lost 2 -> 3", "2026-08 Customers at its start who left 2 -> 3"]),
        (with_customers(month(7, 1, 0, 0, 0), *CUSTOMER_MONTHS), ["2026-07 Customers who began 0 -> 1"]),
        (with_customers(*CUSTOMER_MONTHS[1:]),
         ["2026-08 Customers who began 20 -> 0", "2026-08 Customers lost 2 -> 0",
          "2026-08 Customers at its start 30 -> 0", "2026-08 Customers at its start who left 2 -> 0"]),
    ],
)  # fmt: skip
def test_each_changed_figure_of_a_closed_month_is_told(book: Path, report: Report, told: Sequence[str]) -> None:
    before = book.read_bytes()
    assert [str(one) for one in restated(book, report)] == list(told)
    with pytest.raises(RestatedError) as caught:
        refreshed(book, report)
    assert [line.strip() for line in str(caught.value).splitlines()[1:-1]] == list(told)
    assert book.read_bytes() == before

    refreshed(book, report, accept_restated=True)
    log = values(book, "Log").values()
    assert all(line in log for line in told)
    assert restated(book, report) == []


@pytest.mark.parametrize(
    "report",
    [
        WITH_CUSTOMERS,
        with_month(10, leads=90, customers=4, spend=10.0),  # not closed
        with_month(9, customers=25, judged_customers=24, days_to_win_median=20.0),  # won later on
        with_customers(*CUSTOMER_MONTHS[:2], month(10, 30, 5, 67, 4, complete=False), month(11, 1, 0, 90, 0)),
    ],
)
def test_what_goes_on_after_the_closing_is_no_restatement(book: Path, report: Report) -> None:
    assert restated(book, report) == []
    refreshed(book, report)


@pytest.mark.parametrize(
    ("closed", "why"),
    [
        (date(2026, 10, 1), "is not over"),  # as of 31 October 12:00
        (date(2027, 1, 1), "is not over"),
    ],
)
def test_a_month_that_goes_on_cannot_be_closed(book: Path, closed: date, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        close_books(Package.open(book), closed)


def test_an_empty_workbook_has_nothing_to_close(tmp_path: Path) -> None:
    path = tmp_path / "empty.xlsx"
    write_template(path)
    with pytest.raises(NotOurWorkbookError, match="holdwater refresh"):
        close_books(Package.open(path), date(2026, 9, 1))


def test_closing_an_earlier_month_says_what_is_open_again(book: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["close", str(book), "2026-06"]) == 0
    assert "open again" in capsys.readouterr().out
    assert closed_through(Package.open(book)) == date(2026, 6, 1)
    assert restated(book, with_month(8, leads=211)) == []
    assert main(["close", str(book), "2026-09"]) == 0
    assert "open again" not in capsys.readouterr().out


def test_what_a_person_types_over_the_closed_month_is_no_month(book: Path) -> None:
    """A text there must not open the books in silence."""
    package = Package.open(book)
    package.set_value("Log", {(3, 2): "2026-09"})
    package.save()
    with pytest.raises(WorkbookError, match="Log!B3"):
        refreshed(book, WITH_CUSTOMERS)


def test_the_records_behind_are_those_that_a_figure_counts(tmp_path: Path) -> None:
    since, later = datetime(2026, 10, 31, 12, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)
    august = datetime(2026, 8, 3, tzinfo=UTC)
    spent = Money(100, "EUR", "1.00")

    def records(updated: datetime) -> list[Record]:
        return [
            Lead(id="1", created_at=august, updated_at=updated, person="1f"),
            Deal(id="2", lead_id="1", status="won", created_at=august, updated_at=updated, closed_at=later),
            Customer(id="3", started_at=august, updated_at=updated, ended_at=datetime(2026, 8, 20, tzinfo=UTC)),
            Spend(id="4", day=august.date(), amount=spent, updated_at=updated),
        ]

    with Store.open(tmp_path / "store.db") as store:
        store.keep("crm:new", Page("any", records(later)))
        store.keep("crm:old", Page("any", records(since.replace(hour=11))))
        store.keep("exports:files", Page("any", records(later)))  # one time for all rows of a file
        payers = [Customer(id=p, started_at=later, updated_at=later, person=p) for p in ("1f", "2e")]
        store.keep("billing", Page("any", payers))
    behind = records_behind(tmp_path / "store.db")
    month = august.date().replace(day=1)
    of_leads = ["deal 2 is won on 2026-11-05, changed 2026-11-05", "customer 1f from 2026-11-05, changed 2026-11-05",
                "lead 1 changed 2026-11-05"]  # fmt: skip
    assert list(behind(month, "Leads", since)) == list(behind(month, "Customers", since)) == of_leads
    assert list(behind(month, "Spend", since)) == ["spend 4 of 2026-08-03, changed 2026-11-05"]
    of_customers = ["customer 3 from 2026-08-03 to 2026-08-20, changed 2026-11-05"]
    assert list(behind(month, "Customers lost", since)) == of_customers
    assert list(behind(date(2026, 7, 1), "Customers lost", since)) == []
