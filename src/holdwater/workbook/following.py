"""References that span exactly a table's rows, and so follow when the rows become more or fewer."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache

from holdwater.workbook.markup import Edits, Element, elements, set_attribute, set_text
from holdwater.workbook.references import Area, Reference, area_of, with_areas
from holdwater.workbook.scan import SheetRow, SheetScan

_SHEET_FORMULAS = frozenset({"f", "formula", "formula1", "formula2", "sqref"})
_RANGED = frozenset({"conditionalFormatting", "dataValidation", "ignoredError", "protectedRange"})
_LAST_NUMBER = re.compile(r"\d+$")


@dataclass(frozen=True, slots=True)
class Growth:
    """How a table's rows changed: from `first..old_last` to `first..new_last`; the totals row moves along."""

    sheet: str
    header: int | None
    first: int
    first_column: int
    last_column: int
    old_last: int
    new_last: int
    totals: bool

    @property
    def body(self) -> Area:
        return Area(self.first, self.first_column, self.new_last, self.last_column)

    def moved(self, area: Area) -> Area | None:
        """Where an area went that spans the rows exactly (header and totals may be in it), or the totals alone."""
        if not self.first_column <= area.first_column <= area.last_column <= self.last_column:
            return None
        difference = self.new_last - self.old_last
        if self.is_totals(area):
            return area._replace(first_row=area.first_row + difference, last_row=area.last_row + difference)
        ends = (self.old_last, self.old_last + 1) if self.totals else (self.old_last,)
        if area.first_row in (self.first, self.header) and area.last_row in ends:
            return area._replace(last_row=area.last_row + difference)
        return None

    def is_totals(self, area: Area) -> bool:
        return self.totals and area.first_row == area.last_row == self.old_last + 1

    def may_be_in(self, data: bytes) -> bool:
        """Whether a piece of a worksheet part can hold such a reference: most cannot, and need no parsing."""
        return _pattern(self).search(data) is not None


@lru_cache(maxsize=8)
def _pattern(growth: Growth) -> re.Pattern[bytes]:
    last = b"(?:%d|%d)" % (growth.old_last, growth.old_last + 1) if growth.totals else b"%d" % growth.old_last
    firsts = [row for row in (growth.first, growth.header) if row is not None]
    patterns = [b"%d:\\$?[A-Z]{1,3}\\$?%s(?!\\d)" % (row, last) for row in firsts]
    if growth.first == growth.old_last:  # one row: a range of one column is written as a cell
        # Atomic, or a long text about "sqref" would be searched from each of them to its end.
        patterns.append(b"<(?>[^<]*?sqref)[^<]*?[A-Z]%d(?!\\d)" % growth.first)
    if growth.totals:
        patterns.append(b"[A-Z]\\$?%d(?!\\d)" % (growth.old_last + 1))
    return re.compile(b"|".join(patterns))


def follows_in_sheet(scan: SheetScan, growth: Growth) -> bool:
    """Whether `follow_in_sheet` may find something to change."""
    return any(_may_follow(row, growth) for row in scan.rows()) or growth.may_be_in(scan.tail)


def follow_in_sheet(scan: SheetScan, sheet: str, growth: Growth) -> Iterator[bytes]:
    """Formulas, conditional formats, validations and sparklines of a worksheet; the table's own rows are left alone."""
    yield scan.head
    closing = f"</{scan.prefix}sheetData></{scan.prefix}worksheet>"
    for row in scan.rows():
        yield row.before
        if _may_follow(row, growth):
            yield _followed(scan, row.data, closing, sheet, growth)
        else:
            yield row.data
    yield _followed(scan, scan.tail, "", sheet, growth) if growth.may_be_in(scan.tail) else scan.tail


def _may_follow(row: SheetRow, growth: Growth) -> bool:
    return b"f>" in row.data and growth.may_be_in(row.data)


