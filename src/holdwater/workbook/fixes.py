"""The fixes that a person types on the sheet Fixes: rows of FIX_SEQUENCE."""

from __future__ import annotations

from collections.abc import Sequence

from holdwater.bucket.projects import MOST
from holdwater.workbook.cells import Value
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import FIX_HEADERS
from holdwater.workbook.references import only_area

TYPED_FIXES = "fixes_typed"  # the name of their cells
ROWS, COLUMNS = MOST, len(FIX_HEADERS)

Fixes = Sequence[Sequence[Value]]
NO_FIXES: Fixes = ((None,) * COLUMNS,) * ROWS


def typed_fixes(package: OpenWorkbook) -> Fixes:
    """All their cells, found by name, empty rows too; none where the name is gone."""
    place = only_area(package.defined_names().get(TYPED_FIXES, ""))
    if place is None or place[0] not in package.sheets():
        return NO_FIXES
    sheet, area = place
    cells = {(c.row, c.column): c.value for c in package.read_cells(sheet) if area.holds(c.row, c.column)}
    return [
        [cells.get((area.first_row + row, area.first_column + column)) for column in range(COLUMNS)]
        for row in range(ROWS)
    ]
