"""Reading the cells of a worksheet part, and splicing new ones into its bytes as they stream by."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import ReadCell, UnfitValueError, Value, cell_xml, read_value, unescape_controls
from holdwater.workbook.markup import Edits, elements, open_tag_end, tag_name, with_attribute
from holdwater.workbook.references import Area, cell_name, column_letters, shifted
from holdwater.workbook.scan import SheetCell, SheetRow, SheetScan

Chunks = Callable[[], Iterable[bytes]]  # gives a part's bytes from the start, each time it is called

# A row with no other attributes than these says nothing once its cells are gone.
_IDLE_TAG = re.compile(rb"""<[^\s/>]+(?:\s+(?:r|spans|[\w.-]+:dyDescent)\s*=\s*(?:"[^"]*"|'[^']*'))*\s*/?>""")
_SPANS = re.compile(rb"""\sspans\s*=\s*["'](\d+):(\d+)["']""")

SharedFormulas = dict[str, tuple[int, int, str]]  # group -> row, column and text of the cell that writes it out


class Stretch(NamedTuple):
    """What the cells of one row between two columns become."""

    first_column: int
    last_column: int
    xml: str


Stretches = Iterable[tuple[int, Sequence[Stretch]]]  # by row number, ascending; in a row from left to right


def read_cells(
    chunks: Chunks,
    part: str,
    shared_strings: Callable[[], list[str]],
    date1904: bool,
    areas: Sequence[Area] | None = None,
) -> Iterator[ReadCell]:
    """The cells (of the areas) that hold something; each has its formula as it computes it, though it may share it."""
    scan = SheetScan(chunks(), part, with_texts=True)
    shared_formulas: SharedFormulas = {}
    last = max((area.last_row for area in areas), default=0) if areas is not None else None
    for row in scan.rows():
        if last is not None and row.number > last:
            return
        wanted = areas if areas is None else [area for area in areas if area.first_row <= row.number <= area.last_row]
        if wanted is not None and not wanted and b"shared" not in row.data:
            continue
        for cell in row.cells:
            if not cell.filled:
                continue
            formula = formula_of(row.number, cell, shared_formulas)
            if wanted is not None and not any(area.holds(row.number, cell.column) for area in wanted):
                continue
            kind = cell.attributes.get("t", "n")
            try:
                value = read_value(kind, cell.text, shared_strings() if kind == "s" else None, date1904)
            except (ValueError, IndexError):
                raise scan.damaged(f"cell {cell_name(row.number, cell.column)}") from None
            if value is not None or formula is not None:
                yield ReadCell(row.number, cell.column, formula, value)


def formula_of(row: int, cell: SheetCell, shared: SharedFormulas) -> str | None:
    """The formula a cell computes; `shared` remembers those that are written out once for several cells."""
    if cell.formula is None:
        return None
    group = cell.formula.get("si")
    if cell.formula.get("t") != "shared" or group is None:
        return cell.formula_text
    if cell.formula_text:
        shared[group] = (row, cell.column, cell.formula_text)
        return cell.formula_text
    if group not in shared:
        return ""
    master_row, master_column, text = shared[group]
    return shifted(text, row - master_row, cell.column - master_column)


class PlainRows:
    """Tells which rows hold nothing but plain cells between two columns, without parsing them."""

    def __init__(self, prefix: str, first_column: int, last_column: int) -> None:
        letters = "|".join(column_letters(column) for column in range(first_column, last_column + 1))
        self._numbers = {column_letters(c).encode(): c for c in range(first_column, last_column + 1)}
        other = rf'<(?:{prefix}(?:c(?! r="(?:{letters})[0-9])|f(?!>)|extLst)|[!?])'
        self._other = re.compile(other.encode())
        self._formula_tag = f"<{prefix}f>".encode()
        self._formula = re.compile(f'<{prefix}c r="([A-Z]+)[0-9]+"[^<>]*><{prefix}f>'.encode())

    def formulas(self, row: SheetRow) -> list[int] | None:
        """The columns that hold a formula, each written out in its cell; None if the row must be looked into."""
        if self._other.search(row.data, row.open_end):
            return None
        if self._formula_tag not in row.data:
            return []
        found = [self._numbers[match[1]] for match in self._formula.finditer(row.data)]
        return found if len(found) == row.data.count(self._formula_tag) else None


