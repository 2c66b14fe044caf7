"""An .xlsx opened for a refresh: what is asked for changes, every other byte of it stays."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Self

from holdwater.errors import NotOurWorkbookError, WorkbookError
from holdwater.workbook import charts
from holdwater.workbook.archive import Archive
from holdwater.workbook.cached import Patched, Place, Shown, with_cached
from holdwater.workbook.calculation import with_full_calculation, with_refresh_on_load
from holdwater.workbook.cells import ReadCell, Value
from holdwater.workbook.following import (
    Growth,
    follow_in_chart,
    follow_in_control,
    follow_in_formulas,
    follow_in_sheet,
    follows_in_sheet,
)
from holdwater.workbook.markup import SPREADSHEET, elements, needed
from holdwater.workbook.names import DefinedName, read_names, with_names
from holdwater.workbook.new_rows import Rows
from holdwater.workbook.parts import Parts
from holdwater.workbook.references import Area, only_area, quoted
from holdwater.workbook.saving import refuse_if_open_elsewhere, replace_file
from holdwater.workbook.scan import SheetScan
from holdwater.workbook.sheet import Chunks, read_cells, read_shared_strings, with_values
from holdwater.workbook.sheet_added import Extension, NewTable
from holdwater.workbook.tables import NewRows, Table, read_table, with_new_ref


@dataclass(frozen=True, slots=True)
class Replacement:
    """What new rows did: whether the table's bytes changed at all, and in which parts references followed it."""

    changed: bool
    followed: tuple[str, ...]


