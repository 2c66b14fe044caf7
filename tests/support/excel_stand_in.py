"""Excel on a machine without Excel: the add-in's own VBA in an interpreter, xlwings' own dispatcher behind it.

What is replaced is Windows: pywin32, which carries values between two processes, and the library that starts Python.
"""

from __future__ import annotations

import ctypes
import importlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from types import ModuleType
from typing import Any
from unittest.mock import MagicMock

import pytest
from pyopenvba.apps.excel import ExcelApplication
from pyopenvba.interpreter import (
    EMPTY,
    MISSING,
    NOTHING,
    VBAArray,
    VBACurrency,
    VBADate,
    VBAErrorValue,
    VBAInt,
    VBAObject,
    VBARuntimeError,
    method,
)

from holdwater.hosts import excel_wrapper
from holdwater.hosts.cells import functions

COM_ERRORS = -2146828288  # where the numbers begin as which pywin32 hands over Excel's errors
COM_MISSING = -2147352572
HALF = excel_wrapper.PYTHON_HALF

INTERPRETER = excel_wrapper.Interpreter(r"C:\Program Files\Python\python.exe", r"C:\Program Files\Python", "0.37.8")

_STAND_IN = """
Private Held As Object
Public Function PythonServer() As Object
    Set PythonServer = Held
End Function
Public Sub HoldServer(ByVal Given As Object)
    Set Held = Given
End Sub
"""
_WINDOWS = (
    "pythoncom pywintypes win32api win32con win32event win32gui win32process win32timezone win32com win32com.client"
    " win32com.server win32com.server.dispatcher win32com.server.policy win32com.server.util"
)


class _Anything(ModuleType):
    """A module of pywin32 of which only names are needed, as classes that nothing is an instance of."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made: type | dict[Any, Any] = {} if name == "TypeIIDs" else type(name, (), {})
        if name == "TypeIIDs":
            made = {self.IID_IDispatch: type("PyIDispatch", (), {})}
        setattr(self, name, made)
        return made


@contextmanager
def dispatcher() -> Iterator[Any]:
    """xlwings' dispatcher as its COM server makes it, with our Python half loaded the way that it is on Windows."""
    with pytest.MonkeyPatch.context() as patch:
        for name in _WINDOWS.split():
            module = _Anything(name)
            module.__path__, module.__file__ = [], name
            patch.setitem(sys.modules, name, module)
            parent, _, child = name.rpartition(".")
            if parent:
                setattr(sys.modules[parent], child, module)
        vars(sys.modules["win32process"])["GetWindowThreadProcessId"] = lambda hwnd: (0, 1)
        for name in ("windll", "oledll", "PyDLL"):
            patch.setattr(ctypes, name, MagicMock(), raising=False)
        import xlwings

        loaded = ("_xlwindows", "udfs", "com_server", "_win32patch")
        for name in loaded:
            patch.delitem(sys.modules, f"xlwings.{name}", raising=False)
        patch.delitem(sys.modules, HALF, raising=False)
        windows = importlib.import_module("xlwings._xlwindows")
        patch.setitem(xlwings.engines.engines_by_name, "excel", xlwings.Engine(impl=windows.engine))
        udfs = importlib.import_module("xlwings.udfs")
        server = importlib.import_module("xlwings.com_server")
        for name, real in (("func", udfs.xlfunc), ("arg", udfs.xlarg), ("ret", udfs.xlret)):
            patch.setattr(xlwings, name, real)  # as they are on Windows
        try:
            yield server.XLPython()
        finally:
            server.loop.close()
            for name in loaded:
                sys.modules.pop(f"xlwings.{name}", None)
                vars(xlwings).pop(name, None)
            sys.modules.pop(HALF, None)


class Excel:
    """A workbook with the add-in's macros; `shows` is what a cell shows in which this is typed."""

    def __init__(self, xlpython: Any) -> None:
        self.application = ExcelApplication()
        self.application.add_workbook()
        self.sheet = self.application.sheet(1)
        self.server = _Server(xlpython)
        for name, source in excel_wrapper.modules(functions(), INTERPRETER).items():
            text = _STAND_IN if name == excel_wrapper.PYTHON else source.replace("\r\n", "\n")
            self.application.add_module(re.sub(r"(?m)^Attribute .*\n", "", text), name=name)  # an editor hides them too
        self.application.run("HoldServer", self.server)

    def shows(self, call: str) -> Any:
        return _plain(self.application.evaluate(call))


