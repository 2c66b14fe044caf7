"""Refresh: the owned tables get the report's rows, our formulas the values that follow; nothing else moves."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from holdwater.errors import NotOurWorkbookError
from holdwater.metrics.figures import Report
from holdwater.workbook.about import last_refreshed
from holdwater.workbook.added import written_tables
from holdwater.workbook.cells import Content, FormulaCell, Value
from holdwater.workbook.changes import Change, changes
from holdwater.workbook.contents import contents
from holdwater.workbook.curves import NO_CURVES, typed_curves
from holdwater.workbook.evaluate import CHECKS_LINE, INPUTS_TYPED, Values, formula_text
from holdwater.workbook.fixes import NO_FIXES, typed_fixes
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.layout import LANDMARKS, TODAY_LINES, formula_cells
from holdwater.workbook.log import NOBODY, Run, log_lines, new_lines
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import (
    ABOUT,
    CONTROLS,
    COUNTS,
    LOG,
    RESULTS,
    TABLES,
    USED,
    USED_CURVES,
    USED_FIXES,
    USED_RATES,
    USED_SOURCES,
    OwnedTable,
)
from holdwater.workbook.package import Package
from holdwater.workbook.persons import persons_columns
from holdwater.workbook.rates import NO_RATES, typed_rates
from holdwater.workbook.references import cell_name, only_area
from holdwater.workbook.restated import Behind, Restatement, require_consent, restatements
from holdwater.workbook.saving import keep_copy
from holdwater.workbook.sheet_formulas.control import checks_line

NOT_COUNTED = (
    LOG,
    RESULTS,
    USED,
    USED_CURVES,
    USED_FIXES,
    USED_RATES,
    USED_SOURCES,
    CONTROLS,
    COUNTS,
    ABOUT,
)  # these say nothing of the CRM
_WAY_OUT = (
    "Put it back if you have changed it. If not, an earlier Holdwater made this workbook, and it stays as it is: make a"
    " new one with `holdwater template NEW.xlsx`, copy the shaded cells of Inputs and Fixes and your own sheets into"
    " it, then refresh that one."
)


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh did and what the first sheet now says."""

    path: Path
    changed: bool  # False: the workbook already showed all this, and was not written
    said: tuple[str, ...]  # the lines of the first sheet, verdict first
    left_alone: tuple[str, ...]  # what the person has changed so that it shows old values, or has lost its row
    backup: Path | None = None  # the copy of the workbook as it was


def refresh(
    path: Path,
    report: Report,
    *,
    origin: str,
    now: datetime | None = None,
    backup: Path | None = None,
    accept_restated: bool = False,
    behind: Behind | None = None,
    run: Run = NOBODY,
) -> Refreshed:
    """Write the report into the workbook at `path`; with `backup`, a folder, a dated copy of it is kept there first.

    The sheet Log tells of it, with what `run` says of who and how long.

    Raises RestatedError where a month whose books are closed would change, unless that is accepted; `behind` finds the
    records that it names. Raises NotOurWorkbookError where a table of ours is missing, WorkbookError or
    WorkbookLockedError where the file cannot be read or written; the file is then as it was.
    """
    package = Package.open(path)
    ready = _ready(package, report, origin, now, accept_restated=accept_restated, behind=behind, run=run)
    changed = bool(package.changed_parts)
    kept = keep_copy(package.path, backup, now or datetime.now(UTC)) if changed and backup is not None else None
    if changed:
        package.save()
    return Refreshed(path, changed, _said(ready, report), ready.left_alone, kept)


def refresh_open(book: OpenWorkbook, report: Report, *, origin: str, now: datetime | None = None) -> Refreshed:
    """The same for a workbook that is open already, as in Excel."""
    ready = _ready(book, report, origin, now)
    changed = bool(book.changed_parts)
    if changed:
        book.save()
    return Refreshed(book.path, changed, _said(ready, report), ready.left_alone)


def plan(path: Path, report: Report, *, origin: str, now: datetime | None = None) -> list[Change]:
    """Every change that `refresh` would make; nothing is written."""
    package = Package.open(path)
    _ready(package, report, origin, now, accept_restated=True)
    return changes(Package.open(path), package)


def restated(path: Path, report: Report, behind: Behind | None = None) -> list[Restatement]:
    """What `refresh` would ask about before it changes months whose books are closed."""
    package = Package.open(path)
    require_ours(package)
    return restatements(package, report, behind) if written_tables(package) is TABLES else []


