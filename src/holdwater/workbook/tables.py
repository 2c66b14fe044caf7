"""The tables of a workbook: finding them, and giving one new rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import unescape_controls
from holdwater.workbook.following import Growth
from holdwater.workbook.markup import SPREADSHEET, Edits, elements, needed, open_tag_end, set_attribute, with_attribute
from holdwater.workbook.new_rows import Rows, RowWriter, UnfitCellError
from holdwater.workbook.references import LAST_ROW, Area, area_of, cell_name, column_letters
from holdwater.workbook.scan import SheetCell, SheetRow, SheetScan
from holdwater.workbook.sheet import Chunks, PlainRows, Stretch, spliced


@dataclass(frozen=True, slots=True)
class Table:
    """A table where it stands; `ref` takes in the header and the totals row."""

    name: str
    sheet: str
    ref: Area
    columns: tuple[str, ...]
    header_row: bool
    totals_row: bool
    source: str  # "" for a table of cells; else what fills it: "queryTable" or "xml"
    part: str
    sheet_part: str

    @property
    def body(self) -> Area:
        return self.ref._replace(
            first_row=self.ref.first_row + self.header_row, last_row=self.ref.last_row - self.totals_row
        )


_SHARED_FORMULA = re.compile(rb"<(?:[^\s<>/:]+:)?f\s")  # one with attributes: it may serve other cells as well


class Places:
    """Tells whether two sets of cells are the same, however many they are, without keeping them."""

    def __init__(self) -> None:
        self._count = self._mixed = 0

    def add(self, row: int, column: int) -> None:
        self._count += 1
        self._mixed ^= hash((row, column))

    def same_as(self, other: Places) -> bool:
        return (self._count, self._mixed) == (other._count, other._mixed)


@lru_cache(maxsize=256)  # a refresh asks for all tables again and again, and few of them change
def read_table(data: bytes, part: str, sheet: str, sheet_part: str) -> Table:
    # Excel keeps a table's alternative text in another element named table, of another namespace.
    found = [element for element in elements(data, part, {"table", "tableColumn"}) if element.namespace in SPREADSHEET]
    attributes = found[0].attributes if found else {}
    area = area_of(attributes.get("ref", ""))
    columns = tuple(unescape_controls(needed(element, "name", part)) for element in found[1:])
    if area is None or len(columns) != area.last_column - area.first_column + 1:
        raise WorkbookError(f"{part} does not describe a table; let Excel repair the workbook and save it.")
    return Table(
        name=needed(found[0], "displayName", part),
        sheet=sheet,
        ref=area,
        columns=columns,
        header_row=attributes.get("headerRowCount", "1") != "0",
        totals_row=attributes.get("totalsRowCount", "0") != "0",
        source="" if attributes.get("tableType", "worksheet") == "worksheet" else attributes["tableType"],
        part=part,
        sheet_part=sheet_part,
    )


def with_new_ref(data: bytes, part: str, growth: Growth) -> bytes:
    """The table part after its rows have changed: its range, its filter's and its sort's."""
    edits = Edits()
    for element in elements(data, part, {"table", "autoFilter", "sortState", "sortCondition"}):
        area = area_of(element.attributes.get("ref", ""))
        moved = None if area is None else growth.moved(area)
        if moved is not None:
            set_attribute(edits, data, element, "ref", str(moved))
        if element.name == "table":  # an empty table's blank row is no longer one to type into
            for flag in ("insertRow", "insertRowShift"):
                set_attribute(edits, data, element, flag, None)
    return edits.applied(data)


class NewRows:
    """A worksheet part with other rows in one of its tables, streamed.

    `WorkbookError`, here or in the midst of the stream, if the rows do not fit the table or the sheet, if something
    below stands in the way, or if a formula beside the table is written out in one of its cells.
    """

    def __init__(self, chunks: Chunks, table: Table, rows: Rows, others: Sequence[Table], date1904: bool) -> None:
        self.growth = _growth(table, len(rows))
        self._chunks = chunks
        self._table = table
        self._rows = rows
        self._date1904 = date1904
        self._guard = _Guard(table, self.growth, others)
        self._written = Places()

    @property
    def formulas_moved(self) -> bool:
        """Whether other cells hold formulas than did; known behind the end of the stream."""
        return not self._written.same_as(self._guard.formulas)

    def part(self) -> Iterator[bytes]:
        table, guard = self._table, self._guard
        scan = SheetScan(self._chunks(), table.sheet_part)
        plain = PlainRows(scan.prefix, table.ref.first_column, table.ref.last_column)
        extent = table.ref._replace(first_row=table.body.first_row, last_row=self.growth.new_last + table.totals_row)

        def inspect(row: SheetRow) -> bool:
            formulas = plain.formulas(row) if guard.replaces(row.number) else None
            if formulas is None:
                guard.inspect(row)
                return False
            for column in formulas:
                guard.formulas.add(row.number, column)
            return True

        yield from spliced(scan, self._stretches(), extent, inspect)
        guard.conclude(scan.merged)

    def _stretches(self) -> Iterator[tuple[int, list[Stretch]]]:
        table, growth = self._table, self.growth
        first, last = table.ref.first_column, table.ref.last_column
        for number, xml in self._body():
            yield number, [Stretch(first, last, xml)]
        if table.totals_row and growth.old_last != growth.new_last:
            yield growth.new_last + 1, [Stretch(first, last, self._totals(growth.new_last + 1))]
        for number in range(growth.new_last + table.totals_row + 1, table.ref.last_row + 1):
            yield number, [Stretch(first, last, "")]

    def _body(self) -> Iterator[tuple[int, str]]:
        """Each new row's number and cells."""
        table = self._table
        prefix, styles = _styles(self._chunks, table)
        letters = [column_letters(table.ref.first_column + index) for index in range(len(table.columns))]
        writer = RowWriter(prefix, letters, styles, self._date1904)
        number = table.body.first_row - 1
        for row in self._rows if len(self._rows) else [(None,) * len(table.columns)]:
            number += 1
            if number > self.growth.new_last or len(row) != len(table.columns):
                raise self._misfit(number, len(row))
            try:
                yield number, writer.cells(number, row, self._formula_at)
            except UnfitCellError as error:
                raise WorkbookError(
                    f"The value in row {number - table.body.first_row + 1:,}, column "
                    f"{table.columns[error.position]!r} for table {table.name} {error}; nothing was written."
                ) from None
        if number != self.growth.new_last:
            raise self._misfit(number, len(table.columns))

    def _formula_at(self, number: int, position: int) -> None:
        self._written.add(number, self._table.ref.first_column + position)

    def _misfit(self, number: int, values: int) -> WorkbookError:
        table = self._table
        if values != len(table.columns):
            return WorkbookError(
                f"Row {number - table.body.first_row + 1:,} for table {table.name} has {values} values, the table on "
                f"sheet {table.sheet!r} has {len(table.columns)} columns; give one value for each column."
            )
        return WorkbookError(
            f"The rows for table {table.name} were said to be {len(self._rows):,} and are not; nothing was written."
        )

    def _totals(self, number: int) -> str:
        """The cells of the totals row as they stand, moved to another row."""
        table = self._table
        pieces: list[bytes] = []
        rows = SheetScan(self._chunks(), table.sheet_part).rows()
        row = next((row for row in rows if row.number >= table.ref.last_row), None)
        if row is None or row.number != table.ref.last_row:
            return ""
        for cell in row.cells:
            if not table.ref.first_column <= cell.column <= table.ref.last_column:
                continue
            if cell.formula is not None:
                self._written.add(number, cell.column)
                if cell.formula.get("t", "normal") != "normal":
                    raise WorkbookError(
                        f"The totals row of table {table.name} holds an array or shared formula in cell "
                        f"{cell_name(table.ref.last_row, cell.column)}, which cannot move; choose a total from "
                        "Excel's list."
                    )
            element = row.data[cell.start : cell.end]
            tag_end = open_tag_end(element, 0)
            pieces.append(with_attribute(element[:tag_end], "r", cell_name(number, cell.column)) + element[tag_end:])
        return b"".join(pieces).decode()


