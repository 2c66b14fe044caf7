"""Reads one exported file; of CSV files here: the bytes, the delimiter, the rows, each with the line it starts on."""

from __future__ import annotations

import codecs
import csv
import difflib
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from holdwater.crm.columns import EXCEL_FIRST_DAY, Column, Known
from holdwater.errors import ExportError

_DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
# What opens other kinds of file.
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"


@dataclass(frozen=True, slots=True)
class ExportTable:
    """The rows of an exported file under their headers, without the rows that have no value at all.

    A workbook also says what some cells are (`known`), and why some cannot be read (`faults`), by column and row.
    """

    file: str
    table: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    lines: Sequence[int]
    known: Mapping[int, Mapping[int, Known]] = field(default_factory=dict)
    faults: Mapping[int, Mapping[int, str]] = field(default_factory=dict)
    first_day: date = EXCEL_FIRST_DAY
    letters: Sequence[str] | None = None  # of a workbook's columns

    def column(self, header: str, empty: Iterable[str] = ()) -> Column:
        """The column under a header; cells that say what `empty` lists hold "".

        ExportError if the file has no such header, or has it twice, or a cell cannot be read.
        """
        if self.headers.count(header) > 1:
            raise ExportError(
                f'{self.file} has {self.headers.count(header)} columns with the header "{header}"; '
                "rename all but the one that is meant"
            )
        if header not in self.headers:
            if any("@" in other or re.fullmatch(r"[\d.,:/\s-]+", other) for other in self.headers):
                raise ExportError(  # which does not show the line, for it may be somebody's
                    f'{self.file} has no column "{header}", and its first line looks like data; '
                    "export it again, with its header line"
                )
            raise ExportError(
                f'{self.file} has no column "{header}"{closest(header, self.headers)}; its columns are: '
                f"{', '.join(filter(None, self.headers))}; correct the name under [{self.table}] in the mapping"
            )
        index = self.headers.index(header)
        no_value = set(empty)
        cells = ["" if row[index] in no_value else row[index] for row in self.rows]
        column = Column(
            self.file,
            self.table,
            header,
            cells,
            self.lines,
            self.letters[index] if self.letters else "",
            {row: value for row, value in self.known.get(index, {}).items() if cells[row]},
            self.first_day,
        )
        for row, fault in sorted(self.faults.get(index, {}).items()):
            if cells[row] or not self.rows[row][index]:  # an error may be listed under `empty`, and is no value then
                raise column.error(row, fault)
        return column


def closest(name: str, names: Iterable[str]) -> str:
    """`, the closest is "..."`, or nothing where no name resembles this one."""
    by_folded = {other.casefold(): other for other in names}
    near = difflib.get_close_matches(name.casefold(), by_folded, n=1)
    return f', the closest is "{by_folded[near[0]]}"' if near else ""


def read_table(
    path: Path, *, file: str, table: str, encoding: str, delimiter: str | None, sheet: str | None = None
) -> ExportTable:
    """The file at `path`, called `file` in messages, as the mapping's [`table`] describes it.

    A `delimiter` of None is found in the header line. ExportError says what is wrong and where.
    """
    content = _bytes(path, file)
    if content.startswith(_OLE):
        raise ExportError(
            f"{file} is encrypted, or an .xls of before 2007; "
            "open it in Excel, take its password away and save it as .xlsx"
        )
    if content.startswith(_ZIP):
        from holdwater.crm.exported_workbook import read_workbook  # slow to import, and most exports are CSV files

        return read_workbook(content, file=file, table=table, sheet=sheet)
    if sheet is not None:
        raise ExportError(
            f'{file} is no workbook, so it has no sheet "{sheet}"; take sheet out of [{table}] in the mapping'
        )
    return _read_csv(content, file, table, encoding, delimiter)


def _read_csv(content: bytes, file: str, table: str, encoding: str, delimiter: str | None) -> ExportTable:
    text = _decode(content, file, table, encoding)
    body, skipped = text, 0
    if own := re.match(r"sep=(.)(\r\n|\r|\n)", text):  # Excel's own first line, which is no row
        body, skipped, delimiter = text[own.end() :], 1, delimiter or own[1]
    if not body.strip():
        raise ExportError(f"{file} is empty; export it again, with its header line")
    delimiter = delimiter or _sniff(body, file, table)

    numbered = _rows(body, delimiter, file, skipped)
    _, headers = numbered[0]
    rows, lines = [], []
    for line, row in numbered[1:]:
        if not any(row):
            continue
        if len(row) != len(headers):
            raise ExportError(
                f"{file}, line {line}: the row has {len(row)} fields, but the header line has {len(headers)}; "
                "put quotes round a text that holds the delimiter or a line break, or export the file again"
            )
        rows.append(row)
        lines.append(line)
    return ExportTable(file, table, headers, rows, lines)


def _bytes(path: Path, file: str) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        there = sorted(other.name for other in path.parent.glob("*.*") if other.is_file())
        raise ExportError(
            f"the export has no file {file}{closest(path.name, there)}; "
            f"its folder holds: {', '.join(there) or 'no file'}; correct file in the mapping or export it again"
        ) from None
    except OSError as problem:
        raise ExportError(f"{file} cannot be read ({problem.strerror}); close it elsewhere and try again") from None


def _decode(content: bytes, file: str, table: str, encoding: str) -> str:
    if content.startswith(_UTF16) and not encoding.lower().startswith(("utf-16", "utf16", "utf_16")):
        raise ExportError(f'{file} is written in UTF-16; write encoding = "utf-16" under [{table}] in the mapping')
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as problem:
        line = content.count(b"\n", 0, problem.start) + 1
        advice = "cp1252" if encoding.lower().startswith("utf") else "utf-8-sig"
        raise ExportError(
            f"{file}, line {line}: the byte at offset {problem.start} is no {encoding} text; "
            f'write encoding = "{advice}" (or what the program that exported it says) under [{table}] in the mapping'
        ) from None  # the original error would carry the whole file into a traceback


def _sniff(body: str, file: str, table: str) -> str:
    line = re.match(r'(?:"[^"]*"?|[^"\r\n])*', body.lstrip("\r\n "))
    header = re.sub(r'"[^"]*"', "", line[0] if line else "")
    found = [mark for mark in _DELIMITERS if mark in header]
    if len(found) != 1:
        seen = " and ".join(_DELIMITERS[mark] for mark in found) or "no comma, semicolon, tab or bar"
        raise ExportError(
            f"{file}, line 1: the header line has {seen}, so what parts its columns is unclear; "
            f'write delimiter = ";" (or what it is) under [{table}] in the mapping'
        )
    return found[0]


def _rows(body: str, delimiter: str, file: str, skipped: int) -> list[tuple[int, list[str]]]:
    """The rows that are not blank lines, each with the physical line it starts on."""
    reader = csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True)
    rows = []
    line = skipped + 1
    try:
        for row in reader:
            if row:
                rows.append((line, [cell.strip() for cell in row]))
            line = skipped + reader.line_num + 1
    except csv.Error as problem:
        raise ExportError(
            f"{file}, line {line}: the row that starts here cannot be split into fields ({problem}); "
            "look for a quote that is not closed"
        ) from None
    return rows
