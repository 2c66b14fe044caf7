"""Where a figure comes from: the formula of a cell, the cells and columns it is made of, and the records behind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import get_args

from holdwater.crm.links import record_link
from holdwater.errors import UsageError
from holdwater.metrics.customer_figures import Claim
from holdwater.metrics.records import (
    COMINGS,
    LEADS,
    VERDICTS,
    RecordOf,
    customers_behind,
    leads_behind,
    losses_behind,
    verdicts_behind,
)
from holdwater.metrics.words import Words
from holdwater.store.database import Store
from holdwater.workbook.about import last_as_of, last_conventions, last_source
from holdwater.workbook.cells import ReadCell
from holdwater.workbook.contents import NOT_RECORDED
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import CUSTOMERS, LOSSES, MONTH, MONTHS, RESULTS, SOURCES, TABLES, TESTED_AS
from holdwater.workbook.references import Area, area_of, cell_name, only_area, with_areas
from holdwater.workbook.tables import Table

MOST_ROWS, MOST_RECORDS = 12, 20
_COLUMN = re.compile(r"([A-Za-z_]\w*)\[(?:\[#(?:All|This Row)\],)?\[?([^\[\]]+)\]?(?::\[([^\[\]]+)\])?\]")
_NAME = re.compile(r"[A-Za-z_]\w*(?![\w(\[!])")
_TEXT = re.compile(r'"((?:[^"]|"")*)"')
_DATES = {MONTH: "%Y-%m", "yyyy-mm-dd": "%Y-%m-%d"}  # of the first column of a table
_INPUTS = frozenset(input_.name for input_ in INPUTS)
_MEANINGS = {figure.name: figure.meaning for figure in FIGURES} | {i.name: i.meaning for i in INPUTS}


def explain(
    package: OpenWorkbook,
    cell: str,
    store: Path | None = None,
    *,
    everything: bool = False,
    words: Words | None = None,
) -> list[str]:
    """The lines that tell it; `cell` is Sheet!A1, A1 of the first sheet, or a name such as lead_flow.

    `store` is where the records behind a data cell are looked up; None or a missing file: nowhere. `words` are
    those of the refresh; by default of the file beside the store. UsageError for what is no cell of this workbook, or
    an empty one.
    """
    return list(_Explanation(package, store, everything, words).of(cell))


@dataclass
class _Explanation:
    package: OpenWorkbook
    store: Path | None
    everything: bool
    words: Words | None
    told: set[str] = field(default_factory=set)
    columns: bool = False  # whether a column of a data table was told
    cells: dict[str, dict[tuple[int, int], ReadCell]] = field(default_factory=dict)

    @cached_property
    def names(self) -> dict[str, str]:
        return {name.casefold(): text for name, text in self.package.defined_names().items()}

    @cached_property
    def tables(self) -> dict[str, Table]:
        return {name.casefold(): table for name, table in self.package.tables().items()}

    def of(self, text: str) -> Iterator[str]:
        sheet, area = self._place(text)
        cell = self._cell(sheet, area.first_row, area.first_column)
        if cell is None:
            raise UsageError(f"{sheet}!{area} of {self.package.path} is empty: give a cell that shows something.")
        yield f"{sheet}!{area}  {self._label(sheet, cell)}: {_shown(cell.value)}"
        yield from self._origin(sheet, cell, "  ")
        if cell.formula is not None and self.columns:
            yield f"For the records behind a row: holdwater explain {self.package.path.name} Sources!B6"

    def _place(self, text: str) -> tuple[str, Area]:
        place = only_area(self.names.get(text.casefold(), ""))
        if place is None:
            sheet, mark, reference = text.rpartition("!")
            area = area_of(reference.replace("$", "").upper())
            sheets = {name.casefold(): name for name in self.package.sheets()}
            found = sheets.get(sheet.strip("'").casefold()) if mark else next(iter(self.package.sheets()), None)
            if area is None or found is None or ":" in reference:
                raise UsageError(
                    f"{self.package.path} has no cell {text}: write it as Today!C12, or give a name such as lead_flow;"
                    f" its sheets are {', '.join(self.package.sheets())}."
                )
            place = found, area
        return place

    def _origin(self, sheet: str, cell: ReadCell, indent: str) -> Iterator[str]:
        table = self._table_at(sheet, cell.row, cell.column)
        if cell.formula is not None:
            yield f"{indent}= {cell.formula}"
            yield from self._parts(sheet, cell, table, indent)
        elif table is not None and table.name in {owned.name for owned in TABLES}:
            yield from self._written(table, cell, indent)
        else:
            yield f"{indent}typed here."

    def _parts(self, sheet: str, cell: ReadCell, table: Table | None, indent: str) -> Iterator[str]:
        formula = cell.formula or ""
        bare = _TEXT.sub('""', formula)
        for name, header, last in dict.fromkeys(_COLUMN.findall(bare)):
            found = self.tables.get(name.casefold())
            if found is None:
                continue
            if found.name == RESULTS.name:
                yield from self._results(found, _TEXT.findall(formula), indent)
            elif "#This Row" in bare and table is found:
                yield from self._cell_line(found.sheet, cell.row, _column(found, header), indent)
            elif header in found.columns:
                yield from self._column_lines(found, header, last or header, indent)
        for name in dict.fromkeys(_NAME.findall(_COLUMN.sub("", bare))):
            place = only_area(self.names.get(name.casefold(), ""))
            if place is not None and place[0] in self.package.sheets():
                yield from self._named(name, *place, indent)
        for where, area in _single_cells(_COLUMN.sub('""', bare)):
            if (where or sheet) in self.package.sheets():
                yield from self._cell_line(where or sheet, area.first_row, area.first_column, indent)

    def _named(self, name: str, sheet: str, area: Area, indent: str) -> Iterator[str]:
        if str(area) != cell_name(area.first_row, area.first_column):
            if name.casefold() not in self.told:
                self.told.add(name.casefold())
                yield f"{indent}{name} ({sheet}!{area})"
            return
        meaning = f" {_MEANINGS[name]}" if name in _MEANINGS and name.casefold() not in self.told else ""
        yield from self._cell_line(sheet, area.first_row, area.first_column, indent, f"{name}: ", meaning)

    def _cell_line(
        self, sheet: str, row: int, column: int, indent: str, name: str = "", meaning: str = ""
    ) -> Iterator[str]:
        place, cell = f"{sheet}!{cell_name(row, column)}", self._cell(sheet, row, column)
        label = "" if cell is None else self._label(sheet, cell)
        known = place in self.told
        self.told |= {place, name.removesuffix(": ").casefold()}
        yield f"{indent}{name}{label or place} = {_shown(None if cell is None else cell.value)}  ({place}){meaning}"
        typed = name.removesuffix(": ") in _INPUTS  # its formula only checks what is typed beside it
        if cell is not None and cell.formula is not None and not known and not typed:
            yield f"{indent}  = {cell.formula}"
            yield from self._parts(sheet, cell, self._table_at(sheet, row, column), indent + "  ")

    def _column_lines(self, table: Table, first: str, last: str, indent: str) -> Iterator[str]:
        key = f"{table.name}[{first}]"
        start, end = _column(table, first), _column(table, last)
        body = table.body
        values = {
            row: [
                cell.value
                for column in range(start, end + 1)
                if (cell := self._cell(table.sheet, row, column)) is not None
            ]
            for row in range(body.first_row, body.last_row + 1)
        }
        numbers = [v for row in values.values() for v in row if isinstance(v, (int, float)) and not isinstance(v, bool)]
        place = f"{table.sheet}!{cell_name(body.first_row, start)}:{cell_name(body.last_row, end)}"
        total = f", sum {sum(numbers):,.15g}" if numbers and start == end else ""
        name = f"{table.name}[{first}{'' if first == last else ' to ' + last}]"
        yield f"{indent}{name}  {len(values)} rows{total}  ({place})"
        if key in self.told or start != end:
            return
        self.told.add(key)
        self.columns = True
        shown = list(values.items()) if self.everything else list(values.items())[:MOST_ROWS]
        for row, row_values in shown:
            if row_values:
                yield f"{indent}  {self._key(table, row)}: {_shown(row_values[0])}"
        if len(shown) < len(values):
            yield f"{indent}  and {len(values) - len(shown)} more (--all)"

    def _results(self, table: Table, keys: Sequence[str], indent: str) -> Iterator[str]:
        body = table.body
        for row in range(body.first_row, body.last_row + 1):
            cells = [self._cell(table.sheet, row, body.first_column + n) for n in range(4)]
            name, value, unit, meaning = ("" if c is None else c.value for c in cells)
            if name in keys and f"{table.sheet}!{row}" not in self.told:
                self.told.add(f"{table.sheet}!{row}")
                yield f"{indent}{name} = {_shown(value)}, {unit}  ({table.sheet}!B{row}). {meaning}"
                yield f"{indent}  computed by holdwater refresh from inputs and figures; see holdwater diagnose."

    def _written(self, table: Table, cell: ReadCell, indent: str) -> Iterator[str]:
        as_of = last_as_of(self.package)
        yield (
            f"{indent}written by holdwater refresh, with figures as of {as_of:%Y-%m-%d %H:%M} UTC."
            if as_of
            else (f"{indent}written by holdwater refresh.")
        )
        if as_of is None or self.store is None or not self.store.exists():
            yield f"{indent}There is no store here to look up the records behind it: give --store."
            return
        header = table.columns[cell.column - table.body.first_column]
        until = as_of + timedelta(minutes=1) - timedelta(microseconds=1)  # the workbook says no seconds
        with Store.open(self.store) as store:
            found = self._behind(store, self.words or Words.beside(self.store), table, cell, header, until)
            connections, sites = store.connections(), store.sites()
        if found is None:
            yield f"{indent}No list of single records is kept for this column."
            return
        source = last_source(self.package)
        if not any(f", {connection}, " in f", {source}, " for connection in connections):
            yield (
                f"{indent}The figures come from {source}, of which the store {self.store} has nothing: give the one"
                " they were computed from with --store. Exports that are read with --from are in none."
            )
            return
        yield from self._record_lines(found, sites, cell, header, indent)

    def _behind(
        self, store: Store, words: Words, table: Table, cell: ReadCell, header: str, until: datetime
    ) -> list[RecordOf] | None:
        """None for a column that counts no single records."""
        key, kept = self._key_cell(table, cell.row), last_conventions(self.package)
        name = None if key == NOT_RECORDED else str(key)
        if table.name == SOURCES.name and header in LEADS:
            return leads_behind(store, header, until, source=name, conventions=kept, words=words)
        if table.name == MONTHS.name and header in LEADS:
            return leads_behind(store, header, until, month=_day(key), conventions=kept)
        if table.name == CUSTOMERS.name and header in COMINGS:
            return customers_behind(store, header, until, _day(key), kept)
        if table.name == LOSSES.name and header == "Deals":
            return losses_behind(store, name, until, kept, words)
        if table.name == LOSSES.name and header in VERDICTS:
            claim = next((c for c in get_args(Claim) if c == self._beside(table, cell.row, TESTED_AS)), None)
            return verdicts_behind(store, str(key), claim, header, until, kept, words) if claim else None
        return None

    def _record_lines(
        self, found: Sequence[RecordOf], sites: Mapping[str, str], cell: ReadCell, header: str, indent: str
    ) -> Iterator[str]:
        yield f"{indent}{len(found):,} records in the store:"
        if isinstance(cell.value, (int, float)) and cell.value != len(found) and not header.startswith("Days"):
            yield (
                f"{indent}  (another number than the cell has: the store or the words file has changed since; run"
                " holdwater refresh)"
            )
        for record in found if self.everything else found[:MOST_RECORDS]:
            link = record_link(record.connection, sites.get(record.connection), record.stream, record.id)
            of_lead = record.stream == "leads"  # known by the month of first contact
            day = f" {record.day:{'%Y-%m' if of_lead else '%Y-%m-%d'}}" if record.day else ""
            yield f"{indent}  {record.connection} {record.stream[:-1]} {record.id}{day}{' ' + link if link else ''}"
        if not self.everything and len(found) > MOST_RECORDS:
            yield f"{indent}  and {len(found) - MOST_RECORDS:,} more (--all)"

    def _table_at(self, sheet: str, row: int, column: int) -> Table | None:
        return next((t for t in self.tables.values() if t.sheet == sheet and t.body.holds(row, column)), None)

    def _cell(self, sheet: str, row: int, column: int) -> ReadCell | None:
        if sheet not in self.cells:
            self.cells[sheet] = {(c.row, c.column): c for c in self.package.read_cells(sheet)}
        return self.cells[sheet].get((row, column))

    def _label(self, sheet: str, cell: ReadCell) -> str:
        """What stands at the left of it; in a table the row's key and the column's header."""
        table = self._table_at(sheet, cell.row, cell.column)
        if table is not None:
            return f"{self._key(table, cell.row)}, {table.columns[cell.column - table.body.first_column]}"
        for column in range(cell.column - 1, 0, -1):
            left = self._cell(sheet, cell.row, column)
            if left is not None and isinstance(left.value, str) and left.value and left.formula is None:
                return left.value
        return ""

    def _beside(self, table: Table, row: int, header: str) -> object:
        """What stands in another column of the same row."""
        cell = self._cell(table.sheet, row, _column(table, header))
        return None if cell is None else cell.value

    def _key_cell(self, table: Table, row: int) -> object:
        cell = self._cell(table.sheet, row, table.body.first_column)
        return None if cell is None else cell.value

    def _key(self, table: Table, row: int) -> str:
        key = self._key_cell(table, row)
        formats = {owned.name: owned.columns[0].number_format for owned in TABLES}
        shape = _DATES.get(formats.get(table.name, ""))
        if shape and isinstance(key, float):
            return f"{_day(key):{shape}}"
        return _shown(key)


def _single_cells(formula: str) -> list[tuple[str | None, Area]]:
    found: list[tuple[str | None, Area]] = []

    def note(sheet: str | None, text: str) -> str:
        area = area_of(text.replace("$", ""))
        if area is not None and ":" not in text:
            found.append((sheet, area))
        return text

    with_areas(formula, note)
    return list(dict.fromkeys(found))


def _column(table: Table, header: str) -> int:
    return table.body.first_column + (table.columns.index(header) if header in table.columns else 0)


def _day(value: object) -> date:
    return date(1899, 12, 30) + timedelta(days=int(value) if isinstance(value, (int, float)) else 0)


def _shown(value: object) -> str:
    if value is None or value == "":
        return "(empty)"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,.10g}"
    return str(value)