def _growth(table: Table, rows: int) -> Growth:
    if table.source:
        raise WorkbookError(
            f"Table {table.name} is filled by a query or an XML map of its own; convert it to an ordinary table "
            "in Excel (Table Design, Unlink) and run again."
        )
    body = table.body
    if body.last_row < body.first_row:
        raise WorkbookError(f"Table {table.name} has no row below its header; add one in Excel and run again.")
    last = body.first_row + max(1, rows) - 1
    if last + table.totals_row > LAST_ROW:
        raise WorkbookError(
            f"Table {table.name} would need {rows:,} rows, and a sheet ends at row {LAST_ROW:,}; keep fewer rows."
        )
    return Growth(
        sheet=table.sheet,
        header=table.ref.first_row if table.header_row else None,
        first=body.first_row,
        first_column=body.first_column,
        last_column=body.last_column,
        old_last=body.last_row,
        new_last=last,
        totals=table.totals_row,
    )


def _styles(chunks: Chunks, table: Table) -> tuple[str, list[str | None]]:
    """The sheet's prefix, and each column's style: that of the first data row, or of what stands behind its cell."""
    scan = SheetScan(chunks(), table.sheet_part)
    row = next((row for row in scan.rows() if row.number >= table.body.first_row), None)
    cells: dict[int, SheetCell] = {}
    behind: str | None = None
    if row is not None and row.number == table.body.first_row:
        cells = {cell.column: cell for cell in row.cells}
        behind = row.attributes.get("s")
    styles: list[str | None] = []
    for column in range(table.ref.first_column, table.ref.last_column + 1):
        if column in cells:
            styles.append(cells[column].attributes.get("s"))
        else:
            styles.append(behind or scan.style_of_column(column))
    return scan.prefix, styles


