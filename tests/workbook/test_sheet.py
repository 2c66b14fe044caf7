"""Reading cells, and patching single ones."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from made_workbooks import changed_entries, deals_workbook, edited, entries, part

from holdwater.errors import NotOurWorkbookError, WorkbookError
from holdwater.workbook.cells import CellError
from holdwater.workbook.package import Package

MODEL = "xl/worksheets/sheet2.xml"
SHEET = "xl/worksheets/sheet1.xml"
SUM = "SUM('Deals here'!$C$4:$C$7)"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return deals_workbook(tmp_path / "deals.xlsx")


def test_cells_are_read_with_their_kinds(book: Path) -> None:
    edited(
        book,
        "xl/worksheets/sheet3.xml",
        (
            "</sheetData>",
            '<row r="9"><c r="A9" t="b"><v>1</v></c><c r="B9" t="e"><v>#N/A</v></c>'
            '<c r="C9" t="d"><v>2024-01-05</v></c>'
            '<c r="D9" t="inlineStr"><is><r><t>in</t></r><r><t>line</t></r><rPh sb="0"><t>no</t></rPh></is></c>'
            '<c r="E9" s="1"/><c r="F9"><v>1.5E3</v></c><c r="G9" t="str"><f>"a"&amp;"b"</f><v>a_x000D_b</v></c></row>'
            "</sheetData>",
        ),
    )
    read = {c.column: (c.formula, c.value) for c in Package.open(book).read_cells("Extra") if c.row == 9}
    assert read == {
        1: (None, True),
        2: (None, CellError("#N/A")),
        3: (None, 45296.0),
        4: (None, "inline"),
        6: (None, 1500.0),
        7: ('"a"&"b"', "a\rb"),
    }
    assert isinstance(read[2][1], CellError)
    rich = [c.value for c in Package.open(book).read_cells("deals HERE") if (c.row, c.column) == (1, 7)]
    assert rich == ["a rich text"]
    with pytest.raises(NotOurWorkbookError, match="no sheet 'Leads'"):
        Package.open(book).read_cells("Leads")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (12.5, '<c r="A1"><f>{}</f><v>12.5</v></c>'),
        (10**16, '<c r="A1"><f>{}</f><v>1e+16</v></c>'),
        ("a <b>", '<c r="A1" t="str"><f>{}</f><v>a &lt;b&gt;</v></c>'),
        (False, '<c r="A1" t="b"><f>{}</f><v>0</v></c>'),
        (CellError("#DIV/0!"), '<c r="A1" t="e"><f>{}</f><v>#DIV/0!</v></c>'),
        (None, '<c r="A1"><f>{}</f></c>'),
    ],
)
def test_only_the_shown_value_is_patched(book: Path, value: float | str | bool | CellError | None, cell: str) -> None:
    before, old = entries(book), part(book, MODEL)
    package = Package.open(book)
    patched = package.set_cached("Model", {(1, 1): (SUM, value)})
    assert patched == (frozenset({(1, 1)}), frozenset())
    package.save()
    expected = old.replace(f'<c r="A1"><f>{SUM}</f><v>1552.5</v></c>', cell.format(SUM))
    assert expected != old
    assert part(book, MODEL) == expected
    assert changed_entries(before, book) == {MODEL}  # XlsxWriter asks for full calculation already


def test_a_text_result_may_become_a_number(book: Path) -> None:
    package = Package.open(book)
    assert package.set_cached("Model", {(3, 1): ('"C4:C7"&SUM(Deals[Amount])', 3)}).done
    package.save()
    assert '<c r="A3"><f>"C4:C7"&amp;SUM(Deals[Amount])</f><v>3</v></c>' in part(book, MODEL)


def test_formulas_that_are_not_as_we_left_them_are_skipped(book: Path) -> None:
    package = Package.open(book)
    patched = package.set_cached(
        "Model", {(1, 1): ("SUM(1)", 5), (90, 1): (SUM, 5), (4, 1): ("IF(A1>0,TRUE,FALSE)", False)}
    )
    assert patched.done == {(4, 1)}
    assert patched.skipped == {(1, 1), (90, 1)}
    assert list(package.changed_parts) == [MODEL]


def test_a_value_that_is_shown_already_changes_nothing(book: Path) -> None:
    original = book.read_bytes()
    package = Package.open(book)
    assert package.set_cached("Model", {(1, 1): (SUM, 1552.5), (4, 1): ("IF(A1>0,TRUE,FALSE)", True)}).skipped == set()
    assert package.save() is False
    assert book.read_bytes() == original


def test_a_shared_formula_is_patched_where_it_computes_the_text(book: Path) -> None:
    edited(
        book,
        SHEET,
        ("<f>C5*3</f>", '<f t="shared" si="0" ref="H5:H6">C5*3</f>'),
        ("<f>SUM(C4:C7)</f>", '<f t="shared" si="0"/>'),
    )
    package = Package.open(book)
    assert package.set_cached("Deals here", {(6, 8): ("C6*3", 135), (5, 8): ("C6*3", 1)}).done == {(6, 8)}
    package.save()
    assert '<c r="H6"><f t="shared" si="0"/><v>135</v></c>' in part(book, SHEET)


def test_a_chart_of_patched_cells_is_renewed(book: Path) -> None:
    edited(book, "xl/charts/chart1.xml", ("'Deals here'!$C$4:$C$7", "Model!$A$1:$A$2"))
    package = Package.open(book)
    package.set_cached("Model", {(1, 1): (SUM, 77)})
    package.save()
    assert '<c:ptCount val="2"/><c:pt idx="0"><c:v>77</c:v></c:pt><c:pt idx="1"><c:v>1</c:v></c:pt>' in part(
        book, "xl/charts/chart1.xml"
    )


def test_plain_values_keep_the_style_of_their_cell(book: Path) -> None:
    package = Package.open(book)
    package.set_value("Deals here", {(4, 3): 5, (5, 7): "refreshed", (2, 7): "new row", (9, 1): date(2025, 1, 1)})
    package.set_value("Extra", {(1, 2): True})
    package.save()
    sheet = part(book, SHEET)
    assert '<c r="C4" s="2"><v>5</v></c>' in sheet
    assert '<c r="G5" s="1" t="inlineStr"><is><t>refreshed</t></is></c>' in sheet
    assert '<row r="2"><c r="G2" t="inlineStr"><is><t>new row</t></is></c></row><row r="3"' in sheet
    assert '<row r="9"><c r="A9"><v>45658</v></c></row><row r="12"' in sheet
    assert 'dimension ref="A1:B1"' in part(book, "xl/worksheets/sheet3.xml")
    before = book.read_bytes()
    package.set_value("Extra", {(1, 2): True})
    assert package.save() is False
    assert book.read_bytes() == before


def test_a_value_never_replaces_a_formula(book: Path) -> None:
    with pytest.raises(WorkbookError, match=r"Cell A1 in xl/worksheets/sheet2.xml holds a formula"):
        Package.open(book).set_value("Model", {(1, 1): 5})


def test_an_empty_sheet_takes_its_first_cell(book: Path) -> None:
    content = part(book, "xl/worksheets/sheet3.xml")
    start, end = content.index("<sheetData>"), content.index("</sheetData>") + 12
    edited(book, "xl/worksheets/sheet3.xml", (content[start:end], "<sheetData/>"))
    package = Package.open(book)
    package.set_value("Extra", {(2, 2): "x"})
    package.save()
    assert [(c.row, c.column, c.value) for c in Package.open(book).read_cells("Extra")] == [(2, 2, "x")]


@pytest.mark.parametrize(
    ("old", "new"), [('<row r="5"', '<row r="3"'), ('<c r="G5"', '<c r="A5"'), ('<c r="G5"', '<c r="5"')]
)
def test_rows_and_cells_out_of_order_are_refused(book: Path, old: str, new: str) -> None:
    edited(book, SHEET, (old, new))
    with pytest.raises(WorkbookError, match="damaged at"):
        list(Package.open(book).read_cells("Deals here"))
