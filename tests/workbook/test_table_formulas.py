"""Totals, formulas and odd sheets around the rows that are replaced."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import ironcalc
import pytest
import xlsxwriter
from made_workbooks import deals_workbook, edited, entries, part, with_linked_part, with_parts
from table_books import CHART, MODEL, SHEET, TABLE, cells, deals, refresh

from holdwater.errors import NotOurWorkbookError, WorkbookError
from holdwater.workbook.cells import FormulaCell
from holdwater.workbook.package import Package


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return deals_workbook(tmp_path / "deals.xlsx")


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
