"""Writes the template workbook: live formulas with the values they have, data tables still empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdwater.errors import MissingExtraError, WorkbookError, WorkbookLockedError
from holdwater.units import Unit
from holdwater.workbook import layout
from holdwater.workbook.cells import Value
from holdwater.workbook.evaluate import Values, formula_text
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.inputs import INPUTS
from holdwater.workbook.lambda_names import add_names
from holdwater.workbook.owned import RESULTS, SOURCES, TABLES, OwnedTable
from holdwater.workbook.style import Styles

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

CREATED = datetime(2026, 11, 21)  # noqa: DTZ001  # a fixed local date: the same template is the same bytes


def write_template(path: Path, typed: Mapping[str, float] | None = None, banner: str = "") -> None:
    """A new workbook at `path`; `typed` fills inputs by name, the others hold their defaults.

    `banner` stands at the top of every sheet, on the screen and in print.

    Raises MissingExtraError without XlsxWriter and WorkbookLockedError where the file cannot be written.
    """
    if path.suffix.lower() != ".xlsx":
        raise WorkbookError(f"{path} is no name for a workbook: give one that ends in .xlsx.")
    if not path.resolve().parent.is_dir():
        raise WorkbookError(f"There is no folder {path.resolve().parent}: make it, or give another.")
    try:
        import xlsxwriter
        from xlsxwriter.exceptions import FileCreateError
    except ImportError as error:
        raise MissingExtraError("Writing workbooks needs XlsxWriter: run pip install 'holdwater[excel]'.") from error
    inputs: dict[str, Value] = {**{i.name: i.default for i in INPUTS}, **(typed or {})}
    values = Values(inputs, {})
    book = xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"})
    try:
        _write(book, inputs, values, banner)
        book.close()
        add_names(path)  # XlsxWriter cannot give a name its help
    except (FileCreateError, OSError) as error:
        raise WorkbookLockedError(
            f"{path} cannot be written: close it in Excel, or give another name or folder."
        ) from error


def _write(book: Workbook, inputs: Mapping[str, Value], values: Values, banner: str) -> None:
    book.set_properties({"title": "Holdwater", "created": CREATED})
    styles = Styles(book)
    sheets = {name: book.add_worksheet(name) for name in layout.SHEETS}
    for name, place in layout.names().items():
        book.define_name(name, place)
    for sheet in sheets.values():
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&F, &A&RPage &P of &N")
        if banner:
            sheet.set_header(f"&R{banner}")
            sheet.write_string(0, 4, banner, styles.banner)
    for table in TABLES:
        _table(sheets[table.sheet], table, values, styles)
    formulas = layout.formula_cells(values)
    for (row, column), (text, value) in formulas[RESULTS.sheet].items():
        _formula(sheets[RESULTS.sheet], row, column, text, styles.quiet, value)
    _inputs(sheets[layout.INPUTS_SHEET], inputs, formulas[layout.INPUTS_SHEET], styles)
    _figures(sheets[layout.FIGURES_SHEET], formulas[layout.FIGURES_SHEET], styles)
    _today(book, sheets[layout.TODAY], formulas[layout.TODAY], styles)
    sheets[layout.TODAY].activate()


def _formula(sheet: Worksheet, row: int, column: int, text: str, style: Any, value: Value) -> None:
    sheet.write_formula(row, column, f"={text}", style, value)


def _heading(sheet: Worksheet, styles: Styles, title: str, note: str) -> None:
    sheet.set_row(0, 30)
    sheet.write_string(0, 0, title, styles.title)
    sheet.write_string(1, 0, note, styles.quiet)


def _table(sheet: Worksheet, table: OwnedTable, values: Values, styles: Styles) -> None:
    _heading(sheet, styles, table.title, table.note)
    body = values.rows(table)
    columns = []
    for position, column in enumerate(table.columns):
        sheet.set_column(position, position, column.width)
        entry: dict[str, Any] = {
            "header": column.header,
            "header_format": styles.heading_for(column.number_format),
        }
        if column.function and column.arguments:
            entry["formula"] = f"={formula_text(column.function, column.arguments, table.name)}"
        columns.append(entry)
        if column.meaning:
            sheet.write_comment(table.top, position, column.meaning)
    last = (table.top + len(body), len(table.columns) - 1)
    sheet.add_table(table.top, 0, *last, {"name": table.name, "columns": columns, "style": "Table Style Light 1"})
    sheet.set_row(table.top, 32)
    for row, cells in enumerate(body, start=table.top + 1):
        for position, (column, value) in enumerate(zip(table.columns, cells, strict=True)):
            style = styles.number(column.number_format)
            if column.function and column.arguments:
                text = formula_text(column.function, column.arguments, table.name)
                _formula(sheet, row, position, text, style, value)
            else:
                sheet.write_blank(row, position, None, style)
    sheet.freeze_panes(table.top + 1, 1)
    sheet.repeat_rows(table.top)


def _inputs(sheet: Worksheet, inputs: Mapping[str, Value], formulas: layout.FormulaCells, styles: Styles) -> None:
    _heading(sheet, styles, "Inputs", "Type into the shaded cells. Formulas use the checked value beside them.")
    sheet.set_column(0, 0, 11)
    sheet.set_column(1, 1, 40)
    sheet.set_column(layout.TYPED, layout.IN_USE, 14)
    sheet.set_column(4, 4, 16)
    sheet.set_column(5, 5, 92)
    top = layout.FIRST_INPUT - 1
    for column, text in enumerate(("Group", "Input", "Typed", "In use", "Unit", "What it means")):
        numeric = column in (layout.TYPED, layout.IN_USE)
        sheet.write_string(top, column, text, styles.heading_for("0" if numeric else "@", aside=column > 1))
    group = ""
    for row, input_ in enumerate(INPUTS, start=layout.FIRST_INPUT):
        sheet.write_string(row, 0, input_.group if input_.group != group else "", styles.bold)
        group = input_.group
        sheet.write_string(row, 1, input_.label)
        typed = inputs[input_.name]
        style = styles.typed(input_.unit.number_format)
        if typed is None:
            sheet.write_blank(row, layout.TYPED, None, style)
        else:
            sheet.write(row, layout.TYPED, typed, style)
        sheet.data_validation(row, layout.TYPED, row, layout.TYPED, _validation(input_.label, input_.unit))
        text, value = formulas[row, layout.IN_USE]
        _formula(sheet, row, layout.IN_USE, text, styles.number(input_.unit.number_format), value)
        sheet.write_string(row, 4, input_.unit.meaning, styles.aside)
        sheet.write_string(row, 5, input_.meaning, styles.quiet)
    sheet.freeze_panes(layout.FIRST_INPUT, 2)


def _validation(label: str, unit: Unit) -> dict[str, Any]:
    bounds = dict(unit.bounds)
    rule: dict[str, Any] = {"validate": "decimal"}
    if not bounds:
        rule |= {"criteria": "between", "minimum": -1e300, "maximum": 1e300}
    elif len(bounds) == 2 and "<" in bounds and ">" in bounds:
        rule |= {"criteria": "between", "minimum": bounds["<"], "maximum": bounds[">"]}
    else:  # one bound, or an open one: the cell in use checks the other
        operator, bound = next(iter(bounds.items()))
        rule |= {"criteria": ">" if operator == "<=" else ">=", "value": bound}
    message = f"Allowed is {unit.allowed} ({unit.meaning})."
    return rule | {"error_title": label[:32], "error_message": message, "input_message": message}


def _figures(sheet: Worksheet, formulas: layout.FormulaCells, styles: Styles) -> None:
    _heading(sheet, styles, "Figures", "Every figure once, with the formula that gives it. Today shows them.")
    for column, (width, text) in enumerate(((40, "Figure"), (16, "Value"), (110, "What it means"))):
        sheet.set_column(column, column, width)
        numeric = column == layout.FIGURE_VALUE
        sheet.write_string(
            layout.FIRST_FIGURE - 1, column, text, styles.heading_for("0" if numeric else "@", aside=column > 0)
        )
    for row, figure in enumerate(FIGURES, start=layout.FIRST_FIGURE):
        sheet.write_string(row, 0, figure.label)
        text, value = formulas[row, layout.FIGURE_VALUE]
        _formula(sheet, row, layout.FIGURE_VALUE, text, styles.number(figure.number_format), value)
        sheet.write_string(row, 2, figure.meaning, styles.aside)
    sheet.freeze_panes(layout.FIRST_FIGURE, 1)


def _today(book: Workbook, sheet: Worksheet, formulas: layout.FormulaCells, styles: Styles) -> None:
    for column, width in enumerate((2, 34, 12, 42, 2, 18, 9, 16, 12, 14, 11, 32)):
        sheet.set_column(column, column, width)
    sheet.set_row(0, 30)
    sheet.write_string(0, 1, "Today", styles.title)
    sheet.set_row(3, 34)
    for column in range(2, layout.FIRST_SOURCE_COLUMN + len(layout.SOURCE_COLUMNS)):
        sheet.write_blank(3, column, None, styles.today("verdict"))
    header = layout.KEY_FIGURES_TOP
    for column, text in ((1, "Key figures"), (2, ""), (layout.BRIEF, "")):
        sheet.write_string(header, column, text, styles.header)
    for position, (text, number_format) in enumerate(layout.SOURCE_COLUMNS):
        sheet.write_string(header, layout.FIRST_SOURCE_COLUMN + position, text, styles.heading_for(number_format))
    for cell, figure in zip(layout.KEY_FIGURES, FIGURES, strict=True):
        sheet.write_string(cell.row, 1, figure.label)
        sheet.write_string(cell.row, layout.BRIEF, figure.brief, styles.aside)
    for cell in layout.TODAY_CELLS:
        text, value = formulas[cell.row, cell.column]
        _formula(sheet, cell.row, cell.column, text, styles.today(cell.style), value)
    sheet.conditional_format(
        layout.STATUS.row, 1, layout.STATUS.row, layout.BRIEF,
        {"type": "formula", "criteria": '=LEFT(results_status,5)="STALE"', "format": styles.alarm},
    )  # fmt: skip
    _chart(book, sheet, header + layout.SOURCE_ROWS + 3)
    sheet.set_print_scale(100)
    sheet.fit_to_pages(1, 1)


def _chart(book: Workbook, sheet: Worksheet, row: int) -> None:
    """Paid against allowable cost per lead by source; the second bar is hatched, so colour is not needed to tell."""
    chart = book.add_chart({"type": "column"})
    first = SOURCES.top + 1
    headers = [c.header for c in SOURCES.columns]
    patterns = {"Paid per lead": {"pattern": "wide_upward_diagonal", "fg_color": "#B45309", "bg_color": "#FFFFFF"}}
    for header in ("Paid per lead", "May cost"):
        column = headers.index(header)
        series: dict[str, Any] = {
            "name": header,
            "categories": [SOURCES.sheet, first, 0, first, 0],
            "values": [SOURCES.sheet, first, column, first, column],
            "border": {"color": "#444444"},
        }
        if header in patterns:
            series["pattern"] = patterns[header]
        else:
            series["fill"] = {"color": "#0F766E"}
        chart.add_series(series)
    chart.set_title({"name": "A lead: what it costs and what it may cost", "name_font": {"size": 11}})
    chart.set_legend({"position": "bottom"})
    chart.set_y_axis({"num_format": "#,##0", "major_gridlines": {"visible": True, "line": {"color": "#DDDDDD"}}})
    chart.set_size({"width": 790, "height": 250})
    sheet.insert_chart(row, layout.FIRST_SOURCE_COLUMN, chart)
