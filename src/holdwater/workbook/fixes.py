"""The fixes that a person types on the sheet Fixes: rows of FIX_SEQUENCE."""

from __future__ import annotations

from holdwater.bucket.projects import MOST
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import FIX_HEADERS
from holdwater.workbook.typed_cells import Typed, nothing, typed_cells

TYPED_FIXES = "fixes_typed"  # the name of their cells
ROWS, COLUMNS = MOST, len(FIX_HEADERS)

Fixes = Typed
NO_FIXES: Fixes = nothing(ROWS, COLUMNS)


def typed_fixes(package: OpenWorkbook) -> Fixes:
    return typed_cells(package, TYPED_FIXES, NO_FIXES)
