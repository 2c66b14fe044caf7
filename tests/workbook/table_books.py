"""A workbook with a table to refresh, and what can be read back from it."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl

from holdwater.workbook.cells import Content, FormulaCell
from holdwater.workbook.package import Package

SHEET = "xl/worksheets/sheet1.xml"
MODEL = "xl/worksheets/sheet2.xml"
CHART = "xl/charts/chart1.xml"
TABLE = "xl/tables/table1.xml"


def deals(count: int, start: float = 10) -> list[list[Content]]:
    return [
        [
            f"deal {n}",
            start + n,
            date(2025, 1, 1 + n % 28),
            FormulaCell("Deals[[#This Row],[Amount]]*2", 2 * (start + n)),
        ]
        for n in range(count)
    ]


def refresh(path: Path, rows: Sequence[Sequence[Content]], table: str = "Deals") -> Package:
    package = Package.open(path)
    package.replace_rows(table, rows)
    package.save()
    return package


def cells(path: Path, sheet: str = "Deals here", *, values: bool = True) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells that it knows no sparklines
        book = openpyxl.load_workbook(path, data_only=values, rich_text=True)
    try:
        return {
            cell.coordinate: cell.value for row in book[sheet].iter_rows() for cell in row if cell.value is not None
        }
    finally:
        book.close()
