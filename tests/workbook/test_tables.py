"""New rows for a table: what becomes of them, of the cells around them, and of what refers to them."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import ironcalc
import openpyxl
import pytest
import xlsxwriter
from made_workbooks import changed_entries, deals_workbook, edited, entries, part, with_linked_part, with_parts

from holdwater.errors import NotOurWorkbookError, WorkbookError
from holdwater.workbook.cells import Content, FormulaCell
from holdwater.workbook.package import Package

SHEET = "xl/worksheets/sheet1.xml"
MODEL = "xl/worksheets/sheet2.xml"
CHART = "xl/charts/chart1.xml"
TABLE = "xl/tables/table1.xml"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return deals_workbook(tmp_path / "deals.xlsx")


def deals(count: int, start: float = 10) -> list[list[Content]]:
    return [
        [
            f"deal {n}",
            start + n,
            date(2025, 1, 1 + n % 28),
            FormulaCell("Deals[[#This Row],[Amount]]*2", 2 * (start + n)),
        ]
        for n in range(count)
    ]


def refresh(path: Path, rows: Sequence[Sequence[Content]], table: str = "Deals") -> Package:
    package = Package.open(path)
    package.replace_rows(table, rows)
    package.save()
    return package


def cells(path: Path, sheet: str = "Deals here", *, values: bool = True) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells that it knows no sparklines
        book = openpyxl.load_workbook(path, data_only=values, rich_text=True)
    try:
        return {
            cell.coordinate: cell.value for row in book[sheet].iter_rows() for cell in row if cell.value is not None
        }
    finally:
        book.close()


@pytest.mark.parametrize("count", [1, 3, 4, 5, 9, 300])
def test_rows_are_replaced_and_everything_else_stays(book: Path, count: int) -> None:
    before, outside = entries(book), cells(book)
    refresh(book, deals(count))
    after = cells(book)
    for n in range(count):
        row = 4 + n
        assert [after[f"{c}{row}"] for c in "BCDE"] == [
            f"deal {n}",
            10 + n,
            datetime(2025, 1, 1 + n % 28),  # noqa: DTZ001 - cells know no time zone
            2 * (10 + n),
        ]
    mine = {name: value for name, value in outside.items() if name[0] not in "BCDE" or int(name[1:]) < 4}
    assert {name: value for name, value in after.items() if name[0] not in "BCDE" or int(name[1:]) < 4} == mine
    assert not any(name[0] in "BCDE" and int(name[1:]) >= 4 + count for name in after)
    touched = {SHEET, CHART} if count == 4 else {SHEET, CHART, TABLE, MODEL, "xl/workbook.xml"}
    assert changed_entries(before, book) == touched


def test_a_persons_rows_and_cells_keep_their_bytes(book: Path) -> None:
    old = part(book, SHEET)
    refresh(book, deals(9))
    new = part(book, SHEET)
    for piece in (
        '<row r="5" spans="1:8" s="1" customFormat="1" ht="42" customHeight="1"><c r="A5" s="1" t="s"><v>11</v></c>',
        '<c r="G5" s="1" t="s"><v>12</v></c><c r="H5" s="1"><f>C5*3</f><v>900</v></c></row>',
        'r="12" spans="1:8" ht="33" customHeight="1">',
        '<c r="H12" t="s"><v>13</v></c></row>',
        old[old.index('<row r="1"') : old.index('<row r="4"')],
    ):
        assert piece in old
        assert piece in new


def test_foreign_cells_survive_a_shrink_and_bare_rows_go(book: Path) -> None:
    refresh(book, deals(300))
    refresh(book, deals(2))
    new = part(book, SHEET)
    assert '<row r="6" spans="1:8"><c r="A6" s="4" t="s"><v>14</v></c><c r="H6">' in new
    assert '<row r="7"' not in new
    assert '<row r="12" spans="1:8" ht="33" customHeight="1"><c r="H12" t="s"><v>13</v></c></row></sheetData>' in new


def test_refreshing_twice_changes_no_byte(book: Path) -> None:
    refresh(book, deals(6))
    once = book.read_bytes()
    package = Package.open(book)
    assert package.replace_rows("Deals", deals(6)).changed is False
    assert package.save() is False
    assert book.read_bytes() == once
    refresh(book, deals(7))
    refresh(book, deals(6))
    again = part(book, SHEET).replace(' spans="2:5"', "")
    assert again == part(book, SHEET)


def test_an_empty_table_keeps_a_blank_row_and_its_styles(book: Path) -> None:
    refresh(book, [])
    assert 'ref="B3:E4"' in part(book, TABLE)
    assert '<row r="4" spans="1:8"><c r="C4" s="2"/><c r="D4" s="3"/></row>' in part(book, SHEET)
    refresh(book, deals(3))
    assert '<c r="D6" s="3">' in part(book, SHEET)
    # What shrank to one row grew again.
    assert "'Deals here'!$C$4:$C$6</c:f>" in part(book, CHART)
    assert 'conditionalFormatting sqref="C4:C6"' in part(book, SHEET)
    assert "SUM('Deals here'!$C$4:$C$6)" in part(book, MODEL)


def test_references_that_span_the_rows_follow(book: Path) -> None:
    replacement = Package.open(book).replace_rows("Deals", deals(9))
    assert set(replacement.followed) == {SHEET, MODEL, CHART, "xl/workbook.xml"}
    refresh(book, deals(9))
    sheet, model, workbook, chart = (part(book, name) for name in (SHEET, MODEL, "xl/workbook.xml", CHART))
    assert 'ref="B3:E12"' in part(book, TABLE)
    assert '<autoFilter ref="B3:E12"' in part(book, TABLE)
    for text in (
        '<conditionalFormatting sqref="C4:C12">',
        '<conditionalFormatting sqref="B3:E12">',
        'sqref="B4:B12"',
        "<formula1>$B$4:$B$12</formula1>",
        "<formula>$C4&gt;100</formula>",
        "<f>SUM(C4:C12)</f>",
        "<xm:f>'Deals here'!C4:C12</xm:f><xm:sqref>K2</xm:sqref>",
    ):
        assert text in sheet
    assert "<f>SUM('Deals here'!$C$4:$C$12)</f>" in model
    assert "<f>SUM('Deals here'!C4:C12)+SUM('Deals here'!C4:C8)</f>" in model
    assert '<f>"C4:C7"&amp;SUM(Deals[Amount])</f>' in model
    assert workbook.count("'Deals here'!$C$4:$C$12</definedName>") == 2
    assert "'Deals here'!$B$3:$E$12</definedName>" in workbook
    assert "'Deals here'!$C$4:$C$6</definedName>" in workbook
    assert "<c:f>'Deals here'!$B$4:$B$12</c:f>" in chart
    assert "<c:f>'Deals here'!$C$3</c:f>" in chart


def test_the_chart_remembers_the_new_values(book: Path) -> None:
    refresh(book, [["Zoë <b>", 1, None, None], ["x_x0041_", 2.5, None, None], ["", None, None, None]])
    chart = part(book, CHART)
    names = '<c:pt idx="0"><c:v>Zoë &lt;b&gt;</c:v></c:pt><c:pt idx="1"><c:v>x_x005F_x0041_</c:v></c:pt>'
    assert '<c:strCache><c:ptCount val="3"/>' + names in chart
    amounts = '<c:ptCount val="3"/><c:pt idx="0"><c:v>1</c:v></c:pt><c:pt idx="1"><c:v>2.5</c:v></c:pt></c:numCache>'
    assert "<c:numCache><c:formatCode>General</c:formatCode>" + amounts in chart
    assert '<c:strCache><c:ptCount val="1"/><c:pt idx="0"><c:v>Amount</c:v></c:pt></c:strCache>' in chart


def test_a_chart_of_the_same_length_shows_new_values_too(book: Path) -> None:
    refresh(book, deals(4, start=1000))
    assert '<c:pt idx="3"><c:v>1003</c:v></c:pt>' in part(book, CHART)


def test_an_axis_of_an_empty_table_becomes_one_of_names(tmp_path: Path) -> None:
    book = deals_workbook(tmp_path / "one.xlsx", rows=1)
    old = part(book, CHART)
    start, end = old.index("<c:cat>"), old.index("</c:cat>")
    cache = (
        "<c:numRef><c:f>'Deals here'!$B$4</c:f><c:numCache><c:formatCode>General</c:formatCode>"
        '<c:ptCount val="1"/></c:numCache></c:numRef>'
    )
    with_parts(book, {CHART: old[:start] + "<c:cat>" + cache + old[end:]})
    refresh(book, deals(2))
    names = (
        "<c:cat><c:strRef><c:f>'Deals here'!$B$4:$B$5</c:f><c:strCache><c:ptCount val=\"2\"/>"
        '<c:pt idx="0"><c:v>deal 0</c:v></c:pt><c:pt idx="1"><c:v>deal 1</c:v></c:pt></c:strCache></c:strRef></c:cat>'
    )
    assert names in part(book, CHART)


def test_axes_of_two_levels_are_remembered_level_by_level(book: Path) -> None:
    old = part(book, CHART)
    start, end = old.index("<c:cat>"), old.index("</c:cat>")
    cache = (
        "<c:multiLvlStrRef><c:f>'Deals here'!$B$4:$C$7</c:f>"
        '<c:multiLvlStrCache><c:ptCount val="1"/><c:lvl/></c:multiLvlStrCache></c:multiLvlStrRef>'
    )
    with_parts(book, {CHART: old[:start] + "<c:cat>" + cache + old[end:]})
    refresh(book, deals(2))
    levels = (
        '<c:ptCount val="2"/><c:lvl><c:pt idx="0"><c:v>10</c:v></c:pt><c:pt idx="1"><c:v>11</c:v></c:pt></c:lvl>'
        '<c:lvl><c:pt idx="0"><c:v>deal 0</c:v></c:pt><c:pt idx="1"><c:v>deal 1</c:v></c:pt></c:lvl>'
        "</c:multiLvlStrCache>"
    )
    assert levels in part(book, CHART)


def test_text_stays_text_and_formulas_of_data_do_nothing(book: Path) -> None:
    texts = [
        "=1+1",
        "+49 30 1",
        "@x",
        "  two  spaces ",
        "line\nbreak",
        "tab\there",
        "bell\x07",
        "_x0041_",
        "𝄞 & <b>",
        "\r",
    ]
    refresh(book, [[text, None, None, None] for text in texts])
    package = Package.open(book)
    read = [c.value for c in package.read_cells("Deals here") if c.column == 2 and c.row >= 4]
    assert read == texts
    assert all(c.formula is None for c in package.read_cells("Deals here") if c.column == 2)
    seen = cells(book, values=False)
    assert [seen[f"B{4 + n}"] for n in range(6)] == texts[:6]
    raw = part(book, SHEET)
    assert "bell_x0007_" in raw
    assert "_x005F_x0041_" in raw
    assert '<t xml:space="preserve">  two  spaces </t>' in raw


def test_each_kind_of_value_is_written_as_what_it_is(book: Path) -> None:
    moment = datetime(2025, 6, 1, 12, 0)  # noqa: DTZ001 - cells know no time zone
    refresh(book, [[10**15, -5, moment, True], [123456789012345, 1e16, 0.1, FormulaCell("1/0", None)]])
    raw = part(book, SHEET)
    assert '<c r="B4" t="inlineStr"><is><t>1000000000000000</t></is></c>' in raw
    assert '<c r="D4" s="3"><v>45809.5</v></c><c r="E4" t="b"><v>1</v></c>' in raw
    assert '<c r="B5"><v>123456789012345</v></c><c r="C5" s="2"><v>1e+16</v></c>' in raw
    assert '<c r="E5"><f>1/0</f></c>' in raw


def test_dates_count_from_1904_where_the_workbook_does(tmp_path: Path) -> None:
    book = deals_workbook(tmp_path / "mac.xlsx", date1904=True)
    # Newer versions of Excel repeat the element's name in an extension, without the flag.
    extension = (
        '<extLst><ext uri="x"><x15:workbookPr xmlns:x15="urn:x15" chartTrackingRefBase="1"/></ext></extLst></workbook>'
    )
    edited(book, "xl/workbook.xml", ("</workbook>", extension))
    refresh(book, [["x", 1, date(2025, 1, 1), None]])
    assert '<c r="D4" s="3"><v>44196</v></c>' in part(book, SHEET)
    assert cells(book)["D4"] == datetime(2025, 1, 1)  # noqa: DTZ001 - cells know no time zone


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("x" * 32_768, "32,768 characters"),
        ("𝄞" * 16_384, "32,768 characters"),
        (float("nan"), "not a finite number"),
        (date(1899, 12, 31), "before the first one"),
        (FormulaCell("1+" * 4100 + "1", 1), "formula of more than 8,192"),
        (object(), "is a object"),
    ],
)
def test_a_value_that_fits_no_cell_is_refused_by_its_place(book: Path, value: Any, why: str) -> None:
    original = book.read_bytes()
    package = Package.open(book)
    with pytest.raises(WorkbookError, match=f"row 2, column 'Amount' for table Deals .*{why}"):
        package.replace_rows("Deals", [*deals(1), ["a", value, None, None]])
    assert package.save() is False
    assert book.read_bytes() == original


def test_the_longest_text_fits(book: Path) -> None:
    refresh(book, [["y" * 32_767, 1, None, None]])
    assert cells(book)["B4"] == "y" * 32_767


def test_what_stands_below_is_never_overwritten(book: Path) -> None:
    original = book.read_bytes()
    edited(book, SHEET, ('<c r="H12"', '<c r="C12" t="b"><v>1</v></c><c r="H12"'))
    with pytest.raises(WorkbookError, match="Table Deals on sheet 'Deals here' needs more rows, and cell C12"):
        Package.open(book).replace_rows("Deals", deals(9))
    refresh(book, deals(8))
    assert '<c r="C12" t="b"><v>1</v></c>' in part(book, SHEET)
    book.write_bytes(original)
    edited(book, SHEET, ('<mergeCell ref="B1:D1"/>', '<mergeCell ref="B1:D1"/><mergeCell ref="E10:F11"/>'))
    with pytest.raises(WorkbookError, match="the merged cells E10:F11"):
        Package.open(book).replace_rows("Deals", deals(9))


def test_a_blank_cell_below_gives_way(book: Path) -> None:
    edited(book, SHEET, ('<c r="H12"', '<c r="C12" s="1"/><c r="H12"'))
    refresh(book, deals(9))
    assert '<c r="C12" s="2"><v>18</v></c>' in part(book, SHEET)


def test_another_table_below_is_in_the_way_even_if_blank(book: Path) -> None:
    content = part(book, TABLE).replace('"Deals"', '"Second"').replace('id="1" name="Second"', 'id="2" name="Second"')
    edited(book, SHEET, ('<tableParts count="1">', '<tableParts count="2"><tablePart r:id="rId9"/>'))
    relation = '<Relationship Id="rId9" Type="http://x/table" Target="/xl/tables/table2.xml"/></Relationships>'
    edited(book, "xl/worksheets/_rels/sheet1.xml.rels", ("</Relationships>", relation))
    with_parts(book, {"xl/tables/table2.xml": content.replace("B3:E7", "B10:E12")})
    with pytest.raises(WorkbookError, match="table Second at B10:E12"):
        Package.open(book).replace_rows("Deals", deals(9))


def test_the_totals_row_moves_with_the_rows(tmp_path: Path) -> None:
    book = deals_workbook(tmp_path / "totals.xlsx", totals=True)
    edited(book, MODEL, ("<f>IF(A1&gt;0,TRUE,FALSE)</f>", "<f>'Deals here'!$C$8&gt;0</f>"))
    refresh(book, deals(6))
    sheet = part(book, SHEET)
    assert "<f>SUBTOTAL(109,[Amount])</f>" in sheet[sheet.index('<row r="10"') : sheet.index('<row r="12"')]
    assert 'ref="B3:E10"' in part(book, TABLE)
    assert '<autoFilter ref="B3:E9"/>' in part(book, TABLE)
    assert "<f>'Deals here'!$C$10&gt;0</f>" in part(book, MODEL)
    refresh(book, deals(1))
    assert cells(book, values=False)["B5"] == "Total"
    assert cells(book, values=False)["C5"] == "=SUBTOTAL(109,[Amount])"
    assert "B10" not in cells(book)
    refresh(book, deals(1, start=9))
    assert cells(book, values=False)["B5"] == "Total"


def test_a_shared_formula_outside_never_loses_its_master(book: Path) -> None:
    edited(
        book,
        SHEET,
        ("<f>Deals[[#This Row],[Amount]]*2</f><v>2401.0</v>", '<f t="shared" si="0" ref="E4:H6">C4*2</f><v>1</v>'),
        ("<f>C5*3</f>", '<f t="shared" si="0"/>'),
    )
    with pytest.raises(WorkbookError, match="Cell E4 on sheet 'Deals here' holds one formula for H5"):
        Package.open(book).replace_rows("Deals", deals(4))


def test_our_own_shared_formulas_may_go(book: Path) -> None:
    own = "<f>Deals[[#This Row],[Amount]]*2</f>"
    edited(
        book,
        SHEET,
        (own + "<v>2401.0</v>", '<f t="shared" si="0" ref="E4:E7">C4*2</f><v>1</v>'),
        (own, '<f t="shared" si="0"/>'),
    )
    assert [c.formula for c in Package.open(book).read_cells("Deals here") if c.column == 5 and c.row > 3] == [
        "C4*2",
        "C5*2",
        "C6*2",
        "C7*2",
    ]
    refresh(book, deals(2))
    assert cells(book)["E5"] == 22


def test_an_array_formula_across_the_edge_is_refused(book: Path) -> None:
    edited(book, SHEET, ("<f>C5*3</f>", '<f t="array" ref="E5:H5">C5*3</f>'))
    with pytest.raises(WorkbookError, match=r"Cell H5 .* holds one formula for E5:H5"):
        Package.open(book).replace_rows("Deals", deals(4))


@pytest.mark.parametrize(("count", "kept"), [(4, True), (5, False)])
def test_the_calculation_chain_goes_only_if_formulas_moved(book: Path, count: int, kept: bool) -> None:
    chain = '<calcChain xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><c r="E4" i="1"/></calcChain>'
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"
    with_linked_part(book, "xl/calcChain.xml", "calcChain", kind, chain)
    refresh(book, deals(count))
    assert ("xl/calcChain.xml" in entries(book)) is kept
    assert ("calcChain" in part(book, "[Content_Types].xml")) is kept
    assert ("calcChain" in part(book, "xl/_rels/workbook.xml.rels")) is kept
    assert cells(book)["B4"] == "deal 0"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('name="Deals"', 'name="Deals"'),
        ('name="Whole"', 'name="Whole"'),
        ('ref="B3:E7" sheet="Deals here"', 'ref="B3:E9" sheet="Deals here"'),
        ('ref="B3:E7" sheet="Model"', None),
        ('name="Other deals"', None),
    ],
)
def test_pivot_tables_fed_by_the_table_refill_on_opening(book: Path, source: str, expected: str | None) -> None:
    cache = (
        '<pivotCacheDefinition xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" recordCount="4">'
        f'<cacheSource type="worksheet"><worksheetSource {source}/></cacheSource></pivotCacheDefinition>'
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.pivotCacheDefinition+xml"
    name = "xl/pivotCache/pivotCacheDefinition1.xml"
    with_linked_part(book, name, "pivotCacheDefinition", kind, cache)
    refresh(book, deals(6))
    if expected is None:
        assert part(book, name) == cache
    else:
        assert part(book, name) == cache.replace(source, expected).replace(
            'recordCount="4"', 'recordCount="4" refreshOnLoad="1"'
        )


def test_shared_formulas_outside_follow_where_that_means_the_same(book: Path) -> None:
    edited(
        book,
        SHEET,
        ("<f>SUM(C4:C7)</f>", '<f t="shared" si="1" ref="H6:I6">SUM(C4:C7)</f>'),
        ("<f>C5*3</f>", '<f t="shared" si="2" ref="H5:H6">SUM(C4:C7)</f>'),
    )
    refresh(book, deals(6))
    assert '<f t="shared" si="1" ref="H6:I6">SUM(C4:C9)</f>' in part(book, SHEET)
    assert '<f t="shared" si="2" ref="H5:H6">SUM(C4:C7)</f>' in part(book, SHEET)


def test_rows_must_fit_the_table(book: Path) -> None:
    package = Package.open(book)
    with pytest.raises(WorkbookError, match=r"Row 2 for table Deals has 2 values, .* 4 columns"):
        package.replace_rows("Deals", [*deals(1), ["a", 1]])
    with pytest.raises(WorkbookError, match="a sheet ends at row 1,048,576"):
        package.replace_rows("Deals", [("a", 1, None, None)] * 1_048_574)
    with pytest.raises(NotOurWorkbookError, match=r"no table hw_leads .its tables: Deals"):
        package.replace_rows("hw_leads", [])


def test_a_table_filled_by_a_query_is_refused(book: Path) -> None:
    edited(book, TABLE, (' totalsRowShown="0"', ' tableType="queryTable" totalsRowShown="0"'))
    with pytest.raises(WorkbookError, match="filled by a query"):
        Package.open(book).replace_rows("Deals", deals(1))


def test_prefixed_and_strict_sheets_are_edited_in_their_own_words(book: Path) -> None:
    import re

    strict = "http://purl.oclc.org/ooxml/spreadsheetml/main"
    sheet = part(book, SHEET)
    body, behind = sheet.split("<extLst>")
    body = re.sub(r"<(/?)(?=[a-zA-Z])", r"<\1x:", body)
    behind = re.sub(r"<(/?)(?=(ext|extLst|worksheet)\b)", r"<\1x:", "<extLst>" + behind)
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    with_parts(book, {SHEET: (body + behind).replace(f'xmlns="{main}"', f'xmlns:x="{strict}"')})
    refresh(book, deals(6))
    new = part(book, SHEET)
    assert '<x:c r="B9" t="inlineStr"><x:is><x:t>deal 5</x:t></x:is></x:c>' in new
    assert '<x:row r="9"><x:c r="B9"' in new
    assert '<x:conditionalFormatting sqref="C4:C9">' in new
    assert [c.value for c in Package.open(book).read_cells("Deals here") if c.column == 2][2:] == [
        f"deal {n}" for n in range(6)
    ]


def test_cells_that_do_not_name_their_place_stay_where_they_are(book: Path) -> None:
    edited(
        book,
        SHEET,
        ('<c r="G5" s="1" t="s">', '<c s="1" t="s">'),  # behind E5, so it is F5
        ('<c r="H5" s="1">', '<c s="1">'),
        ('<row r="7" spans', "<row spans"),
    )
    refresh(book, deals(1))
    read = {(c.row, c.column): c.value for c in Package.open(book).read_cells("Deals here")}
    assert read[5, 6] == "mine"
    assert read[5, 7] == 900
    assert read[12, 8] == "far right"


def test_a_persons_row_says_how_wide_it_has_become(book: Path) -> None:
    edited(book, SHEET, ('<row r="12" spans="1:8"', '<row r="12" spans="8:8"'))
    refresh(book, deals(9))
    assert '<row r="12" spans="2:8" ht="33" customHeight="1"><c r="B12"' in part(book, SHEET)


def test_a_row_with_a_height_of_its_own_stays_when_its_cells_go(book: Path) -> None:
    edited(book, SHEET, ('<row r="7" spans="1:8"', '<row r="7" spans="1:8" ht="50" customHeight="1"'))
    refresh(book, deals(1))
    assert '<row r="7" spans="1:8" ht="50" customHeight="1"></row>' in part(book, SHEET)


def test_in_a_table_of_one_row_a_cell_is_not_taken_for_the_column(tmp_path: Path) -> None:
    book = deals_workbook(tmp_path / "one.xlsx", rows=1)
    edited(book, MODEL, ("IF(A1&gt;0,TRUE,FALSE)", "'Deals here'!C4*2"))
    edited(book, CHART, ("$C$4:$C$4", "$C$4"))
    refresh(book, deals(3))
    assert "<f>'Deals here'!C4*2</f>" in part(book, MODEL)
    assert "<f>SUM('Deals here'!$C$4:$C$6)</f>" in part(book, MODEL)
    assert "<c:f>'Deals here'!$C$4:$C$6</c:f>" in part(book, CHART)


def test_the_one_cell_that_a_format_covers_is_taken_for_the_column(tmp_path: Path) -> None:
    path = tmp_path / "small.xlsx"
    with xlsxwriter.Workbook(path) as made:
        sheet = made.add_worksheet()
        sheet.add_table("A1:A2", {"name": "Small"})
        sheet.conditional_format("A2", {"type": "3_color_scale"})
    refresh(path, [[1], [2], [3]], "Small")
    assert '<conditionalFormatting sqref="A2:A4">' in part(path, SHEET)


def test_new_formulas_in_the_table_are_written_as_given(book: Path) -> None:
    rows = [[f"n{n}", n, None, FormulaCell("SUM(C4:C7)", 0)] for n in range(6)]
    refresh(book, rows)
    assert part(book, SHEET).count("<f>SUM(C4:C7)</f>") == 6
    assert "<f>SUM(C4:C9)</f>" in part(book, SHEET)


def test_ironcalc_computes_the_refreshed_workbook(book: Path) -> None:
    refresh(book, deals(7))
    model = ironcalc.load_from_xlsx(str(book), "en", "UTC")
    model.evaluate()
    total = sum(10 + n for n in range(7))
    assert model.get_formatted_cell_value(1, 1, 1) == str(total)
    assert model.get_formatted_cell_value(1, 3, 1) == f"C4:C7{total}"
    assert model.get_formatted_cell_value(0, 10, 2) == "deal 6"
    assert model.get_formatted_cell_value(0, 6, 8) == str(total)


# Left to itself, Calc believes the values that a workbook of Excel shows, whatever the workbook asks for.
ALWAYS_RECALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>"""


@pytest.mark.slow
def test_calc_opens_and_computes_the_refreshed_workbook(book: Path, tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not on this machine")
    refresh(book, deals(7))
    settings = tmp_path / "profile" / "user" / "registrymodifications.xcu"
    settings.parent.mkdir(parents=True)
    settings.write_text(ALWAYS_RECALCULATE)
    subprocess.run(
        [
            office,
            f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}",
            "--headless",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1",
            "--outdir",
            str(tmp_path / "out"),
            str(book),
        ],
        check=True,
        capture_output=True,
        timeout=240,
    )
    model = (tmp_path / "out" / "deals-Model.csv").read_text("utf-8").splitlines()
    assert model[0].split(",")[0] == str(sum(10 + n for n in range(7)))
    sheet = (tmp_path / "out" / "deals-Deals here.csv").read_text("utf-8")
    assert "deal 6" in sheet
    assert "far right" in sheet
