"""A block of cells that a person fills in, found by its name wherever it has moved to."""

from __future__ import annotations

from collections.abc import Sequence

from holdwater.workbook.cells import Value
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.references import only_area

Typed = Sequence[Sequence[Value]]


def nothing(rows: int, columns: int) -> Typed:
    return ((None,) * columns,) * rows


def typed_cells(package: OpenWorkbook, name: str, empty: Typed) -> Typed:
    """All its cells, empty rows too; `empty`, which says how many there are, where the name is gone."""
    place = only_area(package.defined_names().get(name, ""))
    if place is None or place[0] not in package.sheets():
        return empty
    sheet, area = place
    cells = {(c.row, c.column): c.value for c in package.read_cells(sheet) if area.holds(c.row, c.column)}
    return [
        [cells.get((area.first_row + row, area.first_column + column)) for column in range(len(empty[0]))]
        for row in range(len(empty))
    ]
