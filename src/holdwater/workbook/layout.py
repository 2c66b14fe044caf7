"""Where everything stands: one description of the sheets, from which the template is written and refreshed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from holdwater.units import COUNT, MONEY, PERCENT
from holdwater.workbook import sheet_formulas as own
from holdwater.workbook.cached import Shown
from holdwater.workbook.evaluate import FRESHNESS, INPUTS_TYPED, Values, formula_text, in_use_text
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.owned import RESULTS

TODAY, INPUTS_SHEET, FIGURES_SHEET = "Today", "Inputs", "Figures"
SHEETS = (TODAY, INPUTS_SHEET, "Sources", "Months", FIGURES_SHEET, "Results", "Used", "About")

FIRST_INPUT, TYPED, IN_USE = 4, 2, 3  # row and columns on Inputs, counted from 0
FIRST_FIGURE, FIGURE_VALUE = 4, 1  # row and column on Figures


@dataclass(frozen=True, slots=True)
class TodayCell:
    row: int
    column: int
    style: str  # verdict, line, quiet, status, or a number format
    function: Callable[..., Any]
    arguments: Mapping[str, str]


LINES = (
    TodayCell(1, 1, "quiet", own.subtitle, {"about": "hw_about[Value]"}),
    TodayCell(3, 1, "verdict", own.verdict, {
        "leads": "lead_flow", "conversion": "paid_conversion", "value": "customer_value",
        "allowable": "allowable_lead_cost", "worth": "lead_worth", "paid": "paid_lead_cost", "capacity": "lead_limit",
        "customers": "customers_now", "places": "service_capacity", "one_more": "one_more_lead",
        "full_from": "delivery_full", "stale": "results_status"}),
    TodayCell(4, 1, "line", own.load, {"leads": "lead_flow", "capacity": "lead_limit"}),
    TodayCell(5, 1, "line", own.outlook, {
        "one_more": "one_more_lead", "months": "horizon_months", "stale": "results_status"}),
    TodayCell(6, 1, "status", own.freshness, FRESHNESS),
)  # fmt: skip
STATUS = LINES[-1]  # named results_status

KEY_FIGURES_TOP = 9
KEY_FIGURES = tuple(
    TodayCell(KEY_FIGURES_TOP + 1 + position, 2, figure.number_format, own.shown, {"value": figure.name})
    for position, figure in enumerate(FIGURES)
)

SOURCE_ROWS = 12
SOURCE_COLUMNS = (("Source", "@"), ("Leads", COUNT), ("Judged", "@"), ("Conversion", PERCENT),
                  ("Paid per lead", MONEY), ("May cost", MONEY), ("Advice", "@"))  # fmt: skip
FIRST_SOURCE_COLUMN = 5
BRIEF = 3  # column of the definitions on Today


def _whole(header: str) -> str:
    """A column with its header: two rows at least, which IronCalc needs for INDEX."""
    return f"hw_sources[[#All],[{header}]]"


def _source_cells() -> Iterator[TodayCell]:
    for n in range(1, SOURCE_ROWS + 1):
        for position, (header, number_format) in enumerate(SOURCE_COLUMNS):
            place = (KEY_FIGURES_TOP + n, FIRST_SOURCE_COLUMN + position)
            if header == "Judged":
                counts = {"customers": _whole("Judged customers"), "leads": _whole("Judged leads")}
                yield TodayCell(*place, number_format, own.nth_judged, counts | {"position": str(n)})
            else:
                column = {"column": _whole(header), "position": str(n)}
                yield TodayCell(*place, number_format, own.nth, column)


SOURCE_CELLS = tuple(_source_cells())
MORE_SOURCES = TodayCell(
    KEY_FIGURES_TOP + SOURCE_ROWS + 1, FIRST_SOURCE_COLUMN, "quiet", own.sources_left,
    {"sources": "hw_sources[[#All],[Source]]", "shown_rows": str(SOURCE_ROWS)},
)  # fmt: skip
TODAY_CELLS = (*LINES, *KEY_FIGURES, *SOURCE_CELLS, MORE_SOURCES)
RESULTS_STATUS = (2, 0)  # on the sheet Results, above the table

# A named cell on each sheet with formulas of ours, by which the sheet is found again when it has another name.
LANDMARKS = {
    TODAY: "results_status",
    INPUTS_SHEET: INPUTS[0].name,
    FIGURES_SHEET: FIGURES[0].name,
    RESULTS.sheet: "one_more_lead",
}

FormulaCells = dict[tuple[int, int], tuple[str, Shown]]


def formula_cells(values: Values) -> dict[str, FormulaCells]:
    """Every formula cell outside the tables: by sheet and place, its text and its value."""
    today = {
        (c.row, c.column): (formula_text(c.function, c.arguments), values.call(c.function, c.arguments))
        for c in TODAY_CELLS
    }
    inputs: FormulaCells = {}
    for position, input_ in enumerate(INPUTS):
        row = FIRST_INPUT + position
        inputs[row, IN_USE] = (in_use_text(input_, f"C{row + 1}"), values[input_.name])
    figures: FormulaCells = {}
    for position, figure in enumerate(FIGURES):
        text = formula_text(figure.function, figure.arguments)
        figures[FIRST_FIGURE + position, FIGURE_VALUE] = (text, values[figure.name])
    line = {"status": "results_status", "about": "hw_about[Value]"}
    status = (formula_text(own.status_line, line), values.call(own.status_line, line))
    return {TODAY: today, INPUTS_SHEET: inputs, FIGURES_SHEET: figures, RESULTS.sheet: {RESULTS_STATUS: status}}


def names() -> dict[str, str]:
    """Defined names of single cells and of the range of checked inputs."""
    last = FIRST_INPUT + len(INPUTS)
    places = {INPUTS_TYPED: f"={INPUTS_SHEET}!$C${FIRST_INPUT + 1}:$C${last}"}
    for position, input_ in enumerate(INPUTS):
        places[input_.name] = f"={INPUTS_SHEET}!$D${FIRST_INPUT + position + 1}"
        places[input_.typed_name] = f"={INPUTS_SHEET}!$C${FIRST_INPUT + position + 1}"
    for position, figure in enumerate(FIGURES):
        places[figure.name] = f"={FIGURES_SHEET}!$B${FIRST_FIGURE + position + 1}"
    places["one_more_lead"] = f"={RESULTS.sheet}!$B${RESULTS.top + 2}"  # the first of the results
    places["delivery_full"] = f"={RESULTS.sheet}!$B${RESULTS.top + 6}"  # the fifth of the results
    places["results_status"] = f"={TODAY}!$B${STATUS.row + 1}"
    return places
