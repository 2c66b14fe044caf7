"""What a person has added inside a table that Holdwater owns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import Content, FormulaCell, ReadCell
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import OwnedTable
from holdwater.workbook.references import cell_name, shifted

LEADS = "Leads"  # every row that a refresh writes into a table with this column has a number in it


@dataclass(frozen=True, slots=True)
class PersonsColumns:
    """Columns behind ours: what stands in them follows the first column, the key of the row."""

    table: str
    width: int
    first_row: int
    by_key: dict[object, tuple[int, list[ReadCell | None]]]
    lost: list[str] = field(default_factory=list)  # notes whose row is gone, in words

    def beside(self, rows: Sequence[list[Content]]) -> list[list[Content]]:
        """Our rows with the person's cells behind them; formulas move with their row."""
        if not self.width:
            return list(rows)
        whole: list[list[Content]] = []
        left = dict(self.by_key)
        for number, row in enumerate(rows, start=self.first_row):
            old_number, cells = left.pop(row[0], (number, [None] * self.width))
            whole.append([*row, *(_moved(cell, number - old_number) for cell in cells)])
        for key, (_, cells) in left.items():
            noted = [str(cell.value) for cell in cells if cell is not None and cell.formula is None]
            if noted:
                self.lost.append(f"in {self.table} the notes of {key}, which is gone: {', '.join(noted)}")
        return whole


def _moved(cell: ReadCell | None, rows: int) -> Content:
    if cell is None:
        return None
    return cell.value if cell.formula is None else FormulaCell(shifted(cell.formula, rows, 0), cell.value)


def persons_columns(package: OpenWorkbook, table: OwnedTable) -> PersonsColumns:
    """Read them; WorkbookError for a row that is not ours, since new rows would take its place."""
    found = package.table(table.name)
    ours, body = len(table.columns), found.body
    cells: dict[int, dict[int, ReadCell]] = {}
    for cell in package.read_cells(found.sheet):
        if body.holds(cell.row, cell.column):
            cells.setdefault(cell.row, {})[cell.column - body.first_column] = cell
    by_key: dict[object, tuple[int, list[ReadCell | None]]] = {}
    for number, row in cells.items():
        filled = [c.header for position, c in enumerate(table.columns) if position in row and c.function is None]
        if filled and LEADS in [c.header for c in table.columns] and LEADS not in filled:
            raise WorkbookError(
                f"Row {number} of the table {table.name} on sheet {found.sheet} was added by hand"
                f" ({cell_name(number, body.first_column)}), and a refresh would replace it: move it out of the table."
            )
        key = row[0].value if 0 in row else None
        by_key[key] = (number, [row.get(position) for position in range(ours, len(found.columns))])
    return PersonsColumns(table.name, len(found.columns) - ours, body.first_row, by_key)
