"""The workbook that is open in Excel, refreshed and judged through xlwings' object model.

What is to be written, and what may be, is decided by the refresh of files; here stands how Excel reads and writes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from holdwater.errors import NotOurWorkbookError, WorkbookError
from holdwater.hosts import cells as host
from holdwater.hosts.excel_udfs import COM_ERRORS
from holdwater.store.place import default_path
from holdwater.workbook.books import conventions_of
from holdwater.workbook.cached import Patched, Place, Shown
from holdwater.workbook.cells import CellError, Content, FormulaCell, ReadCell
from holdwater.workbook.describe import describe_open
from holdwater.workbook.references import Area, area_of
from holdwater.workbook.refresh import refresh_open
from holdwater.workbook.store_report import store_report
from holdwater.workbook.tables import Table

_MESSAGE = 900  # characters that a message box of Excel shows
_DAYS_1904 = 1462  # between the two days from which workbooks count


def opened(workbook: Any) -> LiveWorkbook:
    """The workbook that Excel hands over as a COM object."""
    import xlwings
    from xlwings import _xlwindows

    return LiveWorkbook(xlwings.Book(impl=_xlwindows.Book(xl=workbook)))  # type: ignore[no-untyped-call]  # its inner side


def refreshed(book: LiveWorkbook) -> str:
    """Write what the store has into the workbook, unsaved; what to tell the person."""
    report, origin = store_report(default_path(), conventions=conventions_of(book))
    done = refresh_open(book, report, origin=origin)
    told = "Refreshed, not yet saved." if done.changed else "Nothing new."
    left = f"Not as Holdwater left it, please look: {'; '.join(done.left_alone)}" if done.left_alone else ""
    return "\n\n".join(filter(None, (told, *done.said, left)))[:_MESSAGE]


def verdict(book: LiveWorkbook) -> str:
    """The verdict on the workbook as it stands, saved or not."""
    described = describe_open(book)
    answer = host.functions()["VERDICT"].call(described.bucket)
    return "\n\n".join((answer, *described.notes))[:_MESSAGE]


class LiveWorkbook:
    """An open workbook as a refresh needs it; changes gather here until `save` writes them into Excel, unsaved.

    What was read is kept until then: each question to Excel goes to another process.
    """

    def __init__(self, book: Any) -> None:
        self._book = book
        self._pending: dict[str, Sequence[Sequence[Content]]] = {}
        self._tables: dict[str, Table] = {}
        self._cells: dict[str, list[ReadCell]] = {}
        self.path = Path(book.name)  # for one in the cloud, xlwings asks its settings for the full name

    @property
    def changed_parts(self) -> frozenset[str]:
        return frozenset(self._pending)

    @property
    def date1904(self) -> bool:
        return bool(self._book.api.Date1904)

    def sheets(self) -> dict[str, str]:
        return {sheet.name: sheet.name for sheet in self._book.sheets}

    def tables(self) -> dict[str, Table]:
        if not self._tables:
            found = (self._described(sheet, table) for sheet in self._book.sheets for table in sheet.tables)
            self._tables = {table.name: table for table in found}
        return self._tables

    def table(self, name: str) -> Table:
        for table in self.tables().values():
            if table.name.casefold() == name.casefold():
                return table
        raise NotOurWorkbookError(f"{self.path.name} has no table {name}: open a workbook that Holdwater made.")

    def defined_names(self) -> dict[str, str]:
        return {name.name: name.refers_to.removeprefix("=") for name in self._book.names}

    def read_cells(self, sheet: str) -> Iterator[ReadCell]:
        if sheet not in self._cells:
            self._cells[sheet] = list(self._asked(sheet))
        return iter(self._cells[sheet])

    def _asked(self, sheet: str) -> Iterator[ReadCell]:
        used = self._book.sheets[sheet].used_range
        for row, (values, formulas) in enumerate(
            zip(_rows(used.api.Value2), _rows(used.formula), strict=True), used.row
        ):
            for column, (value, formula) in enumerate(zip(values, formulas, strict=True), used.column):
                computed = isinstance(formula, str) and formula.startswith("=") and formula != value
                if value is not None or computed:
                    yield ReadCell(row, column, formula.removeprefix("=") if computed else None, _read(value))

    def replace_rows(self, table_name: str, rows: Sequence[Sequence[Content]]) -> None:
        table = self.table(table_name)
        rows = rows or [[None] * len(table.columns)]
        self._refuse_if_in_the_way(table, len(rows))
        shown = {(c.row, c.column): c for c in self.read_cells(table.sheet) if table.body.holds(c.row, c.column)}
        same = len(rows) == table.body.last_row - table.body.first_row + 1 and all(
            isinstance(content, FormulaCell) or self._same(content, shown.get((row, column)))
            for row, contents in enumerate(rows, table.body.first_row)
            for column, content in enumerate(contents, table.body.first_column)
        )
        if not same:
            self._refuse_if_protected(table.sheet)
            self._pending[table.name] = rows

    def set_cached(self, sheet: str, values: Mapping[Place, tuple[str, Shown]]) -> Patched:
        """Excel computes what formulas show."""
        return Patched(frozenset(), frozenset())

    def save(self) -> bool:
        """Write what has changed into the sheets; the file is left to the person."""
        application = self._book.app
        before = application.calculation
        application.calculation = "manual"  # once at the end, not after each table
        try:
            for name, rows in self._pending.items():
                self._write(self.table(name), rows)
        finally:
            application.calculation = before
        written = bool(self._pending)
        self._pending.clear()
        self._tables.clear()
        self._cells.clear()
        return written

    def _described(self, sheet: Any, table: Any) -> Table:
        ref = area_of(table.range.address.replace("$", ""))
        if ref is None:
            raise WorkbookError(f"The table {table.name} of {self.path.name} has no place on its sheet.")
        headers = _rows(table.header_row_range.api.Value2)[0] if table.show_headers else ()
        return Table(
            name=table.name,
            sheet=sheet.name,
            ref=ref,
            columns=tuple(str(header) for header in headers),
            header_row=table.show_headers,
            totals_row=table.show_totals,
            source="",
            part="",
            sheet_part="",
        )

    def _refuse_if_protected(self, sheet: str) -> None:
        if self._book.sheets[sheet].api.ProtectContents:
            raise WorkbookError(
                f"The sheet {sheet} is protected: unprotect it (Review, Unprotect Sheet), then refresh again."
            )

    def _refuse_if_in_the_way(self, table: Table, height: int) -> None:
        """Excel's way of enlarging a table takes in what stands below."""
        new = table.ref.last_row + height - (table.body.last_row - table.body.first_row + 1)
        below = table.ref._replace(first_row=table.ref.last_row + 1, last_row=new)
        for cell in self.read_cells(table.sheet):
            if below.holds(cell.row, cell.column):
                raise WorkbookError(
                    f"The table {table.name} needs more rows, and something stands below it on the sheet {table.sheet}:"
                    " move that elsewhere, then refresh again."
                )

    def _write(self, table: Table, rows: Sequence[Sequence[Content]]) -> None:
        sheet = self._book.sheets[table.sheet]
        live = sheet.tables[table.name]
        body = table.body
        new = body._replace(last_row=body.first_row + len(rows) - 1)
        if table.totals_row:
            live.show_totals = False
        if new != body:
            live.resize(self._range(sheet, new._replace(first_row=new.first_row - table.header_row)))
        if new.last_row < body.last_row:
            self._range(sheet, body._replace(first_row=new.last_row + 1)).clear_contents()
        for column in range(new.first_column, new.last_column + 1):
            top = new._replace(first_column=column, last_column=column)
            style = self._range(sheet, top._replace(last_row=top.first_row)).number_format
            self._range(sheet, top).number_format = style
        # One write: a text begins with an apostrophe, or "=..." and "1-2" of a CRM would become formula and date.
        self._range(sheet, new).formula = tuple(tuple(self._written(content) for content in row) for row in rows)
        if table.totals_row:
            live.show_totals = True

    def _range(self, sheet: Any, area: Area) -> Any:
        return sheet.range((area.first_row, area.first_column), (area.last_row, area.last_column))

    def _written(self, content: Content) -> float | str | bool:
        if isinstance(content, FormulaCell):
            return f"={content.formula.removeprefix('=')}"
        if content is None or content == "":
            return ""
        if isinstance(content, CellError):
            return str(content)
        if isinstance(content, str):
            return f"'{content}"
        return content if isinstance(content, bool) else self._number(content)

    def _number(self, content: float | date) -> float:
        if isinstance(content, date):
            return host.serial(content) - _DAYS_1904 * self.date1904
        return float(content)

    def _same(self, content: Content, cell: ReadCell | None) -> bool:
        if isinstance(content, date):
            content = self._number(content)
        return ("" if cell is None else cell.value) == ("" if content is None else content)


def _rows(value: Any) -> Sequence[Sequence[Any]]:
    """Excel gives the value of a single cell alone."""
    return value if isinstance(value, (tuple, list)) else ((value,),)


def _read(value: Any) -> float | str | bool | CellError | None:
    if type(value) is int and value in COM_ERRORS:
        return CellError(COM_ERRORS[value].value)
    return value  # type: ignore[no-any-return]  # Value2 holds numbers, texts and truth values
