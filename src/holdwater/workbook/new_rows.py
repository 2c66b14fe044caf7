"""The cells of a table's new rows as SpreadsheetML, quickly: most are plain numbers and plain texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from operator import itemgetter
from typing import Any, Protocol

from holdwater.workbook.cells import EXACT_INTEGERS, TEXT_LIMIT, Content, FormulaCell, UnfitValueError, cell_xml


class Rows(Protocol):
    """Rows that know how many they are; they may be computed as they are asked for, and more than once."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Sequence[Content]]: ...


class UnfitCellError(ValueError):
    """A value that no cell can hold, with the position of its column."""

    def __init__(self, position: int, why: str) -> None:
        super().__init__(why)
        self.position = position


_SHORT = TEXT_LIMIT // 2
_PLAIN = frozenset({str, int, float, type(None)})


def _is_plain(text: str) -> bool:
    """Whether the texts of a row, joined by |, can be written as they are: tests in turn are quicker than a pattern."""
    return (
        len(text) <= _SHORT
        and text.isprintable()
        and not ("<" in text or "&" in text or ">" in text or "_x" in text)
        and not ("  " in text or "| " in text or " |" in text)
    )


def _taker(kinds: tuple[type, ...], wanted: type) -> Callable[[Sequence[Any]], tuple[Any, ...]] | None:
    """What takes the values of one kind out of a row."""
    positions = [position for position, kind in enumerate(kinds) if kind is wanted]
    if len(positions) == 1:  # of one alone an itemgetter makes no tuple; twice the same does no harm
        positions *= 2
    return itemgetter(*positions) if positions else None


class RowWriter:
    """Writes a row's cells as `cell_xml` does, only faster."""

    def __init__(self, prefix: str, letters: Sequence[str], styles: Sequence[str | None], date1904: bool) -> None:
        self._prefix = prefix
        self._columns = list(zip(letters, styles, strict=True))
        self._date1904 = date1904
        self._plans: dict[tuple[type, ...], _Plan | None] = {}

    def cells(self, number: int, row: Sequence[Content], formula_at: Callable[[int, int], None]) -> str:
        """The cells of row `number`; `formula_at` is told the row and position of each formula."""
        kinds = tuple(map(type, row))
        try:
            plan = self._plans[kinds]
        except KeyError:
            plan = self._plans[kinds] = self._plan(kinds)
        if plan is not None and plan.fits(row):
            return plan.written(str(number), row)
        cells: list[str] = []
        for position, ((letters, style), content) in enumerate(zip(self._columns, row, strict=True)):
            if isinstance(content, FormulaCell):
                formula_at(number, position)
            try:
                cells.append(cell_xml(self._prefix, f"{letters}{number}", style, content, self._date1904))
            except UnfitValueError as error:
                raise UnfitCellError(position, str(error)) from None
        return "".join(cells)

    def _plan(self, kinds: tuple[type, ...]) -> _Plan | None:
        if not _PLAIN.issuperset(kinds) or len(kinds) != len(self._columns):
            return None
        pieces: list[str] = []
        for (letters, style), kind in zip(self._columns, kinds, strict=True):
            sample: Content = None if kind is type(None) else "text" if kind is str else 1
            cell = cell_xml(self._prefix, f"{letters}%s", style, sample, self._date1904)
            if kind is type(None):  # shows no value, and if it is no cell at all no place either
                pieces.append(f"{cell}%.0s" if cell else "%.0s%.0s")
            else:
                pieces.append(cell.replace(">text<", ">%s<").replace(">1<", ">%r<"))
        return _Plan("".join(pieces), kinds, f".0</{self._prefix}v>", f"</{self._prefix}v>")


class _Plan:
    """One format for all rows whose values are of the same kinds, all of them plain."""

    def __init__(self, form: str, kinds: tuple[type, ...], whole: str, end: str) -> None:
        self._form = form
        self._whole, self._end = whole, end  # a whole number is written without its .0
        self._texts, self._integers, self._floats = (_taker(kinds, wanted) for wanted in (str, int, float))
        self._arguments: list[Content] = [None] * (2 * len(kinds))

    def fits(self, row: Sequence[Content]) -> bool:
        if self._texts is not None and not _is_plain("|".join(("", *self._texts(row), ""))):
            return False
        if self._integers is not None:
            integers = self._integers(row)
            if max(integers) >= EXACT_INTEGERS or min(integers) <= -EXACT_INTEGERS:
                return False
        return self._floats is None or isfinite(sum(self._floats(row)))

    def written(self, place: str, row: Sequence[Content]) -> str:
        arguments = self._arguments
        arguments[::2] = [place] * len(row)
        arguments[1::2] = row
        return (self._form % tuple(arguments)).replace(self._whole, self._end)
