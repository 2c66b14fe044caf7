"""More small workbooks of other people: what hangs on a sheet, or on the workbook, by a chain of parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from foreign_books import FEATURES, SHEET, feature, in_sheet, plain, sheet_related, typed_part
from made_workbooks import edited, part, png, with_linked_part, with_parts

__all__ = ["FEATURES"]

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_MICROSOFT = "http://schemas.microsoft.com/office"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_BOOK, _BOOK_RELS = "xl/workbook.xml", "xl/_rels/workbook.xml.rels"


def relations(*of: tuple[str, str], mode: str = "") -> str:
    """A part of relationships rId1, rId2, ... of (type, target)."""
    lines = "".join(
        f'<Relationship Id="rId{n}" Type="{kind}" Target="{target}"{mode}/>' for n, (kind, target) in enumerate(of, 1)
    )
    return f'<Relationships xmlns="{_RELATIONS}">{lines}</Relationships>'


@feature
def pictures(path: Path) -> Path:
    """In a cell's place, behind the cells, in the header, and one with a link and a description."""
    picture = path.with_suffix(".png")
    picture.write_bytes(png())

    def add(book: Any, sheet: Any) -> None:
        sheet.insert_image("F2", str(picture), {"url": "https://example.com", "description": "A red dot"})
        sheet.insert_image("F9", str(picture), {"x_scale": 9, "y_scale": 9, "object_position": 1})
        sheet.embed_image("F12", str(picture))
        sheet.set_background(str(picture))
        sheet.set_header("&L&G", {"image_left": str(picture)})

    return plain(path, add)


@feature
def links_to_other_workbooks(path: Path) -> Path:
    """A formula over another workbook, with the values that were there when it was last open."""
    plain(path, lambda book, sheet: sheet.write_formula("F1", "=[1]Prices!$A$1*2", None, 84))
    with_linked_part(
        path, "xl/externalLinks/externalLink1.xml", "externalLink", f"{_SPREADSHEET}.externalLink+xml",
        f'<externalLink xmlns="{_MAIN}"><externalBook xmlns:r="{_OFFICE}/relationships" r:id="rId1"><sheetNames>'
        '<sheetName val="Prices"/></sheetNames><sheetDataSet><sheetData sheetId="0"><row r="1"><cell r="A1"><v>42</v>'
        "</cell></row></sheetData></sheetDataSet></externalBook></externalLink>",
    )  # fmt: skip
    there = relations((f"{_OFFICE}/relationships/externalLinkPath", "prices.xlsx"), mode=' TargetMode="External"')
    with_parts(path, {"xl/externalLinks/_rels/externalLink1.xml.rels": there})
    link = '<externalReferences><externalReference r:id="rIdXexternalLink"/></externalReferences>'
    return edited(path, _BOOK, ("</sheets>", f"</sheets>{link}"))


@feature
def data_types_and_cell_metadata(path: Path) -> Path:
    """A cell of a data type: what it shows is in the cell, what it is, in the rich values that its metadata names."""
    space = f"{_MICROSOFT}/spreadsheetml/2017/richdata"
    plain(path)
    with_linked_part(
        path, "xl/metadata.xml", "sheetMetadata", f"{_SPREADSHEET}.sheetMetadata+xml",
        f'<metadata xmlns="{_MAIN}" xmlns:xlrd="{space}"><metadataTypes count="1"><metadataType name="XLRICHVALUE" '
        'minSupportedVersion="120000" copy="1" pasteAll="1" pasteValues="1" merge="1" splitFirst="1" rowColShift="1" '
        'clearFormats="1" clearComments="1" assign="1" coerce="1"/></metadataTypes><futureMetadata name="XLRICHVALUE" '
        'count="1"><bk><extLst><ext uri="{3e2802c4-a4d2-4d8b-9148-e3be6c30e623}"><xlrd:rvb i="0"/></ext></extLst></bk>'
        '</futureMetadata><valueMetadata count="1"><bk><rc t="1" v="0"/></bk></valueMetadata></metadata>',
    )  # fmt: skip
    values = {
        "rdrichvalue": f'<rvData xmlns="{space}" count="1"><rv s="0"><v>Oslo</v></rv></rvData>',
        "rdrichvaluestructure": f'<rvStructures xmlns="{space}" count="1"><s t="_entity"><k n="_DisplayString" t="s"/>'
        "</s></rvStructures>",
    }
    for name, content in values.items():
        typed_part(path, f"xl/richData/{name}.xml", f"application/vnd.ms-excel.{name}+xml", content)
        kind = "rdRichValue" if name == "rdrichvalue" else "rdRichValueStructure"
        relation = f'<Relationship Id="rId{kind}" Type="{_MICROSOFT}/2017/06/relationships/{kind}"'
        edited(path, _BOOK_RELS, ("</Relationships>", f'{relation} Target="richData/{name}.xml"/></Relationships>'))
    return edited(path, SHEET, ('<c r="C2"', '<c r="C2" vm="1"'))


@feature
def printer_settings(path: Path) -> Path:
    kind = f"{_SPREADSHEET}.printerSettings"
    sheet_related(plain(path), "xl/printerSettings/printerSettings1.bin", "printerSettings", kind, bytes(range(200)))
    return in_sheet(path, f'<pageSetup xmlns:r="{_OFFICE}/relationships" orientation="landscape" r:id="rIdX"/>')


