"""Reads one exported Excel workbook: one sheet of it, and what each cell is."""

from __future__ import annotations

import io
import re
import warnings
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from itertools import product
from typing import IO, Any

from openpyxl.reader.excel import ExcelReader
from openpyxl.utils import coordinate_to_tuple, get_column_letter, range_boundaries
from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from holdwater.crm.amounts import currencies_of
from holdwater.crm.columns import Known
from holdwater.crm.export_table import ExportTable, closest
from holdwater.errors import ExportError
from holdwater.zip_limits import TOO_FAR, unpacks_too_far

_MOST_ROWS = 1_048_576
_DIGITS = 15  # what Excel keeps of a number
_ROW, _FORMULA, _VALUE, _MERGED = (f"{{{SHEET_MAIN_NS}}}{tag}" for tag in ("row", "f", "v", "mergeCell"))
_SIGN = re.compile(r'\[\$(?P<tagged>[^\]-]+)[^\]]*\]|"(?P<quoted>[^"]+)"|(?P<plain>[$€£¥₹₩₪₺₽₴₦₱₫฿])')

_ERROR = (
    'the cell shows the error {}; correct its formula, or, if it means "no value", list it under empty in the mapping'
)
_UNCOMPUTED = "the cell has a formula, but not its value; open the workbook in a spreadsheet program and save it there"
_MERGED_WITH = (
    "the cell is merged with {}, so what it holds is unclear; "
    "take the merging back, and write the value into each cell it is meant for"
)

Place = tuple[int, int]  # row and column as Excel counts them


def read_workbook(content: bytes, *, file: str, table: str, sheet: str | None) -> ExportTable:
    """The `sheet` (None: the first that is not hidden) of the workbook called `file`; hidden rows count like others.

    ExportError if it cannot be read; a cell that cannot be is refused when its column is asked for.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what openpyxl leaves out: charts, styles, validations
            return _read(content, file, table, sheet)
    except ExportError:
        raise
    except Exception:  # whatever openpyxl meets in a damaged file, which can be anything
        raise ExportError(
            f"{file} is damaged, or no .xlsx workbook; open it in Excel and save it as .xlsx, or export it again"
        ) from None


def _read(content: bytes, file: str, table: str, name: str | None) -> ExportTable:
    reader = ExcelReader(io.BytesIO(content), read_only=True, data_only=True, keep_links=False)
    with closing(reader.archive):
        if unpacks_too_far(reader.archive.infolist()):
            raise ExportError(f"{file} {TOO_FAR}")
        reader.read()
        sheets = {sheet.title: sheet for sheet in reader.wb.worksheets}
        if name is not None and name not in sheets:
            raise ExportError(
                f'{file} has no sheet "{name}"{closest(name, sheets)}; its sheets are: {", ".join(sheets)}; '
                f"correct sheet under [{table}] in the mapping"
            )
        first = next(sheet for sheet in sheets.values() if sheet.sheet_state == "visible")
        sheet = first if name is None else sheets[name]
        parts = {known.name: relation.target for known, relation in reader.parser.find_sheets()}
        with reader.archive.open(parts[sheet.title]) as part:
            marks = _Marks.of(part)
        return _table(sheet, marks, file, table, reader.wb.epoch)


@dataclass(frozen=True, slots=True)
class _Marks:
    """What openpyxl does not tell of a sheet that it reads row by row."""

    uncomputed: Collection[Place]
    merged: Collection[str]  # ranges such as A2:B3

    @classmethod
    def of(cls, part: IO[bytes]) -> _Marks:
        uncomputed, merged, number = set(), [], 0
        for _, element in iterparse(part):
            if element.tag == _ROW:
                before, number = number, int(element.get("r") or number + 1)
                if number <= before:
                    raise ValueError("rows out of order, of which openpyxl would leave some out")
                for index, cell in enumerate(element, start=1):
                    # The text "" is the value of many a formula, and is not written out.
                    if len(cell) and cell[0].tag == _FORMULA and cell.get("t") != "str" and not cell.findtext(_VALUE):
                        place = cell.get("r")
                        uncomputed.add((number, coordinate_to_tuple(place)[1] if place else index))
                element.clear()
            elif element.tag == _MERGED:
                merged.append(element.get("ref"))
        return cls(uncomputed, merged)

    def covered(self, rows: Sequence[int], width: int) -> Iterator[tuple[Place, str]]:
        """The cells in these rows, which ascend, that another cell covers, and that cell's name."""
        for ref in self.merged:
            left, top, right, bottom = range_boundaries(ref)
            within = rows[bisect_left(rows, top) : bisect_right(rows, bottom)]
            for place in product(within, range(left, min(right, width) + 1)):
                if place != (top, left):
                    yield place, f"{get_column_letter(left)}{top}"


