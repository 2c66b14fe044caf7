"""Notes beside the rows of our tables follow their row; a row added by hand is never replaced, or its going is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from made_once import template
from test_refresh import REPORT, TYPED, refreshed

from holdwater.errors import WorkbookError
from holdwater.metrics.customer_figures import CustomerMonth, Share, StageMove
from holdwater.metrics.figures import Report
from holdwater.workbook.owned import COHORTS, CUSTOMERS, LOG, MONTHS, STAGES, WEEKS, OwnedTable


def move(stage: str, to: str, deals: int) -> StageMove:
    return StageMove(stage=stage, to=to, deals=Share(count=deals, of=60))


def customers(month: int) -> CustomerMonth:
    return CustomerMonth(month=date(2026, month, 1), new=5, lost=0, churned=Share(count=0, of=5), complete=True)


MOVES = (move("proposal", "won", 20), move("proposal", "lost", 30), move("call", "proposal", 10))
FULL = replace(REPORT, stage_moves=MOVES, customer_months=(customers(8), customers(9)))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = template(tmp_path_factory.mktemp("filled") / "leads.xlsx", TYPED)
    refreshed(path, FULL)
    return path.read_bytes()


@pytest.fixture
def book(tmp_path: Path, filled: bytes) -> Path:
    path = tmp_path / "leads.xlsx"
    path.write_bytes(filled)
    return path


def noted(book: Path, table: OwnedTable, *notes: str) -> None:
    """A column Note behind the table, filled from its first row on."""
    mine = openpyxl.load_workbook(book)
    sheet, width = mine[table.sheet], len(table.columns) + 1
    there = sheet.tables[table.name]
    first, last = there.ref.split(":")
    letter = openpyxl.utils.get_column_letter(width)
    there.ref = there.autoFilter.ref = f"{first}:{letter}{last.lstrip('ABCDEFGHIJKLMNOPQRSTUVWXYZ')}"
    there.tableColumns.append(openpyxl.worksheet.table.TableColumn(id=width, name="Note"))
    for row, note in enumerate(("Note", *notes), start=table.top + 1):
        sheet.cell(row, width).value = note
    mine.save(book)


def notes(book: Path, table: OwnedTable, *headers: str) -> dict[tuple[Any, ...], Any]:
    """Each row's note, by what stands in these columns."""
    sheet = openpyxl.load_workbook(book)[table.sheet]
    places = [position for position, column in enumerate(table.columns) if column.header in headers]
    found = {}
    for row in sheet.iter_rows(min_row=table.top + 2, max_col=len(table.columns) + 1, values_only=True):
        if row[0] is not None:
            found[tuple(row[place] for place in places)] = row[-1]
    return found


def added_row(book: Path, table: OwnedTable, **cells: Any) -> int:
    """A row below the table, into which the table grows as it does in Excel."""
    mine = openpyxl.load_workbook(book)
    there = mine[table.sheet].tables[table.name]
    first, last = there.ref.split(":")
    letters = last.rstrip("0123456789")
    number = int(last.removeprefix(letters)) + 1
    there.ref = f"{first}:{letters}{number}"
    if there.autoFilter:
        there.autoFilter.ref = there.ref
    for letter, value in cells.items():
        mine[table.sheet][f"{letter}{number}"] = value
    mine.save(book)
    return number


def test_a_note_follows_its_way_from_stage_to_stage(book: Path) -> None:
    noted(book, STAGES, "to won", "to lost", "to proposal")
    report = replace(FULL, stage_moves=(MOVES[2], replace(MOVES[1], deals=Share(count=33, of=63)), MOVES[0]))
    assert refreshed(book, report).left_alone == ()
    assert notes(book, STAGES, "Stage", "Went to") == {
        ("call", "proposal"): "to proposal", ("proposal", "lost"): "to lost", ("proposal", "won"): "to won",
    }  # fmt: skip
    outcome = refreshed(book, replace(report, stage_moves=MOVES[1:]))
    assert outcome.left_alone == ("in hw_stages the notes of proposal -> won, which is gone: to won",)