def spliced(
    scan: SheetScan,
    stretches: Stretches,
    extent: Area | None,
    inspect: Callable[[SheetRow], bool] = lambda _: False,
) -> Iterator[bytes]:
    """The part with the stretches in place of the cells that stand there; `extent` is the area they fill.

    `inspect` sees each row as it was, may refuse it by raising, and tells whether all its cells go.
    """
    coming = iter(stretches)
    waiting = next(coming, None)
    head = _with_dimension(scan, extent)
    empty = scan.rows_tag.endswith(b"/>")
    if not empty:
        yield head
    for row in scan.rows():
        bare = inspect(row)
        while waiting is not None and waiting[0] < row.number:
            yield _new_row(scan.prefix, *waiting)
            waiting = next(coming, None)
        if waiting is not None and waiting[0] == row.number:
            yield _replaced_row(row, waiting[1]) if bare else row.before + _spliced_row(row, waiting[1])
            waiting = next(coming, None)
        elif not row.named:
            # it counted on the row before it, which may be another one now
            yield row.before + _with_place(row.data, 0, str(row.number))
        else:
            yield row.before + row.data
    behind = _new_rows(scan.prefix, waiting, coming)
    if not empty:
        yield from behind
    else:
        first = next(behind, b"")
        tag = scan.rows_tag
        yield head if not first else head[: len(head) - len(tag)] + tag[:-2] + b">" + first
        yield from behind
        yield b"</" + tag_name(tag) + b">" if first else b""
    yield scan.tail


def _new_rows(
    prefix: str, waiting: tuple[int, Sequence[Stretch]] | None, coming: Iterator[tuple[int, Sequence[Stretch]]]
) -> Iterator[bytes]:
    while waiting is not None:
        row = _new_row(prefix, *waiting)
        if row:
            yield row
        waiting = next(coming, None)


def _replaced_row(row: SheetRow, stretches: Sequence[Stretch]) -> bytes:
    """The row with all its cells replaced."""
    cells = "".join([stretch.xml for stretch in stretches]).encode()
    empty = row.empty
    if not (cells or empty) and _IDLE_TAG.fullmatch(row.tag):
        return row.before
    tag = _row_tag(row, stretches)
    if empty:
        return row.before + (_opened(tag, cells) if cells else tag)
    return b"".join((row.before, tag, cells, row.data[row.data.rindex(b"</") :]))


def _spliced_row(row: SheetRow, stretches: Sequence[Stretch]) -> bytes:
    edits = Edits()
    owned = 0
    content: list[tuple[int, int, bytes]] = []
    for first, last, xml in stretches:
        inside = [cell for cell in row.cells if first <= cell.column <= last]
        owned += len(inside)
        if inside:
            content.append((inside[0].start, inside[-1].end, xml.encode()))
        elif xml:
            at = next((cell.start for cell in row.cells if cell.column > last), None)
            if at is None:  # behind the last cell, since an extension of the row stands behind its cells
                at = row.cells[-1].end if row.cells else row.open_end
            content.append((at, at, xml.encode()))
    cells = b"".join(xml for _, _, xml in content)
    if owned and owned == len(row.cells) and not cells and _IDLE_TAG.fullmatch(row.tag):
        return b""
    new_tag = _row_tag(row, stretches)
    if row.empty:
        return _opened(new_tag, cells) if cells else new_tag
    edits.replace(0, row.open_end, new_tag)
    for start, end, written in content:
        edits.replace(start, end, written)
    for cell in row.cells:
        if "r" not in cell.attributes and not any(first <= cell.column <= last for first, last, _ in stretches):
            name = f' r="{cell_name(row.number, cell.column)}"'
            edits.insert(_behind_name(row.data, cell.start), name.encode())
    return edits.applied(row.data)


def _row_tag(row: SheetRow, stretches: Sequence[Stretch]) -> bytes:
    """The row's opening tag, naming its number, and `spans` (if it has one) wide enough for what comes in."""
    tag = row.tag if row.named else with_attribute(row.tag, "r", str(row.number))
    filled = [stretch for stretch in stretches if stretch.xml]
    # Behind their numbers the tags of most rows are alike.
    alike = tag[tag.find(b'"', 8) :] if tag.startswith(b'<row r="') else tag
    wide = _wider(alike, filled[0].first_column, filled[-1].last_column) if filled else None
    return tag if wide is None else with_attribute(tag, "spans", wide)


