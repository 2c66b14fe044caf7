"""Refresh: the owned tables get the report's rows, our formulas the values that follow; nothing else moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from holdwater.errors import NotOurWorkbookError
from holdwater.metrics.figures import Report
from holdwater.workbook.cells import Content, FormulaCell, Value
from holdwater.workbook.contents import contents
from holdwater.workbook.evaluate import Values, formula_text
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.layout import LANDMARKS, TODAY_CELLS, formula_cells
from holdwater.workbook.owned import ABOUT, TABLES, OwnedTable
from holdwater.workbook.package import Package
from holdwater.workbook.persons import persons_columns
from holdwater.workbook.references import cell_name, only_area

_REFRESHED = 2  # its row in the table About


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did and what the first sheet now says."""

    path: Path
    changed: bool  # False: the workbook already showed all this, and was not written
    said: tuple[str, ...]  # the lines of the first sheet, verdict first
    left_alone: tuple[str, ...]  # what the person has changed so that it shows old values, or has lost its row


def refresh(path: Path, report: Report, *, origin: str, now: datetime | None = None) -> Refreshed:
    """Write the report into the workbook at `path`.

    Raises NotOurWorkbookError where a table of ours is missing, WorkbookError or WorkbookLockedError where the
    file cannot be read or written; the file is then as it was.
    """
    package = Package.open(path)
    require_ours(package)
    typed = typed_inputs(package)
    # With the old time first: a workbook in which nothing else would change is not touched.
    values, left_alone = _apply(package, report, typed, origin, _last_refreshed(package))
    changed = bool(package.changed_parts)
    if changed:
        refreshed = f"{now or datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        values, _ = _apply(package, report, typed, origin, refreshed)
        package.save()
    said = [str(values.call(cell.function, cell.arguments)) for cell in TODAY_CELLS[:5]]
    return Refreshed(path, changed, tuple(said[1:]), left_alone)


def require_ours(package: Package) -> None:
    """NotOurWorkbookError unless every table that a refresh writes is there, with its columns.

    Columns that a person has added behind ours are theirs, and stay.
    """
    tables = package.tables()
    for table in TABLES:
        found = tables.get(table.name)
        if found is None:
            raise NotOurWorkbookError(
                f"{package.path} has no table named {table.name}: it is not a Holdwater workbook, or the table was"
                " removed. Make one with `holdwater template NEW.xlsx`."
            )
        headers = [column.header for column in table.columns]
        if list(found.columns[: len(headers)]) != headers:
            raise NotOurWorkbookError(
                f"The table {table.name} on sheet {found.sheet} of {package.path} begins with other columns than"
                f" {', '.join(headers)}: put them back as they were; columns of your own may stand behind them."
            )


def typed_inputs(package: Package) -> dict[str, Value]:
    """What the person has typed, found through the names of the cells, wherever they have moved to."""
    names = package.defined_names()
    typed: dict[str, Value] = {}
    sheets: dict[str, dict[tuple[int, int], Value]] = {}
    for input_ in INPUTS:
        place = only_area(names.get(input_.typed_name, ""))
        if place is None or place[0] not in package.sheets():
            raise NotOurWorkbookError(
                f"{package.path} has no cell named {input_.typed_name}, where {input_.label.lower()} is typed:"
                " put the row back on the sheet Inputs, or start from a new template."
            )
        sheet, area = place
        if sheet not in sheets:
            sheets[sheet] = {(c.row, c.column): c.value for c in package.read_cells(sheet)}
        typed[input_.name] = sheets[sheet].get((area.first_row, area.first_column))
    return typed


def _last_refreshed(package: Package) -> str:
    body = package.table(ABOUT.name).body
    place = (body.first_row + _REFRESHED, body.first_column + 1)
    cells = {(c.row, c.column): c.value for c in package.read_cells(package.table(ABOUT.name).sheet)}
    return str(cells.get(place, ""))


def _apply(
    package: Package, report: Report, typed: Mapping[str, Value], origin: str, refreshed: str
) -> tuple[Values, tuple[str, ...]]:
    values = Values(typed, contents(report, typed, origin, refreshed))
    names = package.defined_names()
    left_alone: list[str] = []
    for table in TABLES:
        theirs = persons_columns(package, table)
        package.replace_rows(table.name, theirs.beside(_body(table, values)))
        left_alone += theirs.lost
    for sheet, cells in formula_cells(values).items():
        # The sheet may have another name by now: one of its named cells tells.
        place = only_area(names.get(LANDMARKS[sheet], ""))
        if place is None or place[0] not in package.sheets():
            left_alone.append(f"the sheet {sheet}, which shows old values")
            continue
        wanted = {(row + 1, column + 1): cell for (row, column), cell in cells.items()}
        patched = package.set_cached(place[0], wanted)
        left_alone += [f"{place[0]}!{cell_name(*cell)}" for cell in sorted(patched.skipped)]
    return values, tuple(left_alone)


def _body(table: OwnedTable, values: Values) -> list[list[Content]]:
    """The rows of a table: data as values, calculated columns as formulas with their values."""
    texts = [
        formula_text(column.function, column.arguments, table.name) if column.function and column.arguments else None
        for column in table.columns
    ]
    return [
        [cell if text is None else FormulaCell(text, cell) for text, cell in zip(texts, row, strict=True)]  # type: ignore[arg-type]  # a formula shows no date
        for row in values.rows(table)
    ]
