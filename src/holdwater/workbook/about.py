"""What the workbook says of itself: when it was refreshed last, and with figures as of when."""

from __future__ import annotations

from datetime import UTC, datetime

from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import ABOUT

_AS_OF, _REFRESHED = 1, 2  # their rows in the table


def last_refreshed(package: OpenWorkbook) -> str:
    return _said(package, _REFRESHED)


def last_as_of(package: OpenWorkbook) -> datetime | None:
    """None in a workbook that was never refreshed."""
    try:
        return datetime.strptime(_said(package, _AS_OF), "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC)
    except ValueError:
        return None


def _said(package: OpenWorkbook, row: int) -> str:
    table = package.table(ABOUT.name)
    place = (table.body.first_row + row, table.body.first_column + 1)
    cells = {(c.row, c.column): c.value for c in package.read_cells(table.sheet)}
    return str(cells.get(place, ""))
