"""What the workbook says of itself: when it was refreshed last, and with figures as of when."""

from __future__ import annotations

from datetime import UTC, datetime

from holdwater.errors import WorkbookError
from holdwater.metrics.conventions import UNSAID, Conventions, zone
from holdwater.workbook.cells import Value
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import ABOUT

TIME_ZONE = "Time zone of days and months"  # its entry, where it is not UTC
REFERRED = "Leads who were referred"
REFERRED_RECENTLY = "Leads who were referred, last three complete months"
REFERRED_JUDGED = "Judged leads who were referred"
REFERRED_WON = "Judged customers who were referred"
WORKED = "Judged leads that were worked"
REFERRED_WORKED = "Judged leads who were referred and worked"
_SOURCE, _AS_OF, _REFRESHED = 0, 1, 2  # their rows in the table


def last_source(package: OpenWorkbook) -> str:
    """The connections its figures come from, one after the other."""
    return _said(package, _SOURCE)


def last_refreshed(package: OpenWorkbook) -> str:
    return _said(package, _REFRESHED)


def last_as_of(package: OpenWorkbook) -> datetime | None:
    """None in a workbook that was never refreshed."""
    try:
        return datetime.strptime(_said(package, _AS_OF), "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
    except ValueError:
        return None


def last_conventions(package: OpenWorkbook) -> Conventions:
    """The clock by which the figures were told; nothing of week and currency."""
    table = package.table(ABOUT.name)
    for cell in package.read_cells(table.sheet):
        if table.body.holds(cell.row, cell.column) and cell.value == TIME_ZONE:
            name = str(_cell(package, cell.row, cell.column + 1))
            try:
                zone(name)
            except ValueError:
                raise WorkbookError(
                    f"{package.path} was refreshed by the clock of {name}, which this machine does not know: on"
                    " Windows, install the package tzdata."
                ) from None
            return Conventions(time_zone=name)
    return UNSAID


def _said(package: OpenWorkbook, row: int) -> str:
    table = package.table(ABOUT.name)
    return str(_cell(package, table.body.first_row + row, table.body.first_column + 1))


def _cell(package: OpenWorkbook, row: int, column: int) -> Value:
    cells = {(c.row, c.column): c.value for c in package.read_cells(package.table(ABOUT.name).sheet)}
    return cells.get((row, column), "")
