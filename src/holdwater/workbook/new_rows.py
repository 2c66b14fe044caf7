"""The cells of a table's new rows as SpreadsheetML, quickly: most are plain numbers and plain texts."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from holdwater.workbook.cells import EXACT_INTEGERS, TEXT_LIMIT, Content, UnfitValueError, cell_xml


class Rows(Protocol):
    """Rows that know how many they are; they may be computed as they are asked for, and more than once."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sequence[Content]]: ...


class UnfitCellError(ValueError):
    """A value that no cell can hold, with the position of its column."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


# A text with anything else than these is written with more care.
_CARE = re.compile(r"""[^\w .,:;@/()+#%*!?'"=$-]|_x|^\s|\s$|\s\s""")
_SHORT = TEXT_LIMIT // 2


def row_writer(
    prefix: str, letters: Sequence[str], styles: Sequence[str | None], date1904: bool
) -> Callable[[int, Sequence[Content]], str]:
    """A function from a row's number and values to its cells; it writes what `cell_xml` writes, only faster."""
    columns: list[tuple[str, str, str]] = []
    for letter, style in zip(letters, styles, strict=True):
        styled = '"' if style is None else f'" s="{style}"'
        text = f'{styled} t="inlineStr"><{prefix}is><{prefix}t>'
        columns.append((f'<{prefix}c r="{letter}', f"{styled}><{prefix}v>", text))
    number_end = f"</{prefix}v></{prefix}c>"
    text_end = f"</{prefix}t></{prefix}is></{prefix}c>"
    needs_care = _CARE.search

    def written(number: int, row: Sequence[Content]) -> str:
        place = str(number)
        cells: list[str] = []
        for (start, number_start, text_start), content in zip(columns, row, strict=True):
            kind = type(content)
            if kind is str and len(content) < _SHORT and not needs_care(content):  # type: ignore[arg-type]  # a str
                cells.append(f"{start}{place}{text_start}{content}{text_end}")
            elif kind is int and -EXACT_INTEGERS < content < EXACT_INTEGERS:  # type: ignore[operator]  # an int
                cells.append(f"{start}{place}{number_start}{content}{number_end}")
            elif kind is float and -EXACT_INTEGERS < content < EXACT_INTEGERS:  # type: ignore[operator]  # a float
                exact = int(content) if content.is_integer() else content  # type: ignore[arg-type, union-attr]
                cells.append(f"{start}{place}{number_start}{exact!r}{number_end}")
            else:
                position = len(cells)
                try:
                    cells.append(cell_xml(prefix, f"{letters[position]}{place}", styles[position], content, date1904))
                except UnfitValueError as error:
                    raise UnfitCellError(position, str(error)) from None
        return "".join(cells)

    return written
