"""The values a chart remembers of its ranges, for programs that show it without reading the cells."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple
from xml.sax.saxutils import escape

from holdwater.workbook.cells import CellError, ReadCell, escape_controls, value_markup
from holdwater.workbook.markup import Edits, Element, elements, tag_prefix
from holdwater.workbook.references import Area, only_area

_CACHES = frozenset({"numCache", "strCache", "multiLvlStrCache", "dlblRangeCache"})

Values = Mapping[tuple[int, int], ReadCell]
Level = list[tuple[str, str]]  # index and text of each point


class _Remembered(NamedTuple):
    """A cache, the reference element around it, and the range it is of."""

    cache: Element
    around: Element
    sheet: str
    area: Area


def ranges_in(data: bytes, part: str) -> list[tuple[str, Area]]:
    """The (sheet, area) pairs whose values the chart remembers."""
    return [(found.sheet, found.area) for found in _remembered(elements(data, part))]


def with_values(data: bytes, part: str, sheets: Collection[str], values_of: Callable[[str], Values]) -> bytes:
    """The chart with what it remembers of these sheets (names folded) brought up to date."""
    edits = Edits()
    found = elements(data, part)
    children: dict[int, list[Element]] = {}
    for element in found:
        if element.parent is not None:
            children.setdefault(id(element.parent), []).append(element)
    for remembered in _remembered(found):
        if remembered.sheet.casefold() in sheets and remembered.cache.open_end != remembered.cache.end:
            _renew(edits, data, remembered, values_of(remembered.sheet.casefold()), children)
    return edits.applied(data)


def _remembered(found: list[Element]) -> list[_Remembered]:
    formulas = {id(element.parent): element.text for element in found if element.name == "f"}
    remembered: list[_Remembered] = []
    for element in found:
        if element.name not in _CACHES or element.parent is None:
            continue
        place = only_area(formulas.get(id(element.parent), ""))
        if place is not None:
            remembered.append(_Remembered(element, element.parent, *place))
    return remembered


def _renew(
    edits: Edits, data: bytes, remembered: _Remembered, values: Values, children: Mapping[int, list[Element]]
) -> None:
    cache, around, area = remembered.cache, remembered.around, remembered.area
    prefix = tag_prefix(data, cache.start)
    numeric = cache.name == "numCache"
    is_axis = numeric and around.parent is not None and around.parent.name == "cat"
    if is_axis and any(_is_text(cell.value) for place, cell in values.items() if area.holds(*place)):
        # Numbers only, as the chart of a still empty table remembers, would leave the axis without its names.
        points = _written(prefix, _levels(values, area, numeric=False, nested=False), area)
        edits.replace(cache.start, cache.end, f"<{prefix}strCache>{points}</{prefix}strCache>".encode())
        edits.replace(around.start, around.open_end, f"<{prefix}strRef>".encode())
        edits.replace(around.close_start, around.end, f"</{prefix}strRef>".encode())
        return
    nested = cache.name == "multiLvlStrCache"
    levels = _levels(values, area, numeric=numeric, nested=nested)
    old = [element for element in children.get(id(cache), []) if element.name in ("ptCount", "pt", "lvl")]
    old_levels = [children.get(id(level), []) for level in old if level.name == "lvl"] if nested else [old]
    count = next((element.attributes.get("val") for element in old if element.name == "ptCount"), None)
    if count == str(_count(area, nested)) and levels == [_told(level, children) for level in old_levels]:
        return
    start, end = (old[0].start, old[-1].end) if old else (cache.close_start, cache.close_start)
    edits.replace(start, end, _written(prefix, levels, area, nested=nested).encode())


def _levels(values: Values, area: Area, *, numeric: bool, nested: bool) -> list[Level]:
    """The points; nested: one level for each column, the innermost, which is the rightmost, first."""
    columns = range(area.first_column, area.last_column + 1)
    groups = [(column,) for column in reversed(columns)] if nested else [tuple(columns)]
    levels: list[Level] = []
    for group in groups:
        places = [(row, column) for row in range(area.first_row, area.last_row + 1) for column in group]
        texts = ((index, _told_of(values.get(place), numeric)) for index, place in enumerate(places))
        levels.append([(str(index), text) for index, text in texts if text is not None])
    return levels


def _told_of(cell: ReadCell | None, numeric: bool) -> str | None:
    """A cell's value as a chart remembers it; in a range of numbers a text is a gap."""
    if cell is None or cell.value is None or (numeric and (_is_text(cell.value) or isinstance(cell.value, bool))):
        return None
    if isinstance(cell.value, bool):
        return str(cell.value).upper()
    if isinstance(cell.value, str):
        return escape_controls(cell.value)
    return value_markup(cell.value, date1904=False)[1]


def _told(points: list[Element], children: Mapping[int, list[Element]]) -> Level:
    """The points that a cache holds now."""
    return [
        (
            point.attributes.get("idx", ""),
            "".join(part.text for part in children.get(id(point), []) if part.name == "v"),
        )
        for point in points
        if point.name == "pt"
    ]


def _written(prefix: str, levels: list[Level], area: Area, *, nested: bool = False) -> str:
    pieces = [f'<{prefix}ptCount val="{_count(area, nested)}"/>']
    for level in levels:
        points = "".join(
            f'<{prefix}pt idx="{index}"><{prefix}v>{escape(text)}</{prefix}v></{prefix}pt>' for index, text in level
        )
        pieces.append(f"<{prefix}lvl>{points}</{prefix}lvl>" if nested else points)
    return "".join(pieces)


def _count(area: Area, nested: bool) -> int:
    rows = area.last_row - area.first_row + 1
    return rows if nested else rows * (area.last_column - area.first_column + 1)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, CellError)
