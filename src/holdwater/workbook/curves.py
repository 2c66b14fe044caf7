"""What a person types on the sheet Fixes of how the leads of a source grow with the money spent on it."""

from __future__ import annotations

from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import CURVE_HEADERS
from holdwater.workbook.typed_cells import Typed, nothing, typed_cells

TYPED_CURVES = "curves_typed"  # the name of their cells
ROWS = 8

Curves = Typed
NO_CURVES: Curves = nothing(ROWS, len(CURVE_HEADERS))


def typed_curves(package: OpenWorkbook) -> Curves:
    return typed_cells(package, TYPED_CURVES, NO_CURVES)
