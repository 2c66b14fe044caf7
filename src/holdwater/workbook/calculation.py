"""Telling the spreadsheet program to compute formulas and refill pivot tables when it opens the workbook."""

from __future__ import annotations

from collections.abc import Collection

from holdwater.workbook.following import Growth
from holdwater.workbook.markup import SPREADSHEET, Edits, elements, set_attribute, tag_prefix
from holdwater.workbook.references import Area, area_of

# The children of <workbook> that stand before <calcPr>, and of which <sheets> is always there.
_BEFORE = frozenset({"sheets", "functionGroups", "externalReferences", "definedNames"})


def with_full_calculation(data: bytes, part: str) -> bytes:
    """The workbook part, asking for every formula to be computed on opening."""
    edits = Edits()
    top = [element for element in elements(data, part) if element.namespace in SPREADSHEET]
    calculation = next((element for element in top if element.name == "calcPr"), None)
    if calculation is not None:
        if calculation.attributes.get("fullCalcOnLoad") != "true":
            set_attribute(edits, data, calculation, "fullCalcOnLoad", "1")
        return edits.applied(data)
    before = [element for element in top if element.name in _BEFORE and element.parent is top[0]]
    edits.insert(before[-1].end, f'<{tag_prefix(data, top[0].start)}calcPr fullCalcOnLoad="1"/>'.encode())
    return edits.applied(data)


def with_refresh_on_load(data: bytes, part: str, names: Collection[str], ref: Area, growth: Growth) -> bytes:
    """A pivot cache, asking to be filled anew if the table feeds it: by a name, or by the range `ref` it had."""
    edits = Edits()
    folded = {name.casefold() for name in names}
    root, *sources = elements(data, part, {"pivotCacheDefinition", "worksheetSource"})
    for source in sources:
        area = area_of(source.attributes.get("ref", ""))
        by_name = source.attributes.get("name", "").casefold() in folded
        by_range = (
            area is not None
            and area.meets(ref)
            and source.attributes.get("sheet", "").casefold() == growth.sheet.casefold()
        )
        if not (by_name or by_range):
            continue
        moved = None if area is None else growth.moved(area)
        if moved is not None:
            set_attribute(edits, data, source, "ref", str(moved))
        if root.attributes.get("refreshOnLoad") != "true":
            set_attribute(edits, data, root, "refreshOnLoad", "1")
    return edits.applied(data)
