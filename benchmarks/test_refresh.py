"""A refresh of a large table beside openpyxl's load and save, and beside XlsxWriter, in one run: CPU and peak memory.

Each runs in a process of its own, start and imports included. XlsxWriter cannot change a workbook: it writes the same
rows into a new one in its most sparing mode, and the charts, formulas and tables of the old one are gone.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import xlsxwriter
from peer_environment import peer_python
from ratios import Goal

TIME = Goal("Refresh of 100,000 x 12 rows", "times less CPU than load and save", "openpyxl", at_least=12)
MEMORY = Goal("Refresh of 100,000 x 12 rows", "times less memory than load and save", "openpyxl", at_least=15)
NEW_TIME = Goal("Refresh of 100,000 x 12 rows", "times the CPU of writing them anew", "xlsxwriter")
NEW_MEMORY = Goal("Refresh of 100,000 x 12 rows", "times the memory of writing them anew", "xlsxwriter")
GROWTH = Goal("Refresh of 1,000,000 x 12 rows", "times the memory of 100,000", "itself", at_most=1.5)
COLUMNS = 12
REPEATS = 3
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

XLSXWRITER = (
    VALUES
    + """
import sys
import xlsxwriter
book = xlsxwriter.Workbook(sys.argv[1], {"constant_memory": True})
sheet = book.add_worksheet("Data")
for number, row in enumerate(Rows(int(sys.argv[2])), start=1):
    sheet.write_row(number, 0, row)
book.close()
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


def used(program: str, book: Path, rows: int, python: Path = Path(sys.executable)) -> tuple[float, float]:
    """CPU seconds and peak MB of a program."""
    command = [str(python), "-c", MEASURED, program, str(book), str(rows)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, megabytes = json.loads(done.stdout)
    return seconds, megabytes


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return five_sheets(tmp_path_factory.mktemp("refresh") / "large.xlsx", ROWS)


@pytest.fixture(scope="module")
def ours(book: Path) -> list[tuple[float, float]]:
    return [used(OURS, book, ROWS) for _ in range(REPEATS)]


def test_beside_openpyxl(book: Path, ours: list[tuple[float, float]]) -> None:
    copy = book.with_name("copy.xlsx")
    copy.write_bytes(book.read_bytes())
    seconds, megabytes = used(OPENPYXL, copy, ROWS, peer_python("openpyxl"))
    TIME.measured(seconds / one for one, _ in ours)
    MEMORY.measured(megabytes / one for _, one in ours)


def test_beside_xlsxwriter(book: Path, ours: list[tuple[float, float]]) -> None:
    python = peer_python("xlsxwriter")
    theirs = [used(XLSXWRITER, book.with_name("new.xlsx"), ROWS, python) for _ in ours]
    NEW_TIME.measured(one / other for (one, _), (other, _) in zip(ours, theirs, strict=True))
    NEW_MEMORY.measured(one / other for (_, one), (_, other) in zip(ours, theirs, strict=True))


def test_memory_hardly_grows_with_the_rows(book: Path, ours: list[tuple[float, float]]) -> None:
    copy = book.with_name("grown.xlsx")
    copy.write_bytes(book.read_bytes())
    used(OURS, copy, 10 * ROWS)
    _, large = used(OURS, copy, 10 * ROWS - 1)  # from a million rows to nearly a million others
    GROWTH.measured(large / one for _, one in ours)
