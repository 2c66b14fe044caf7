"""What an accountant types of other currencies on the sheet Inputs: how much of the books' currency one unit is."""

from __future__ import annotations

from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import RATE_HEADERS
from holdwater.workbook.typed_cells import Typed, nothing, typed_cells

TYPED_RATES = "rates_typed"  # the name of their cells
ROWS = 8

Rates = Typed
NO_RATES: Rates = nothing(ROWS, len(RATE_HEADERS))


def typed_rates(package: OpenWorkbook) -> Rates:
    return typed_cells(package, TYPED_RATES, NO_RATES)
