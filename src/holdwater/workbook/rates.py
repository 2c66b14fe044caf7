"""What an accountant types of other currencies on the sheet Inputs: how much of the books' currency one unit is."""

from __future__ import annotations

from collections.abc import Sequence

from holdwater.workbook.cells import Value
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import RATE_HEADERS
from holdwater.workbook.references import only_area

TYPED_RATES = "rates_typed"  # the name of their cells
ROWS, COLUMNS = 8, len(RATE_HEADERS)

Rates = Sequence[Sequence[Value]]
NO_RATES: Rates = ((None,) * COLUMNS,) * ROWS


def typed_rates(package: OpenWorkbook) -> Rates:
    """All their cells, found by name, empty rows too; none where the name is gone."""
    place = only_area(package.defined_names().get(TYPED_RATES, ""))
    if place is None or place[0] not in package.sheets():
        return NO_RATES
    sheet, area = place
    cells = {(c.row, c.column): c.value for c in package.read_cells(sheet) if area.holds(c.row, c.column)}
    return [
        [cells.get((area.first_row + row, area.first_column + column)) for column in range(COLUMNS)]
        for row in range(ROWS)
    ]
