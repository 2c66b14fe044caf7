"""The data tables in a workbook that Holdwater did not make: on new sheets at its end, filled by refresh."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from holdwater.errors import WorkbookError
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import ABOUT, DATA_TABLES, TABLES, OwnedTable
from holdwater.workbook.package import Package
from holdwater.workbook.sheet_added import NewTable

# Of the tables only the data: their formulas compute with cells that a foreign workbook does not have.
FOREIGN_TABLES = tuple(replace(table, columns=tuple(table.data_columns)) for table in DATA_TABLES)


def add_tables(path: Path) -> tuple[str, ...]:
    """Add the data tables to any workbook; their names.

    Nothing else changes: sheets, styles and parts are added behind those that are there. WorkbookError if the
    workbook has one of them already or cannot take sheets; it is then as it was.
    """
    package = Package.open(path)
    names = {table.name for table in TABLES}
    standing = [name for name in package.tables() if name in names]
    if standing:
        raise WorkbookError(
            f"{path} has the table {standing[0]} already: run holdwater refresh to fill it, or delete the sheet it is"
            " on to begin anew."
        )
    for table in FOREIGN_TABLES:
        columns = [(column.header, column.number_format, column.width) for column in table.columns]
        package.add_table(NewTable(table.name, table.sheet, columns))
    package.save()
    return tuple(table.name for table in FOREIGN_TABLES)


def written_tables(package: OpenWorkbook) -> tuple[OwnedTable, ...]:
    """The tables that a refresh writes here: all of them, or in a foreign workbook those data tables that it has.

    A person may delete sheets of those that are of no use there; the one that says what the numbers are stays.
    """
    found = package.tables()
    if ABOUT.name in found and not any(table.name in found for table in TABLES if table not in DATA_TABLES):
        return tuple(table for table in FOREIGN_TABLES if table.name in found)
    return TABLES