class Package:
    """Changes gather in memory; nothing reaches the file before `save`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._archive = Archive(path)
        self._parts = Parts(self._archive)
        self._shared: list[str] | None = None
        self._workbook = self._workbook_part()
        workbook = elements(self._parts.read(self._workbook), self._workbook)
        if not workbook or workbook[0].namespace not in SPREADSHEET:
            raise self._not_a_workbook()
        main = [element for element in workbook if element.namespace in SPREADSHEET]
        self.date1904 = any(
            element.name == "workbookPr" and element.attributes.get("date1904") in ("1", "true") for element in main
        )
        self._sheets = self._listed_sheets()

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Read the workbook; `WorkbookError` names what is wrong with it, `WorkbookLockedError` who has it open."""
        path = Path(path).resolve()  # a link is followed, or saving would put a file in its place
        if not path.is_file():
            raise WorkbookError(f"There is no workbook at {path}; give the path of an .xlsx file.")
        refuse_if_open_elsewhere(path)
        return cls(path)

    def sheets(self) -> dict[str, str]:
        """The worksheets in their order: name -> part."""
        return dict(self._sheets)

    def tables(self) -> dict[str, Table]:
        """Every table by the name that formulas call it."""
        found: dict[str, Table] = {}
        for sheet, sheet_part in self._sheets.items():
            for relation in self._parts.relationships(sheet_part):
                if relation.kind == "table":
                    table = read_table(self._parts.read(relation.target), relation.target, sheet, sheet_part)
                    found[table.name] = table
        return found

    def table(self, name: str) -> Table:
        """`NotOurWorkbookError` if there is none of that name."""
        tables = self.tables()
        for table in tables.values():
            if table.name.casefold() == name.casefold():
                return table
        names = ", ".join(sorted(tables)) or "none at all"
        raise NotOurWorkbookError(
            f"{self.path} has no table {name} (its tables: {names}); give a workbook that Holdwater made."
        )

    def names(self) -> list[DefinedName]:
        """Every defined name, in the order of the file."""
        return read_names(self._parts.read(self._workbook), self._workbook)

    def defined_names(self) -> dict[str, str]:
        """Name -> what it stands for; a name that only one sheet knows is written 'Sheet'!Name."""
        return {("" if n.sheet is None else quoted(n.sheet) + "!") + n.name: n.text for n in self.names()}

    def change_names(self, put: Iterable[DefinedName] = (), drop: Collection[str] = ()) -> None:
        """Put in names of the whole workbook, or give them a new text and comment, and take others out."""
        workbook = self._parts.read(self._workbook)
        self._parts.update({self._workbook: with_names(workbook, self._workbook, put, drop)})

    @property
    def has_macros(self) -> bool:
        return any(relation.kind == "vbaProject" for relation in self._parts.relationships(self._workbook))

    def read_cells(self, sheet: str, areas: Sequence[Area] | None = None) -> Iterator[ReadCell]:
        """The cells of the sheet (or of these areas) that hold something, row by row, as they are now.

        Dates come as their serial numbers.
        """
        part = self._sheet_part(sheet)
        return read_cells(self._chunks(part), part, self._shared_strings, self.date1904, areas)

    def replace_rows(self, table_name: str, rows: Rows) -> Replacement:
        """Give a table new rows, one value for each of its columns, and let what spans its rows follow.

        Text stays text whatever it looks like; each column keeps the style of its first data row; no rows leave one
        blank row. `WorkbookError` (nothing is changed then) if a value fits no cell or something stands in the way.
        """
        table = self.table(table_name)
        others = [other for other in self.tables().values() if other.sheet == table.sheet and other.name != table.name]
        parts = self._parts.copy()
        new = NewRows(self._chunks(table.sheet_part), table, rows, others, self.date1904)
        if not parts.stream(table.sheet_part, new.part()):
            return Replacement(changed=False, followed=())
        parts.update({table.part: with_new_ref(parts.read(table.part), table.part, new.growth)})
        followed = self._follow(parts, new.growth) if new.growth.old_last != new.growth.new_last else ()
        for part in parts.of_type("pivotCacheDefinition+xml"):
            names = self._names_of(table)
            parts.update({part: with_refresh_on_load(parts.read(part), part, names, table.ref, new.growth)})
        if new.formulas_moved:
            for part in [
                relation.target for relation in parts.relationships(self._workbook) if relation.kind == "calcChain"
            ]:
                parts.drop(part, self._workbook)
        self._parts = parts
        return Replacement(changed=True, followed=followed)

    def add_table(self, table: NewTable) -> None:
        """A new sheet at the end of the workbook, with this table, still without rows."""
        names = {name.casefold() for name in (*self.tables(), *(n.name for n in self.names()))}
        if table.name.casefold() in names:
            raise WorkbookError(
                f"{self.path} has something named {table.name} already; take that away or give it another name in "
                "Excel (Formulas, Name Manager) and run again."
            )
        parts = self._parts.copy()
        Extension(parts, self._workbook).add(table)
        self._parts = parts
        self._sheets = self._listed_sheets()

    def set_cached(self, sheet: str, values: Mapping[Place, tuple[str, Shown]]) -> Patched:
        """Patch what formula cells show: (row, column) -> (formula it must hold, value); None shows nothing.

        A cell whose formula is another one is left alone and told as skipped: only a formula that was translated from
        the function which gave the value is known to compute the same, in every spreadsheet program.
        """
        part = self._sheet_part(sheet)
        done: set[Place] = set()
        self._parts.stream(part, with_cached(self._scan(part, with_texts=True), values, done))
        return Patched(frozenset(done), frozenset(values.keys() - done))

    def set_value(self, sheet: str, values: Mapping[Place, Value]) -> None:
        """Fill plain cells, keeping their style; `WorkbookError` if one of them holds a formula."""
        part = self._sheet_part(sheet)
        self._parts.stream(part, with_values(self._chunks(part), part, values, self.date1904))

    @property
    def changed_parts(self) -> frozenset[str]:
        """The parts that differ from the file so far; `save` adds what follows from them."""
        return self._parts.changed

    def save(self, path: Path | str | None = None) -> bool:
        """Write the workbook, all of it or nothing; False if it is already so and nothing was written."""
        target = self.path if path is None else Path(path).resolve()
        if target == self.path:
            if not self._parts.changed:
                return False
            if not self._archive.is_current():
                raise WorkbookError(f"{self.path} was changed by someone else since it was read; run again.")
        refuse_if_open_elsewhere(target)
        replace_file(target, self._finished().write, like=self.path)
        if target == self.path:
            self._archive = Archive(self.path)
            self._parts = Parts(self._archive)
        return True

    def _finished(self) -> Parts:
        """The parts with what follows from the changes: charts show the new values, and formulas are due."""
        parts = self._parts.copy()
        changed = {
            name.casefold(): name
            for name, part in self._sheets.items()
            if part in parts.changed and part in self._archive  # no formula or chart can know a new sheet
        }
        if changed:
            self._renew_charts(parts, changed)
            workbook = parts.read(self._workbook)
            parts.update({self._workbook: with_full_calculation(workbook, self._workbook)})
        return parts

    def _renew_charts(self, parts: Parts, changed: Mapping[str, str]) -> None:
        wanted: dict[str, set[Area]] = {}
        chart_parts = parts.of_type("drawingml.chart+xml")
        for part in chart_parts:
            for sheet, area in charts.ranges_in(parts.read(part), part):
                if sheet.casefold() in changed:
                    wanted.setdefault(sheet.casefold(), set()).add(area)
        values = {
            folded: {(cell.row, cell.column): cell for cell in self.read_cells(changed[folded], list(areas))}
            for folded, areas in wanted.items()
        }
        for part in chart_parts:
            parts.update({part: charts.with_values(parts.read(part), part, values.keys(), values.__getitem__)})

    def _follow(self, parts: Parts, growth: Growth) -> tuple[str, ...]:
        """Let references follow a table's rows in every part that may hold one; the parts that changed."""
        new: dict[str, bytes] = {}
        followed: list[str] = []
        for sheet, part in self._sheets.items():
            if follows_in_sheet(SheetScan(parts.chunks(part), part), growth) and parts.stream(
                part, follow_in_sheet(SheetScan(parts.chunks(part), part), sheet, growth)
            ):
                followed.append(part)
        new[self._workbook] = follow_in_formulas(
            parts.read(self._workbook), self._workbook, {"definedName"}, growth, None
        )
        for table in self.tables().values():
            formulas = {"calculatedColumnFormula", "totalsRowFormula"}
            new[table.part] = follow_in_formulas(parts.read(table.part), table.part, formulas, growth, table.sheet)
        for part in parts.of_type("drawingml.chart+xml", "ms-office.chartex+xml"):
            new[part] = follow_in_chart(parts.read(part), part, growth)
        for part in parts.of_type("excel.controlproperties+xml"):
            new[part] = follow_in_control(parts.read(part), part, growth)
        followed += [part for part, data in new.items() if parts.stream(part, [data])]
        return tuple(followed)

    def _names_of(self, table: Table) -> set[str]:
        """What a pivot table may call the table: its own name, or a defined name for it or for its range."""
        names = {table.name}
        for name, text in self.defined_names().items():
            place = only_area(text)
            by_range = place is not None and place[0].casefold() == table.sheet.casefold() and place[1].meets(table.ref)
            if by_range or text.partition("[")[0].casefold() == table.name.casefold():
                names.add(name)
        return names

    def _listed_sheets(self) -> dict[str, str]:
        targets = {
            relation.id: relation.target
            for relation in self._parts.relationships(self._workbook)
            if relation.kind == "worksheet"
        }
        sheets: dict[str, str] = {}
        for element in elements(self._parts.read(self._workbook), self._workbook, {"sheet"}):
            identity = next((value for name, value in element.attributes.items() if name.endswith(" id")), "")
            if element.namespace in SPREADSHEET and identity in targets:
                sheets[needed(element, "name", self._workbook)] = targets[identity]
        return sheets

    def _workbook_part(self) -> str:
        if "[Content_Types].xml" not in self._parts:
            raise self._not_a_workbook()
        for relation in self._parts.relationships(""):
            if relation.kind == "officeDocument" and relation.target.endswith(".xml"):
                return relation.target
        raise self._not_a_workbook()

    def _not_a_workbook(self) -> WorkbookError:
        return WorkbookError(f"{self.path} is not an .xlsx workbook; open it in Excel or Calc and save it as .xlsx.")

    def _sheet_part(self, sheet: str) -> str:
        for name, part in self._sheets.items():
            if name.casefold() == sheet.casefold():
                return part
        raise NotOurWorkbookError(f"{self.path} has no sheet {sheet!r}; give a workbook that Holdwater made.")

    def _shared_strings(self) -> list[str]:
        if self._shared is None:
            self._shared = []
            for relation in self._parts.relationships(self._workbook):
                if relation.kind == "sharedStrings":
                    self._shared = read_shared_strings(self._parts.read(relation.target), relation.target)
        return self._shared

    def _chunks(self, part: str) -> Chunks:
        """The part as it is at the time of this call, to be streamed more than once."""
        return partial(self._parts.copy().chunks, part)

    def _scan(self, part: str, *, with_texts: bool = False) -> SheetScan:
        return SheetScan(self._parts.chunks(part), part, with_texts=with_texts)
