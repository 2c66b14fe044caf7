"""A refresh of a large table against openpyxl's load and save, in one run: CPU and peak memory of each process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import xlsxwriter

COLUMNS = 12
ROWS = 100_000

VALUES = f"""
class Rows:
    "The new rows, computed as they are asked for: what is measured is the workbook, not a list."
    def __init__(self, count):
        self.count = count
    def __len__(self):
        return self.count
    def __iter__(self):
        for n in range(self.count):
            yield [f"deal {{n}}", n * 1.25, n, f"source {{n % 7}}", n + 0.5, 45_000 + n % 900] * ({COLUMNS} // 6)
"""

OURS = (
    VALUES
    + """
import sys
from holdwater.workbook.package import Package
package = Package.open(sys.argv[1])
package.replace_rows("Data", Rows(int(sys.argv[2])))
package.save()
"""
)

OPENPYXL = (
    VALUES
    + """
import sys
import openpyxl
book = openpyxl.load_workbook(sys.argv[1])
sheet = book["Data"]
for number, row in enumerate(Rows(int(sys.argv[2])), start=2):
    for column, value in enumerate(row, start=1):
        sheet.cell(number, column).value = value
book.save(sys.argv[1])
"""
)

MEASURED = """
import json, resource, subprocess, sys
subprocess.run([sys.executable, "-c", *sys.argv[1:]], check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


def five_sheets(path: Path, rows: int) -> Path:
    """A table of so many rows, formulas and a chart over a summary, and three sheets more."""
    book = xlsxwriter.Workbook(path)
    data = book.add_worksheet("Data")
    for number in range(rows + 1):
        for column in range(COLUMNS):
            if number == 0:
                data.write_string(0, column, f"Column {column}")
            elif column % 3 == 0:
                data.write_string(number, column, f"old {number} of {column}")
            else:
                data.write_number(number, column, number * 1.5 + column)
    header = [{"header": f"Column {column}"} for column in range(COLUMNS)]
    data.add_table(0, 0, rows, COLUMNS - 1, {"name": "Data", "columns": header})
    for name in ("Model", "Notes", "Plan", "Other"):
        sheet = book.add_worksheet(name)
        for number in range(200):
            sheet.write_row(number, 0, [name, number, number / 7])
            sheet.write_formula(number, 4, f"=SUM(B1:B{number + 1})")
    chart = book.add_chart({"type": "line"})
    chart.add_series({"values": "=Model!$B$1:$B$200"})
    book.get_worksheet_by_name("Model").insert_chart("G2", chart)
    book.close()
    return path


def measured(program: str, book: Path, rows: int) -> tuple[float, float]:
    """CPU seconds and peak MB of a program in a process of its own, start and imports included."""
    command = [sys.executable, "-c", MEASURED, program, str(book), str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return five_sheets(tmp_path / "large.xlsx", ROWS)


def test_a_refresh_needs_a_twelfth_of_the_time_and_a_fifteenth_of_the_memory_of_openpyxl(book: Path) -> None:
    copy = book.with_name("copy.xlsx")
    copy.write_bytes(book.read_bytes())
    our_seconds, our_memory = measured(OURS, book, ROWS)
    their_seconds, their_memory = measured(OPENPYXL, copy, ROWS)
    print(
        f"\n{ROWS:,} x {COLUMNS} rows: {our_seconds:.2f} s CPU, {our_memory:.0f} MB; openpyxl {their_seconds:.1f} s, "
        f"{their_memory:.0f} MB: {their_seconds / our_seconds:.1f} times the CPU (bar 12), "
        f"{their_memory / our_memory:.1f} times the memory (bar 15)"
    )
    assert their_seconds >= 12 * our_seconds
    assert their_memory >= 15 * our_memory


def test_memory_hardly_grows_with_the_rows(book: Path) -> None:
    _, small = measured(OURS, book, ROWS)
    measured(OURS, book, 10 * ROWS)
    seconds, large = measured(OURS, book, 10 * ROWS - 1)  # from a million rows to nearly a million others
    print(
        f"\n{10 * ROWS:,} rows: {large:.0f} MB and {seconds:.1f} s CPU, {ROWS:,} rows: {small:.0f} MB (bar 1.5 times)"
    )
    assert large <= 1.5 * small
