from __future__ import annotations

import pytest

from holdwater.workbook.references import Area, Reference, area_of, cell_name, column_number, shifted, with_areas


def seen(formula: str) -> list[tuple[str | None, str]]:
    found: list[tuple[str | None, str]] = []

    def note(sheet: str | None, text: str) -> str:
        found.append((sheet, text))
        return text

    assert with_areas(formula, note) == formula
    return found


@pytest.mark.parametrize(
    ("formula", "references"),
    [
        ("SUM(A2:A9)+$B$1", [(None, "A2:A9"), (None, "$B$1")]),
        ("Data!$A$2:$A$9", [("Data", "$A$2:$A$9")]),
        ("'My ''own'' sheet'!A2:B9*2", [("My 'own' sheet", "A2:B9")]),
        ("(Data!A2:A9,Data!C2:C9)", [("Data", "A2:A9"), ("Data", "C2:C9")]),
        ("Gewässer!A1", [("Gewässer", "A1")]),
        ('"A2:A9"&"he said ""A1"""', []),
        ("Table1[A1]+Table1[[#This Row],[B2:B3]]", []),
        ("LOG10(2)+ATAN2(1,2)", []),
        ("tax2024+_A1+x.B2", []),
        ("[1]Data!A2:A9", [("[1]Data", "A2:A9")]),
        ("'[book.xlsx]Data'!A2", [("[book.xlsx]Data", "A2")]),
        ("One:Three!A2:A9", [("One:Three", "A2:A9")]),
        ("A2:INDEX(A:A,9)", []),
        ("SUM(A:A)+SUM(2:9)", []),
        ("IF(A1>1,A2,A3)", [(None, "A1"), (None, "A2"), (None, "A3")]),
        ("Data!Rate*A1#", [(None, "A1")]),
        ("'Q1'!Rate*2", []),
        ("Table1['[A1']]+B2", [(None, "B2")]),
    ],
)
def test_references_are_found_in_formulas(formula: str, references: list[tuple[str | None, str]]) -> None:
    assert seen(formula) == references


def test_columns_count_as_in_a_sheet() -> None:
    assert [cell_name(1, n) for n in (1, 26, 27, 702, 703, 16384)] == ["A1", "Z1", "AA1", "ZZ1", "AAA1", "XFD1"]
    assert column_number("XFD") == 16384


def test_area_reads_and_writes_itself() -> None:
    assert area_of("B2:D9") == Area(2, 2, 9, 4)
    assert str(Area(2, 2, 9, 4)) == "B2:D9"
    assert str(Area(2, 2, 2, 2)) == "B2"
    assert area_of("B2:D") is None
    assert Area(2, 2, 9, 4).holds(9, 4)
    assert not Area(2, 2, 9, 4).holds(10, 4)
    assert Area(1, 1, 2, 2).meets(Area(2, 2, 3, 3))
    assert not Area(1, 1, 2, 2).meets(Area(3, 1, 4, 2))


@pytest.mark.parametrize(
    ("text", "is_range", "fixed"), [("A2", False, False), ("A2:A2", True, False), ("$A$2:B$9", True, True)]
)
def test_reference_tells_how_it_is_written(text: str, is_range: bool, fixed: bool) -> None:
    reference = Reference.parse(text)
    assert reference is not None
    assert (reference.is_range, reference.rows_fixed) == (is_range, fixed)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("A1+$A1+A$1+$A$1", "B3+$A3+B$1+$A$1"),
        ("SUM(Data!A2:B9)", "SUM(Data!B4:C11)"),
        ("SUM(A:B)+SUM($A:$A)+SUM(2:3)+SUM($2:3)", "SUM(B:C)+SUM($A:$A)+SUM(4:5)+SUM($2:5)"),
        ('"A1"&LOG10(A1)', '"A1"&LOG10(B3)'),
        ("XFD1048576", "A2"),
    ],
)
def test_shared_formulas_shift_as_excel_shifts_them(formula: str, expected: str) -> None:
    assert shifted(formula, 2, 1) == expected
