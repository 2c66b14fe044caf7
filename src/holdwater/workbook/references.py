"""A1 references: reading and writing them, and finding them inside a formula's text."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

LAST_ROW = 1_048_576
LAST_COLUMN = 16_384

_AREA = re.compile(r"(\$?)([A-Z]{1,3})(\$?)([0-9]{1,7})(?::(\$?)([A-Z]{1,3})(\$?)([0-9]{1,7}))?")

# What may hold something that looks like a reference and is none (text, structured references, names, functions) is
# matched first and passed over; a reference to a whole column, a whole row or several sheets is passed over as well.
_TOKEN = re.compile(
    r"""
    (?P<text> "(?:[^"]|"")*" )
  | (?P<sheet> '(?:[^']|'')+'! | (?:\[[^\]]*\])?[^\W\d][\w.]*(?::[^\W\d][\w.]*)?! | \[[^\]]*\]! )?
    (?P<area> \$?[A-Z]{1,3}\$?[0-9]{1,7} (?: :\$?[A-Z]{1,3}\$?[0-9]{1,7} )? ) (?![\w.(!:\[])
  | (?P<columns> \$?[A-Z]{1,3}:\$?[A-Z]{1,3} ) (?![\w.(!:\[])
  | (?P<rows> \$?[0-9]{1,7}:\$?[0-9]{1,7} ) (?![\w.(!:\[])
  | (?P<name> '(?:[^']|'')+'! | [\w.\\$?]+ )
  | (?P<brackets> \[ (?: [^\[\]'] | '. | \[ (?: [^\[\]'] | '. )* \] )* \] )
    """,
    re.VERBOSE,
)
_CORNER = re.compile(r"(\$?)([A-Z]{0,3})(\$?)([0-9]*)")


class Area(NamedTuple):
    """A rectangle of cells, counted from 1, ends included."""

    first_row: int
    first_column: int
    last_row: int
    last_column: int

    def __str__(self) -> str:
        first = cell_name(self.first_row, self.first_column)
        last = cell_name(self.last_row, self.last_column)
        return first if first == last else f"{first}:{last}"

    def holds(self, row: int, column: int) -> bool:
        return self.first_row <= row <= self.last_row and self.first_column <= column <= self.last_column

    def meets(self, other: Area) -> bool:
        return (
            self.first_row <= other.last_row
            and other.first_row <= self.last_row
            and self.first_column <= other.last_column
            and other.first_column <= self.last_column
        )


class Reference(NamedTuple):
    """An area as a formula writes it."""

    area: Area
    is_range: bool  # A1:A1, rather than A1
    rows_fixed: bool  # each row number stands behind a $

    @classmethod
    def parse(cls, text: str) -> Reference | None:
        match = _AREA.fullmatch(text)
        if match is None:
            return None
        _, first_letters, first_fixed, first_row, _, last_letters, last_fixed, last_row = match.groups()
        first = (int(first_row), column_number(first_letters))
        last = (int(last_row), column_number(last_letters)) if last_letters else first
        fixed = bool(first_fixed and (last_fixed or not last_letters))
        return cls(Area(*first, *last), bool(last_letters), fixed)


def area_of(text: str) -> Area | None:
    """The area of a plain reference like B2:D9, or None."""
    reference = Reference.parse(text)
    return None if reference is None else reference.area


@cache
def column_letters(column: int) -> str:
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


@cache
def column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def cell_name(row: int, column: int) -> str:
    return f"{column_letters(column)}{row}"


def quoted(sheet: str) -> str:
    """A sheet's name as it stands before the exclamation mark, always in quotes."""
    return "'" + sheet.replace("'", "''") + "'"


def unquoted(prefix: str) -> str:
    """The sheet's name out of the prefix of a reference, its exclamation mark included."""
    name = prefix.removesuffix("!")
    return name[1:-1].replace("''", "'") if name.startswith("'") else name


def with_areas(formula: str, change: Callable[[str | None, str], str]) -> str:
    """The formula with each reference to cells passed through `change(sheet or None, text of the reference)`."""

    def replaced(match: re.Match[str]) -> str:
        area = match["area"]
        if area is None:
            return match[0]
        sheet = match["sheet"]
        return (sheet or "") + change(None if sheet is None else unquoted(sheet), area)

    return _TOKEN.sub(replaced, formula)


def only_area(formula: str) -> tuple[str, Area] | None:
    """The sheet and area, if the formula is one reference with a sheet and nothing else."""
    places: list[tuple[str | None, str]] = []

    def note(sheet: str | None, text: str) -> str:
        places.append((sheet, text))
        return text

    with_areas(formula, note)
    if len(places) != 1:
        return None
    sheet, text = places[0]
    area = area_of(text)
    if sheet is None or area is None or formula not in (f"{sheet}!{text}", f"{quoted(sheet)}!{text}"):
        return None
    return sheet, area


def shifted(formula: str, rows: int, columns: int) -> str:
    """The formula as a cell so far below and to the right holds it when both share it."""

    def moved(match: re.Match[str]) -> str:
        written = match["area"] or match["columns"] or match["rows"]
        if written is None:
            return match[0]
        corners = [_shifted_corner(corner, rows, columns) for corner in written.split(":")]
        return (match["sheet"] or "") + ":".join(corners)

    return _TOKEN.sub(moved, formula)


def _shifted_corner(corner: str, rows: int, columns: int) -> str:
    match = _CORNER.fullmatch(corner)
    if match is None:
        return corner
    first_mark, letters, second_mark, row = match.groups()
    if not letters:  # in a reference to whole rows the one mark belongs to the row
        first_mark, second_mark = "", first_mark or second_mark
    if letters and not first_mark:
        # Excel wraps around the edges of the sheet
        letters = column_letters((column_number(letters) - 1 + columns) % LAST_COLUMN + 1)
    if row and not second_mark:
        row = str((int(row) - 1 + rows) % LAST_ROW + 1)
    return f"{first_mark}{letters}{second_mark}{row}"
