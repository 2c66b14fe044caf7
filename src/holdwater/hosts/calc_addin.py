"""The part of the add-in that Calc itself loads; it runs in the Python of the office, never in ours.

Calc hands over numbers, dates and TRUE as floats, a blank cell as 0.0 (in a range as ""), an omitted argument as None
and a range as rows. A number comes back as a float, rows as a typed sequence, and an error value as a NaN that carries
Calc's own number of the error: an exception would be #VALUE! whatever its cause.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
sys.path.insert(0, str(_HERE / "pythonpath"))  # Calc puts it last, behind a Holdwater that the machine may have

import uno  # noqa: E402  # these two come with the office
import unohelper  # noqa: E402
from com.sun.star.lang import XServiceInfo  # noqa: E402

from holdwater.hosts.cells import CellError, evaluate  # noqa: E402

IMPLEMENTATION = "org.holdwater.Functions"
SERVICES = (IMPLEMENTATION, "com.sun.star.sheet.AddIn")


def _carrying(number: int) -> float:
    """The NaN in which Calc keeps an error of this number."""
    nan: float = struct.unpack("<d", struct.pack("<Q", _QUIET | number))[0]
    return nan


_QUIET = 0x7FF8 << 48
_NUMBERS = {
    CellError.NUM: 503,
    CellError.VALUE: 519,
    CellError.NULL: 521,
    CellError.REF: 524,
    CellError.NAME: 525,
    CellError.DIV: 532,
    CellError.NA: 32767,
}
_ERRORS = {error: _carrying(number) for error, number in _NUMBERS.items()}
_BY_NUMBER = {number: error for error, number in _NUMBERS.items()}


def _taken(value: Any) -> Any:
    """What Calc hands over, with the errors in a computed array told apart from numbers."""
    if isinstance(value, tuple):
        if any(cell != cell for row in value for cell in row):
            return [[_taken(cell) for cell in row] for row in value]
    elif value != value:
        return _BY_NUMBER.get(struct.unpack("<Q", struct.pack("<d", value))[0] & 0xFFFF, CellError.NUM)
    return value


def _handed_over(cell: Any) -> Any:
    if type(cell) is CellError:
        return _ERRORS.get(cell, _ERRORS[CellError.VALUE])
    return float(cell) if type(cell) is bool else cell


class Functions(unohelper.Base, uno.getClass("org.holdwater.XFunctions"), XServiceInfo):  # type: ignore[misc]  # the office's classes have no types
    """Every function of the catalogue as a method; `methods.txt` lists them."""

    def __init__(self, context: Any) -> None:
        pass

    def getImplementationName(self) -> str:  # noqa: N802  # the office calls it so, and the next two
        return IMPLEMENTATION

    def supportsService(self, name: str) -> bool:  # noqa: N802
        return name in SERVICES

    def getSupportedServiceNames(self) -> tuple[str, ...]:  # noqa: N802
        return SERVICES


def _method(name: str, gathers: bool) -> Any:
    def method(self: Any, *given: Any) -> Any:
        if gathers:  # the last place holds all further arguments
            given = (*given[:-1], *given[-1])
        answer = evaluate(name, [_taken(value) for value in given])
        if type(answer) is float:
            return ((answer,),)
        rows = answer if isinstance(answer, list) else [[answer]]
        return tuple(tuple(map(_handed_over, row)) for row in rows)

    return method


for _line in (_HERE / "methods.txt").read_text(encoding="ascii").splitlines():
    _method_name, _function, *_gathers = _line.split()
    setattr(Functions, _method_name, _method(_function, bool(_gathers)))

g_ImplementationHelper = unohelper.ImplementationHelper()  # noqa: N816  # the office looks for this name
g_ImplementationHelper.addImplementation(Functions, IMPLEMENTATION, SERVICES)
