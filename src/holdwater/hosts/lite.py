"""xlwings Lite: the catalogue as functions of Excel on a Mac, on the web and on Windows, with no Python to install.

Lite runs Python inside Excel. It reads one module, `main.py`, for functions that xlwings has decorated, and calls them
with what Office.js sends: a range of one row has lost its outer list, an error is a dictionary, an empty cell is
JavaScript's null.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

from holdwater import __version__
from holdwater.errors import MissingExtraError, SetupError
from holdwater.formula import Argument, Formula
from holdwater.hosts.cells import Answer, CellError, evaluate, functions

MAIN = """\
from holdwater.hosts import lite
lite.register(globals())
"""
# NumPy is part of Lite's Python, whose version of it is the only one: it may not be pinned.
REQUIREMENTS = f"holdwater=={__version__}\nnumpy\n"

# The errors that Lite turns from text into true error values.
_SENT_AS_ERRORS = frozenset({"#DIV/0!", "#N/A", "#NAME?", "#NULL!", "#NUM!", "#REF!", "#VALUE!"})


def register(module: dict[str, Any]) -> None:
    """Define every function of the catalogue in a module that Lite reads: `register(globals())`."""
    try:
        import xlwings
    except ImportError:
        raise MissingExtraError("xlwings is missing: it is part of xlwings Lite, where this module belongs.") from None
    for entry in functions().values():
        function = _typed(entry)
        for argument in entry.arguments:
            # Raw, because the usual conversion makes an error cell look like an empty one.
            place = f"*{argument.name}" if entry.gathers and argument is entry.arguments[-1] else argument.name
            function = xlwings.arg(place, "raw", doc=entry.help[argument.name])(function)
        module[entry.name] = xlwings.func(function)


def write(folder: Path) -> None:
    """Put what is pasted into Lite's two tabs, main.py and requirements.txt, into a folder; none is overwritten."""
    contents = {folder / "main.py": MAIN, folder / "requirements.txt": REQUIREMENTS}
    try:
        for path, content in contents.items():
            if path.exists() and path.read_text(encoding="utf-8", errors="replace") != content:
                raise SetupError(f"{path} exists and holds something else: give a folder of its own.")
        folder.mkdir(parents=True, exist_ok=True)
        for path, content in contents.items():
            path.write_text(content, encoding="utf-8", newline="\n")
    except OSError as error:
        raise SetupError(f"{folder} cannot be written ({error.strerror}): give another folder.") from None


def _typed(entry: Formula) -> Callable[..., Any]:
    """The function as Lite calls it, with the signature and the help that Excel shows."""

    def call(*given: Any) -> Any:
        return _sent(evaluate(entry.excel_name, [_received(value) for value in given]))

    call.__signature__ = inspect.Signature([_parameter(entry, a) for a in entry.arguments])  # type: ignore[attr-defined]  # read by inspect.signature
    call.__name__ = call.__qualname__ = entry.name
    call.__doc__ = entry.description
    call.__annotations__ = {}  # xlwings would take them for converters
    return call


def _parameter(entry: Formula, argument: Argument) -> inspect.Parameter:
    if entry.gathers and argument is entry.arguments[-1]:
        return inspect.Parameter(argument.name, inspect.Parameter.VAR_POSITIONAL)
    default = inspect.Parameter.empty if argument.required else None
    return inspect.Parameter(argument.name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)


def _received(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_received(item) for item in value]
    if isinstance(value, dict):  # an error, or a number with its format
        if value.get("type") != "Error":
            return value.get("basicValue")
        known = {error.value: error for error in CellError}
        return known.get(str(value.get("basicValue")), CellError.VALUE)
    return None if type(value).__name__ == "JsNull" else value


def _sent(answer: Answer) -> Any:
    if isinstance(answer, list):
        return [[_sent(cell) for cell in row] for row in answer]
    if isinstance(answer, CellError):
        return answer.value if answer.value in _SENT_AS_ERRORS else CellError.VALUE.value
    return answer
