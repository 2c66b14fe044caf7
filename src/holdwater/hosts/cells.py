"""The one boundary between a cell and Python: what a host hands over becomes arguments, what comes back fits a cell.

Each host maps its own error values to and from `CellError`, hands over a range as rows of cells and an omitted argument
as None, and shows what `evaluate` answers. No exception leaves it, and no number that is not finite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from enum import Enum
from importlib import import_module
from math import inf, isfinite
from typing import Any

from holdwater.errors import FormulaError, HoldwaterError, KindError, SetupError
from holdwater.formula import Argument, Formula, registry
from holdwater.hosts.spreading import spread
from holdwater.units import Text


class CellError(Enum):
    """The error values of a sheet, by the text that it shows."""

    NULL = "#NULL!"
    DIV = "#DIV/0!"
    VALUE = "#VALUE!"
    REF = "#REF!"
    NAME = "#NAME?"
    NUM = "#NUM!"
    NA = "#N/A"
    GETTING_DATA = "#GETTING_DATA"
    SPILL = "#SPILL!"
    CONNECT = "#CONNECT!"
    BLOCKED = "#BLOCKED!"
    UNKNOWN = "#UNKNOWN!"
    FIELD = "#FIELD!"
    CALC = "#CALC!"


Shown = float | str | bool | CellError  # what one cell can hold
Answer = Shown | list[list[Shown]]  # one cell, or rows of them

UNLIMITED = "unlimited"  # how a table shows a capacity without a limit; in a model that is an empty cell

PACKAGES = ("holdwater.bucket", "holdwater.models.cells")  # whose functions register themselves on import

_WHOLE_COLUMN = 10_000  # rows; a range this long was not drawn around its data
_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001  # a sheet knows no time zones
_PLAIN = frozenset({float, str, bool, int, type(None), CellError})


def functions() -> dict[str, Formula]:
    """The whole catalogue by the names that are typed in a cell."""
    for package in PACKAGES:
        import_module(package)
    return registry


def evaluate(name: str, given: Sequence[Any]) -> Answer:
    """What the cell shows in which this function is called with these cells and ranges.

    A range where one value belongs makes the function answer for each of its cells.
    """
    try:
        entry = registry.get(name) or _found(name)
        if given and given[-1] is None:  # some hosts hand over every place, filled or not
            given = _without_omitted_end(given)
        answer = entry.quick(given)  # the common call, plain numbers, passes without a detour
        if answer is not None:
            return answer
        values = [_cell(value) for value in _without_empty_end(given)]
        return _explain(values) if entry.gathers else _over(entry, values, lambda one: _call(entry, one))
    except Exception as error:  # whatever it is, a host would show it in a way of its own
        return _error(error)


def serial(moment: date | time | timedelta) -> float:
    """A date, time or duration as the days that a sheet counts; the clock of its own time zone."""
    if isinstance(moment, time):
        moment = datetime.combine(_DAY_ZERO, moment)
    elif isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    passed = moment if isinstance(moment, timedelta) else moment.replace(tzinfo=None) - _DAY_ZERO
    return passed / timedelta(days=1)


def _found(name: str) -> Formula:
    for package in PACKAGES:  # one by one: what the bucket needs is less
        if name not in registry:
            import_module(package)
    if name not in registry:
        raise KindError(f"There is no function {name[:40]!r}.")
    return registry[name]


# From a host.


def _without_omitted_end(given: Sequence[Any]) -> Sequence[Any]:
    end = len(given)
    while end and given[end - 1] is None:
        end -= 1
    return given[:end]


def _without_empty_end(given: Sequence[Any]) -> Sequence[Any]:
    """Whole columns end where nothing follows in any of them, so that a million empty cells take no time."""
    columns = [value for value in given if isinstance(value, (tuple, list)) and len(value) > _WHOLE_COLUMN]
    if not columns:
        return given
    end = max(_filled(rows) for rows in columns)
    return [value[:end] if any(value is rows for rows in columns) else value for value in given]


def _filled(rows: Sequence[Any]) -> int:
    for position in range(len(rows), 1, -1):
        row = rows[position - 1]
        for cell in row if isinstance(row, (tuple, list)) else (row,):
            if cell is not None and cell != "":
                return position
    return 1


def _cell(value: Any) -> Any:
    """One cell as it is, or a range as a list of rows."""
    if not isinstance(value, (tuple, list)):
        return _single(value)
    rows = value if any(isinstance(row, (tuple, list)) for row in value) else [value]
    cells = [[_single(cell) for cell in row] if isinstance(row, (tuple, list)) else [_single(row)] for row in rows]
    return cells if any(cells) else None


def _single(value: Any) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, (date, time, timedelta)):
        return serial(value)
    return value  # a Decimal is a number to every formula; what is none is refused by it, with the reason


def _over(entry: Formula, values: list[Any], one: Callable[[list[Any]], Answer], *, explains: bool = False) -> Answer:
    """`one` called with the values; once for each cell, if there are ranges among them where one value belongs."""
    several: list[int] = []
    for position, value in enumerate(values):
        if isinstance(value, CellError):
            return value
        if not isinstance(value, list):
            continue
        argument = entry.arguments[position] if position < len(entry.arguments) else None
        if argument and _takes_rows(argument):
            for row in value:
                for cell in row:
                    if type(cell) is CellError:
                        return cell
        elif len(value) == len(value[0]) == 1:
            if isinstance(value[0][0], CellError):
                return value[0][0]
            values[position] = value[0][0]
        else:
            several.append(position)
    if not several:
        return one(values)
    down = all(len(values[position][0]) == 1 for position in several)
    if entry.columns or entry.column or (entry.row and not down):
        wrong = entry.arguments[several[0]].name if several[0] < len(entry.arguments) else "the last one"
        raise KindError(
            f"{entry.excel_name}: {wrong} is a range of several cells; give one cell, because the answer itself"
            " takes several."
        )
    rows = spread(values, several, one, lambda cell: type(cell) is CellError, CellError.NA)
    if not entry.row or explains:
        return rows  # type: ignore[return-value]  # each answer is one cell here
    return [row[0][0] if isinstance(row[0], list) else [row[0]] * len(entry.row) for row in rows]


def _takes_rows(argument: Argument) -> bool:
    # A type checker reads a unit's name as the kind of value it stands for.
    return argument.unit.many or (argument.unit.table and argument.unit is not Text)  # type: ignore[comparison-overlap]


# To a host.


def _call(entry: Formula, values: list[Any]) -> Answer:
    try:
        return _answer(entry, entry.call(*values))
    except Exception as error:  # the other cells of a range have an answer all the same
        return _error(error)


def _answer(entry: Formula, value: Any) -> Answer:
    if isinstance(value, str):
        return str(value)
    if entry.columns:
        head: list[Shown] = list(entry.columns)
        return [head, *([_shown(row[name], CellError.NA, UNLIMITED) for name in entry.columns] for row in value)]
    if entry.column:
        return [[_shown(number, CellError.NUM)] for number in value]
    if entry.row:
        return [[_shown(number, CellError.NUM) for number in value]]
    return _shown(value, CellError.NUM)


def _shown(value: Any, missing: CellError, infinite: Shown = CellError.NUM) -> Shown:
    """`missing` for a number that does not exist (in a table: for which there are no data)."""
    if isinstance(value, (str, bool)):
        return value
    if isinstance(value, (date, time, timedelta)):
        return serial(value)
    number = missing if value is None else float(value)
    if isinstance(number, CellError) or isfinite(number):
        return number
    return infinite if number == inf else missing


def _error(error: Exception) -> CellError:
    if isinstance(error, FormulaError):
        return CellError(error.cell)
    return CellError.NA if isinstance(error, (ImportError, SetupError)) else CellError.VALUE


# EXPLAIN, which has a reason where every other function has an answer.


def _explain(values: list[Any]) -> Answer:
    name, *others = values or [None]
    if isinstance(name, list):
        if len(name) > 1 or len(name[0]) > 1:
            return "EXPLAIN: name is a range of several cells; give one function at a time."
        name = name[0][0]
    if isinstance(name, CellError):
        return name
    typed = name.strip().upper() if isinstance(name, str) else ""
    try:
        entry = _found(typed)
        if not entry.gathers:
            return _over(entry, others, lambda one: _told(typed, [name, *one]), explains=True)
    except KindError as error:
        if typed in registry:
            return str(error)
    except ImportError as error:
        return _reason(typed, error)
    return _told(typed, [name, *others])  # of a name that does not exist, EXPLAIN itself knows the closest one


def _told(name: str, values: list[Any]) -> str:
    try:
        return str(registry["EXPLAIN"].call(*values))
    except Exception as error:  # it explains what a formula foresees; the rest is told here
        return _reason(name, error)


def _reason(name: str, error: Exception) -> str:
    if isinstance(error, HoldwaterError):
        return str(error)
    if isinstance(error, ImportError):
        return f"{name} cannot be computed in this program: {error}. Use it in Excel with Python, or in a script."
    return f"{name} met a fault in Holdwater ({type(error).__name__}); please report it with these arguments."
