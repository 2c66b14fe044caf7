"""The sheet Log: one line for every refresh that changed anything, and one for each closed month it changed."""

from __future__ import annotations

from collections.abc import Sequence

from holdwater.metrics.figures import Report
from holdwater.workbook.cells import Value
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import LOG
from holdwater.workbook.restated import Restatement

Line = list[Value]


def log_lines(package: OpenWorkbook) -> list[Line]:
    """The lines so far, as they stand."""
    table = package.table(LOG.name)
    rows: dict[int, dict[int, Value]] = {}
    for cell in package.read_cells(table.sheet):
        if table.body.holds(cell.row, cell.column):
            rows.setdefault(cell.row, {})[cell.column - table.body.first_column] = cell.value
    return [[row.get(column) for column in range(len(LOG.columns))] for _, row in sorted(rows.items()) if row]


def new_lines(
    report: Report, origin: str, refreshed: str, restated: Sequence[Restatement], *, first: bool
) -> list[Line]:
    counted: Line = [origin, f"{report.as_of:%Y-%m-%d %H:%M} UTC", report.total.leads, report.total.customers]
    done: Line = [refreshed, "filled" if first else "refreshed", *counted, ""]
    return [done, *([refreshed, "restated", *counted, str(one)] for one in restated)]
