"""Python twins of functions that every spreadsheet has: the translator writes the spreadsheet's own name for them."""

from __future__ import annotations

TYPE_CHECKING = False  # see units.py
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, TypeAlias, TypeVar

    from typing_extensions import TypeIs

    F = TypeVar("F", bound=Callable[..., Any])
    Shown: TypeAlias = float | str | None  # what a cell shows: a number, a text, or nothing
    Column: TypeAlias = Sequence[Shown]


def spreadsheet_function(name: str) -> Callable[[F], F]:
    """Mark a Python function as the twin of one that spreadsheets have: FIXED, or a pattern with {} for arguments."""

    def mark(function: F) -> F:
        function.spreadsheet_name = name  # type: ignore[attr-defined]  # the translator reads it
        return function

    return mark


@spreadsheet_function("NORMSINV")
def normal_quantile(probability: float) -> float:
    """The number that a standard normal variable stays below with this probability."""
    from statistics import NormalDist  # here, because importing it takes longer than all of Holdwater

    return NormalDist().inv_cdf(probability)


@spreadsheet_function("ISNUMBER")
def is_number(value: Shown) -> TypeIs[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


@spreadsheet_function("FIXED")
def fixed(number: float, decimals: int) -> str:
    """The number with thousands separators, ties rounded away from zero as spreadsheets do."""
    from decimal import ROUND_HALF_UP, Decimal  # here, for the same reason

    return f"{Decimal(repr(float(number))).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP):,}"


@spreadsheet_function("ROWS")
def rows(column: Column) -> int:
    return len(column)


@spreadsheet_function("INDEX")
def item(column: Column, position: int) -> Shown:
    cell = column[position - 1]
    return "" if cell is None else cell  # an empty cell equals the empty text


@spreadsheet_function("SUM")
def total(column: Column) -> float:
    return sum(v for v in column if isinstance(v, (int, float)))


@spreadsheet_function("SUMIF")
def total_where(column: Column, criterion: str, summed: Column) -> float:
    """The sum of `summed` where `column` is above 0, the one criterion in use."""
    if criterion != ">0":
        raise ValueError(criterion)
    chosen = [s for c, s in zip(column, summed, strict=True) if isinstance(c, (int, float)) and c > 0]
    return sum(v for v in chosen if isinstance(v, (int, float)))


@spreadsheet_function('(SUMPRODUCT(--({}<>""),--({}=""))=0)')
def pairs_up(column: Column, partner: Column) -> bool:
    """Whether both have as many cells (a cell shows `#VALUE!` if not), and a filled one never stands alone."""
    return len(column) == len(partner) and all(c is None or p is not None for c, p in zip(column, partner, strict=True))


@spreadsheet_function("SUMPRODUCT")
def weighted(column: Column, weights: Column) -> float:
    pairs = zip(column, weights, strict=True)
    return sum(c * w for c, w in pairs if isinstance(c, (int, float)) and isinstance(w, (int, float)))
