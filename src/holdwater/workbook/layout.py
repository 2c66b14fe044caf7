"""Where everything stands: one description of the sheets, from which the template is written and refreshed."""

from __future__ import annotations

from collections.abc import Mapping

from holdwater.bucket.projects import MOST
from holdwater.workbook.cached import Shown
from holdwater.workbook.checks import CHECKS, FIRST_CHECK, TEXT_CHECKS
from holdwater.workbook.curves import ROWS as MOST_CURVES
from holdwater.workbook.curves import TYPED_CURVES
from holdwater.workbook.evaluate import CHECKS_SAID, INPUTS_TYPED, Values, formula_text, in_use_text
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.fixes import COLUMNS, TYPED_FIXES
from holdwater.workbook.grid import Cell, Screen
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.owned import TABLES
from holdwater.workbook.rates import ROWS as MOST_RATES
from holdwater.workbook.rates import TYPED_RATES
from holdwater.workbook.references import column_letters
from holdwater.workbook.screens import (
    CAPACITY,
    CHECKS_SCREEN,
    CURVES_TOP,
    FIXES,
    FIXES_TOP,
    FUNNEL,
    LOSSES_SCREEN,
    PERMISSION,
    RETENTION,
    YEARS,
)
from holdwater.workbook.today import LEFT, LINES, STATUS_ROW
from holdwater.workbook.today import TODAY as TODAY_SCREEN

TODAY, INPUTS_SHEET, FIGURES_SHEET, FIXES_SHEET, LOG_SHEET = "Today", "Inputs", "Figures", "Fixes", "Log"
SCREENS: Mapping[str, Screen] = {
    TODAY: TODAY_SCREEN, "Funnel": FUNNEL, "Retention": RETENTION, "Capacity": CAPACITY, FIXES_SHEET: FIXES,
    "Losses": LOSSES_SCREEN, "Permission": PERMISSION, "Years": YEARS, "Checks": CHECKS_SCREEN,
}  # fmt: skip
_FIRST = (TODAY, INPUTS_SHEET, "Sources", "Funnel", "Retention", "Capacity", FIXES_SHEET, "Losses", "Permission",
          "Years", "Checks", LOG_SHEET)  # fmt: skip
_TABLE_SHEETS = [table.sheet for table in TABLES if table.sheet not in _FIRST]
SHEETS = (*_FIRST, FIGURES_SHEET, *_TABLE_SHEETS)

TODAY_LINES = LINES
FIRST_INPUT, TYPED, IN_USE = 4, 2, 3  # row and columns on Inputs, counted from 0
RATES_TOP = FIRST_INPUT + len(INPUTS) + 2  # the first row of the rates below the inputs
FIRST_FIGURE, FIGURE_VALUE = 4, 1  # row and column on Figures
CLOSED_ROW, CLOSED_COLUMN = 2, 1  # on the sheet Log
CLOSED = "closed_through"  # the name of that cell: the last month that a refresh may not change unasked

# A named cell on each sheet with formulas of ours, by which the sheet is found again when it has another name.
LANDMARKS = {
    **{sheet: f"sheet_{sheet.lower()}" for sheet in SCREENS},
    TODAY: "results_status",
    INPUTS_SHEET: INPUTS[0].name,
    FIGURES_SHEET: FIGURES[0].name,
}

FormulaCells = dict[tuple[int, int], tuple[str, Shown]]


def formula_cells(values: Values) -> dict[str, FormulaCells]:
    """Every formula cell outside the tables: by sheet and place, its text and its value."""

    def both(cell: Cell) -> tuple[str, Shown]:
        return formula_text(cell.function, cell.arguments), values.call(cell.function, cell.arguments)

    screens = {sheet: {(c.row, c.column): both(c) for c in screen.cells} for sheet, screen in SCREENS.items()}
    inputs: FormulaCells = {}
    for position, input_ in enumerate(INPUTS):
        row = FIRST_INPUT + position
        inputs[row, IN_USE] = (in_use_text(input_, f"C{row + 1}"), values[input_.name])
    figures: FormulaCells = {}
    for position, figure in enumerate(FIGURES):
        text = formula_text(figure.function, figure.arguments)
        figures[FIRST_FIGURE + position, FIGURE_VALUE] = (text, values[figure.name])
    return screens | {INPUTS_SHEET: inputs, FIGURES_SHEET: figures}


def names() -> dict[str, str]:
    """Defined names of single cells and of the ranges that are typed or checked."""
    last = FIRST_INPUT + len(INPUTS)
    places = {INPUTS_TYPED: f"={INPUTS_SHEET}!$C${FIRST_INPUT + 1}:$C${last}"}
    for position, input_ in enumerate(INPUTS):
        places[input_.name] = f"={INPUTS_SHEET}!$D${FIRST_INPUT + position + 1}"
        places[input_.typed_name] = f"={INPUTS_SHEET}!$C${FIRST_INPUT + position + 1}"
    for position, figure in enumerate(FIGURES):
        places[figure.name] = f"={FIGURES_SHEET}!$B${FIRST_FIGURE + position + 1}"
    places[TYPED_FIXES] = f"={FIXES_SHEET}!$A${FIXES_TOP + 1}:${column_letters(COLUMNS)}${FIXES_TOP + MOST}"
    places[TYPED_RATES] = f"={INPUTS_SHEET}!$B${RATES_TOP + 1}:$C${RATES_TOP + MOST_RATES}"
    places[TYPED_CURVES] = f"={FIXES_SHEET}!$A${CURVES_TOP + 1}:$C${CURVES_TOP + MOST_CURVES}"
    places[CHECKS_SAID] = f"=Checks!$D${FIRST_CHECK + 1}:$D${FIRST_CHECK + len(CHECKS) + len(TEXT_CHECKS)}"
    places[CLOSED] = f"={LOG_SHEET}!$B${CLOSED_ROW + 1}"
    for sheet, name in LANDMARKS.items():
        places.setdefault(name, f"={sheet}!$A$1")
    places["results_status"] = f"={TODAY}!${column_letters(LEFT + 1)}${STATUS_ROW + 1}"
    return places