@dataclass(slots=True)
class _Body:
    """The rows under the headers, as they are gathered."""

    rows: list[list[str]] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)  # of the sheet's row: its place among the rows
    known: dict[int, dict[int, Known]] = field(default_factory=lambda: defaultdict(dict))
    faults: dict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))


def _table(sheet: Any, marks: _Marks, file: str, table: str, first_day: datetime) -> ExportTable:
    header_row, headers = _headers(sheet, file)
    body, width = _Body(), len(headers)
    kept_anyway = {row for row, column in marks.uncomputed if column <= width}
    with closing(sheet.iter_rows(min_row=header_row + 1, max_row=_MOST_ROWS, max_col=width)) as rows:
        for number, cells in enumerate(rows, start=header_row + 1):
            values = [_value(cell) for cell in cells]
            if number in kept_anyway or any(value.text for value in values):
                _add(body, number, values)
    for row, column in marks.uncomputed:
        if row in body.numbers and column <= width:
            body.faults[column - 1][body.numbers[row]] = _UNCOMPUTED
    lines = list(body.numbers)
    for (row, column), by in marks.covered(lines, width):
        body.faults[column - 1][body.numbers[row]] = _MERGED_WITH.format(by)
    letters = [get_column_letter(column) for column in range(1, width + 1)]
    return ExportTable(file, table, headers, body.rows, lines, body.known, body.faults, first_day.date(), letters)


def _headers(sheet: Any, file: str) -> tuple[int, list[str]]:
    """The first row that says anything."""
    sheet.reset_dimensions()  # else each row comes as wide as a sheet may be
    with closing(sheet.iter_rows(min_row=1, max_row=_MOST_ROWS)) as rows:
        for number, cells in enumerate(rows, start=1):
            texts = [_value(cell).text for cell in cells]
            if any(texts):
                width = max(column for column, text in enumerate(texts, start=1) if text)
                return number, texts[:width]
    raise ExportError(f"{file} is empty; export it again, with its header line")


@dataclass(frozen=True, slots=True)
class _Value:
    text: str
    known: Known | None = None
    fault: str | None = None


_NOTHING = _Value("")


def _add(body: _Body, number: int, values: Iterable[_Value]) -> None:
    row = body.numbers[number] = len(body.rows)
    texts = []
    for column, value in enumerate(values):
        texts.append(value.text)
        if value.known is not None:
            body.known[column][row] = value.known
        if value.fault:
            body.faults[column][row] = value.fault
    body.rows.append(texts)


def _value(cell: Any) -> _Value:
    value = cell.value
    if value is None:
        return _NOTHING
    if cell.data_type == "e":
        return _Value(value, fault=_ERROR.format(value))
    if isinstance(value, str):
        return _Value(value.strip())
    if isinstance(value, bool):
        return _Value(str(value).upper())
    if isinstance(value, int | float):
        return _number(value, cell.number_format if cell.has_style else "")
    if isinstance(value, date):  # a moment is one too
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)  # noqa: DTZ001 -- the mapping knows the zone
        return _Value(moment.isoformat(" ").removesuffix(" 00:00:00"), moment)
    return _Value(str(value))  # a time of day, a span


def _number(value: float, number_format: str) -> _Value:
    """As Excel shows it: with fifteen digits, of which an amount is exact; and with those lost if it has more."""
    if not abs(value) < 10**_DIGITS:
        return _Value(f"{value:.{_DIGITS - 1}E}")
    number = Decimal(f"{value:.{_DIGITS}g}")
    if re.fullmatch("0{2,}", number_format) and number == number.to_integral_value() >= 0:
        return _Value(f"{number:0{len(number_format)}f}", number)  # a code, shown with its zeros
    return _Value(f"{number:f}{_sign(number_format)}", number)


def _sign(number_format: str) -> str:
    """The currency in which a cell's format shows it: an amount in euros must not pass as one in dollars."""
    shown = re.sub(r"\[\$-[^\]]*\]", "", number_format.partition(";")[0])  # a language, and no currency
    found = (next(filter(None, match.groups())).strip() for match in _SIGN.finditer(shown))
    return next((f" {sign}" for sign in found if currencies_of(sign)), "")
