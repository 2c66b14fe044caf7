"""Where the rows and cells of a worksheet part stand in its bytes, row by row as the parser meets them."""

from __future__ import annotations

from collections.abc import Iterator
from xml.parsers import expat

from holdwater.errors import WorkbookError
from holdwater.workbook.markup import SPREADSHEET, is_empty_tag, malformed, open_tag_end, tag_prefix, xml_parser
from holdwater.workbook.references import Area, area_of, cell_name, column_number

_CHUNK = 1 << 16
_DIGITS = "0123456789"


class SheetCell:
    """A cell where it stands; its texts, and where formula and value end, are known only if texts were asked for."""

    __slots__ = (
        "attributes",
        "column",
        "end",
        "filled",
        "formula",
        "formula_end",
        "formula_text",
        "start",
        "text",
        "value_end",
    )

    def __init__(self, column: int, start: int, attributes: dict[str, str]) -> None:
        self.column = column
        self.start = self.end = start
        self.attributes = attributes
        self.filled = False  # holds something: a value, a text or a formula
        self.formula: dict[str, str] | None = None  # the attributes of <f>
        self.formula_end = self.value_end = 0
        self.formula_text = ""
        self.text = ""


class SheetRow:
    """A row where it stands; in an empty element `open_end == close_start == end`."""

    __slots__ = ("attributes", "cells", "close_start", "end", "number", "open_end", "start")

    def __init__(self, number: int, start: int, open_end: int, attributes: dict[str, str]) -> None:
        self.number = number
        self.start = start
        self.open_end = self.close_start = self.end = open_end
        self.attributes = attributes
        self.cells: list[SheetCell] = []


class SheetScan:
    """One version of a worksheet part.

    `dimension` (with the offset of its tag), `column_styles` and the place of the rows are known from the first row on,
    `merged` and `rows_close` once the rows have been passed.
    """

    def __init__(self, data: bytes, part: str) -> None:
        self.data = data
        self.part = part
        self.prefix = ""
        self.dimension: tuple[int, Area] | None = None
        self.column_styles: list[tuple[int, int, str]] = []
        self.merged: list[Area] = []
        self.rows_start = self.rows_open_end = self.rows_close = -1

    def rows(self, with_texts: bool = False) -> Iterator[SheetRow]:
        """The rows in order, read as they are asked for."""
        parser = xml_parser(self.data, self.part)
        handler = _Handler(self, parser, with_texts)
        parser.StartElementHandler = handler.start
        parser.EndElementHandler = handler.end
        if with_texts:
            parser.CharacterDataHandler = handler.text
        try:
            for at in range(0, len(self.data), _CHUNK):
                parser.Parse(self.data[at : at + _CHUNK], False)
                yield from handler.ready
                handler.ready.clear()
            parser.Parse(b"", True)
        except expat.ExpatError as error:
            raise malformed(self.part, error) from None
        if self.rows_start < 0:
            raise WorkbookError(f"{self.part} has no rows element; open the workbook in Excel and save it once.")

    def style_of_column(self, column: int) -> str | None:
        """The style that an unwritten cell of the column has."""
        return next((style for first, last, style in self.column_styles if first <= column <= last), None)

    def damaged(self, place: str) -> WorkbookError:
        return WorkbookError(f"{self.part} is damaged at {place}; let Excel repair the workbook and save it.")

    def outline(self, name: str, attributes: dict[str, str], at: int) -> None:
        """Take in one element outside the rows."""
        if name == "dimension":
            area = area_of(attributes.get("ref", ""))
            self.dimension = None if area is None else (at, area)
        elif name == "col" and "style" in attributes:
            first, last = attributes.get("min", ""), attributes.get("max", "")
            if not (first.isdecimal() and last.isdecimal()):
                raise self.damaged("its columns")
            self.column_styles.append((int(first), int(last), attributes["style"]))
        elif name == "sheetData":
            self.rows_start, self.rows_open_end = at, open_tag_end(self.data, at)
            self.prefix = tag_prefix(self.data, at)
        elif name == "mergeCell":
            area = area_of(attributes.get("ref", ""))
            if area is not None:
                self.merged.append(area)