def test_a_note_stays_with_its_month(book: Path) -> None:
    noted(book, MONTHS, "June", "July")
    earlier = replace(REPORT.months[0], month=date(2026, 5, 1))
    assert refreshed(book, replace(FULL, months=(earlier, *REPORT.months))).left_alone == ()
    found = {month: note for (month,), note in notes(book, MONTHS, "Month").items()}
    assert {month.month: note for month, note in found.items() if note} == {6: "June", 7: "July"}


def test_notes_of_lines_written_in_one_minute_stay(book: Path) -> None:
    refreshed(book, replace(FULL, undated_wins=3))
    refreshed(book, replace(FULL, undated_wins=4))  # three lines, the last two alike
    noted(book, LOG, "one", "two", "three")
    refreshed(book, replace(FULL, undated_wins=5))
    sheet = openpyxl.load_workbook(book)["Log"]
    column = [sheet.cell(row, len(LOG.columns) + 1).value for row in range(LOG.top + 2, LOG.top + 6)]
    assert column == ["one", "two", "three", None]


def test_notes_of_rows_that_look_alike_are_not_guessed(book: Path) -> None:
    twice = (MOVES[0], replace(MOVES[0], deals=Share(count=1, of=60)), MOVES[1])
    refreshed(book, replace(FULL, stage_moves=twice))
    noted(book, STAGES, "of the first pipeline", "of the second")
    assert refreshed(book, replace(FULL, stage_moves=(*twice, MOVES[2]))).left_alone == ()
    before = book.read_bytes()
    row = STAGES.top + 2
    with pytest.raises(WorkbookError, match=rf"2 rows of proposal -> won .* notes in row {row}, {row + 1} belong to"):
        refreshed(book, replace(FULL, stage_moves=(*twice[1:], MOVES[2])))
    assert book.read_bytes() == before


@pytest.mark.parametrize(
    ("table", "cells", "missing"),
    [
        (CUSTOMERS, {"A": "audited by Anna, keep", "B": 7}, "no date in Month"),
        (CUSTOMERS, {"A": date(2026, 10, 1)}, "no number in New"),
        (CUSTOMERS, {"C": 3}, "no date in Month"),
        (CUSTOMERS, {"G": "see the mail"}, "no date in Month"),  # where a formula of ours would stand
        (MONTHS, {"A": date(2026, 11, 1), "B": "many"}, "no number in Leads"),
        (STAGES, {"A": "proposal", "B": "postponed"}, "no number in Deals"),
        (WEEKS, {"A": "sum", "B": 600}, "no date in Week"),
        (COHORTS, {"A": "mean"}, "no date in Began in"),
    ],
)
def test_a_row_added_by_hand_stops_the_refresh(
    book: Path, table: OwnedTable, cells: dict[str, Any], missing: str
) -> None:
    number = added_row(book, table, **cells)
    before = book.read_bytes()
    with pytest.raises(WorkbookError, match=f"Row {number} of the table {table.name} .* added by hand .*: {missing}"):
        refreshed(book, FULL)
    assert book.read_bytes() == before


def test_a_note_below_the_rows_stops_the_refresh(book: Path) -> None:
    noted(book, CUSTOMERS, "a", "b")
    number = added_row(book, CUSTOMERS, J="ask the accountant")
    with pytest.raises(WorkbookError, match=f"Row {number} of the table hw_customers .* added by hand"):
        refreshed(book, FULL)


def test_a_whole_row_of_ones_own_does_not_go_unseen(book: Path) -> None:
    added_row(book, CUSTOMERS, A=date(2027, 1, 1), B=5, C=0, D=0, E=0, F=0)
    added_row(book, CUSTOMERS, A=date(2026, 9, 1), B=5, C=0, D=0, E=0, F=0)  # a month that is there already
    assert refreshed(book, FULL).left_alone == ("in hw_customers the data have no more 2026-09-01, 2027-01-01",)


def test_many_rows_that_go_are_told_in_one_line(book: Path) -> None:
    none: Report = replace(FULL, months=REPORT.months[-1:])
    assert refreshed(book, none).left_alone == (
        "in hw_months the data have no more 2026-06-01, 2026-07-01, 2026-08-01 and 1 more",
    )
