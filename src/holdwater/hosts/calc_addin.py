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
    nan: float = struct.unpack("<d", struct.pack("<Q", 0x7FF8 << 48 | number))[0]
    return nan


_ERRORS = {
    CellError.NUM: _carrying(503),
    CellError.VALUE: _carrying(519),
    CellError.NULL: _carrying(521),
    CellError.REF: _carrying(524),
    CellError.NAME: _carrying(525),
    CellError.DIV: _carrying(532),
    CellError.NA: _carrying(32767),
}


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


def _method(name: str, width: int, gathers: bool) -> Any:
    def method(self: Any, *given: Any) -> Any:
        if gathers:  # the last place holds all further arguments
            given = (*given[:-1], *given[-1])
        answer = evaluate(name, given)
        if type(answer) is float:
            return ((answer,),)
        # An error stands in every cell of the row, or INDEX would find none in the second one.
        rows = answer if isinstance(answer, list) else [[answer] * (width if isinstance(answer, CellError) else 1)]
        return tuple(tuple(map(_handed_over, row)) for row in rows)

    return method


for _line in (_HERE / "methods.txt").read_text(encoding="ascii").splitlines():
    _name, _function, _width, *_gathers = _line.split()
    setattr(Functions, _name, _method(_function, int(_width), bool(_gathers)))

g_ImplementationHelper = unohelper.ImplementationHelper()  # noqa: N816  # the office looks for this name
g_ImplementationHelper.addImplementation(Functions, IMPLEMENTATION, SERVICES)
