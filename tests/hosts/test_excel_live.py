"""Refresh and verdict of the open workbook: xlwings' own Range and Table over a stand-in for Excel's objects."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from excel_stand_in import HALF, Com
from pyopenvba.apps.excel import ExcelApplication

from holdwater.errors import NotOurWorkbookError, WorkbookError
from holdwater.hosts import excel_live
from holdwater.metrics.figures import Figures, MonthFigures, Report, SourceFigures
from holdwater.workbook.describe import describe
from holdwater.workbook.owned import TABLES
from holdwater.workbook.package import Package
from holdwater.workbook.refresh import refresh, refresh_open
from holdwater.workbook.template import write_template

pytestmark = pytest.mark.slow  # the stand-in computes the whole workbook anew for each change

NOW = datetime(2026, 10, 31, 12, tzinfo=UTC)
TYPED = {
    "monthly_revenue": 100.0,
    "margin_share": 0.8,
    "monthly_churn": 0.04,
    "sales_people": 2.0,
    "sales_hours": 80.0,
    "touch_minutes": 30.0,
}


def counts(leads: int, customers: int, spend: float | None) -> dict[str, Any]:
    days = {"days_to_win_median": 12.5, "days_to_win_p90": 40.0}
    judged = {"judged_leads": leads, "judged_customers": customers, "open_leads": 0}
    return {"leads": leads, "customers": customers, "spend": spend} | days | judged


REPORT = Report(
    as_of=NOW,
    judged_after_days=40.0,
    currency="USD",
    total=Figures(**counts(600, 60, 9000.0)),
    sources=(
        SourceFigures(source="paid_search", **counts(300, 36, 9000.0)),
        SourceFigures(source="=HYPERLINK(A1)", **counts(280, 23, None)),  # as a visitor may name himself
        SourceFigures(source="1-2", **counts(20, 1, None)),
    ),
    months=(
        MonthFigures(month=date(2026, 8, 1), **counts(250, 30, 4000.0)),
        MonthFigures(month=date(2026, 9, 1), **counts(350, 30, 5000.0)),
    ),
    undated_wins=1,
    unmatched_wins=2,
)


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "leads.xlsx"
    write_template(path, TYPED)
    return path


class OpenExcel:
    """Excel with one workbook open in it."""

    def __init__(self, path: Path) -> None:
        self.application = ExcelApplication.open(str(path))
        self.com = Com(self.application.application.active_book)
        self.live = excel_live.opened(self.com)

    def set(self, sheet: str, place: str, value: Any) -> None:
        self.application.sheet(sheet).set_value(place, value)

    def formula(self, sheet: str, place: str) -> str:
        return str(self.application.sheet(sheet).formula(place))


@pytest.fixture
def opened(xlpython: Any) -> Callable[[Path], OpenExcel]:
    return OpenExcel


def contents(book: Any) -> dict[str, list[list[Any]]]:
    """What the owned tables hold, by name: numbers, texts, and the fact that there is a formula."""
    found: dict[str, list[list[Any]]] = {}
    for table in TABLES:
        place = book.table(table.name)
        cells = {(c.row, c.column): c for c in book.read_cells(place.sheet)}
        found[table.name] = [
            [
                "a formula"
                if (c := cells.get((row, column))) and c.formula
                else c.value
                if c and c.value != ""
                else None
                for column in range(place.ref.first_column, place.ref.last_column + 1)
            ]
            for row in range(place.body.first_row, place.body.last_row + 1)
        ]
    return found


def test_the_open_workbook_gets_what_the_file_gets(book: Path, opened: Callable[[Path], OpenExcel]) -> None:
    excel = opened(book)
    live = refresh_open(excel.live, REPORT, origin="a test", now=NOW)
    filed = refresh(book, REPORT, origin="a test", now=NOW)
    assert live.changed
    assert live.said == filed.said
    assert contents(excel.live) == contents(Package.open(book))
    assert excel.formula("Sources", "P6").startswith("=IF(")
    # What looks like a formula or a date stays the text that it is.
    assert [row[0] for row in contents(excel.live)["hw_sources"]] == ["paid_search", "=HYPERLINK(A1)", "1-2"]


def test_nothing_new_writes_nothing(book: Path, opened: Callable[[Path], OpenExcel]) -> None:
    refresh(book, REPORT, origin="a test", now=NOW)
    excel = opened(book)
    later = refresh_open(excel.live, REPORT, origin="a test", now=datetime(2026, 11, 30, tzinfo=UTC))
    assert not later.changed
    assert not excel.live.changed_parts


def test_fewer_rows_leave_none_of_the_old(book: Path, opened: Callable[[Path], OpenExcel]) -> None:
    refresh(book, REPORT, origin="a test", now=NOW)
    fewer = Report(**{**_fields(REPORT), "sources": REPORT.sources[:1]})
    excel = opened(book)
    refresh_open(excel.live, fewer, origin="a test", now=NOW)
    assert [row[0] for row in contents(excel.live)["hw_sources"]] == ["paid_search"]
    assert not [c for c in excel.live.read_cells("Sources") if c.row > 6 and c.value not in (None, "")]


def _fields(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in report.__dataclass_fields__}


def test_what_stands_below_a_table_is_not_swallowed(book: Path, opened: Callable[[Path], OpenExcel]) -> None:
    excel = opened(book)
    excel.set("Sources", "B8", "my note")
    before = contents(excel.live)
    with pytest.raises(WorkbookError, match="stands below it"):
        refresh_open(excel.live, REPORT, origin="a test", now=NOW)
    assert contents(excel.live) == before


def test_a_workbook_in_the_cloud_is_read_as_any_other(
    book: Path, opened: Callable[[Path], OpenExcel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Excel calls it by its address there, for which xlwings would ask the settings that the workbook holds."""
    excel = opened(book)
    real = Com.__getattr__

    def in_the_cloud(com: Com, name: str) -> Any:
        return "https://example.sharepoint.com/sites/Sales/leads.xlsx" if name == "FullName" else real(com, name)

    monkeypatch.setattr(Com, "__getattr__", in_the_cloud)
    monkeypatch.setattr("xlwings._xlwindows.read_config_sheet", _never)
    live = excel_live.opened(excel.com)
    assert live.path == Path("leads.xlsx")
    assert refresh_open(live, REPORT, origin="a test", now=NOW).changed


