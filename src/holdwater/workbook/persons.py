"""What a person has added inside a table that Holdwater owns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import Content, FormulaCell, ReadCell, serial
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import (
    ABOUT,
    COHORTS,
    CONSENT,
    CONTROLS,
    COUNTS,
    CURVE,
    CUSTOMERS,
    LOG,
    LOSSES,
    MONTHS,
    RESULTS,
    SOURCES,
    STAGES,
    TEXT,
    USED,
    WEEKS,
    OwnedTable,
)
from holdwater.workbook.references import cell_name, shifted

# Beside its key each row that a refresh writes has something here: a number, or, where the column is text, a text.
_ALWAYS: Mapping[str, str] = {
    SOURCES.name: "Leads", MONTHS.name: "Leads", CUSTOMERS.name: "New", WEEKS.name: "Leads", STAGES.name: "Deals",
    COHORTS.name: "Customers", CURVE.name: "Fitted", LOSSES.name: "Deals", CONSENT.name: "Leads",
    RESULTS.name: "Meaning",
}  # fmt: skip
# What tells a row from the others, where the first column alone does not.
_KEYS: Mapping[str, tuple[str, ...]] = {
    STAGES.name: ("Stage", "Went to"),
    LOG.name: tuple(column.header for column in LOG.columns if column.number_format == TEXT),
}
# A row of these may go, which is told: nothing of it is left in the workbook. Those of other tables come and go.
_TOLD = (*(_ALWAYS.keys() - {RESULTS.name}), ABOUT.name, CONTROLS.name, USED.name, COUNTS.name)
_TOLD_AT_MOST = 3
_MOMENT = " made before "  # in the table of counts each row has another one after each sync

_Key = tuple[object, ...]
_Row = dict[int, ReadCell]


@dataclass(frozen=True, slots=True)
class PersonsColumns:
    """The columns behind ours, whose cells follow their row; a row is known by its key."""

    table: OwnedTable
    first_row: int
    width: int
    date1904: bool
    rows: Mapping[_Key, Sequence[tuple[int, list[ReadCell | None]]]]  # as they stand: equal keys in their order
    lost: list[str] = field(default_factory=list)  # in words

    def beside(self, rows: Sequence[list[Content]]) -> list[list[Content]]:
        """Our rows with the person's cells behind them; formulas move with their row.

        WorkbookError where several rows have one key, so that nobody can tell which note belongs to which.
        """
        keys = [_key(self.table, row, self.date1904) for row in rows]
        becomes = Counter(keys)
        for key, old in self.rows.items() if self.table.name != LOG.name else ():  # lines only come behind the others
            if len(old) != becomes[key] and max(len(old), becomes[key]) > 1:
                self._refuse_notes(key, old)
        left = {key: list(old) for key, old in self.rows.items()}
        whole: list[list[Content]] = []
        for number, (key, row) in enumerate(zip(keys, rows, strict=True), start=self.first_row):
            old_number, cells = left[key].pop(0) if left.get(key) else (number, [None] * self.width)
            whole.append([*row, *(_moved(cell, number - old_number) for cell in cells)])
        self._tell({key: old for key, old in left.items() if old})
        return whole

    def _refuse_notes(self, key: _Key, old: Sequence[tuple[int, list[ReadCell | None]]]) -> None:
        noted = [str(number) for number, cells in old if _notes(cells)]
        if noted and _is_said(key):
            raise WorkbookError(
                f"The table {self.table.name} on sheet {self.table.sheet} had {len(old)} rows of"
                f" {self._in_words(key)} and would now have another number of them, so nobody can tell which the notes"
                f" in row {', '.join(noted)} belong to: move these notes out of the table, refresh, and put them back."
            )

    def _tell(self, gone: Mapping[_Key, Sequence[tuple[int, list[ReadCell | None]]]]) -> None:
        for key, old in gone.items():
            for _, cells in old:
                if noted := _notes(cells):
                    self.lost.append(
                        f"in {self.table.name} the notes of {self._in_words(key)}, which is gone: {', '.join(noted)}"
                    )
        rows = [
            self._in_words(key) for key, old in gone.items() if _is_said(key) for _, cells in old if not _notes(cells)
        ]
        if rows and self.table.name in _TOLD:
            more = f" and {len(rows) - _TOLD_AT_MOST:,} more" if len(rows) > _TOLD_AT_MOST else ""
            self.lost.append(f"in {self.table.name} the data have no more {', '.join(rows[:_TOLD_AT_MOST])}{more}")

    def _in_words(self, key: _Key) -> str:
        first = self.table.columns[0]
        if "yy" in first.number_format and isinstance(key[0], float):
            start = date(1904, 1, 1) if self.date1904 else date(1899, 12, 30)
            return str(start + timedelta(days=int(key[0])))
        return " -> ".join(str(part) for part in key if part is not None)


def persons_columns(package: OpenWorkbook, table: OwnedTable) -> PersonsColumns:
    """Read them; WorkbookError for a row that is not ours, since new rows would take its place."""
    found = package.table(table.name)
    ours, body = len(table.columns), found.body
    cells: dict[int, _Row] = {}
    for cell in package.read_cells(found.sheet):
        if body.holds(cell.row, cell.column):
            cells.setdefault(cell.row, {})[cell.column - body.first_column] = cell
    rows: dict[_Key, list[tuple[int, list[ReadCell | None]]]] = {}
    for number, row in sorted(cells.items()):
        theirs = [row.get(position) for position in range(ours, len(found.columns))]
        missing = _missing(table, row, theirs)
        if missing:
            raise WorkbookError(
                f"Row {number} of the table {table.name} on sheet {found.sheet} was added by hand"
                f" ({cell_name(number, body.first_column)}: {missing}), and a refresh would replace it: move it out of"
                " the table. If it is one of Holdwater's own, mend that cell."
            )
        values = [row[position].value if position in row else None for position in range(ours)]
        rows.setdefault(_key(table, values, package.date1904), []).append((number, theirs))
    return PersonsColumns(table, body.first_row, len(found.columns) - ours, package.date1904, rows)


def _missing(table: OwnedTable, row: _Row, theirs: Sequence[ReadCell | None]) -> str:
    """What each row that a refresh writes has, and this one has not; "" for one of ours and for a blank one."""
    if table.name not in _ALWAYS:
        return ""
    typed = {
        column.header: row[position].value
        for position, column in enumerate(table.columns)
        if position in row and (column.function is None or row[position].formula is None)
    }
    if all(value in (None, "") for value in typed.values()) and not _notes(theirs):
        return ""
    for header in (table.columns[0].header, _ALWAYS[table.name]):
        kind = next(column.number_format for column in table.columns if column.header == header)
        fits = _is_text(typed.get(header)) if kind == TEXT else _is_number(typed.get(header))
        if not fits:
            what = "text" if kind == TEXT else "date" if "yy" in kind else "number"
            return f"no {what} in {header}"
    return ""


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _key(table: OwnedTable, row: Sequence[Content], date1904: bool) -> _Key:
    headers = _KEYS.get(table.name, (table.columns[0].header,))
    return tuple(
        _part(row[position], date1904) for position, column in enumerate(table.columns) if column.header in headers
    )


def _is_said(key: _Key) -> bool:
    return any(part is not None for part in key)


def _part(content: Content, date1904: bool) -> object:
    """As a cell holds it."""
    if isinstance(content, date):
        return float(serial(content, date1904))
    if isinstance(content, str):
        return content.partition(_MOMENT)[0] or None
    return content


def _notes(cells: Sequence[ReadCell | None]) -> list[str]:
    return [str(cell.value) for cell in cells if cell is not None and cell.formula is None and cell.value is not None]


def _moved(cell: ReadCell | None, rows: int) -> Content:
    if cell is None:
        return None
    return cell.value if cell.formula is None else FormulaCell(shifted(cell.formula, rows, 0), cell.value)
