"""Small workbooks of other people, one for each thing that a load and save tends to lose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import xlsxwriter
from made_workbooks import edited, part, with_linked_part, with_parts

Maker = Callable[[Path], Path]
FEATURES: dict[str, Maker] = {}

_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
_MICROSOFT = "http://schemas.microsoft.com/office"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
SHEET = "xl/worksheets/sheet1.xml"


def feature(maker: Maker) -> Maker:
    FEATURES[maker.__name__] = maker
    return maker


def plain(path: Path, add: Callable[[Any, Any], None] = lambda book, sheet: None, **options: Any) -> Path:
    """Sheets "Figures" (ten rows of text and numbers, a formula) and "More", and what `add` puts in."""
    book = xlsxwriter.Workbook(path, options)
    sheet = book.add_worksheet("Figures")
    for number in range(10):
        sheet.write_row(number, 0, [f"row {number}", number * 1.5, -number])
    sheet.write_formula("D1", "=SUM(B1:B10)", None, 67.5)
    book.add_worksheet("More").write("A1", "kept")
    add(book, sheet)
    book.close()
    return path


def sheet_related(path: Path, name: str, kind: str, content_type: str, content: str | bytes) -> Path:
    """The workbook with one more part, to which its first sheet is related; the identity is rIdX."""
    rels = "xl/worksheets/_rels/sheet1.xml.rels"
    target = "../" + name.removeprefix("xl/")
    full = kind if kind.startswith("http") else f"{_OFFICE}/relationships/{kind}"
    relation = f'<Relationship Id="rIdX" Type="{full}" Target="{target}"/>'
    with_parts(path, {rels: f'<Relationships xmlns="{_RELATIONS}">{relation}</Relationships>'})
    return typed_part(path, name, content_type, content)


def typed_part(path: Path, name: str, content_type: str, content: str | bytes) -> Path:
    override = f'<Override PartName="/{name}" ContentType="{content_type}"/></Types>'
    edited(path, "[Content_Types].xml", ("</Types>", override))
    return with_parts(path, {name: content})


def in_sheet(path: Path, xml: str, before: str = "</worksheet>") -> Path:
    return edited(path, SHEET, (before, xml + before))


@feature
def shapes_and_text_boxes(path: Path) -> Path:
    return plain(
        path, lambda book, sheet: sheet.insert_textbox("F2", "A note\nin two lines", {"fill": {"color": "red"}})
    )


@feature
def sparklines(path: Path) -> Path:
    return plain(path, lambda book, sheet: sheet.add_sparkline("F1", {"range": "Figures!B1:B10", "markers": True}))


@feature
def conditional_formats_of_2010(path: Path) -> Path:
    def add(book: Any, sheet: Any) -> None:
        sheet.conditional_format("B1:B10", {"type": "data_bar", "data_bar_2010": True, "bar_axis_position": "middle"})
        sheet.conditional_format("C1:C10", {"type": "icon_set", "icon_style": "3_traffic_lights"})

    return plain(path, add)


@feature
def validations_of_2010(path: Path) -> Path:
    x14 = f"{_MICROSOFT}/spreadsheetml/2009/9/main"
    return in_sheet(
        plain(path),
        f'<extLst><ext xmlns:x14="{x14}" uri="{{CCE6A557-97BC-4b89-ADB6-D9C93CAAB3DF}}">'
        '<x14:dataValidations xmlns:xm="http://schemas.microsoft.com/office/excel/2006/main" count="1">'
        '<x14:dataValidation type="list" allowBlank="1"><x14:formula1><xm:f>More!$A$1:$A$3</xm:f></x14:formula1>'
        "<xm:sqref>F5</xm:sqref></x14:dataValidation></x14:dataValidations></ext></extLst>",
    )


@feature
def form_controls(path: Path) -> Path:
    def add(book: Any, sheet: Any) -> None:
        sheet.insert_button("F2", {"macro": "say_hello", "caption": "Press"})
        sheet.insert_checkbox("F8", True)

    return plain(path, add)


@feature
def active_x_controls(path: Path) -> Path:
    """A button as Excel keeps it: a part with its properties, and beside it a binary that only Excel reads."""
    sheet_related(
        plain(path), "xl/activeX/activeX1.xml", "control", "application/vnd.ms-office.activeX+xml",
        f'<ax:ocx ax:classid="{{D7053240-CE69-11CD-A777-00DD01143C57}}" ax:persistence="persistStreamInit" r:id="rId1"'
        f' xmlns:ax="{_MICROSOFT}/2006/activeX" xmlns:r="{_OFFICE}/relationships"/>',
    )  # fmt: skip
    relation = f'<Relationship Id="rId1" Type="{_MICROSOFT}/2006/relationships/activeXControlBinary"'
    with_linked = f'{relation} Target="activeX1.bin"/>'
    with_parts(path, {
        "xl/activeX/_rels/activeX1.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{with_linked}</Relationships>'
    })  # fmt: skip
    typed_part(path, "xl/activeX/activeX1.bin", "application/vnd.ms-office.activeX", bytes(range(256)))
    control = f'<control xmlns:r="{_OFFICE}/relationships" shapeId="1025" r:id="rIdX" name="Press"/>'
    return in_sheet(path, f"<controls>{control}</controls>")


@feature
def embedded_objects(path: Path) -> Path:
    sheet_related(
        plain(path), "xl/embeddings/oleObject1.bin", "oleObject",
        "application/vnd.openxmlformats-officedocument.oleObject", b"\xd0\xcf\x11\xe0" + bytes(range(256)),
    )  # fmt: skip
    return in_sheet(
        path,
        f'<oleObjects><oleObject xmlns:r="{_OFFICE}/relationships" progId="Package" shapeId="1025" r:id="rIdX"/>'
        "</oleObjects>",
    )


@feature
def smart_art(path: Path) -> Path:
    plain(path, lambda book, sheet: sheet.insert_textbox("F2", "beside the diagram"))
    roots = {"Data": "dataModel", "Layout": "layoutDef", "Style": "styleDef", "Colors": "colorsDef"}
    relations = []
    for number, (name, root) in enumerate(roots.items(), 1):
        kind = f"application/vnd.openxmlformats-officedocument.drawingml.diagram{name}+xml"
        typed_part(path, f"xl/diagrams/{name.lower()}1.xml", kind, f'<dgm:{root} xmlns:dgm="{_DRAWING}/diagram"/>')
        kind = f"{_OFFICE}/relationships/diagram{'QuickStyle' if name == 'Style' else name}"
        relations.append(f'<Relationship Id="rId{number}" Type="{kind}" Target="../diagrams/{name.lower()}1.xml"/>')
    rels = "".join(relations)
    return with_parts(
        path, {"xl/drawings/_rels/drawing1.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{rels}</Relationships>'}
    )


@feature
def threaded_comments(path: Path) -> Path:
    space = f"{_MICROSOFT}/spreadsheetml/2018/threadedcomments"
    person = "{11111111-2222-4333-8444-555555555555}"
    with_linked_part(
        plain(path), "xl/persons/person.xml", "person", "application/vnd.ms-excel.person+xml",
        f'<personList xmlns="{space}"><person displayName="A reader" id="{person}" userId="reader" providerId="None"/>'
        "</personList>",
    )  # fmt: skip
    edited(
        path, "xl/_rels/workbook.xml.rels",
        (f"{_OFFICE}/relationships/person", f"{_MICROSOFT}/2017/10/relationships/person"),
    )  # fmt: skip
    return sheet_related(
        path, "xl/threadedComments/threadedComment1.xml", f"{_MICROSOFT}/2017/10/relationships/threadedComment",
        "application/vnd.ms-excel.threadedcomments+xml",
        f'<ThreadedComments xmlns="{space}"><threadedComment ref="B2" dT="2024-05-01T10:00:00.00" personId="{person}" '
        'id="{66666666-7777-4888-8999-AAAAAAAAAAAA}"><text>Why so low?</text></threadedComment></ThreadedComments>',
    )  # fmt: skip


@feature
def cached_values_of_formulas(path: Path) -> Path:
    def add(book: Any, sheet: Any) -> None:
        sheet.write_formula("F1", '=IF(B2>1,"high","low")', None, "high")
        sheet.write_formula("F2", "=1/0", None, "#DIV/0!")
        sheet.write_formula("F3", "=B2>1", None, True)
        sheet.write_array_formula("F4:F6", "{=B1:B3*2}", None, 0)

    return plain(path, add)


@feature
def calculation_chain(path: Path) -> Path:
    return with_linked_part(
        plain(path), "xl/calcChain.xml", "calcChain",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml",
        f'<calcChain xmlns="{_MAIN}"><c r="D1" i="1"/></calcChain>',
    )  # fmt: skip


@feature
def connections(path: Path) -> Path:
    return with_linked_part(
        plain(path), "xl/connections.xml", "connections",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.connections+xml",
        f'<connections xmlns="{_MAIN}"><connection id="1" name="Sales" type="5" refreshedVersion="6">'
        '<dbPr connection="Provider=none" command="sales"/></connection></connections>',
    )  # fmt: skip


@feature
def data_model(path: Path) -> Path:
    kind = f"{_MICROSOFT}/2007/relationships/powerPivotData"
    with_linked_part(
        plain(path), "xl/model/item.data", "model", "application/vnd.openxmlformats-officedocument.model+data", "data"
    )
    return edited(path, "xl/_rels/workbook.xml.rels", (f"{_OFFICE}/relationships/model", kind))


@feature
def rich_text_and_links(path: Path) -> Path:
    def add(book: Any, sheet: Any) -> None:
        bold = book.add_format({"bold": True, "font_color": "blue"})
        sheet.write_rich_string("F1", "some ", bold, "bold", " words")
        sheet.write_url("F2", "https://example.com/a?b=1&c=2", string="a link")
        sheet.write_url("F3", "internal:More!A1")
        sheet.write_comment("F4", "an old note")

    return plain(path, add)


@feature
def dynamic_arrays(path: Path) -> Path:
    def add(book: Any, sheet: Any) -> None:
        sheet.write_dynamic_array_formula("F1:F3", "=_xlfn._xlws.SORT(B1:B3)", None, 0)
        sheet.write_formula("G1", "=LEN(A1:A3)", None, 5)

    return plain(path, add)


@feature
def chart_detail(path: Path) -> Path:
    def add(book: Any, sheet: Any) -> None:
        chart = book.add_chart({"type": "column"})
        chart.add_series(
            {
                "values": "=Figures!$B$1:$B$10",
                "categories": "=Figures!$A$1:$A$10",
                "trendline": {"type": "polynomial", "order": 3},
                "y_error_bars": {"type": "standard_error"},
                "data_labels": {"custom": [{"value": "=Figures!$C$1"}, {"delete": True}]},
                "gradient": {"colors": ["#DDEBCF", "#156B13"]},
            }
        )
        line = book.add_chart({"type": "line"})
        line.add_series({"values": "=Figures!$C$1:$C$10", "y2_axis": True})
        chart.combine(line)
        sheet.insert_chart("F1", chart)
        alone = book.add_chart({"type": "stock"})
        for column in "BCB":
            alone.add_series({"values": f"=Figures!${column}$1:${column}$10"})
        book.add_chartsheet("Alone").set_chart(alone)

    return plain(path, add)


@feature
def pivots_and_slicers(path: Path) -> Path:
    """A pivot table over the figures, on "More", with a slicer."""
    plain(path)
    cache = "xl/pivotCache/pivotCacheDefinition1.xml"
    with_linked_part(
        path, cache, "pivotCacheDefinition",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.pivotCacheDefinition+xml",
        f'<pivotCacheDefinition xmlns="{_MAIN}" refreshedBy="reader" recordCount="0"><cacheSource type="worksheet">'
        '<worksheetSource ref="A1:C10" sheet="Figures"/></cacheSource><cacheFields count="1">'
        '<cacheField name="row 0" numFmtId="0"><sharedItems/></cacheField></cacheFields></pivotCacheDefinition>',
    )  # fmt: skip
    edited(
        path, "xl/workbook.xml",
        ("<calcPr", '<calcPr calcId="124519" fullCalcOnLoad="1"/><pivotCaches><pivotCache cacheId="1" '
         'r:id="rIdXpivotCacheDefinition"/></pivotCaches><calcPr'),
    )  # fmt: skip
    book = part(path, "xl/workbook.xml")
    with_parts(path, {"xl/workbook.xml": book[: book.rindex("<calcPr")] + "</workbook>"})
    typed_part(
        path, "xl/pivotTables/pivotTable1.xml",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.pivotTable+xml",
        f'<pivotTableDefinition xmlns="{_MAIN}" name="Pivot" cacheId="1" dataCaption="Values"><location ref="C3:D5" '
        'firstHeaderRow="1" firstDataRow="1" firstDataCol="1"/></pivotTableDefinition>',
    )  # fmt: skip
    x14 = f"{_MICROSOFT}/spreadsheetml/2009/9/main"
    typed_part(
        path, "xl/slicers/slicer1.xml", "application/vnd.ms-excel.slicer+xml",
        f'<slicers xmlns="{x14}"><slicer name="Row" cache="Slicer_Row" caption="Row" rowHeight="241300"/></slicers>',
    )  # fmt: skip
    relations = (
        f'<Relationship Id="rId1" Type="{_OFFICE}/relationships/pivotTable" Target="../pivotTables/pivotTable1.xml"/>'
        f'<Relationship Id="rId2" Type="{_MICROSOFT}/2007/relationships/slicer" Target="../slicers/slicer1.xml"/>'
    )
    return with_parts(
        path,
        {"xl/worksheets/_rels/sheet2.xml.rels": f'<Relationships xmlns="{_RELATIONS}">{relations}</Relationships>'},
    )


@feature
def protection_and_print_setup(path: Path) -> Path:
    def add(book: Any, sheet: Any) -> None:
        sheet.protect("secret", {"insert_rows": True})
        sheet.set_header("&LLeft&RRight")
        sheet.print_area("A1:D10")
        sheet.repeat_rows(0)
        sheet.set_column("A:A", 30, None, {"level": 1, "hidden": True})
        sheet.freeze_panes(1, 1)
        sheet.autofilter("A1:C10")
        sheet.merge_range("F1:H2", "merged")
        sheet.data_validation("F5", {"validate": "list", "source": ["a", "b"]})
        sheet.ignore_errors({"number_stored_as_text": "A1:A10"})
        book.set_custom_property("Owner", "a reader")
        book.define_name("More!Local", "=More!$A$1")

    return plain(path, add)


@feature
def dates_from_1904(path: Path) -> Path:
    return plain(path, date_1904=True)


@feature
def many_tables_and_styles(path: Path) -> Path:
    def add(book: Any, sheet: Any) -> None:
        other = book.add_worksheet("Sources")  # a name that ours would like
        for number in range(3):
            other.add_table(
                number * 5, 0, number * 5 + 3, 2, {"name": f"Theirs{number}", "style": "Table Style Dark 3"}
            )
            other.write(20, number, number, book.add_format({"num_format": f'0.{"0" * (number + 1)} "mine"'}))

    return plain(path, add)


@feature
def the_strict_standard(path: Path) -> Path:
    """Every namespace as the strict variant of the standard writes it."""
    plain(path)
    names = ["xl/workbook.xml", "xl/_rels/workbook.xml.rels", "_rels/.rels", "xl/styles.xml", "xl/sharedStrings.xml"]
    for name in [*names, SHEET, "xl/worksheets/sheet2.xml"]:
        text = part(path, name).replace(_MAIN, "http://purl.oclc.org/ooxml/spreadsheetml/main")
        text = text.replace(f"{_OFFICE}/relationships", "http://purl.oclc.org/ooxml/officeDocument/relationships")
        with_parts(path, {name: text})
    return path


@feature
def elements_with_a_prefix(path: Path) -> Path:
    """As some programs write: every element of the workbook part and the styles named x:..."""
    plain(path)
    for name in ("xl/workbook.xml", "xl/styles.xml"):
        text = part(path, name).replace("xmlns=", "xmlns:x=")
        declaration, _, rest = text.partition("?>")
        rest = rest.replace("</", "<\0").replace("<", "<x:").replace("<x:\0", "</x:")
        with_parts(path, {name: f"{declaration}?>{rest}"})
    return path