@lru_cache(maxsize=256)
def _wider(tag: bytes, first: int, last: int) -> str | None:
    """The spans that a tag needs to take in these columns; None if it has none or they are enough."""
    spans = _SPANS.search(tag)
    if spans is None or (int(spans[1]) <= first and last <= int(spans[2])):
        return None
    return f"{min(int(spans[1]), first)}:{max(int(spans[2]), last)}"


def _new_row(prefix: str, number: int, stretches: Sequence[Stretch]) -> bytes:
    cells = "".join(stretch.xml for stretch in stretches)
    return f'<{prefix}row r="{number}">{cells}</{prefix}row>'.encode() if cells else b""


def _opened(tag: bytes, content: bytes) -> bytes:
    """An empty element, given content."""
    return tag[:-2] + b">" + content + b"</" + tag_name(tag) + b">"


def _behind_name(data: bytes, start: int) -> int:
    return start + 1 + len(tag_name(data[start : open_tag_end(data, start)]))


def _with_place(data: bytes, start: int, place: str) -> bytes:
    """An element that had its place from its neighbour, given one of its own."""
    at = _behind_name(data, start)
    return data[:at] + f' r="{place}"'.encode() + data[at:]


def _with_dimension(scan: SheetScan, extent: Area | None) -> bytes:
    """The head, its dimension wide enough for what is filled."""
    if scan.dimension is None or extent is None:
        return scan.head
    start, area = scan.dimension
    wide = Area(*map(min, area[:2], extent[:2]), *map(max, area[2:], extent[2:]))
    if wide == area:
        return scan.head
    end = open_tag_end(scan.head, start)
    return scan.head[:start] + with_attribute(scan.head[start:end], "ref", str(wide)) + scan.head[end:]


def with_values(chunks: Chunks, part: str, values: Mapping[tuple[int, int], Value], date1904: bool) -> Iterator[bytes]:
    """The part with plain values in the cells at (row, column), each in the style it has; never over a formula."""
    if not values:
        return iter(chunks())
    scan = SheetScan(chunks(), part)
    styles: dict[tuple[int, int], str | None] = {}
    row_styles: dict[int, str | None] = {}
    numbers = {number for number, _ in values}
    for row in scan.rows():
        if row.number not in numbers:
            continue
        row_styles[row.number] = row.attributes.get("s")
        for cell in row.cells:
            if (row.number, cell.column) in values:
                styles[row.number, cell.column] = cell.attributes.get("s")
                if cell.formula is not None:
                    name = cell_name(row.number, cell.column)
                    raise WorkbookError(f"Cell {name} in {part} holds a formula where a value belongs; take it out.")
    stretches: dict[int, list[Stretch]] = {}
    for (number, column), value in sorted(values.items(), key=lambda item: item[0]):
        name = cell_name(number, column)
        style = styles.get((number, column), row_styles.get(number) or scan.style_of_column(column))
        try:
            xml = cell_xml(scan.prefix, name, style, value, date1904)
        except UnfitValueError as error:
            raise WorkbookError(f"The value for cell {name} in {part} {error}; nothing was written.") from None
        stretches.setdefault(number, []).append(Stretch(column, column, xml))
    columns = [column for _, column in values]
    extent = Area(min(numbers), min(columns), max(numbers), max(columns))
    return spliced(SheetScan(chunks(), part), stretches.items(), extent)


def read_shared_strings(data: bytes, part: str) -> list[str]:
    """The workbook's shared texts; the reading aids of East Asian text are left out."""
    texts: dict[int, list[str]] = {}
    for element in elements(data, part, {"si", "t"}):
        owner = element.parent
        if element.name == "si":
            texts[id(element)] = []
            continue
        while owner is not None and owner.name not in ("si", "rPh"):
            owner = owner.parent
        if owner is not None and owner.name == "si":
            texts[id(owner)].append(element.text)
    return [unescape_controls("".join(pieces)) for pieces in texts.values()]
