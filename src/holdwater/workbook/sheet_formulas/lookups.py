"""What stands beside a name in a table, or what stands there instead while there is nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.twins import is_number, item, spreadsheet_function
from holdwater.workbook.cells import CellError

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown


def shown(value: Shown) -> float | str:
    """The figure, or a dash while there is nothing to compute it from."""
    return value if is_number(value) else "–"  # noqa: RUF001  # a dash as figures have it


@spreadsheet_function('IFERROR(INDEX({},MATCH({},{},0)),"")')
def found(column: Column, key: str, keys: Column) -> Shown:
    """The value beside a key; nothing where the key, or a value, is missing."""
    for value, standing in zip(column, keys, strict=True):
        if isinstance(standing, str) and standing.casefold() == key.casefold():
            return "" if value is None or isinstance(value, CellError) else value
    return ""


def looked_up(values: Column, keys: Column, key: str) -> Shown:
    return found(values, key, keys)


def or_dash(values: Column, keys: Column, key: str) -> Shown:
    """A dash where there is nothing (yet)."""
    if found(values, key, keys) == "":
        return "–"  # noqa: RUF001  # a dash as figures have it
    return found(values, key, keys)


def or_hint(values: Column, keys: Column, key: str, hint: str) -> Shown:
    """What to do where there is nothing (yet)."""
    if found(values, key, keys) == "":
        return hint
    return found(values, key, keys)


def hint_beside(values: Column, keys: Column, key: str, hint: str) -> str:
    """What to do, beside the cell where there is nothing (yet)."""
    return hint if found(values, key, keys) == "" else ""


def first_or_dash(column: Column) -> Shown:
    """The first row of a whole table column, header included."""
    if item(column, 2) == "":
        return "–"  # noqa: RUF001  # a dash as figures have it
    return item(column, 2)


def connected(column: Column, hint: str) -> str:
    """What to connect while a table is empty; nothing once it is filled."""
    return hint if item(column, 2) == "" else ""
