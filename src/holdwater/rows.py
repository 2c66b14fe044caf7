"""Rows of several columns, as a sheet or a script hands them over."""

from __future__ import annotations

from holdwater.errors import KindError

TYPE_CHECKING = False  # see units.py
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def filled_rows(rows: Any, where: str, belongs: str, *, may_be_empty: bool = False) -> Iterator[tuple[int, list[Any]]]:
    """Each row that holds anything, with its position from 1; KindError where there is none.

    `where` names the argument, as in "FIX_SEQUENCE: projects"; `belongs` says what to give instead. What the cells hold
    is not repeated in a message: it may be a person's name.
    """
    if isinstance(rows, (str, bytes)) or not hasattr(rows, "__iter__"):
        raise KindError(f"{where} is no list of rows; {belongs}.")
    empty = True
    for position, row in enumerate(rows, start=1):
        if isinstance(row, (str, bytes)) or not hasattr(row, "__iter__"):
            raise KindError(f"{where} has one cell in row {position}; {belongs}.")
        cells = list(row)
        if not all(is_blank(cell) for cell in cells):
            empty = False
            yield position, cells
    if empty and not may_be_empty:
        raise KindError(f"{where} is empty; {belongs}.")


def is_blank(cell: object) -> bool:
    return cell is None or (isinstance(cell, str) and not cell.strip())


def is_truth(cell: object) -> bool:
    """TRUE or FALSE, Python's or NumPy's: no number, though both compute with it."""
    return isinstance(cell, bool) or getattr(getattr(cell, "dtype", None), "kind", "") == "b"


def as_text(cell: object) -> str:
    """A name as a person sees it: a sheet hands the account 1001 over as 1001.0."""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()
