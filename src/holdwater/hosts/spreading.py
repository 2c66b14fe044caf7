"""Ranges where one value belongs: the function answers for each of their cells, as those of a spreadsheet do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

A = TypeVar("A")


def spread(
    values: Sequence[Any],
    several: Sequence[int],
    one: Callable[[list[Any]], A],
    is_error: Callable[[Any], bool],
    beyond: Any,
) -> list[list[A]]:
    """`one` called for each cell of the ranges at the places `several`, next to the other values.

    A single row or column stands beside every row or column of the others. An error in a cell is the answer there, and
    `beyond` is where one range has ended and another goes on.
    """
    height = max(len(values[place]) for place in several)
    width = max(len(row) for place in several for row in values[place])

    def answer(row: int, column: int) -> Any:
        given = list(values)
        for place in several:
            rows = values[place]
            cells = rows[0] if len(rows) == 1 else rows[row] if row < len(rows) else []
            if len(cells) != 1 and column >= len(cells):
                return beyond
            given[place] = cells[0] if len(cells) == 1 else cells[column]
            if is_error(given[place]):
                return given[place]
        return one(given)

    return [[answer(row, column) for column in range(width)] for row in range(height)]
