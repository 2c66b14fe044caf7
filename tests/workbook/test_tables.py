"""New rows for a table: what becomes of them, of the cells around them, and of what refers to them."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from made_workbooks import changed_entries, deals_workbook, edited, entries, part, with_parts
from table_books import CHART, MODEL, SHEET, TABLE, cells, deals, refresh

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import FormulaCell
from holdwater.workbook.package import Package


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return deals_workbook(tmp_path / "deals.xlsx")


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


def test_a_table_with_alternative_text_is_a_table(book: Path) -> None:
    namespace = "http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"
    described = f'<x14:table altText="Our deals" xmlns:x14="{namespace}"/>'
    extension = f'<extLst><ext uri="{{504A1905-F514-4f6f-8877-14C23A59335A}}">{described}</ext></extLst></table>'
    edited(book, TABLE, ("</table>", extension))
    refresh(book, deals(9))
    assert Package.open(book).table("Deals").ref.last_row == 12
    assert described in part(book, TABLE)


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
