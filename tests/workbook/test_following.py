"""Which sheets are parsed for references that follow a table: all that may hold one, however their bytes arrive."""

from __future__ import annotations

import itertools

import pytest

from holdwater.errors import WorkbookError
from holdwater.workbook.following import Growth, follow_in_formulas, follows_in_sheet

GROWTH = Growth("Deals", 5, 6, 1, 4, old_last=9, new_last=20, totals=False)
SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1">'
    '<c r="A1"><f>{formula}</f></c></row></sheetData><!-- a remark > this one --></worksheet>'
)


def found(sheet: bytes, *cuts: int) -> bool:
    ends = (0, *cuts, len(sheet))
    return follows_in_sheet([sheet[a:b] for a, b in itertools.pairwise(ends)], "sheet1.xml", GROWTH)


@pytest.mark.parametrize("formula", ["SUM(Deals!$A$6:$A$9)", "SUM(Deals!A5:D9)"])
def test_a_reference_is_found_wherever_the_bytes_are_cut(formula: str) -> None:
    sheet = SHEET.format(formula=formula).encode()
    assert all(found(sheet, cut) for cut in range(4, len(sheet)))
    assert found(sheet, *range(4, len(sheet)))


@pytest.mark.parametrize("formula", ["SUM(Deals!$A$6:$A$8)", "SUM(Deals!$A$6:$A$91)", "A6+A9"])
def test_what_spans_other_rows_is_not_looked_at(formula: str) -> None:
    assert not found(SHEET.format(formula=formula).encode())


def test_an_encoding_that_hides_references_is_refused() -> None:
    with pytest.raises(WorkbookError, match=r"sheet1\.xml is not written in UTF-8"):
        found(SHEET.format(formula="SUM(Deals!A6:A9)").encode("utf-16"))


def test_names_follow() -> None:
    names = "<names><definedName>Deals!$A$6:$A${}</definedName><definedName>Deals!$A$6:$A$8</definedName></names>"
    moved = follow_in_formulas(names.format(9).encode(), "workbook.xml", {"definedName"}, GROWTH, None)
    assert moved.decode() == names.format(20)
