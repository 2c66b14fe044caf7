"""Patching the values that formula cells show until they are next computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import CellError, UnfitValueError, read_value, value_markup
from holdwater.workbook.markup import Edits, open_tag_end, with_attribute
from holdwater.workbook.references import cell_name
from holdwater.workbook.scan import SheetCell, SheetRow, SheetScan
from holdwater.workbook.sheet import SharedFormulas, formula_of

Place = tuple[int, int]  # row and column
Shown = float | int | str | bool | CellError | None


class Patched(NamedTuple):
    """The cells that show the value now, and those whose formula is another one, or gone."""

    done: frozenset[Place]
    skipped: frozenset[Place]


def with_cached(scan: SheetScan, wanted: Mapping[Place, tuple[str, Shown]], done: set[Place]) -> Iterator[bytes]:
    """The sheet part with (formula as it must stand there, value to show) patched in; None shows nothing.

    The cells that have been patched are added to `done`. The scan must be one with texts.
    """
    shared: SharedFormulas = {}
    numbers = {row for row, _ in wanted}
    yield scan.head
    for row in scan.rows():
        yield row.before
        if row.number not in numbers and b"shared" not in row.data:
            yield row.data
            continue
        edits = Edits()
        for cell in row.cells:
            formula = formula_of(row.number, cell, shared)
            place = (row.number, cell.column)
            if formula is None or place not in wanted or wanted[place][0].removeprefix("=") != formula:
                continue
            done.add(place)
            _patch(edits, scan, row, cell, wanted[place][1])
        yield edits.applied(row.data)
    yield scan.tail


def _patch(edits: Edits, scan: SheetScan, row: SheetRow, cell: SheetCell, value: Shown) -> None:
    if isinstance(value, int) and not isinstance(value, bool):
        value = float(value)  # a formula's result is a number, however long
    try:
        kind, text = value_markup(value, date1904=False)
    except UnfitValueError as error:
        name = cell_name(row.number, cell.column)
        raise WorkbookError(f"The value for cell {name} in {scan.part} {error}; nothing was written.") from None
    if cell.formula_end < cell.value_end and _shows(cell, value):
        return
    tag_end = open_tag_end(row.data, cell.start)
    tag = with_attribute(row.data[cell.start : tag_end], "t", kind)
    edits.replace(cell.start, tag_end, tag)
    content = "" if text is None else f"<{scan.prefix}v>{text}</{scan.prefix}v>"
    edits.replace(cell.formula_end, cell.value_end, content.encode())


def _shows(cell: SheetCell, value: Shown) -> bool:
    """Whether the cell shows this value already, though it may be written in another way."""
    kind = cell.attributes.get("t", "n")
    if kind not in ("n", "str", "b", "e"):
        return False
    try:
        shown = read_value(kind, cell.text, None, date1904=False)
    except ValueError:
        return False
    return type(shown) is type(value) and shown == value
