"""The value of every formula cell, computed by the very functions that the cells' formulas were translated from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from holdwater.errors import FormulaError
from holdwater.translate import Ref, plain
from holdwater.workbook.cached import Shown
from holdwater.workbook.cells import CellError, Value, serial
from holdwater.workbook.checks import CHECKS, CONTROL, FIRST_CHECK, TEXT_CHECKS, Check
from holdwater.workbook.curves import NO_CURVES, TYPED_CURVES, Curves
from holdwater.workbook.figures import FIGURES, MAY_BE_BLANK
from holdwater.workbook.fixes import NO_FIXES, TYPED_FIXES, Fixes
from holdwater.workbook.inputs import INPUTS, Input
from holdwater.workbook.owned import CURVE_HEADERS, FIX_HEADERS, RATE_HEADERS, TABLES, OwnedTable
from holdwater.workbook.rates import NO_RATES, TYPED_RATES, Rates
from holdwater.workbook.sheet_formulas.control import agrees, freshness
from holdwater.workbook.sheet_formulas.lookups import looked_up

Rows = Sequence[Sequence[Value]]

INPUTS_TYPED = "inputs_typed"  # the name of the typed cells, top to bottom
_FIRST, _LAST = FIX_HEADERS[0], FIX_HEADERS[-1]
FRESHNESS = {
    "used": "hw_used[Value]", "now": INPUTS_TYPED,
    "used_fixes": f"hw_used_fixes[[{_FIRST}]:[{_LAST}]]", "fixes": TYPED_FIXES,
    "used_rates": f"hw_used_rates[[{RATE_HEADERS[0]}]:[{RATE_HEADERS[-1]}]]", "rates": TYPED_RATES,
    "used_curves": f"hw_used_curves[[{CURVE_HEADERS[0]}]:[{CURVE_HEADERS[-1]}]]", "curves": TYPED_CURVES,
}  # fmt: skip
CHECKS_SAID = "checks_said"  # the name of what each check says
CHECKS_LINE = {"said": CHECKS_SAID, "stale": "results_status"}


class Values:
    """All values of one workbook: `values["lead_flow"]`, `values["hw_sources[Leads]"]`."""

    def __init__(
        self,
        typed: Mapping[str, Value],
        data: Mapping[str, Rows],
        fixes: Fixes = NO_FIXES,
        rates: Rates = NO_RATES,
        curves: Curves = NO_CURVES,
    ) -> None:
        self._known: dict[str, Any] = {i.name: in_use(i, typed.get(i.name)) for i in INPUTS}
        self._known[INPUTS_TYPED] = [typed.get(i.name) for i in INPUTS]
        self._known[TYPED_FIXES] = [cell for row in fixes for cell in row]
        self._known[TYPED_RATES] = [cell for row in rates for cell in row]
        self._known[TYPED_CURVES] = [cell for row in curves for cell in row]
        for table in TABLES:
            self._keep(table, data.get(table.name) or [])
        for input_ in INPUTS:
            if input_.measured and typed.get(input_.name) in (None, ""):
                figure = next(figure for figure in FIGURES if figure.name == input_.measured)
                self._known[input_.name] = self.call(figure.function, figure.arguments)
        for figure in FIGURES:
            self._known[figure.name] = self.call(figure.function, figure.arguments)
        for table in TABLES:
            self._calculate(table)
        self._known["results_status"] = self.call(freshness, FRESHNESS)
        self._known[CHECKS_SAID] = [self._check(check, row) for row, check in enumerate(CHECKS, start=FIRST_CHECK + 1)]
        self._known[CHECKS_SAID] += [self.call(function, arguments) for _, function, arguments in TEXT_CHECKS]

    def __getitem__(self, name: str) -> Any:
        table, all_, rest = name.partition("[[#All],")
        if all_:  # the column with its header
            return [rest.strip("[]"), *self._known[table + rest.removesuffix("]")]]
        table, block, last = name.partition("]:[")
        if block:
            table, _, first = table.partition("[[")
            return self._block(table, first, last.removesuffix("]]"))
        return self._known[name]

    def _block(self, name: str, first: str, last: str) -> list[Any]:
        """Some columns of a table side by side, row by row."""
        headers = [column.header for table in TABLES if table.name == name for column in table.columns]
        columns = [self[f"{name}[{header}]"] for header in headers[headers.index(first) : headers.index(last) + 1]]
        return [
            serial(cell, date1904=False) if isinstance(cell, date) else cell
            for row in zip(*columns, strict=True)
            for cell in row
        ]

    def _check(self, check: Check, row: int) -> Shown:
        """What the check says; the cells that it compares, in this row of the sheet Checks, are known from then on."""
        was, now = f"$B${row}", f"$C${row}"
        self._known[was] = self.call(looked_up, CONTROL | {"key": check.was})
        self._known[now] = self.call(check.function, check.arguments)
        return self.call(agrees, {"was": was, "now": now})

    def rows(self, table: OwnedTable) -> list[list[Value]]:
        """The table's body, calculated columns included; an empty table keeps the one blank row it must have."""
        columns = [self[f"{table.name}[{c.header}]"] for c in table.columns]
        return [list(row) for row in zip(*columns, strict=True)]

    def call(self, function: Callable[..., Any], arguments: Mapping[str, str], table: str = "", row: int = 0) -> Shown:
        """What the cell shows: the function's value, or the error that an argument or the function gives."""
        given = {name: self._find(text, table, row) for name, text in arguments.items()}
        given = {name: None if value == "" else value for name, value in given.items()}  # empty is not given
        body: Callable[..., Shown] = inspect.unwrap(function)
        if "is_number" not in body.__code__.co_names:  # else it looks at errors itself
            for value in given.values():
                if isinstance(value, CellError):
                    return value
        try:
            return body(**given)
        except FormulaError as error:
            return CellError(error.cell)
        except ArithmeticError:
            return CellError("#DIV/0!")

    def _find(self, text: str, table: str, row: int) -> Any:
        if text.startswith("["):
            return self[f"{table}{text}"][row]
        if text.startswith('"'):
            return text.strip('"')
        return int(text) if text.isdigit() else self[text]

    def _keep(self, table: OwnedTable, rows: Rows) -> None:
        for position, column in enumerate(table.data_columns):
            self._known[f"{table.name}[{column.header}]"] = [row[position] for row in rows] or [None]

    def _calculate(self, table: OwnedTable) -> None:
        height = len(self[f"{table.name}[{table.columns[0].header}]"])
        for column in table.columns:
            if column.function is None or column.arguments is None:
                continue
            cells = [self.call(column.function, column.arguments, table.name, row) for row in range(height)]
            self._known[f"{table.name}[{column.header}]"] = cells