class _Handler:
    """What the parser calls; the names are complete once the root element has told the namespace."""

    def __init__(self, scan: SheetScan, parser: expat.XMLParserType, with_texts: bool) -> None:
        self.ready: list[SheetRow] = []
        self._scan = scan
        self._parser = parser
        self._with_texts = with_texts
        self._namespace = ""
        self._row_name = self._cell_name = self._formula_name = self._phonetic_name = ""
        self._text_names: tuple[str, ...] = ()
        self._columns: dict[str, int] = {}
        self._row: SheetRow | None = None
        self._cell: SheetCell | None = None
        self._row_number = self._column = 0
        self._text: list[str] | None = None
        self._in_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        cell = self._cell
        if cell is not None:
            cell.filled = True
            if name == self._formula_name:
                cell.formula = attributes
            if self._with_texts:
                self._in_phonetic = self._in_phonetic or name == self._phonetic_name
                self._text = [] if name in self._text_names and not self._in_phonetic else None
        elif self._row is not None:
            if name == self._cell_name:
                self._start_cell(self._row, attributes)
        elif name == self._row_name:
            self._start_row(attributes)
        elif self._namespace:
            self._scan.outline(name.rpartition(" ")[2], attributes, self._parser.CurrentByteIndex)
        else:
            self._start_root(name)

    def text(self, content: str) -> None:
        if self._text is not None:
            self._text.append(content)

    def end(self, name: str) -> None:
        cell, row, scan = self._cell, self._row, self._scan
        if cell is not None:
            if name == self._cell_name:
                cell.end = self._element_end(empty=not cell.filled)
                self._cell = None
            elif self._text is not None:
                text = "".join(self._text)
                self._text = None
                if name == self._formula_name:
                    cell.formula_text = text
                    cell.formula_end = cell.value_end = self._element_end(empty=not text)
                else:
                    cell.text += text
                    cell.value_end = self._element_end(empty=not text)
            elif name == self._phonetic_name:
                self._in_phonetic = False
        elif row is not None:
            if name == self._row_name:
                if not is_empty_tag(scan.data, row.open_end):
                    row.close_start = self._parser.CurrentByteIndex
                    row.end = scan.data.index(b">", row.close_start) + 1
                self.ready.append(row)
                self._row = None
        elif name.endswith(" sheetData"):
            scan.rows_close = self._parser.CurrentByteIndex

    def _element_end(self, *, empty: bool) -> int:
        at = self._parser.CurrentByteIndex
        # Behind the tag of an empty element the parser stands already; else it stands before the closing tag.
        if empty and self._scan.data[at - 2 : at] == b"/>":
            return at
        return self._scan.data.index(b">", at) + 1

    def _start_root(self, name: str) -> None:
        namespace, _, root = name.rpartition(" ")
        if namespace not in SPREADSHEET or root != "worksheet":
            raise WorkbookError(f"{self._scan.part} is not a worksheet; open the workbook in Excel and save it once.")
        self._namespace = namespace
        self._row_name, self._cell_name = f"{namespace} row", f"{namespace} c"
        self._formula_name, self._phonetic_name = f"{namespace} f", f"{namespace} rPh"
        self._text_names = (self._formula_name, f"{namespace} v", f"{namespace} t")

    def _start_row(self, attributes: dict[str, str]) -> None:
        number = attributes.get("r", str(self._row_number + 1))
        if not number.isdecimal() or int(number) <= self._row_number:
            raise self._scan.damaged(f"row {number}")
        self._row_number = int(number)
        self._column = 0
        at = self._parser.CurrentByteIndex
        self._row = SheetRow(self._row_number, at, open_tag_end(self._scan.data, at), attributes)

    def _start_cell(self, row: SheetRow, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            column = self._column + 1
        else:
            letters = reference.rstrip(_DIGITS)
            known = self._columns.get(letters)
            column = self._known_column(reference, letters) if known is None else known
        if column <= self._column:
            raise self._scan.damaged(f"cell {cell_name(row.number, column)}")
        self._column = column
        self._cell = SheetCell(column, self._parser.CurrentByteIndex, attributes)
        row.cells.append(self._cell)

    def _known_column(self, reference: str, letters: str) -> int:
        if not (letters.isalpha() and letters.isascii()):
            raise self._scan.damaged(f"cell {reference}")
        self._columns[letters] = column_number(letters.upper())
        return self._columns[letters]