class _Server(VBAObject):  # type: ignore[misc]  # pyOpenVBA has no types
    """The COM object that Excel holds; takes and gives what pywin32 would."""

    def __init__(self, xlpython: Any) -> None:
        self.xlpython = xlpython
        self.asked: list[tuple[Any, ...]] = []
        self.broken = False

    @method  # type: ignore[untyped-decorator]  # as above
    def CallUDF(self, Script: object, Name: object, Args: object) -> object:  # noqa: N802, N803  # xlwings' names
        if self.broken:
            raise VBARuntimeError(-2147023174, "The RPC server is unavailable.")
        asked = (str(Script), str(Name), _to_python(Args))
        self.asked.append(asked)
        return _to_vba(self.xlpython.CallUDF(*asked))


_LACKING = {"Date1904": False, "Hwnd": 1}  # what Excel has and the stand-in does not


class Com:
    """An object of the stand-in as pywin32 would hand it over, for xlwings' object model to work with."""

    def __init__(self, inner: Any, call: Callable[..., Any] | None = None) -> None:
        vars(self).update(inner=inner, call=call)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what only pywin32's own objects have
            raise AttributeError(name)
        spec = self.inner.vba_member(name)
        if spec is None and name in _LACKING:
            return _LACKING[name]
        if spec is None:
            raise self.inner.vba_no_member(name)

        def call(*given: Any) -> Any:
            return _to_python(self.inner.vba_get(name, [_to_vba(value) for value in given]))

        if spec.kind == "method":
            return call
        try:
            value = self.inner.vba_get(name)
        except Exception:  # it needs an argument
            return call
        return Com(value, call) if isinstance(value, VBAObject) and spec.parameters else _to_python(value)

    def __setattr__(self, name: str, value: Any) -> None:
        self.inner.vba_set(name, _to_vba(value))

    def __call__(self, *given: Any) -> Any:
        if self.call is None:
            return _to_python(self.inner.vba_get("Item", [_to_vba(value) for value in given]))
        return self.call(*given)

    def __iter__(self) -> Iterator[Any]:
        return (_to_python(item) for item in self.inner.vba_iterate())


def _to_python(value: Any) -> Any:
    if value is EMPTY or value is NOTHING:
        return None
    if isinstance(value, VBAObject):
        return Com(value)
    if value is MISSING:
        return COM_MISSING
    if isinstance(value, VBAErrorValue):
        return COM_ERRORS + value.number
    if isinstance(value, VBACurrency):
        return Decimal(value)
    if isinstance(value, VBADate):
        return value.to_datetime()
    if isinstance(value, VBAInt):
        return int(value)
    if not isinstance(value, VBAArray):
        return value
    if value.dimensions == 1:
        return tuple(_to_python(item) for item in value.items)
    (top, bottom), (left, right) = value.bounds
    return tuple(
        tuple(_to_python(value.get([row, column])) for column in range(left, right + 1))
        for row in range(top, bottom + 1)
    )


def _to_vba(value: Any) -> Any:
    """What becomes of an answer on its way: a whole number is a Long, rows of one length an array of two dimensions."""
    if isinstance(value, Com):
        return value.inner
    if isinstance(value, (list, tuple)):
        rows = [row if isinstance(row, (list, tuple)) else None for row in value]
        if None in rows:
            return VBAArray([(0, len(value) - 1)], items=[_to_vba(item) for item in value])
        array = VBAArray([(0, len(value) - 1), (0, len(value[0]) - 1)])
        for row, cells in enumerate(value):
            for column, cell in enumerate(cells):
                array.set([row, column], _to_vba(cell))
        return array
    if value is None or isinstance(value, (str, bool)) or type(value) is float:
        return value
    if type(value) is int:
        return VBAInt(value, "Long")
    raise TypeError(f"COM has no place for a {type(value).__name__}")


def _plain(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return f"#{value.number}" if isinstance(value, VBAErrorValue) else value
