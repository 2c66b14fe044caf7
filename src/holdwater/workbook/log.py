"""The sheet Log: one line for every refresh that changed anything, and one for each closed month it changed."""

from __future__ import annotations

import getpass
import time
from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True, slots=True)
class Run:
    """Who refreshes, and since when by `time.perf_counter`; nothing of it where nobody says so."""

    by: str = ""
    started: float | None = None

    @classmethod
    def now(cls) -> Run:
        try:
            by = getpass.getuser()
        except (OSError, KeyError, ImportError):  # a container without a user of that number
            by = ""
        return cls(by, time.perf_counter())

    @property
    def seconds(self) -> float | None:
        return None if self.started is None else round(time.perf_counter() - self.started, 1)


NOBODY = Run()


def new_lines(
    report: Report, origin: str, refreshed: str, run: Run, rows: int, checks: str, restated: Sequence[Restatement], *,
    first: bool,
) -> list[Line]:  # fmt: skip
    counted: Line = [origin, f"{report.as_of:%Y-%m-%d %H:%M} UTC", report.total.leads, report.total.customers]
    done: Line = [refreshed, "filled" if first else "refreshed", run.by, *counted, rows, run.seconds, checks, None]
    changed: list[Line] = [[refreshed, "restated", run.by, *counted, None, None, None, str(one)] for one in restated]
    return [done, *changed]