def _followed(scan: SheetScan, piece: bytes, closing: str, sheet: str, growth: Growth) -> bytes:
    """A piece of the sheet with its references drawn; between the head and `closing` it is a whole document."""
    data = scan.head + piece + closing.encode()
    edits = Edits()
    for element in elements(data, scan.part, _SHEET_FORMULAS | _RANGED):
        if element.name in _RANGED:
            if "sqref" in element.attributes:
                set_attribute(edits, data, element, "sqref", _ranges(element.attributes["sqref"], growth, sheet))
        elif element.name == "sqref":
            if element.parent is None or element.parent.name != "sparkline":
                set_text(edits, data, element, _ranges(element.text, growth, sheet))
        else:
            set_text(edits, data, element, _sheet_formula(element, growth, sheet))
    whole = edits.applied(data)
    return whole[len(scan.head) : len(whole) - len(closing)]


def follow_in_formulas(data: bytes, part: str, names: Collection[str], growth: Growth, sheet: str | None) -> bytes:
    """Elements with these names whose text is a formula, in defined names (sheet None) and table columns."""
    edits = Edits()
    for element in elements(data, part, names):
        set_text(edits, data, element, followed(element.text, growth, sheet, anchored=False))
    return edits.applied(data)


def follow_in_chart(data: bytes, part: str, growth: Growth) -> bytes:
    edits = Edits()
    for element in elements(data, part, {"f", "sqref"}):
        set_text(edits, data, element, followed(element.text, growth, None, single=True))
    return edits.applied(data)


def follow_in_control(data: bytes, part: str, growth: Growth) -> bytes:
    """The list that a form control such as a drop-down offers."""
    edits = Edits()
    for element in elements(data, part, {"formControlPr"}):
        if "fmlaRange" in element.attributes:
            text = followed(element.attributes["fmlaRange"], growth, None)
            set_attribute(edits, data, element, "fmlaRange", text)
    return edits.applied(data)


def followed(
    formula: str, growth: Growth, home: str | None, *, anchored: bool = True, single: bool = False, across: int = 0
) -> str:
    """The formula with each reference that spans the rows drawn to their new end; `home` is the sheet it stands on.

    `anchored`: it is meant for one place, so that a row number without a $ is what it says; `single`: in a table of
    one row, a single cell stands for the row; `across`: how many columns further the formula is shared.
    """

    def change(sheet: str | None, text: str) -> str:
        reference = Reference.parse(text)
        if reference is None or (sheet or home or "").casefold() != growth.sheet.casefold():
            return text
        area = reference.area
        moved = growth.moved(area)
        if moved is None or not (anchored or reference.rows_fixed):
            return text
        if growth.moved(area._replace(last_column=area.last_column + across)) is None:
            return text
        if not (reference.is_range or single or growth.is_totals(area)):
            return text
        corners = text.split(":")
        if len(corners) == 1 and moved.first_row != moved.last_row:
            corners *= 2
        return ":".join(
            _LAST_NUMBER.sub(str(row), corner)
            for corner, row in zip(corners, (moved.first_row, moved.last_row), strict=False)
        )

    return with_areas(formula, change)


def _sheet_formula(element: Element, growth: Growth, sheet: str) -> str:
    """A formula of a worksheet, which may stand in a cell, in a rule, or in a sparkline."""
    parent = element.parent
    if parent is None or parent.name != "c":
        anchored = parent is not None and parent.name == "sparkline"
        return followed(element.text, growth, sheet, anchored=anchored, single=anchored)
    cell = area_of(parent.attributes.get("r", ""))
    if cell is not None and sheet == growth.sheet and growth.body.meets(cell):
        return element.text  # just written, and meant as it is
    if element.attributes.get("t") != "shared":
        return followed(element.text, growth, sheet)
    shared = area_of(element.attributes.get("ref", ""))
    one_row = shared is not None and shared.first_row == shared.last_row
    across = shared.last_column - shared.first_column if shared is not None else 0
    return followed(element.text, growth, sheet, anchored=one_row, across=across)


def _ranges(sqref: str, growth: Growth, sheet: str) -> str:
    if sheet != growth.sheet:
        return sqref
    ranges: list[str] = []
    for text in sqref.split():
        area = area_of(text)
        moved = None if area is None else growth.moved(area)
        ranges.append(text if moved is None else str(moved))
    return " ".join(ranges) if ranges != sqref.split() else sqref
