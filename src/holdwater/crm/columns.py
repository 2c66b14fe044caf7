"""One column of an exported file, and the rule that a whole column settles how its cells are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Generic, TypeVar

from holdwater.errors import ExportError

T = TypeVar("T")

Known = Decimal | datetime  # the time of a place that the mapping knows, so without a zone
EXCEL_FIRST_DAY = date(1899, 12, 30)


@dataclass(frozen=True, slots=True)
class Column:
    """The cells under one header, "" where there is no value, and the physical line each one starts on.

    A day number in it counts from `first_day`.
    """

    file: str
    table: str
    header: str
    cells: Sequence[str]
    lines: Sequence[int]
    letter: str = ""  # of a workbook's column
    known: Mapping[int, Known] = field(default_factory=dict)  # by row: what a workbook says the cell is
    first_day: date = EXCEL_FIRST_DAY

    def error(self, row: int, problem: str) -> ExportError:
        place = f"cell {self.letter}" if self.letter else "line "
        return ExportError(f'{self.file}, {place}{self.lines[row]}, column "{self.header}": {problem}')

    def required(self, values: Sequence[T | None]) -> list[T]:
        """The values read from this column, or ExportError at the first one that is missing."""
        present: list[T] = []
        for row, value in enumerate(values):
            if value is None:
                raise self.error(row, "the cell is empty, but this value is needed; fill it in or remove the row")
            present.append(value)
        return present


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """One way to read a cell; `stated` is how the mapping asks for it, `read` gives None where it does not fit."""

    stated: str
    read: Callable[[str], T | None]


def settle(
    column: Column,
    readings: Sequence[Reading[T]],
    certain: Mapping[int, T],
    *,
    kind: str,
    key: str,
    show: Callable[[T], str],
) -> list[T | None]:
    """Every cell's value (None: empty) by the one reading that fits all cells but those that are `certain`, by row.

    ExportError if none fits, or if several do and disagree; `kind` and `key` name, for the message,
    what the cells hold and the mapping's key that states the reading.
    """
    texts = replace(column, cells=["" if row in certain else cell for row, cell in enumerate(column.cells)])
    values = _settled(texts, readings, kind, key, show)
    return [certain.get(row, value) for row, value in enumerate(values)]


def _settled(
    column: Column, readings: Sequence[Reading[T]], kind: str, key: str, show: Callable[[T], str]
) -> list[T | None]:
    fitting: list[tuple[Reading[T], list[T | None]]] = []
    failures: list[tuple[int, Reading[T]]] = []
    for reading in readings:
        values, failed = _read_all(column.cells, reading)
        if failed is None:
            fitting.append((reading, values))
        else:
            failures.append((failed, reading))
    if not fitting:
        raise _nothing_fits(column, failures, kind, key)
    if len(fitting) == 1:
        return fitting[0][1]
    for row, values_of_cell in enumerate(zip(*(values for _, values in fitting), strict=True)):
        if any(value != values_of_cell[0] for value in values_of_cell):
            shown = {
                show(value): reading
                for (reading, _), value in zip(fitting, values_of_cell, strict=True)
                if value is not None  # never so here: an empty cell is empty in every reading
            }
            meanings = " or ".join(f'{value} ({key} = "{reading.stated}")' for value, reading in shown.items())
            raise column.error(
                row,
                f'the {kind} "{column.cells[row]}" could be {meanings}, and no cell of the column settles it; '
                f"write the {key} that is meant under [{column.table}] in the mapping",
            )
    return fitting[0][1]


def _read_all(cells: Sequence[str], reading: Reading[T]) -> tuple[list[T | None], int | None]:
    """The values, and the row of the first cell that does not fit."""
    known: dict[str, T | None] = {"": None}  # dates and amounts repeat, parsing is what costs
    values: list[T | None] = []
    for row, cell in enumerate(cells):
        if cell not in known:
            value = reading.read(cell)
            if value is None:
                return values, row
            known[cell] = value
        values.append(known[cell])
    return values, None


def _nothing_fits(column: Column, failures: Sequence[tuple[int, Reading[T]]], kind: str, key: str) -> ExportError:
    row = max(failed for failed, _ in failures)
    upheld = [reading.stated for failed, reading in failures if failed == row]
    first = next(index for index, cell in enumerate(column.cells) if cell)
    like = ""
    if len(failures) == 1:
        like = f' with {key} = "{upheld[0]}"'
    elif row > first:
        like = " read like the cells above it (" + " or ".join(f'{key} = "{stated}"' for stated in upheld) + ")"
    return column.error(
        row,
        f'"{masked(column.cells[row])}" is not a {kind}{like}; correct the cell, '
        f"write the column's {key} under [{column.table}] in the mapping, "
        'or, if the text means "no value", list it under empty',
    )


def masked(cell: str) -> str:
    """A cell for an error message: letters become x, because a wrongly mapped column may hold names or addresses."""
    return re.sub(r"[^\W\d_]", "x", cell[:40])
