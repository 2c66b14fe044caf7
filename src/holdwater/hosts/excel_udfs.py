"""The Python half of the Excel add-in: what xlwings' dispatcher calls for a cell, and for the buttons of the ribbon.

Excel hands over Value2: floats, texts, TRUE and FALSE, ranges as rows. An error cell arrives as the number of a COM
error. What goes back is rows; an error value goes as a whole number, which the wrapper makes a true one: every other
number is a float.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import xlwings

from holdwater.errors import HoldwaterError
from holdwater.hosts.cells import CellError, Shown, evaluate

CODES = {
    CellError.NULL: 2000,
    CellError.DIV: 2007,
    CellError.VALUE: 2015,
    CellError.REF: 2023,
    CellError.NAME: 2029,
    CellError.NUM: 2036,
    CellError.NA: 2042,
}
_COM = -2146828288  # 0x800A0000: Excel's numbers of errors, as COM carries them, begin here
COM_ERRORS = {_COM + code: error for error, code in CODES.items()}
_SCODES = range(_COM + 2000, _COM + 2100)  # those of newer Excels too
_MISSING = -2147352572  # an argument that was left out


@xlwings.func
@xlwings.arg("name", "raw")  # else xlwings makes an error cell look like an empty one
@xlwings.arg("*given", "raw")
@xlwings.ret("raw")
def answer(name: Any, *given: Any) -> Sequence[Sequence[Any]]:
    """What the cell shows in which the function is called."""
    for value in given:
        if type(value) is not float:
            given = tuple(map(_received, given))
            break
    shown = evaluate(name, given)
    if type(shown) is float:
        return ((shown if shown - shown == 0 else CODES[CellError.NUM],),)  # infinity and NaN are not 0 there
    rows = shown if isinstance(shown, list) else [[shown]]
    return [[_sent(cell) for cell in row] for row in rows]


@xlwings.func
@xlwings.arg("workbook", "raw")
@xlwings.ret("raw")
def refresh(workbook: Any) -> list[list[str]]:
    """Write the newest numbers into the open workbook; what to tell the person."""
    return _told(workbook, "refreshed")


@xlwings.func
@xlwings.arg("workbook", "raw")
@xlwings.ret("raw")
def verdict(workbook: Any) -> list[list[str]]:
    """The verdict on the open workbook as it stands."""
    return _told(workbook, "verdict")


del xlwings  # the dispatcher finds the functions by their names; nothing else is on offer


def _received(value: Any) -> Any:
    if type(value) is float:
        return value
    if isinstance(value, (tuple, list)):
        return [_received(item) for item in value]
    if type(value) is int:
        if value == _MISSING:
            return None
        if value in _SCODES:
            return COM_ERRORS.get(value, CellError.VALUE)
    return value


def _sent(cell: Shown) -> float | str | bool | int:
    return CODES.get(cell, CODES[CellError.VALUE]) if isinstance(cell, CellError) else cell


def _told(workbook: Any, action: str) -> list[list[str]]:
    try:
        from holdwater.hosts import excel_live

        tell: Callable[[Any], str] = getattr(excel_live, action)
        return [[tell(excel_live.opened(workbook))]]
    except HoldwaterError as error:
        return [[str(error)]]
    except ModuleNotFoundError as error:
        return [
            [f"This needs the package {error.name}: run pip install 'holdwater[all]' where Holdwater is installed."]
        ]
    except Exception as error:  # a traceback would tell a person nothing, and might show what the workbook holds
        return [[f"Holdwater met a fault ({type(error).__name__}); nothing more was written. Please report it."]]
