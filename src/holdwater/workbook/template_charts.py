"""The charts of the template. No series is told by its colour alone: one is filled, the other hatched or dashed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from holdwater.workbook import layout, screens, today
from holdwater.workbook.owned import COHORTS, CURVE, CUSTOMERS, SOURCES, WEEKS, OwnedTable
from holdwater.workbook.style import INK

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

TEAL, AMBER, GREY = "#0F766E", "#B45309", "#6B7280"
FILLED = {"fill": {"color": TEAL}, "border": {"color": INK}}
HATCHED = {
    "pattern": {"pattern": "wide_upward_diagonal", "fg_color": AMBER, "bg_color": "#FFFFFF"},
    "border": {"color": INK},
}
SOLID = {"line": {"color": INK, "width": 2}}
DASHED = {"line": {"color": AMBER, "width": 2, "dash_type": "dash"}}
LIGHT = {"color": "#DDDDDD"}
DOTTED = {"line": {"color": GREY, "width": 1.25, "dash_type": "round_dot"}}


def add_charts(book: Workbook, sheets: Mapping[str, Worksheet]) -> None:
    first = sheets[layout.TODAY]
    first.insert_chart(today.CHARTS_ROW, today.LEFT, _customers(book))
    first.insert_chart(today.CHARTS_ROW, today.RIGHT, _prices(book))
    sheets["Retention"].insert_chart(4, 0, _retention(book))
    sheets["Years"].insert_chart(screens.YEARS_TOP + screens.YEARS_SHOWN + 1, 0, _years(book))
    sheets["Weeks"].insert_chart(4, 4, _weeks(book))
    sheets["Capacity"].insert_chart(4, 7, _ahead(book))
    sheets["Fixes"].insert_chart(screens.LEVERS_FIRST, 5, _profit(book), {"x_offset": 30})
    sheets["Funnel"].insert_chart(4, 5, _funnel(book))


def _column(table: OwnedTable, header: str) -> list[Any]:
    """The one row that an empty table has; a refresh lets the chart follow the table."""
    column = [c.header for c in table.columns].index(header)
    return [table.sheet, table.top + 1, column, table.top + 1, column]


def _of_table(table: OwnedTable, header: str, look: Mapping[str, Any], name: str = "", **more: Any) -> dict[str, Any]:
    keys = _column(table, table.columns[0].header)
    return {"name": name or header, "categories": keys, "values": _column(table, header), **look, **more}


def _finished(chart: Any, title: str, width: int, height: int, number_format: str) -> Any:
    chart.set_title({"name": title, "name_font": {"size": 11}})
    chart.set_legend({"position": "bottom"})
    chart.set_y_axis({"num_format": number_format, "major_gridlines": {"visible": True, "line": LIGHT}})
    chart.set_size({"width": width, "height": height})
    chart.show_blanks_as("gap")
    return chart


def _prices(book: Workbook) -> Any:
    chart = book.add_chart({"type": "column"})
    chart.add_series(_of_table(SOURCES, "Paid per lead", HATCHED))
    chart.add_series(_of_table(SOURCES, "May cost", FILLED))
    return _finished(chart, "A lead: what it costs and what it may cost", 800, 260, "#,##0")


def _years(book: Workbook) -> Any:
    chart = book.add_chart({"type": "column"})
    first, last = screens.YEARS_TOP, screens.YEARS_TOP + screens.YEARS_SHOWN - 1
    for column, name, look in ((4, "came in", FILLED), (5, "left", HATCHED)):
        values = ["Years", first, column, last, column]
        chart.add_series({"name": name, "categories": ["Years", first, 0, last, 0], "values": values, **look})
    chart.set_x_axis({"text_axis": True})
    return _finished(chart, "Customers by fiscal year: who comes and who leaves", 700, 300, "#,##0")


def _weeks(book: Workbook) -> Any:
    chart = book.add_chart({"type": "line"})
    chart.add_series(_of_table(WEEKS, "Leads", SOLID, "leads that came"))
    chart.add_series(_of_table(WEEKS, "Won", DASHED, "leads that were won"))
    chart.set_x_axis({"num_format": "d mmm yy", "text_axis": True})
    return _finished(chart, "Leads by the week", 860, 320, "#,##0")


def _customers(book: Workbook) -> Any:
    chart = book.add_chart({"type": "column"})
    chart.add_series(_of_table(CUSTOMERS, "New", FILLED, "came in"))
    chart.add_series(_of_table(CUSTOMERS, "Lost", HATCHED, "left"))
    there = book.add_chart({"type": "line"})
    there.add_series(_of_table(CUSTOMERS, "At the start", SOLID, "customers (right)", y2_axis=True))
    there.add_series(_of_table(CUSTOMERS, "Ceiling", DASHED, "ceiling (right)", y2_axis=True))
    there.set_y2_axis({"num_format": "#,##0", "min": 0})
    chart.combine(there)
    chart.set_x_axis({"num_format": "mmm yy", "text_axis": True})  # dates would leave a single month without its name
    return _finished(chart, "Customers: who comes, who leaves, and where growth ends", 860, 260, "#,##0")


def _retention(book: Workbook) -> Any:
    chart = book.add_chart({"type": "line"})
    marks = {"line": {"none": True}, "marker": {"type": "circle", "size": 5, "fill": {"color": INK}}}
    chart.add_series(_of_table(CURVE, "Counted", marks, "counted"))
    chart.add_series(_of_table(CURVE, "Fitted", SOLID, "fitted"))
    chart.add_series(_of_table(CURVE, "Low", DOTTED, "90 % sure above this"))
    chart.add_series(_of_table(CURVE, "High", DASHED, "and below this"))
    chart.set_x_axis({"name": "months since the customer began", "interval_unit": 6})
    width = 170 + 75 * (len(COHORTS.columns) - 1)
    chart = _finished(chart, "How many customers stay", width, 440, "0%")
    chart.set_y_axis({"num_format": "0%", "min": 0, "max": 1, "major_gridlines": {"visible": True, "line": LIGHT}})
    return chart


def _ahead(book: Workbook) -> Any:
    chart = book.add_chart({"type": "line"})
    rows = (screens.AHEAD_FIRST, screens.AHEAD_LAST)
    chart.add_series({
        "name": "customers", "categories": ["Capacity", rows[0], 0, rows[1], 0],
        "values": ["Capacity", rows[0], 1, rows[1], 1], **SOLID,
    })  # fmt: skip
    return _finished(chart, "Customers in the months ahead", 480, 320, "#,##0")


def _profit(book: Workbook) -> Any:
    chart = book.add_chart({"type": "column"})
    rows = (screens.ORDER_FIRST, screens.ORDER_LAST)
    chart.add_series({
        "name": "profit then", "categories": ["Fixes", rows[0], 0, rows[1], 0],
        "values": ["Fixes", rows[0], 5, rows[1], 5], **FILLED,
    })  # fmt: skip
    chart = _finished(chart, "Profit over the months ahead, after each fix", 500, 340, "#,##0")
    chart.set_legend({"none": True})
    return chart


def _funnel(book: Workbook) -> Any:
    chart = book.add_chart({"type": "bar"})
    chart.add_series({
        "name": "how many", "categories": ["Funnel", 5, 0, 8, 0], "values": ["Funnel", 5, 1, 8, 1], **FILLED,
        "data_labels": {"value": True},
    })  # fmt: skip
    chart = _finished(chart, "From lead to customer", 560, 320, "#,##0")
    chart.set_y_axis({"reverse": True, "major_gridlines": {"visible": False}})
    chart.set_x_axis({"visible": False, "major_gridlines": {"visible": False}})
    chart.set_legend({"none": True})
    return chart