def require_ours(package: OpenWorkbook) -> None:
    """NotOurWorkbookError unless every table that a refresh writes is there, with its columns.

    Columns that a person has added behind ours are theirs, and stay.
    """
    tables = package.tables()
    for table in written_tables(package):
        found = tables.get(table.name)
        if found is None and ABOUT.name in tables and INPUTS_TYPED in package.defined_names():
            raise NotOurWorkbookError(f"{package.path} has no table named {table.name}. {_WAY_OUT}")
        if found is None:
            raise NotOurWorkbookError(
                f"{package.path} has no table named {table.name}: it is not a Holdwater workbook, or the table was"
                " removed. Make one with `holdwater template NEW.xlsx`, or put the data tables into this one with"
                " `holdwater add-tables`."
            )
        headers = [column.header for column in table.columns]
        if list(found.columns[: len(headers)]) != headers:
            raise NotOurWorkbookError(
                f"The table {table.name} on sheet {found.sheet} of {package.path} begins with other columns than"
                f" {', '.join(headers)}; columns of your own may stand behind them. {_WAY_OUT}"
            )


def typed_inputs(package: OpenWorkbook) -> dict[str, Value]:
    """What the person has typed, found through the names of the cells, wherever they have moved to."""
    names = package.defined_names()
    typed: dict[str, Value] = {}
    sheets: dict[str, dict[tuple[int, int], Value]] = {}
    for input_ in INPUTS:
        place = only_area(names.get(input_.typed_name, ""))
        if place is None or place[0] not in package.sheets():
            raise NotOurWorkbookError(
                f"{package.path} has no cell named {input_.typed_name}, where {input_.label.lower()} is typed on the"
                f" sheet Inputs. {_WAY_OUT}"
            )
        sheet, area = place
        if sheet not in sheets:
            sheets[sheet] = {(c.row, c.column): c.value for c in package.read_cells(sheet)}
        typed[input_.name] = sheets[sheet].get((area.first_row, area.first_column))
    return typed


class _Ready(NamedTuple):
    """A workbook with everything in it that a refresh writes, still unsaved."""

    package: OpenWorkbook
    values: Values
    left_alone: tuple[str, ...]
    whole: bool  # Holdwater's own workbook, rather than a foreign one with the data tables


def _ready(
    package: OpenWorkbook,
    report: Report,
    origin: str,
    now: datetime | None,
    *,
    accept_restated: bool = False,
    behind: Behind | None = None,
    run: Run = NOBODY,
) -> _Ready:
    require_ours(package)
    tables = written_tables(package)
    whole = tables is TABLES
    restated = restatements(package, report, behind) if whole else []
    if not accept_restated:
        require_consent(restated, package.path)
    typed = typed_inputs(package) if whole else {}
    fixes = typed_fixes(package) if whole else NO_FIXES
    rates = typed_rates(package) if whole else NO_RATES
    curves = typed_curves(package) if whole else NO_CURVES
    log = log_lines(package) if whole else []
    # With the old time first: a workbook in which nothing else would change is not touched.
    values = Values(
        typed, contents(report, typed, origin, last_refreshed(package), fixes, log, rates, curves), fixes, rates, curves
    )
    left_alone = _write(package, values, tables)
    left_alone += _show(package, values) if whole else []
    if package.changed_parts:
        before = values
        refreshed = f"{now or datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        rows = sum(row[0] is not None for table in tables if table not in NOT_COUNTED for row in values.rows(table))
        checks = str(values.call(checks_line, CHECKS_LINE))
        log = [*log, *new_lines(report, origin, refreshed, run, rows, checks, restated, first=not log)]
        values = Values(
            typed, contents(report, typed, origin, refreshed, fixes, log, rates, curves), fixes, rates, curves
        )
        _write(package, values, [table for table in tables if values.rows(table) != before.rows(table)])
        if whole:
            _show(package, values)
    return _Ready(package, values, tuple(left_alone), whole)


def _write(package: OpenWorkbook, values: Values, tables: Iterable[OwnedTable]) -> list[str]:
    """Give the tables their rows; the notes that have lost theirs."""
    lost: list[str] = []
    for table in tables:
        theirs = persons_columns(package, table)
        package.replace_rows(table.name, theirs.beside(_body(table, values)))
        lost += theirs.lost
    return lost


def _show(package: OpenWorkbook, values: Values) -> list[str]:
    """Let our formula cells show the new values; those that a person has changed."""
    names = package.defined_names()
    left_alone: list[str] = []
    for sheet, cells in formula_cells(values).items():
        # The sheet may have another name by now: one of its named cells tells.
        place = only_area(names.get(LANDMARKS[sheet], ""))
        if place is None or place[0] not in package.sheets():
            left_alone.append(f"the sheet {sheet}, which shows old values")
            continue
        wanted = {(row + 1, column + 1): cell for (row, column), cell in cells.items()}
        patched = package.set_cached(place[0], wanted)
        left_alone += [f"{place[0]}!{cell_name(*cell)}" for cell in sorted(patched.skipped)]
    return left_alone


def _said(ready: _Ready, report: Report) -> tuple[str, ...]:
    if ready.whole:
        said = [str(ready.values.call(cell.function, cell.arguments)) for cell in TODAY_LINES]
        return tuple(said[1:])
    return (f"{report.total.leads:,} leads and {report.total.customers:,} customers as of {report.as_of:%Y-%m-%d}.",)


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