def in_use(input_: Input, typed: Value) -> Shown:
    """The typed value if formulas may use it, else the error that says why not."""
    if typed is None or typed == "":
        return CellError("#N/A") if input_.required else ""
    if isinstance(typed, CellError):
        return typed
    if input_.is_text:
        return typed if isinstance(typed, str) else CellError("#VALUE!")
    if isinstance(typed, bool) or not isinstance(typed, (int, float)):
        return CellError("#VALUE!")
    return float(typed) if input_.unit.allows(typed) else CellError("#NUM!")


def in_use_text(input_: Input, cell: str) -> str:
    """The formula beside the typed cell, the twin of `in_use`."""
    wrong = [f"{cell}{operator}{bound:g}" for operator, bound in input_.unit.bounds]
    wrong += [f"{cell}<>INT({cell})"] if input_.unit.whole else []
    checked = f"IF(OR({','.join(wrong)}),#NUM!,{cell})" if wrong else cell
    blank = input_.measured or ("#N/A" if input_.required else '""')
    if input_.is_text:
        return f'IF({cell}="",{blank},IF(ISTEXT({cell}),{cell},#VALUE!))'
    return f'IF({cell}="",{blank},IF(ISNUMBER({cell}),{checked},#VALUE!))'


def formula_text(function: Callable[..., Any], arguments: Mapping[str, str], table: str = "") -> str:
    """The cell's formula, without its equals sign."""
    return _formula_text(function, tuple(arguments.items()), table)


@lru_cache(maxsize=4096)  # a refresh writes each of some thousand cells' formulas twice
def _formula_text(function: Callable[..., Any], arguments: tuple[tuple[str, str], ...], table: str) -> str:

    def place(text: str) -> Ref | int | str:
        if text.lstrip("-").isdigit():
            return int(text)
        if text.startswith("["):
            return Ref(f"{table}[[#This Row],{text}]", blank=True)
        if text.startswith('"'):
            return text.strip('"')
        return Ref(text, blank=text in MAY_BE_BLANK or text.startswith("$"))

    return plain(function, {name: place(text) for name, text in arguments})
