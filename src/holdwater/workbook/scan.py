"""A worksheet part as it streams by: what stands before the rows, each row, what stands behind them.

Rows are told apart by their tags alone; only a row that is looked into goes through the XML parser, which has read the
head before, and so knows the names in use. A sheet of a million rows needs the memory of a few of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat

from holdwater.errors import WorkbookError
from holdwater.workbook.markup import SPREADSHEET, malformed, open_tag_end, tag_prefix, xml_parser
from holdwater.workbook.references import Area, area_of, cell_name, column_number

_DIGITS = "0123456789"
_OPEN_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_ROW_NUMBER = re.compile(rb"""\sr\s*=\s*["']([^"']*)["']""")
_ASIDE = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)  # may hold what looks like a tag


class SheetCell:
    """A cell where it stands in its row; its texts, and where formula and value end, only if texts were asked for."""

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
    """A row as it stands in the part; `before` is what stands between it and the row above, mostly nothing."""

    __slots__ = ("_parsed", "_scan", "before", "data", "named", "number", "open_end")

    def __init__(self, scan: SheetScan, number: int, data: bytes, open_end: int, named: bool, before: bytes) -> None:
        self._scan = scan
        self._parsed: tuple[dict[str, str], list[SheetCell]] | None = None
        self.number = number
        self.data = data
        self.open_end = open_end
        self.named = named  # has its number written
        self.before = before

    @property
    def tag(self) -> bytes:
        return self.data[: self.open_end]

    @property
    def empty(self) -> bool:
        """Whether it is an empty element, without a closing tag."""
        return self.open_end == len(self.data)

    @property
    def close_start(self) -> int:
        return self.open_end if self.empty else self.data.rindex(b"</")

    @property
    def attributes(self) -> dict[str, str]:
        return self._look()[0]

    @property
    def cells(self) -> list[SheetCell]:
        return self._look()[1]

    def _look(self) -> tuple[dict[str, str], list[SheetCell]]:
        if self._parsed is None:
            self._parsed = self._scan.look_into(self)
        return self._parsed


class SheetScan:
    """One reading of a worksheet part, from the first byte to the last.

    `head` (up to the tag that opens the rows, this included), `prefix`, `dimension` (with the offset of its tag) and
    `column_styles` are known at once; `tail` and `merged` once the rows have been passed.
    """

    def __init__(self, chunks: Iterable[bytes], part: str, *, with_texts: bool = False) -> None:
        self.part = part
        self.dimension: tuple[int, Area] | None = None
        self.column_styles: list[tuple[int, int, str]] = []
        self.merged: list[Area] = []
        self.tail = b""
        self._chunks = iter(chunks)
        self.head, self._buffer = self._head()
        self.rows_start = self.head.rindex(b"<")
        self.prefix = tag_prefix(self.head, self.rows_start)
        self._reader = _Reader(self, with_texts)

    @property
    def rows_tag(self) -> bytes:
        """The tag that opens the rows."""
        return self.head[self.rows_start :]

    def rows(self) -> Iterator[SheetRow]:
        """The rows in order, read as they are asked for."""
        if not self.rows_tag.endswith(b"/>"):
            yield from self._rows()
        self.tail = b"".join([self._buffer, *self._chunks])
        self._buffer = b""
        self._reader.finish(self.tail)

    def style_of_column(self, column: int) -> str | None:
        """The style that an unwritten cell of the column has."""
        return next((style for first, last, style in self.column_styles if first <= column <= last), None)

    def look_into(self, row: SheetRow) -> tuple[dict[str, str], list[SheetCell]]:
        return self._reader.look_into(row)

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
        elif name == "mergeCell":
            area = area_of(attributes.get("ref", ""))
            if area is not None:
                self.merged.append(area)

    def _head(self) -> tuple[bytes, bytes]:
        """The part up to the rows, and what else was read to find them."""
        data = next(self._chunks, b"")
        parser = xml_parser(data, self.part)
        depth, rows_at = 0, -1

        def start(name: str, _attributes: dict[str, str]) -> None:
            nonlocal depth, rows_at
            namespace, _, local = name.rpartition(" ")
            if depth == 0 and (namespace not in SPREADSHEET or local != "worksheet"):
                raise WorkbookError(f"{self.part} is not a worksheet; open the workbook in Excel and save it once.")
            if depth == 1 and rows_at < 0 and local == "sheetData" and namespace in SPREADSHEET:
                rows_at = parser.CurrentByteIndex
            depth += 1

        def end(_name: str) -> None:
            nonlocal depth
            depth -= 1

        parser.StartElementHandler, parser.EndElementHandler = start, end
        fed = data
        try:
            while True:
                parser.Parse(fed, False)
                if rows_at >= 0:
                    break
                fed = next(self._chunks, b"")
                if not fed:
                    parser.Parse(b"", True)
                    raise WorkbookError(
                        f"{self.part} has no rows element; open the workbook in Excel and save it once."
                    )
                data += fed
        except expat.ExpatError as error:
            if rows_at < 0:
                raise malformed(self.part, error) from None
        behind = open_tag_end(data, rows_at)
        return data[:behind], data[behind:]

    def _rows(self) -> Iterator[SheetRow]:
        opening, closing = f"<{self.prefix}row".encode(), f"</{self.prefix}row".encode()
        usual = re.compile(opening + rb' r="([0-9]+)"(?:[^<>"\'/]|"[^"]*")*>')
        buffer, at, number = self._buffer, 0, 0
        asides = _has_asides(buffer)
        while True:
            # Nearly every row is like this; what is not is looked at more closely.
            tag = None if asides else usual.match(buffer, at)
            close = -1 if tag is None else buffer.find(closing, tag.end()) + len(closing)
            if tag is not None and close >= len(closing) and buffer[close : close + 1] == b">":
                start, open_end, end = at, tag.end(), close + 1
                named: bytes | None = tag[1]
            else:
                found = _next_row(buffer, at, opening, closing)
                if found is None:
                    more = next(self._chunks, b"")
                    if not more:
                        raise self.damaged(f"row {number + 1}")
                    # A long row comes in many pieces; to look again only when there is much more keeps that cheap.
                    while len(more) < len(buffer) - at and (further := next(self._chunks, b"")):
                        more += further
                    buffer, at = buffer[at:] + more, 0
                    asides = _has_asides(buffer)
                    continue
                start, open_end, end = found
                if open_end < 0:
                    self._buffer = buffer[at:]
                    return
                written = _ROW_NUMBER.search(buffer, start, open_end)
                named = None if written is None else written[1]
            previous = number
            number = previous + 1 if named is None else int(named) if named.isdigit() else 0
            if number <= previous:
                raise self.damaged(f"row {(named or b'').decode(errors='replace')}")
            yield SheetRow(self, number, buffer[start:end], open_end - start, named is not None, buffer[at:start])
            at = end


def _has_asides(data: bytes) -> bool:
    return b"<!" in data or b"<?" in data


def _next_row(buffer: bytes, at: int, opening: bytes, closing: bytes) -> tuple[int, int, int] | None:
    """Where the next row starts, its opening tag ends and it ends itself; (.., -1, -1) if the rows are over here.

    None: more bytes are needed to tell.
    """
    start = buffer.find(b"<", at)
    while start >= 0 and buffer[start + 1 : start + 2] in (b"!", b"?"):
        aside = _ASIDE.match(buffer, start)
        start = -1 if aside is None else buffer.find(b"<", aside.end())
    if start < 0 or start + len(opening) >= len(buffer):
        return None
    if not buffer.startswith(opening, start):
        return start, -1, -1
    tag = _OPEN_TAG.match(buffer, start)
    if tag is None:
        return None
    open_end = tag.end()
    if buffer[open_end - 2 : open_end] == b"/>":
        return start, open_end, open_end
    close = buffer.find(closing, open_end)
    if close >= 0 and (buffer.find(b"<!", open_end, close) >= 0 or buffer.find(b"<?", open_end, close) >= 0):
        close = _behind_asides(buffer, open_end, closing)
    end = buffer.find(b">", close) + 1 if close >= 0 else 0
    return (start, open_end, end) if end else None


def _behind_asides(buffer: bytes, at: int, closing: bytes) -> int:
    """The first closing tag that stands in no comment, CDATA section or processing instruction."""
    pattern = re.compile(_ASIDE.pattern + b"|" + re.escape(closing), re.DOTALL)
    for found in pattern.finditer(buffer, at):
        if found.group() == closing:
            return found.start()
    return -1


class _Reader:
    """The XML parser behind a scan. It is given the head, the rows that are looked into, and the tail."""

    def __init__(self, scan: SheetScan, with_texts: bool) -> None:
        self._scan = scan
        self._with_texts = with_texts
        self._parser = xml_parser(scan.head, scan.part)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        if with_texts:
            self._parser.CharacterDataHandler = self._text_came
        self._row: SheetRow | None = None
        self._attributes: dict[str, str] = {}
        self._cells: list[SheetCell] = []
        self._namespace = ""
        self._row_name = self._cell_name = self._formula_name = self._phonetic_name = ""
        self._text_names: tuple[str, ...] = ()
        self._columns: dict[str, int] = {}
        self._cell: SheetCell | None = None
        self._column = 0
        self._text: list[str] | None = None
        self._in_phonetic = False
        self._base = 0  # bytes that the parser has had before what it is given now
        self._given = b""
        self._feed(scan.head)

    def look_into(self, row: SheetRow) -> tuple[dict[str, str], list[SheetCell]]:
        self._row, self._cells, self._column = row, [], 0
        self._feed(row.data)
        self._row = None
        return self._attributes, self._cells

    def finish(self, tail: bytes) -> None:
        self._feed(tail, last=True)

    def _feed(self, data: bytes, *, last: bool = False) -> None:
        self._given = data
        try:
            self._parser.Parse(data, last)
        except expat.ExpatError as error:
            raise malformed(self._scan.part, error) from None
        self._base += len(data)

    def _at(self) -> int:
        return self._parser.CurrentByteIndex - self._base

    def _start(self, name: str, attributes: dict[str, str]) -> None:
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
                self._attributes = attributes
        elif self._namespace:
            self._scan.outline(name.rpartition(" ")[2], attributes, self._at())
        else:
            self._start_root(name.rpartition(" ")[0])

    def _text_came(self, content: str) -> None:
        if self._text is not None:
            self._text.append(content)

    def _end(self, name: str) -> None:
        cell = self._cell
        if cell is None:
            return
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

    def _element_end(self, *, empty: bool) -> int:
        at = self._at()
        # Behind the tag of an empty element the parser stands already; else it stands before the closing tag.
        if empty and self._given[at - 2 : at] == b"/>":
            return at
        return self._given.index(b">", at) + 1

    def _start_root(self, namespace: str) -> None:
        self._namespace = namespace
        self._row_name, self._cell_name = f"{namespace} row", f"{namespace} c"
        self._formula_name, self._phonetic_name = f"{namespace} f", f"{namespace} rPh"
        self._text_names = (self._formula_name, f"{namespace} v", f"{namespace} t")

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
        self._cell = SheetCell(column, self._at(), attributes)
        self._cells.append(self._cell)

    def _known_column(self, reference: str, letters: str) -> int:
        if not (letters.isalpha() and letters.isascii()):
            raise self._scan.damaged(f"cell {reference}")
        self._columns[letters] = column_number(letters.upper())
        return self._columns[letters]
