"""What a refresh changes, cell by cell: a comparison of the workbook before and after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from holdwater.workbook.cells import ReadCell
from holdwater.workbook.owned import MONTH, TABLES
from holdwater.workbook.package import Package
from holdwater.workbook.references import column_letters
from holdwater.workbook.tables import Table

Shown = float | str | bool | date | None
_Cells = dict[tuple[int, int], ReadCell]
_Rows = dict[tuple[object, int], dict[str, Shown]]

_DATES = {(table.name, column.header) for table in TABLES for column in table.columns if column.number_format == MONTH}


@dataclass(frozen=True, slots=True)
class Change:
    """One cell: its table, row (what stands in the first column) and column; or its sheet, row number and letters."""

    place: str
    row: str
    column: str
    old: Shown
    new: Shown


def changes(before: Package, after: Package) -> list[Change]:
    """Every cell that shows another value, or holds another formula, in the order of the sheets."""
    found: list[Change] = []
    old_tables, new_tables = before.tables(), after.tables()
    for sheet, part in after.sheets().items():
        if part not in after.changed_parts or sheet not in before.sheets():
            continue
        old, new = _cells(before, sheet), _cells(after, sheet)
        for table in new_tables.values():
            if table.sheet == sheet and table.name in old_tables:
                found += _in_table(
                    table.name,
                    _taken(old, old_tables[table.name], before.date1904),
                    _taken(new, table, after.date1904),
                )
        found += _elsewhere(sheet, old, new)
    return found


def _cells(package: Package, sheet: str) -> _Cells:
    return {(cell.row, cell.column): cell for cell in package.read_cells(sheet)}


def _taken(cells: _Cells, table: Table, date1904: bool) -> _Rows:
    """The table's rows by their key, taken out of the sheet's cells; the second of one key is another row."""
    body = table.body
    by_number: dict[int, dict[str, Shown]] = {}
    for row, column in [place for place in cells if body.holds(*place)]:
        header = table.columns[column - body.first_column]
        value: Shown = cells.pop((row, column)).value
        if (table.name, header) in _DATES and isinstance(value, float):
            value = _date(value, date1904)
        by_number.setdefault(row, {})[header] = value
    seen: Counter[object] = Counter()
    rows: _Rows = {}
    for _, row_cells in sorted(by_number.items()):
        key = row_cells.get(table.columns[0])
        rows[key, seen[key]] = row_cells
        seen[key] += 1
    return rows


def _in_table(name: str, old: _Rows, new: _Rows) -> Iterator[Change]:
    nothing: Mapping[str, Shown] = {}
    for key in dict.fromkeys([*old, *new]):
        was, becomes = old.get(key, nothing), new.get(key, nothing)
        for column in dict.fromkeys([*was, *becomes]):
            if was.get(column) != becomes.get(column):
                yield Change(name, str(key[0]), column, was.get(column), becomes.get(column))


def _elsewhere(sheet: str, old: _Cells, new: _Cells) -> Iterator[Change]:
    for place in sorted(old.keys() | new.keys()):
        was, becomes = old.get(place), new.get(place)
        shown = (None if was is None else was.value, None if becomes is None else becomes.value)
        if shown[0] != shown[1]:
            yield Change(sheet, str(place[0]), column_letters(place[1]), *shown)


def _date(number: float, date1904: bool) -> date:
    return (date(1904, 1, 1) if date1904 else date(1899, 12, 30)) + timedelta(days=int(number))
