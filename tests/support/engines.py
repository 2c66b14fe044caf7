"""Real spreadsheet engines, and readers nobody here wrote."""

from __future__ import annotations

import math
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ironcalc
import openpyxl


@dataclass(frozen=True)
class FormulaCell:
    place: str  # Sheet!A1
    formula: str
    cached: Any
    computed: Any

    @property
    def agrees(self) -> bool:
        if self.cached in (None, "") or self.computed in (None, ""):
            return self.cached in (None, "") and self.computed in (None, "")
        numbers = [isinstance(v, (int, float)) and not isinstance(v, bool) for v in (self.cached, self.computed)]
        if all(numbers):
            return math.isclose(self.cached, self.computed, rel_tol=1e-9, abs_tol=1e-12)
        return bool(self.cached == self.computed)


def formula_cells(path: Path) -> list[FormulaCell]:
    """Every formula cell as openpyxl reads its cached value and as IronCalc computes it."""
    engine = ironcalc.load_from_xlsx(str(path), "en", "UTC", "en")
    engine.evaluate()
    found = []
    with _opened(path) as formulas, _opened(path, data_only=True) as cached:
        for index, (sheet, shown) in enumerate(zip(formulas.worksheets, cached.worksheets, strict=True)):
            for row, shown_row in zip(sheet.iter_rows(), shown.iter_rows(), strict=True):
                for cell, beside in zip(row, shown_row, strict=True):
                    if cell.data_type == "f":
                        place = f"{sheet.title}!{cell.coordinate}"
                        computed = engine.get_cell_value(index, cell.row, cell.column)
                        found.append(FormulaCell(place, str(cell.value), beside.value, computed))
    return found


def values(path: Path, sheet: str) -> dict[str, Any]:
    """What a viewer that does not calculate shows."""
    with _opened(path, data_only=True) as book:
        return {
            cell.coordinate: cell.value for row in book[sheet].iter_rows() for cell in row if cell.value is not None
        }


def _opened(path: Path, *, data_only: bool = False) -> closing[openpyxl.Workbook]:
    """For its cells alone, which takes half as long; whatever the file says of how far they reach."""
    book = openpyxl.load_workbook(path, data_only=data_only, read_only=True)
    for sheet in book.worksheets:
        sheet.reset_dimensions()
    return closing(book)


def by_name(path: Path, sheet: str) -> dict[str, Any]:
    """The second column of a sheet by the text in its first."""
    cells = values(path, sheet)
    rows = [place[1:] for place in cells if place.startswith("A") and place[1:].isdigit()]
    return {cells[f"A{row}"]: cells.get(f"B{row}") for row in rows}
