"""The table of results: every value is the library's, called directly."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest
from engines import by_name, formula_cells, values
from library_results import library_results, table_of_results
from test_refresh import NOW, REPORT, TYPED

import holdwater
from holdwater.bucket.improvement import LEVERS
from holdwater.metrics.customer_figures import LossRecord, LostReason, Share
from holdwater.workbook.log import Run
from holdwater.workbook.package import Package
from holdwater.workbook.references import column_letters
from holdwater.workbook.refresh import refresh
from holdwater.workbook.screens import FIXES_TOP
from holdwater.workbook.template import write_template

FIXES = (
    ("Training", "conversion", 0.2, 2_500.0, 1, None, None),
    ("Calls", "churn", 0.25, 4_000.0, 2, "Training", 50.0),
    ("Vanity", "lead capacity", 0.1, 90_000.0, 1, None, None),
)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("filled") / "leads.xlsx"
    write_template(path, TYPED, fixes=FIXES)
    refresh(path, REPORT, origin="a test", now=NOW)
    return path.read_bytes()


@pytest.fixture
def book(tmp_path: Path, filled: bytes) -> Path:
    path = tmp_path / "leads.xlsx"
    path.write_bytes(filled)
    return path


def change(book: Path, sheet: str, row: int, column: int, value: Any) -> None:
    package = Package.open(book)
    package.set_value(sheet, {(row, column): value})
    package.save()


def computed(book: Path) -> dict[str, Any]:
    return {cell.place: cell.computed for cell in formula_cells(book)}


CHECKS_LINE, STATUS = "Checks!A3", "Today!B7"


def test_every_result_is_the_librarys(book: Path) -> None:
    shown, wanted = table_of_results(book), dict(library_results(book))
    assert shown.keys() - wanted.keys() == {"COMPUTED", "INPUTS"}
    assert len(LEVERS) == sum(key.startswith("LEVERS ") and key.count(" ") == 1 for key in shown)
    for key, value in wanted.items():
        assert shown[key] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-12, abs=1e-9)), key
    assert shown["COMPUTED"] == "2026-10-31 12:00 UTC"
    assert shown["FIX_SEQUENCE left out"] == "Vanity"


def test_what_a_lead_may_cost_after_each_fix(book: Path) -> None:
    shown, paid = by_name(book, "Results"), 36 / 280
    allowed = holdwater.allowable_cac(holdwater.ltv(80, 0.04, 0.01), 3, 80, 0.04, 12)
    assert shown["FIX_SEQUENCE 0 ALLOWABLE_CPL"] == pytest.approx(holdwater.allowable_cpl(allowed, paid, 5))
    assert shown["FIX_SEQUENCE 1"] == "Training"
    assert shown["FIX_SEQUENCE 1 ALLOWABLE_CPL"] == pytest.approx(holdwater.allowable_cpl(allowed, paid * 1.2, 5))
    better = holdwater.allowable_cac(holdwater.ltv(80, 0.03, 0.01), 3, 80, 0.03, 12)
    assert shown["FIX_SEQUENCE 2 ALLOWABLE_CPL"] == pytest.approx(holdwater.allowable_cpl(better, paid * 1.2, 5))


def test_all_is_well_after_a_refresh(book: Path) -> None:
    assert values(book, "Checks")["A3"].startswith("OK: ")
    assert [cell for cell in formula_cells(book) if not cell.agrees] == []


def test_a_changed_fix_turns_the_results_stale(book: Path) -> None:
    change(book, "Fixes", FIXES_TOP + 1, 3, 0.3)
    after = computed(book)
    assert after[CHECKS_LINE].startswith("STALE")
    assert after[STATUS].startswith("STALE")
    assert after["Today!B4"].startswith("STALE")
    refresh(book, REPORT, origin="a test", now=NOW)
    assert computed(book)[CHECKS_LINE].startswith("OK")


def test_a_fix_typed_wrongly_is_told_and_hides_no_verdict(book: Path) -> None:
    change(book, "Fixes", FIXES_TOP + 1, 2, "chrun")
    assert refresh(book, REPORT, origin="a test", now=NOW).said[0].startswith("More leads")
    assert "closest is churn" in values(book, "Fixes")["A3"]


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("sheet", "row", "column", "value"),
    [("Sources", 6, 2, 299), ("Sources", 7, 9, 1.0), ("Sources", 6, 1, "paid_Xearch"), ("Months", 7, 3, 19),
     ("Months", 6, 10, 1), ("Sources", 6, 4, "many"), ("Results", 12, 2, 1e6),
     ("Results", 12, 2, "no limit"), ("Results", 8, 2, "Buy twice as many leads."), ("About", 10, 2, 601)],
)  # fmt: skip
def test_a_tampered_row_fails_the_checks(book: Path, sheet: str, row: int, column: int, value: Any) -> None:
    assert values(book, sheet).get(f"{column_letters(column)}{row}") != value
    change(book, sheet, row, column, value)
    assert computed(book)[CHECKS_LINE].startswith("FAIL")
    refresh(book, REPORT, origin="a test", now=NOW)
    assert computed(book)[CHECKS_LINE].startswith("OK")


LOST = (
    LostReason(reason="no_reply", whose="them", deals=Share(count=40, of=70),
               record=LossRecord(claim="no reply", supported=21, contradicted=12, no_messages=7)),
    LostReason(reason="late_delivery", whose="us", deals=Share(count=20, of=70),
               record=LossRecord(claim="our delay", supported=0, contradicted=0, no_messages=20)),
    LostReason(reason="price", whose="them", deals=Share(count=10, of=70)),
)  # fmt: skip


@pytest.mark.repeats
@pytest.mark.parametrize(
    ("row", "column", "value"),
    [(14, 5, "us"), (14, 2, 41), (15, 2, 39), (14, 6, "our delay"), (14, 7, 22), (15, 9, 0), (16, 8, 1)],
)
def test_whose_reason_it_was_cannot_be_changed_unseen(book: Path, row: int, column: int, value: Any) -> None:
    refresh(book, replace(REPORT, lost_reasons=LOST), origin="a test", now=NOW)
    assert values(book, "Checks")["A3"].startswith("OK")
    change(book, "Losses", row, column, value)
    assert computed(book)[CHECKS_LINE].startswith("FAIL")


def test_what_the_messages_say_of_the_reasons(book: Path) -> None:
    assert "Lost to" not in str([*values(book, "Losses").values(), *values(book, "Today").values()])
    refresh(book, replace(REPORT, lost_reasons=LOST), origin="a test", now=NOW)
    sheet, today = values(book, "Losses"), values(book, "Today")
    assert sheet["A10"] == "Lost to no reply: 40 deals. The messages bear out 21, contradict 12; 7 have none."
    assert sheet["A11"] == "Lost to our delay: 20 deals, and no messages that could tell."
    assert {sheet["A10"], sheet["A11"]} <= set(today.values())
    assert [sheet.get(f"{column}14") for column in "ABCEFGHI"] == ["no_reply", 40, 70, "them", "no reply", 21, 12, 7]
    assert [sheet.get(f"{column}16") for column in "ABCEFGHI"] == ["price", 10, 70, "them", None, None, None, None]
    assert [cell for cell in formula_cells(book) if not cell.agrees] == []
    refresh(book, replace(REPORT, lost_reasons=LOST[:1]), origin="a test", now=NOW)  # a table of one row
    assert [cell for cell in formula_cells(book) if not cell.agrees] == []


def test_two_numbers_that_changed_places_fail_the_checks(book: Path) -> None:
    change(book, "Sources", 6, 2, 280)
    change(book, "Sources", 7, 2, 300)
    assert computed(book)[CHECKS_LINE].startswith("FAIL")


def test_each_refresh_that_changes_something_is_logged(book: Path) -> None:
    later = datetime(2026, 11, 2, tzinfo=UTC)
    refresh(book, REPORT, origin="a test", now=later)
    assert by_name(book, "Log").keys() >= {"2026-10-31 12:00 UTC"}
    grown = replace(REPORT, total=replace(REPORT.total, leads=610), as_of=later)
    refresh(book, grown, origin="a test", now=later)
    log = by_name(book, "Log")
    assert [log["2026-10-31 12:00 UTC"], log["2026-11-02 00:00 UTC"]] == ["filled", "refreshed"]
    line = values(book, "Log")
    assert [line[f"{column}7"] for column in "DFGJ"] == [
        "a test",
        610,
        60,
        "FAIL: 3 checks of the sheet Checks fail; run holdwater refresh, then look there.",
    ]
    assert line["H7"] == 3 + 6 + 2  # sources, months from June to November, weeks
    assert str(line["J6"]).startswith("OK: ")
    assert "I7" not in line  # nobody said how long


def test_the_log_says_who_and_how_long(book: Path) -> None:
    refresh(book, replace(REPORT, undated_wins=7), origin="a test", now=NOW, run=Run("ada", perf_counter() - 3))
    line = values(book, "Log")
    assert line["C7"] == "ada"
    assert 3 <= line["I7"] < 600