class _Guard:
    """Looks at each row of the sheet as it was, and refuses what the new rows would harm."""

    def __init__(self, table: Table, growth: Growth, others: Sequence[Table]) -> None:
        self._table = table
        self._owned = table.ref if growth.old_last != growth.new_last else table.body
        bottom = growth.new_last + table.totals_row
        self._taken: Area | None = None  # what the table takes that was not its own
        if bottom > table.ref.last_row:
            self._taken = table.ref._replace(first_row=table.ref.last_row + 1, last_row=bottom)
            for other in others:
                if self._taken.meets(other.ref):
                    raise self._conflict(f"table {other.name} at {other.ref}")
        self.formulas = Places()  # in the cells that are replaced
        self._masters: dict[str, str] = {}  # shared formula -> our cell that writes it out
        self._users: dict[str, str] = {}  # shared formula -> a cell of someone else's that uses it

    def replaces(self, number: int) -> bool:
        """Whether cells of this row are the table's to replace."""
        return self._owned.first_row <= number <= self._owned.last_row

    def inspect(self, row: SheetRow) -> None:
        taken = self._taken is not None and self._taken.first_row <= row.number <= self._taken.last_row
        if not (taken or self.replaces(row.number) or _SHARED_FORMULA.search(row.data)):
            return
        for cell in row.cells:
            if not cell.filled:
                continue
            if self._taken is not None and self._taken.holds(row.number, cell.column):
                raise self._conflict(f"cell {cell_name(row.number, cell.column)}")
            if cell.formula is not None:
                self._inspect_formula(row.number, cell, cell.formula)

    def conclude(self, merged: Sequence[Area]) -> None:
        for area in merged:
            if self._taken is not None and self._taken.meets(area):
                raise self._conflict(f"the merged cells {area}")
        for group, user in self._users.items():
            if group in self._masters:
                raise self._shares(self._masters[group], user)

    def _inspect_formula(self, row: int, cell: SheetCell, formula: dict[str, str]) -> None:
        owned = self._owned.holds(row, cell.column)
        name = cell_name(row, cell.column)
        if owned:
            self.formulas.add(row, cell.column)
        if formula.get("t") == "shared":
            group = formula.get("si", "")
            if not owned:
                self._users.setdefault(group, name)
            elif "ref" in formula:
                self._masters[group] = name
        elif formula.get("t") in ("array", "dataTable"):
            area = area_of(formula.get("ref", ""))
            if area is None:
                return
            inside = area.first_column >= self._owned.first_column and area.last_column <= self._owned.last_column
            inside = inside and area.first_row >= self._owned.first_row and area.last_row <= self._owned.last_row
            if (owned and not inside) or (not owned and area.meets(self._owned)):
                raise self._shares(name, str(area))

    def _conflict(self, what: str) -> WorkbookError:
        return WorkbookError(
            f"Table {self._table.name} on sheet {self._table.sheet!r} needs more rows, and {what} stands below it "
            "in the way; move that aside in Excel and run again."
        )

    def _shares(self, ours: str, theirs: str) -> WorkbookError:
        return WorkbookError(
            f"Cell {ours} on sheet {self._table.sheet!r} holds one formula for {theirs} as well, partly inside table "
            f"{self._table.name}; enter the formula outside the table anew in Excel and run again."
        )
