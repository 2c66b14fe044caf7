"""The sheet Checks holds the rows of the store against what each source counts itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from engines import formula_cells, values
from made_once import template
from test_refresh import NOW, REPORT, TYPED

from holdwater.crm.connector import Page
from holdwater.crm.records import Deal, Lead
from holdwater.metrics.figures import SourceCount
from holdwater.store.database import Store
from holdwater.store.runs import Run
from holdwater.workbook.checks import CHECKS, FIRST_CHECK, TEXT_CHECKS
from holdwater.workbook.owned import COUNTS
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh
from holdwater.workbook.store_report import store_report

TOP = COUNTS.top + 2  # the first row of the table, as a workbook numbers them
MADE = datetime(2026, 3, 1, 12, tzinfo=UTC)
EQUAL = SourceCount(connection="hubspot:7", stream="deals", before=MADE, told=336, kept=336)
FEWER = replace(EQUAL, stream="leads", told=501, kept=500)
UNKNOWN = SourceCount(connection="stripe:acct_1")


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return template(tmp_path / "book.xlsx", TYPED)


def checks(book: Path) -> Mapping[str, Any]:
    """What an engine of spreadsheets computes, which has to be what refresh wrote."""
    cells = formula_cells(book)
    assert [cell for cell in cells if not cell.agrees] == []
    return values(book, "Checks")


def row(sheet: Mapping[str, Any], number: int) -> list[Any]:
    return [sheet.get(f"{column}{TOP + number}") for column in "ABCD"]


def test_the_table_stands_below_the_other_checks() -> None:
    assert COUNTS.top > FIRST_CHECK + len(CHECKS) + len(TEXT_CHECKS)


def test_equal_counts_pass(book: Path) -> None:
    refresh(book, replace(REPORT, counted=(EQUAL,)), origin="a test", now=NOW)
    sheet = checks(book)
    assert row(sheet, 0) == ["hubspot:7: deals made before 2026-03-01 12:00 UTC", 336, 336, "OK"]
    assert sheet["A3"].startswith("OK: ")


def test_a_record_that_the_store_lacks_fails_and_says_what_to_do(book: Path) -> None:
    refresh(book, replace(REPORT, counted=(EQUAL, FEWER, UNKNOWN)), origin="a test", now=NOW)
    sheet = checks(book)
    assert row(sheet, 0)[3] == "OK"
    assert row(sheet, 1)[1:] == [501, 500, "FAIL: sync with --reconcile, then refresh; if it stays, --full"]
    assert sheet["A3"].startswith("FAIL: 1 checks")
    assert values(book, "Today")["B4"] != ""
    refresh(book, replace(REPORT, counted=(EQUAL, replace(FEWER, kept=501))), origin="a test", now=NOW)
    assert checks(book)["A3"].startswith("OK: ")


def test_a_source_without_a_count_says_so_and_fails_nothing(book: Path) -> None:
    refresh(book, replace(REPORT, counted=(UNKNOWN,)), origin="a test", now=NOW)
    sheet = checks(book)
    assert row(sheet, 0) == ["stripe:acct_1", None, None, "not told: the source tells no count, or could not be asked"]
    assert sheet["A3"].startswith("OK: ")
    assert "not told" in [sheet.get(f"D{FIRST_CHECK + len(CHECKS) + len(TEXT_CHECKS)}")]


@pytest.mark.repeats
@pytest.mark.parametrize(("column", "value"), [(2, 500), (3, 501), (2, "many"), (3, None)])
def test_a_count_cannot_be_changed_unseen(book: Path, column: int, value: Any) -> None:
    """Not even so that the two are the same."""
    refresh(book, replace(REPORT, counted=(FEWER, EQUAL)), origin="a test", now=NOW)
    assert values(book, "Checks")["A3"].startswith("FAIL: 1 checks")
    package = Package.open(book)
    package.set_value("Checks", {(TOP, column): value})
    package.save()
    computed = {cell.place: cell.computed for cell in formula_cells(book)}
    assert computed["Checks!A3"].startswith("FAIL")


def test_the_counts_of_a_store_come_into_the_report(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with Store.open(path) as store:
        for connection in ("hubspot:7", "stripe:acct_1"):
            store.log(connection, Run(started_at=MADE, status="done"))
        lead = Lead(id="1", created_at=MADE, updated_at=MADE)
        young = Deal(id="2", status="open", created_at=MADE + timedelta(hours=1), updated_at=MADE)
        store.keep("hubspot:7", Page("any", [lead, replace(young, id="3", created_at=MADE), young]))
        before = MADE + timedelta(hours=1)
        store.note_counts("hubspot:7", before, {"leads": 1, "deals": 4})
    report, _ = store_report(path)
    assert report.counted == (
        SourceCount(connection="hubspot:7", stream="deals", before=before, told=4, kept=1),
        SourceCount(connection="hubspot:7", stream="leads", before=before, told=1, kept=1),
        UNKNOWN,
    )
