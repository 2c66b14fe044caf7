"""What stands in the cells of a sheet beside its tables: formulas, and texts that never change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from holdwater.units import MONEY
from holdwater.workbook.sheet_formulas import fiscal, lookups, lost_deals, trust


@dataclass(frozen=True, slots=True)
class Cell:
    """A formula: rows and columns are counted from 0, `style` is a look or a number format."""

    row: int
    column: int
    style: str
    function: Callable[..., Any]
    arguments: Mapping[str, str]


class Text(NamedTuple):
    row: int
    column: int
    text: str
    style: str = "plain"


@dataclass(frozen=True, slots=True)
class Screen:
    """One sheet: the title and note at its top, unless a table has brought them, and what stands below."""

    title: str
    note: str
    widths: tuple[float, ...]
    cells: tuple[Cell, ...]
    texts: tuple[Text, ...]
    heights: Mapping[int, float] = field(default_factory=dict)
    frozen: tuple[int, int] | None = None  # rows and columns that stay in sight
    merged: tuple[tuple[int, int, int], ...] = ()  # row, first and last column of texts that need the room


RESULT_KEYS = {"values": "hw_results[[#All],[Value]]", "keys": "hw_results[[#All],[Result]]"}
YEARS_OF = {"leads": "hw_months[[#All],[Fiscal year]]", "customers": "hw_customers[[#All],[Fiscal year]]"}
ABOUT_KEYS = {"values": "hw_about[[#All],[Value]]", "keys": "hw_about[[#All],[Entry]]"}


def results_and(**more: str) -> dict[str, str]:
    """The arguments of a function that looks something up among the results."""
    return RESULT_KEYS | more


def result(row: int, column: int, style: str, key: str) -> Cell:
    """What refresh computed under this key, or a dash."""
    return Cell(row, column, style, lookups.or_dash, results_and(key=f'"{key}"'))


def result_price(row: int, column: int, key: str) -> Cell:
    """What a lead may cost by what refresh computed, a dash where too few paid leads have bought."""
    return Cell(row, column, MONEY, trust.result_if_trusted, results_and(key=f'"{key}"', count="paid_won"))


def figure(row: int, column: int, style: str, name: str) -> Cell:
    """A figure or an input by its name, or a dash."""
    return Cell(row, column, style, lookups.shown, {"value": name})


def tested(row: int, column: int, style: str, claim: str) -> Cell:
    """What the messages say of the deals lost for this claim."""
    columns = {"claims": "Tested as", "deals": "Deals", "supported": "Record supports",
               "contradicted": "Record contradicts", "silent": "No messages"}  # fmt: skip
    of_table = {name: f"hw_losses[[#All],[{header}]]" for name, header in columns.items()}
    return Cell(row, column, style, lost_deals.tested, of_table | {"claim": f'"{claim}"'})


def of_year(row: int, column: int, style: str, table: str, header: str, which: Mapping[str, str]) -> Cell:
    """The total of a column in a fiscal year."""
    return Cell(row, column, style, fiscal.fiscal_total, {
        "years": f"{table}[[#All],[Fiscal year]]", "summed": f"{table}[[#All],[{header}]]", **YEARS_OF, **which,
    })  # fmt: skip


def heads(row: int, column: int, *texts: str) -> list[Text]:
    """The headings of columns: the first names what stands in the rows."""
    return [Text(row, column + n, text, "head" if n == 0 else "head right") for n, text in enumerate(texts)]
