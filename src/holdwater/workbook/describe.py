"""What a workbook says about a business: a Holdwater workbook, or any other with a place named bucket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from holdwater.bucket import Bucket
from holdwater.bucket.description import Description
from holdwater.errors import WorkbookError
from holdwater.workbook.business import business
from holdwater.workbook.cells import Value
from holdwater.workbook.evaluate import Values
from holdwater.workbook.fixes import typed_fixes
from holdwater.workbook.label_rows import label_rows
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import ABOUT, CUSTOMERS, MONTHS, SOURCES, TABLES, TEXT, OwnedTable
from holdwater.workbook.package import Package
from holdwater.workbook.references import cell_name
from holdwater.workbook.refresh import require_ours, typed_inputs


def describe(path: Path) -> Description:
    """The business of a workbook. Only what is saved in it counts; nothing is written.

    WorkbookError if it cannot be read, NotOurWorkbookError if it tells of no business, and a FormulaError that says
    what to fill in, or to mend.
    """
    return describe_open(Package.open(path))


def describe_open(package: OpenWorkbook) -> Description:
    """The same of a workbook that has been opened already."""
    if any(table.name in package.tables() for table in TABLES):
        require_ours(package)
        return _ours(package)
    return Description(bucket=Bucket.of(label_rows(package)), origin=package.path.name)


def _ours(package: OpenWorkbook) -> Description:
    data = {table.name: list(_data_rows(package, table)) for table in (SOURCES, MONTHS, CUSTOMERS, ABOUT)}
    values = Values(typed_inputs(package), data)
    about: dict[object, object] = {row[0]: row[1] for row in data[ABOUT.name]}
    return business(values, about, typed_fixes(package))


def _data_rows(package: OpenWorkbook, table: OwnedTable) -> Iterator[list[Value]]:
    """What refresh wrote, from the columns that hold no formulas; WorkbookError where a text stands for a number."""
    found = package.table(table.name)
    columns = {found.body.first_column + n: c for n, c in enumerate(table.columns) if c.function is None}
    cells = {(c.row, c.column): c.value for c in package.read_cells(found.sheet) if c.column in columns}
    for row in range(found.body.first_row, found.body.last_row + 1):
        values: list[Value] = []
        for place, column in columns.items():
            value = cells.get((row, place))
            if column.number_format != TEXT and table is not ABOUT and value is not None and not _is_number(value):
                raise WorkbookError(
                    f"{package.path}: {cell_name(row, place)} on the sheet {found.sheet} is no number: refresh writes"
                    f" {column.header} there, so run holdwater refresh again."
                )
            values.append(value)
        yield values


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
