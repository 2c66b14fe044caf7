"""Writes the template workbook: live formulas with the values they have, data tables still empty."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from holdwater.bucket.improvement import LEVERS
from holdwater.bucket.projects import MOST
from holdwater.errors import MissingExtraError, WorkbookError, WorkbookLockedError
from holdwater.workbook import layout
from holdwater.workbook.cells import Value
from holdwater.workbook.curves import ROWS as MOST_CURVES
from holdwater.workbook.evaluate import Values, formula_text
from holdwater.workbook.figures import FIGURES
from holdwater.workbook.fixes import NO_FIXES, Fixes
from holdwater.workbook.grid import Screen
from holdwater.workbook.inputs import INPUTS, Input
from holdwater.workbook.lambda_names import add_names
from holdwater.workbook.owned import TABLES, OwnedTable
from holdwater.workbook.rates import ROWS as MOST_RATES
from holdwater.workbook.screens import CURVES_TOP, FIXES_TOP
from holdwater.workbook.style import Styles
from holdwater.workbook.template_charts import add_charts

if TYPE_CHECKING:
    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

CREATED = datetime(2026, 11, 21)  # noqa: DTZ001  # a fixed local date: the same template is the same bytes


def write_template(
    path: Path, typed: Mapping[str, float | str] | None = None, banner: str = "", fixes: Fixes = NO_FIXES
) -> None:
    """A new workbook at `path`; `typed` fills inputs by name, the others hold their defaults, and `fixes` those cells.

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
    values = Values(inputs, {}, [*fixes, *NO_FIXES[len(fixes) :]])
    book = xlsxwriter.Workbook(path, {"default_date_format": "yyyy-mm-dd"})
    try:
        _write(book, inputs, values, banner, fixes)
        book.close()
        add_names(path)  # XlsxWriter cannot give a name its help
    except (FileCreateError, OSError) as error:
        raise WorkbookLockedError(
            f"{path} cannot be written: close it in Excel, or give another name or folder."
        ) from error


