"""Reading the cells of a worksheet part, and splicing new ones into its bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from holdwater.errors import WorkbookError
from holdwater.workbook.cells import ReadCell, UnfitValueError, Value, cell_xml, read_value, unescape_controls
from holdwater.workbook.markup import Edits, elements, is_empty_tag, open_tag_end, tag_name, with_attribute
from holdwater.workbook.references import Area, cell_name, shifted
from holdwater.workbook.scan import SheetCell, SheetRow, SheetScan

# A row with no other attributes than these says nothing once its cells are gone.
_IDLE_ATTRIBUTES = frozenset({"r", "spans", "http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac dyDescent"})

SharedFormulas = dict[str, tuple[int, int, str]]  # group -> row, column and text of the cell that writes it out


class Stretch(NamedTuple):
    """What the cells of one row between two columns become."""

    first_column: int
    last_column: int
    xml: str


def read_cells(
    data: bytes, part: str, shared_strings: Callable[[], list[str]], date1904: bool, area: Area | None = None
) -> Iterator[ReadCell]:
    """The cells (of the area) that hold something; each has its formula as it computes it, though it may share it."""
    scan = SheetScan(data, part)
    shared_formulas: SharedFormulas = {}
    for row in scan.rows(with_texts=True):
        if area is not None and row.number > area.last_row:
            return
        for cell in row.cells:
            if not cell.filled:
                continue
            formula = formula_of(row.number, cell, shared_formulas)
            if area is not None and not area.holds(row.number, cell.column):
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


def spliced(
    scan: SheetScan,
    stretches: Mapping[int, Sequence[Stretch]],
    inspect: Callable[[SheetRow], None] | None = None,
) -> bytes:
    """The part with the stretches (row number -> from left to right) in place of the cells that stand there.

    `inspect` sees each row as it was, and may refuse it by raising.
    """
    edits = Edits()
    numbers = sorted(stretches)
    done = 0
    for row in scan.rows():
        if inspect is not None:
            inspect(row)
        if not numbers or row.number < numbers[0]:
            continue
        while done < len(numbers) and numbers[done] < row.number:
            edits.insert(row.start, _new_row(scan.prefix, numbers[done], stretches[numbers[done]]))
            done += 1
        if done < len(numbers) and numbers[done] == row.number:
            _splice_row(scan.data, edits, row, stretches[row.number])
            done += 1
        elif "r" not in row.attributes:  # it counted on the row before it, which may be another one now
            _name_place(scan.data, edits, row.start, str(row.number))
    behind = b"".join(_new_row(scan.prefix, number, stretches[number]) for number in numbers[done:])
    if not is_empty_tag(scan.data, scan.rows_open_end):
        edits.insert(scan.rows_close, behind)
    elif behind:
        tag = scan.data[scan.rows_start : scan.rows_open_end]
        edits.replace(scan.rows_start, scan.rows_open_end, _opened(tag, behind))
    _widen_dimension(scan, edits, stretches)
    return edits.applied(scan.data)


def _splice_row(data: bytes, edits: Edits, row: SheetRow, stretches: Sequence[Stretch]) -> None:
    owned = 0
    content: list[tuple[int, int, bytes]] = []
    for first, last, xml in stretches:
        inside = [cell for cell in row.cells if first <= cell.column <= last]
        owned += len(inside)
        if inside:
            content.append((inside[0].start, inside[-1].end, xml.encode()))
        elif xml:
            at = next((cell.start for cell in row.cells if cell.column > last), row.close_start)
            content.append((at, at, xml.encode()))
    cells = b"".join(xml for _, _, xml in content)
    if owned and owned == len(row.cells) and not cells and row.attributes.keys() <= _IDLE_ATTRIBUTES:
        edits.replace(row.start, row.end, b"")
        return
    tag = data[row.start : row.open_end]
    new_tag = _row_tag(tag, row, stretches)
    if row.open_end == row.end and cells:
        new_tag = _opened(new_tag, cells)
        content = []
    if new_tag != tag:
        edits.replace(row.start, row.open_end, new_tag)
    for start, end, written in content:
        edits.replace(start, end, written)
    for cell in row.cells:
        if "r" not in cell.attributes and not any(first <= cell.column <= last for first, last, _ in stretches):
            _name_place(data, edits, cell.start, cell_name(row.number, cell.column))


def _row_tag(tag: bytes, row: SheetRow, stretches: Sequence[Stretch]) -> bytes:
    """The row's opening tag, naming its number, and `spans` (if it has one) wide enough for what comes in."""
    if "r" not in row.attributes:
        tag = with_attribute(tag, "r", str(row.number))
    first, colon, last = row.attributes.get("spans", "").partition(":")
    filled = [stretch for stretch in stretches if stretch.xml]
    if not (colon and first.isdecimal() and last.isdecimal() and filled):
        return tag
    wide = (min(int(first), filled[0].first_column), max(int(last), filled[-1].last_column))
    return tag if wide == (int(first), int(last)) else with_attribute(tag, "spans", f"{wide[0]}:{wide[1]}")


def _new_row(prefix: str, number: int, stretches: Sequence[Stretch]) -> bytes:
    cells = "".join(stretch.xml for stretch in stretches)
    return f'<{prefix}row r="{number}">{cells}</{prefix}row>'.encode() if cells else b""


def _opened(tag: bytes, content: bytes) -> bytes:
    """An empty element, given content."""
    return tag[:-2] + b">" + content + b"</" + tag_name(tag) + b">"


def _name_place(data: bytes, edits: Edits, start: int, place: str) -> None:
    """Give an element that had its place from its neighbour one of its own."""
    edits.insert(start + 1 + len(tag_name(data[start : open_tag_end(data, start)])), f' r="{place}"'.encode())


def _widen_dimension(scan: SheetScan, edits: Edits, stretches: Mapping[int, Sequence[Stretch]]) -> None:
    filled = [(row, stretch) for row, in_row in stretches.items() for stretch in in_row if stretch.xml]
    if scan.dimension is None or not filled:
        return
    start, area = scan.dimension
    wide = Area(
        min(area.first_row, min(row for row, _ in filled)),
        min(area.first_column, min(stretch.first_column for _, stretch in filled)),
        max(area.last_row, max(row for row, _ in filled)),
        max(area.last_column, max(stretch.last_column for _, stretch in filled)),
    )
    if wide != area:
        end = open_tag_end(scan.data, start)
        edits.replace(start, end, with_attribute(scan.data[start:end], "ref", str(wide)))


def with_values(data: bytes, part: str, values: Mapping[tuple[int, int], Value], date1904: bool) -> bytes:
    """The part with plain values in the cells at (row, column), each in the style it has; never over a formula."""
    scan = SheetScan(data, part)
    styles: dict[tuple[int, int], str | None] = {}
    row_styles: dict[int, str | None] = {}
    for row in scan.rows():
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
    return spliced(SheetScan(data, part), stretches)


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
