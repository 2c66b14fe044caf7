"""The tables of a workbook: finding them, and giving one new rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import Content, FormulaCell, UnfitValueError, cell_xml, unescape_controls
from holdwater.workbook.following import Growth
from holdwater.workbook.markup import SPREADSHEET, Edits, elements, needed, open_tag_end, set_attribute, with_attribute
from holdwater.workbook.references import LAST_ROW, Area, area_of, cell_name, column_letters
from holdwater.workbook.scan import SheetCell, SheetRow, SheetScan
from holdwater.workbook.sheet import Stretch, spliced


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


class NewRows(NamedTuple):
    """A worksheet part with a table's new rows, and what that means for the rest of the workbook."""

    data: bytes
    growth: Growth
    formulas_moved: bool


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


def with_rows(
    data: bytes, table: Table, rows: Sequence[Sequence[Content]], others: Sequence[Table], date1904: bool
) -> NewRows:
    """The sheet with `rows` as the table's body (one blank row if there are none).

    `WorkbookError` if they do not fit the table or the sheet, if something below stands in the way (`others` are the
    sheet's other tables), or if a formula beside the table is written out in one of its cells.
    """
    growth = _growth(table, rows)
    guard = _Guard(table, growth, others)
    stretches: dict[int, list[Stretch]] = {}
    written: set[tuple[int, int]] = set()
    for number, xml in _body(data, table, rows, written, date1904):
        stretches[number] = [Stretch(table.ref.first_column, table.ref.last_column, xml)]
    if table.totals_row and growth.old_last != growth.new_last:
        xml = _totals(data, table, growth.new_last + 1, written)
        stretches[growth.new_last + 1] = [Stretch(table.ref.first_column, table.ref.last_column, xml)]
    for number in range(growth.new_last + table.totals_row + 1, table.ref.last_row + 1):
        stretches[number] = [Stretch(table.ref.first_column, table.ref.last_column, "")]
    scan = SheetScan(data, table.sheet_part)
    new = spliced(scan, stretches, guard.inspect)
    guard.conclude(scan.merged)
    return NewRows(new, growth, written != guard.formulas)


def _growth(table: Table, rows: Sequence[Sequence[Content]]) -> Growth:
    if table.source:
        raise WorkbookError(
            f"Table {table.name} is filled by a query or an XML map of its own; convert it to an ordinary table "
            "in Excel (Table Design, Unlink) and run again."
        )
    body = table.body
    if body.last_row < body.first_row:
        raise WorkbookError(f"Table {table.name} has no row below its header; add one in Excel and run again.")
    for index, row in enumerate(rows, 1):
        if len(row) != len(table.columns):
            raise WorkbookError(
                f"Row {index:,} for table {table.name} has {len(row)} values, the table on sheet {table.sheet!r} has "
                f"{len(table.columns)} columns; give one value for each column."
            )
    last = body.first_row + max(1, len(rows)) - 1
    if last + table.totals_row > LAST_ROW:
        raise WorkbookError(
            f"Table {table.name} would need {len(rows):,} rows, and a sheet ends at row {LAST_ROW:,}; keep fewer rows."
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


def _body(
    data: bytes,
    table: Table,
    rows: Sequence[Sequence[Content]],
    written: set[tuple[int, int]],
    date1904: bool,
) -> Iterator[tuple[int, str]]:
    """Each new row's number and cells; the places of its formulas go to `written`."""
    first = table.body.first_row
    prefix, styles = _styles(data, table)
    letters = [column_letters(table.ref.first_column + index) for index in range(len(table.columns))]
    for index, row in enumerate(rows or [(None,) * len(table.columns)]):
        number = first + index
        cells: list[str] = []
        for offset, content in enumerate(row):
            try:
                cells.append(cell_xml(prefix, f"{letters[offset]}{number}", styles[offset], content, date1904))
            except UnfitValueError as error:
                raise WorkbookError(
                    f"The value in row {index + 1:,}, column {table.columns[offset]!r} for table {table.name} {error}; "
                    "nothing was written."
                ) from None
            if isinstance(content, FormulaCell):
                written.add((number, table.ref.first_column + offset))
        yield number, "".join(cells)


def _styles(data: bytes, table: Table) -> tuple[str, list[str | None]]:
    """The sheet's prefix, and each column's style: that of the first data row, or of what stands behind its cell."""
    scan = SheetScan(data, table.sheet_part)
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


def _totals(data: bytes, table: Table, number: int, written: set[tuple[int, int]]) -> str:
    """The cells of the totals row as they stand, moved to another row."""
    pieces: list[bytes] = []
    for row in SheetScan(data, table.sheet_part).rows():
        for cell in row.cells if row.number == table.ref.last_row else []:
            if not table.ref.first_column <= cell.column <= table.ref.last_column:
                continue
            if cell.formula is not None:
                written.add((number, cell.column))
                if cell.formula.get("t", "normal") != "normal":
                    raise WorkbookError(
                        f"The totals row of table {table.name} holds an array or shared formula in cell "
                        f"{cell_name(row.number, cell.column)}, which cannot move; choose a total from Excel's list."
                    )
            element = data[cell.start : cell.end]
            tag_end = open_tag_end(element, 0)
            pieces.append(with_attribute(element[:tag_end], "r", cell_name(number, cell.column)) + element[tag_end:])
    return b"".join(pieces).decode()


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
        self.formulas: set[tuple[int, int]] = set()  # in the cells that are replaced
        self._masters: dict[str, str] = {}  # shared formula -> our cell that writes it out
        self._users: dict[str, str] = {}  # shared formula -> a cell of someone else's that uses it

    def inspect(self, row: SheetRow) -> None:
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
            self.formulas.add((row, cell.column))
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