def _write(book: Workbook, inputs: Mapping[str, Value], values: Values, banner: str, fixes: Fixes) -> None:
    book.set_properties({"title": "Holdwater", "created": CREATED})
    styles = Styles(book)
    sheets = {name: book.add_worksheet(name) for name in layout.SHEETS}
    for name, place in layout.names().items():
        book.define_name(name, place)
    for name, sheet in sheets.items():
        sheet.hide_gridlines(2)
        sheet.set_landscape()
        sheet.set_paper(9)  # A4; what fits on one page of it fits on one of Letter, too
        sheet.fit_to_pages(1, 1 if name in layout.SCREENS or name == layout.INPUTS_SHEET else 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.set_footer("&L&F, &A&RPage &P of &N")
        if name == "Retention":  # as many rows as there are months
            sheet.set_portrait()
        if banner:
            sheet.set_header(f"&R{banner}")
            sheet.write_string(0, 4, banner, styles.banner)
    for table in TABLES:
        _table(sheets[table.sheet], table, values, styles)
    formulas = layout.formula_cells(values)
    _inputs(sheets[layout.INPUTS_SHEET], inputs, formulas[layout.INPUTS_SHEET], styles)
    _figures(sheets[layout.FIGURES_SHEET], formulas[layout.FIGURES_SHEET], styles)
    for name, screen in layout.SCREENS.items():
        _screen(sheets[name], screen, formulas[name], styles)
    _typed_fixes(sheets[layout.FIXES_SHEET], fixes, styles)
    _typed_curves(sheets[layout.FIXES_SHEET], styles)
    _closed_month(sheets[layout.LOG_SHEET], styles)
    add_charts(book, sheets)
    sheets[layout.TODAY].set_zoom(80)  # all of it on a common screen
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
            style = styles.wrapped() if column.wraps else styles.number(column.number_format)
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
        sheet.data_validation(row, layout.TYPED, row, layout.TYPED, _validation(input_))
        text, value = formulas[row, layout.IN_USE]
        _formula(sheet, row, layout.IN_USE, text, styles.number(input_.unit.number_format), value)
        sheet.write_string(row, 4, input_.unit.meaning, styles.aside)
        sheet.write_string(row, 5, input_.meaning, styles.aside)
    _rates(sheet, styles)
    sheet.freeze_panes(layout.FIRST_INPUT, 2)


def _rates(sheet: Worksheet, styles: Styles) -> None:
    top = layout.RATES_TOP
    for column, text in enumerate(("Rates", "Other currency", "Rate")):
        style = styles.heading_for("0" if column == layout.TYPED else "@", aside=False)
        sheet.write_string(top - 1, column, text, style)
    told = "Three letters such as USD; the rate is how much of the currency of the books one of it is."
    for row in range(top, top + MOST_RATES):
        sheet.write_blank(row, 1, None, styles.typed("@"))
        sheet.write_blank(row, layout.TYPED, None, styles.typed("General"))
    last = top + MOST_RATES - 1
    sheet.data_validation(top, 1, last, 1, {"validate": "length", "criteria": "==", "value": 3,
                                            "input_message": told, "error_message": told})  # fmt: skip
    sheet.data_validation(top, 2, last, 2, {"validate": "decimal", "criteria": ">", "value": 0,
                                            "input_message": told, "error_message": told})  # fmt: skip
    sheet.write_string(top, 4, "A currency in the spend that has no rate here stops the refresh.", styles.aside)


def _validation(input_: Input) -> dict[str, Any]:
    label, unit = input_.label, input_.unit
    if input_.is_text:
        return {"validate": "any", "input_message": input_.meaning}
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


def _screen(sheet: Worksheet, screen: Screen, formulas: layout.FormulaCells, styles: Styles) -> None:
    for column, width in enumerate(screen.widths):
        sheet.set_column(column, column, width)
    for row, height in screen.heights.items():
        sheet.set_row(row, height)
    if screen.title:
        first = 1 if screen.title == layout.TODAY else 0
        sheet.set_row(0, 30)
        sheet.write_string(0, first, screen.title, styles.title)
        if screen.note:
            sheet.write_string(1, first, screen.note, styles.quiet)
    for row, first, last in screen.merged:
        sheet.merge_range(row, first, row, last, "", styles.screen("verdict"))
    for text in screen.texts:
        sheet.write_string(text.row, text.column, text.text, styles.screen(text.style))
    for cell in screen.cells:
        formula, value = formulas[cell.row, cell.column]
        _formula(sheet, cell.row, cell.column, formula, styles.screen(cell.style), value)
        if cell.style in ("status", "@"):
            for word in ("STALE", "FAIL", "OVER by"):
                rule = {"type": "text", "criteria": "begins with", "value": word, "format": styles.alarm}
                sheet.conditional_format(cell.row, cell.column, cell.row, cell.column, rule)
    if screen.frozen:
        sheet.freeze_panes(*screen.frozen)


def _typed_fixes(sheet: Worksheet, fixes: Fixes, styles: Styles) -> None:
    formats = ("@", "@", "0.0%", "#,##0.00", "0", "@", "#,##0.00")
    for row in range(FIXES_TOP, FIXES_TOP + MOST):
        for column, number_format in enumerate(formats):
            style = styles.typed(number_format)
            typed = fixes[row - FIXES_TOP][column] if row - FIXES_TOP < len(fixes) else None
            sheet.write(row, column, typed, style)
    last = FIXES_TOP + MOST - 1
    message = "By how much it gets better: 10 % takes a tenth off a cost, or adds a tenth to a rate."
    sheet.data_validation(FIXES_TOP, 1, last, 1, {"validate": "list", "source": [n.replace("_", " ") for n in LEVERS]})
    for column, told in ((2, message), (3, "Due when it starts."), (4, "Until it is done; a whole number."),
                         (6, "Each month from its start; empty: none.")):  # fmt: skip
        kind = "integer" if column == 4 else "decimal"
        sheet.data_validation(
            FIXES_TOP, column, last, column,
            {"validate": kind, "criteria": ">=", "value": 0, "input_message": told, "error_message": told},
        )  # fmt: skip
    sheet.data_validation(
        FIXES_TOP, 5, last, 5,
        {"validate": "any", "input_message": "Names of fixes to be done before it, with commas; empty: none."},
    )  # fmt: skip


def _typed_curves(sheet: Worksheet, styles: Styles) -> None:
    last = CURVES_TOP + MOST_CURVES - 1
    for row in range(CURVES_TOP, last + 1):
        for column, number_format in enumerate(("@", "#,##0", "#,##0.00")):
            sheet.write_blank(row, column, None, styles.typed(number_format))
    for column, told in ((1, "Leads a month that no amount of money would exceed."),
                         (2, "The spend a month that brings half of these leads.")):  # fmt: skip
        sheet.data_validation(CURVES_TOP, column, last, column, {
            "validate": "decimal", "criteria": ">", "value": 0, "input_message": told, "error_message": told,
        })  # fmt: skip


def _closed_month(sheet: Worksheet, styles: Styles) -> None:
    row, column = layout.CLOSED_ROW, layout.CLOSED_COLUMN
    sheet.write_string(row, column - 1, "Books closed through", styles.bold)
    sheet.write_blank(row, column, None, styles.typed("mmm yyyy"))
    told = "A refresh asks before it changes this month or one before it. holdwater close BOOK.xlsx 2026-10 sets it."
    sheet.write_string(row, column + 1, told, styles.aside)
