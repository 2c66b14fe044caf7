"""Workbooks such as people have them, made with XlsxWriter, and a look at a file's bytes that owes our code nothing."""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import xlsxwriter

DEALS = [
    ("Müller & Söhne", 1200.5, date(2024, 1, 5)),
    ("<Acme>", 300, date(2024, 2, 29)),
    ("Zeta", 45, date(2024, 3, 1)),
    ("Beta", 7, date(2024, 3, 2)),
]
_TYPES = "[Content_Types].xml"


def deals_workbook(path: Path, *, totals: bool = False, date1904: bool = False, rows: int = 4) -> Path:
    """Sheets "Deals here" (table Deals at B3, other things around it), "Model", "Extra"; `rows` deals."""
    book = xlsxwriter.Workbook(path, {"date_1904": date1904})
    sheet = book.add_worksheet("Deals here")
    money, day, bold = (
        book.add_format({"num_format": "#,##0.00"}),
        book.add_format({"num_format": "yyyy-mm-dd"}),
        book.add_format({"bold": True}),
    )
    last = 3 + rows  # as people count
    sheet.merge_range("B1:D1", "Our deals", bold)
    sheet.write_rich_string("G1", "a ", bold, "rich", " text")
    sheet.add_table(
        2,
        1,
        last - 1 + totals,
        4,
        {
            "name": "Deals",
            "total_row": totals,
            "columns": [
                {"header": "Name", "total_string": "Total"},
                {"header": "Amount", "format": money, "total_function": "sum", "total_value": 1552.5},
                {"header": "Closed", "format": day},
                {"header": "Twice", "formula": "=[@Amount]*2"},
            ],
        },
    )
    for index, (name, amount, closed) in enumerate(DEALS[:rows]):
        sheet.write_string(3 + index, 1, name)
        sheet.write_number(3 + index, 2, amount, money)
        sheet.write_datetime(3 + index, 3, closed, day)
        sheet.write_formula(3 + index, 4, "=Deals[[#This Row],[Amount]]*2", None, amount * 2)
    sheet.write("A5", "left")
    sheet.write("G5", "mine")
    sheet.write_formula("H5", "=C5*3", bold, 900)
    sheet.write_formula("H6", f"=SUM(C4:C{last})", None, 1552.5)
    sheet.write("H12", "far right")
    sheet.set_row(4, 42, bold)
    sheet.set_row(11, 33)
    sheet.write_comment("G5", "a note")
    sheet.conditional_format(f"C4:C{last}", {"type": "3_color_scale"})
    sheet.conditional_format(f"B3:E{last}", {"type": "formula", "criteria": "=$C4>100", "format": bold})
    sheet.data_validation(f"B4:B{last}", {"validate": "length", "criteria": "<", "value": 99})
    sheet.data_validation("G8", {"validate": "list", "source": f"=$B$4:$B${last}"})
    sheet.add_sparkline("K2", {"range": f"'Deals here'!C4:C{last}"})
    sheet.write_url("A6", "https://example.com/")
    model = book.add_worksheet("Model")
    model.write_formula("A1", f"=SUM('Deals here'!$C$4:$C${last})", None, 1552.5)
    model.write_formula("A2", f"=SUM('Deals here'!C4:C{last})+SUM('Deals here'!C4:C{last + 1})", None, 1)
    model.write_formula("A3", '="C4:C7"&SUM(Deals[Amount])', None, "C4:C71552.5")
    model.write_formula("A4", "=IF(A1>0,TRUE,FALSE)", None, True)
    chart = book.add_chart({"type": "column"})
    chart.add_series(
        {
            "name": "='Deals here'!$C$3",
            "categories": f"='Deals here'!$B$4:$B${last}",
            "values": f"='Deals here'!$C$4:$C${last}",
        }
    )
    model.insert_chart("C2", chart)
    extra = book.add_worksheet("Extra")
    extra.write("A1", "kept")
    picture = path.with_suffix(".png")
    picture.write_bytes(png())
    extra.insert_image("B2", str(picture))
    extra.protect()
    book.define_name("Amounts", f"='Deals here'!$C$4:$C${last}")
    book.define_name("Whole", f"='Deals here'!$B$3:$E${last}")
    book.define_name("Extra!Local", f"='Deals here'!$C$4:$C${last}")
    book.define_name("Other", "='Deals here'!$C$4:$C$6")
    book.close()
    return path


def entries(path: Path) -> dict[str, tuple[object, ...]]:
    """Each entry's packed bytes and what the container says of it, read from the file itself."""
    data = path.read_bytes()
    found: dict[str, tuple[object, ...]] = {}
    with zipfile.ZipFile(path) as container:
        assert container.testzip() is None
        for entry in container.infolist():
            at = entry.header_offset
            name, extra = struct.unpack_from("<2H", data, at + 26)
            local = data[at : at + 30 + name + extra + entry.compress_size]
            found[entry.filename] = (local, entry.date_time, entry.CRC, entry.external_attr, entry.extra, entry.comment)
    return found


def changed_entries(before: Mapping[str, object], path: Path) -> set[str]:
    after = entries(path)
    assert [name for name in before if name in after] == list(after), "the order of the entries changed"
    return {name for name in before if after.get(name) != before[name]}


def part(path: Path, name: str) -> str:
    with zipfile.ZipFile(path) as container:
        return container.read(name).decode("utf-8")


def with_parts(path: Path, changes: Mapping[str, str | bytes | None]) -> Path:
    """The workbook with some parts put in, replaced or (None) left out."""
    with zipfile.ZipFile(path) as container:
        contents: dict[str, str | bytes | None] = {
            entry.filename: container.read(entry) for entry in container.infolist()
        }
    contents.update(changes)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as container:
        for name, content in contents.items():
            if content is not None:
                container.writestr(zipfile.ZipInfo(name, (2020, 2, 2, 2, 2, 2)), content, zipfile.ZIP_DEFLATED)
    return path


def edited(path: Path, name: str, *changes: tuple[str, str]) -> Path:
    """The workbook with texts in one part replaced, each of which must be there."""
    content = part(path, name)
    for old, new in changes:
        assert old in content, (old, content[:3000])
        content = content.replace(old, new)
    return with_parts(path, {name: content})


def with_linked_part(path: Path, name: str, kind: str, content_type: str, content: str) -> Path:
    """The workbook with one more part that the workbook part points at."""
    relation = (
        f'<Relationship Id="rIdX{kind}" Target="{name.removeprefix("xl/")}" '
        f'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"/></Relationships>'
    )
    override = f'<Override PartName="/{name}" ContentType="{content_type}"/></Types>'
    edited(path, _TYPES, ("</Types>", override))
    edited(path, "xl/_rels/workbook.xml.rels", ("</Relationships>", relation))
    return with_parts(path, {name: content})


def png() -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\x00\xff\x00\x00")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