@feature
def custom_xml(path: Path) -> Path:
    """As add-ins keep their own things in a workbook: an item, and its properties beside it."""
    plain(path)
    edited(path, _BOOK_RELS, (
        "</Relationships>",
        f'<Relationship Id="rIdC" Type="{_OFFICE}/relationships/customXml" Target="../customXml/item1.xml"/>'
        "</Relationships>",
    ))  # fmt: skip
    with_parts(path, {
        "customXml/item1.xml": '<mine xmlns="urn:example:mine">kept &amp; <![CDATA[<whole>]]></mine>',
        "customXml/_rels/item1.xml.rels": relations((f"{_OFFICE}/relationships/customXmlProps", "itemProps1.xml")),
    })  # fmt: skip
    return typed_part(
        path, "customXml/itemProps1.xml", "application/vnd.openxmlformats-officedocument.customXmlProperties+xml",
        f'<ds:datastoreItem xmlns:ds="{_OFFICE}/customXml" ds:itemID="{{12345678-1234-4234-8234-123456789ABC}}"/>',
    )  # fmt: skip


@feature
def a_workbook_with_macros(path: Path) -> Path:
    """What makes an .xlsm: another type of the workbook part, names for code, the project and its signature."""
    plain(path)
    edited(
        path,
        "[Content_Types].xml",
        (f"{_SPREADSHEET}.sheet.main+xml", "application/vnd.ms-excel.sheet.macroEnabled.main+xml"),
    )
    edited(path, _BOOK, ("<workbookPr ", '<workbookPr codeName="ThisWorkbook" '))
    with_linked_part(path, "xl/vbaProject.bin", "vbaProject", "application/vnd.ms-office.vbaProject", "not a project")
    edited(path, _BOOK_RELS, (f"{_OFFICE}/relationships/vbaProject", f"{_MICROSOFT}/2006/relationships/vbaProject"))
    signature = (f"{_MICROSOFT}/2006/relationships/vbaProjectSignature", "vbaProjectSignature.bin")
    with_parts(path, {"xl/_rels/vbaProject.bin.rels": relations(signature)})
    return typed_part(
        path, "xl/vbaProjectSignature.bin", "application/vnd.ms-office.vbaProjectSignature", bytes(range(99))
    )  # fmt: skip


@feature
def charts_of_2016(path: Path) -> Path:
    """A waterfall: a drawing names it in a choice, with words for programs that know no such chart."""
    plain(path, lambda book, sheet: sheet.insert_textbox("F2", "beside the waterfall"))
    space = f"{_MICROSOFT}/drawing/2014/chartex"
    typed_part(
        path, "xl/charts/chartEx1.xml", "application/vnd.ms-office.chartex+xml",
        f'<cx:chartSpace xmlns:cx="{space}"><cx:chartData><cx:data id="0"><cx:numDim type="val"><cx:f>'
        "Figures!$B$1:$B$10</cx:f></cx:numDim></cx:data></cx:chartData><cx:chart><cx:plotArea><cx:plotAreaRegion>"
        '<cx:series layoutId="waterfall"><cx:dataId val="0"/></cx:series></cx:plotAreaRegion></cx:plotArea></cx:chart>'
        "</cx:chartSpace>",
    )  # fmt: skip
    kind = f"{_MICROSOFT}/2014/relationships/chartEx"
    return with_parts(path, {"xl/drawings/_rels/drawing1.xml.rels": relations((kind, "../charts/chartEx1.xml"))})


@feature
def queries_and_xml_maps(path: Path) -> Path:
    """A table that a query fills, and a map from cells to XML: theirs to refresh, not ours."""
    plain(path, lambda book, sheet: book.add_worksheet("Query").add_table("A1:B3", {"name": "Fetched"}))
    table = "xl/tables/table1.xml"
    edited(path, table, ('name="Fetched"', 'name="Fetched" tableType="queryTable"'))
    query = (f"{_OFFICE}/relationships/queryTable", "../queryTables/queryTable1.xml")
    with_parts(path, {"xl/tables/_rels/table1.xml.rels": relations(query)})
    typed_part(
        path, "xl/queryTables/queryTable1.xml", f"{_SPREADSHEET}.queryTable+xml",
        f'<queryTable xmlns="{_MAIN}" name="Fetched" connectionId="1" autoFormatId="16"/>',
    )  # fmt: skip
    return with_linked_part(
        path, "xl/xmlMaps.xml", "xmlMaps", "application/xml",
        f'<MapInfo xmlns="{_MAIN}" SelectionNamespaces=""><Schema ID="Schema1"/><Map ID="1" Name="Mine" '
        'RootElement="mine" SchemaID="Schema1" ShowImportExportValidationErrors="false" AutoFit="true" Append="false" '
        'PreserveSortAFLayout="true" PreserveFormat="true"/></MapInfo>',
    )  # fmt: skip


@feature
def hidden_sheets_and_views(path: Path) -> Path:
    """Sheets that nobody sees, a window on the second one, grouped rows, and names that only one sheet knows."""

    def add(book: Any, sheet: Any) -> None:
        sheet.set_row(3, None, None, {"level": 1, "hidden": True})
        sheet.set_selection("C3:D5")
        sheet.split_panes(30, 20)
        sheet.set_tab_color("#FF8800")
        for name in ("Hidden", "Deep"):
            book.add_worksheet(name).write("A1", f"kept in {name}")
        book.get_worksheet_by_name("Hidden").hide()
        book.get_worksheet_by_name("Deep").very_hidden()
        book.define_name("Figures!Inner", "=Figures!$A$1:$B$2")

    plain(path, add)
    assert 'state="veryHidden"' in part(path, _BOOK)
    return path