def _never(*given: object) -> None:
    raise AssertionError("a setting of the workbook was asked for")


def test_a_protected_sheet_is_told_before_anything_is_written(book: Path, opened: Callable[[Path], OpenExcel]) -> None:
    excel = opened(book)
    before = contents(excel.live)
    excel.application.add_module('Sub Guard()\nWorksheets("Sources").Protect\nEnd Sub', name="Guards")
    excel.application.run("Guard")
    with pytest.raises(WorkbookError, match="The sheet Sources is protected: unprotect it"):
        refresh_open(excel.live, REPORT, origin="a test", now=NOW)
    assert contents(excel.live) == before


def test_another_workbook_is_refused(tmp_path: Path, opened: Callable[[Path], OpenExcel]) -> None:
    import xlsxwriter

    path = tmp_path / "other.xlsx"
    with xlsxwriter.Workbook(path) as made:
        made.add_worksheet("Mine").write("A1", 1)
    with pytest.raises(NotOurWorkbookError, match="holdwater template"):
        refresh_open(opened(path).live, REPORT, origin="a test", now=NOW)


def test_the_verdict_is_that_of_the_file(book: Path, opened: Callable[[Path], OpenExcel]) -> None:
    refresh(book, REPORT, origin="a test", now=NOW)
    from holdwater.bucket.verdict import verdict

    told = excel_live.verdict(opened(book).live)
    assert told.startswith(verdict(describe(book).bucket)[:900])
    assert len(told) <= 900


def test_the_verdict_counts_what_was_just_typed(book: Path, opened: Callable[[Path], OpenExcel]) -> None:
    refresh(book, REPORT, origin="a test", now=NOW)
    excel = opened(book)
    before = excel_live.verdict(excel.live)
    row = excel.live.defined_names()["monthly_churn_typed"].rpartition("$")[2]
    excel.set("Inputs", f"C{row}", 0.9)
    assert excel_live.verdict(excel_live.opened(excel.com)) != before


def test_the_buttons_answer_in_sentences(
    xlpython: Any, book: Path, opened: Callable[[Path], OpenExcel], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Through xlwings' dispatcher, as the macros call it, and whatever goes wrong."""
    monkeypatch.setenv("HOLDWATER_STORE", str(tmp_path / "none.db"))
    excel = opened(book)
    assert "run holdwater sync first" in xlpython.CallUDF(HALF, "refresh", (excel.com,))
    assert "no complete month of leads yet" in xlpython.CallUDF(HALF, "verdict", (excel.com,))
    told = xlpython.CallUDF(HALF, "verdict", (42,))
    assert "please report" in told.lower()
    assert "Traceback" not in told


def test_a_refresh_reads_the_store_of_this_person(
    xlpython: Any, book: Path, opened: Callable[[Path], OpenExcel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(excel_live, "store_report", lambda path, conventions: (REPORT, "a test"))
    excel = opened(book)
    told = xlpython.CallUDF(HALF, "refresh", (excel.com,))
    assert told.startswith("Refreshed, not yet saved.")
    assert contents(excel.live)["hw_sources"][0][:2] == ["paid_search", 300.0]
    assert xlpython.CallUDF(HALF, "refresh", (excel.com,)).startswith("Nothing new.")


def test_a_hostile_workbook_changes_nothing(
    xlpython: Any, tmp_path: Path, book: Path, opened: Callable[[Path], OpenExcel], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has a sheet with xlwings' settings, a sheet with code, and code beside it."""
    (tmp_path / "holdwater.py").write_text("raise SystemExit('taken')")
    (tmp_path / "xlwings.conf").write_text('"UDF MODULES","holdwater"\n')
    excel = opened(book)
    settings = {"A1": "INTERPRETER_WIN", "B1": "evil.exe", "A2": "PYTHONPATH", "B2": str(tmp_path)}
    for name, cells in {"xlwings.conf": settings, "evil.py": {"A1": "raise SystemExit('taken')"}}.items():
        excel.application.add_module(f'Sub Add()\nWorksheets.Add.Name = "{name}"\nEnd Sub', name="Adder")
        excel.application.run("Add")
        for place, value in cells.items():
            excel.set(name, place, value)
    assert {"xlwings.conf", "evil.py"} < set(excel.live.sheets())
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    monkeypatch.setattr(excel_live, "store_report", lambda path, conventions: (REPORT, "a test"))
    assert xlpython.CallUDF(HALF, "answer", ("LTV", 30.0, 0.04)) == 750.0
    assert xlpython.CallUDF(HALF, "refresh", (excel.com,)).startswith("Refreshed")
    assert sys.path == before
