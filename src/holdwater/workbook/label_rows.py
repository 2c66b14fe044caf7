"""Rows of label and value in a workbook of any kind: a table, a named range or a sheet, each called bucket."""

from __future__ import annotations

from holdwater.errors import NotOurWorkbookError, WorkbookError
from holdwater.workbook.cells import ReadCell
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.references import LAST_ROW, Area, cell_name, only_area

NAME = "bucket"
_HEADER = ("label", "value")


def label_rows(package: OpenWorkbook) -> list[tuple[object, object]]:
    """The first two columns, a header "label, value" left out; NotOurWorkbookError where there is no such place.

    WorkbookError for a formula whose value was never computed: taking its cell as empty would be a wrong number.
    """
    sheet, area = _place(package)
    cells = {(c.row, c.column): c for c in package.read_cells(sheet) if area.holds(c.row, c.column)}
    rows = [
        tuple(_value(package, sheet, cells.get((row, column))) for column in (area.first_column, area.first_column + 1))
        for row in sorted({row for row, _ in cells})
    ]
    if rows and tuple(str(cell).strip().casefold() for cell in rows[0]) == _HEADER:
        del rows[0]
    return [(label, value) for label, value in rows]


def _place(package: OpenWorkbook) -> tuple[str, Area]:
    for table in package.tables().values():
        if table.name.casefold() == NAME:
            return table.sheet, _two_columns(table.body)
    for name, text in package.defined_names().items():
        place = only_area(text) if name.casefold() == NAME else None
        if place and place[0] in package.sheets():
            return place[0], _two_columns(place[1])
    for sheet in package.sheets():
        if sheet.casefold() == NAME:
            return sheet, Area(1, 1, LAST_ROW, 2)
    raise NotOurWorkbookError(
        f"{package.path} is no Holdwater workbook and has no sheet, table or range named {NAME}: put labels such as"
        " churn and their values into the first two columns of a sheet of that name, or into a .toml file;"
        " docs/diagnose.md shows both."
    )


def _two_columns(area: Area) -> Area:
    return area._replace(last_column=area.first_column + 1)


def _value(package: OpenWorkbook, sheet: str, cell: ReadCell | None) -> object:
    if cell is None:
        return None
    if cell.formula is not None and cell.value is None:
        raise WorkbookError(
            f"{package.path}: the formula in {cell_name(cell.row, cell.column)} on the sheet {sheet} was never"
            " computed: open the workbook in Excel or Calc, and save it."
        )
    return cell.value
