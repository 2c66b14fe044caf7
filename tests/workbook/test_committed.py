"""The committed template is the one that the code writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openpyxl
import pytest

from holdwater.workbook.template import write_template

COMMITTED = Path(__file__).parents[2] / "workbook" / "holdwater-template.xlsx"


def meaning(path: Path) -> dict[str, Any]:
    """Cells, names and tables: what matters, whatever release of XlsxWriter wrote it."""
    book = openpyxl.load_workbook(path)
    cells = {
        f"{sheet.title}!{cell.coordinate}": cell.value
        for sheet in book.worksheets
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }
    names = {name: (defined.attr_text, defined.comment) for name, defined in book.defined_names.items()}
    tables = {name: ref for sheet in book.worksheets for name, ref in sheet.tables.items()}
    return {"cells": cells, "names": names, "tables": tables}


def test_the_committed_template_is_current(tmp_path: Path) -> None:
    if not COMMITTED.exists():
        pytest.skip("the committed workbooks are part of the checkout, not of the source distribution")
    write_template(tmp_path / "now.xlsx")
    assert meaning(COMMITTED) == meaning(tmp_path / "now.xlsx"), (
        "run: rm workbook/holdwater-template.xlsx && holdwater template workbook/holdwater-template.xlsx"
    )
