"""The sheet Checks: what refresh wrote, in sums, against the tables added up again by ordinary formulas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from holdwater.workbook.owned import (
    COHORTS,
    CONSENT,
    COUNTS,
    CURVE,
    CUSTOMERS,
    LOSSES,
    MONTHS,
    SOURCES,
    STAGES,
    WEEKS,
    OwnedTable,
)
from holdwater.workbook.sheet_formulas import control, lost_deals, totals

FIRST_CHECK = 6  # its row on the sheet, counted from 0


@dataclass(frozen=True, slots=True)
class Check:
    """`was` is a control that refresh wrote; `function` over `arguments` computes it again."""

    label: str
    was: str
    function: Callable[..., Any]
    arguments: Mapping[str, str]


_BLOCKS: tuple[tuple[OwnedTable, str, str, str], ...] = (
    (SOURCES, "Leads", "Spend", ""), (MONTHS, "Month", "Recent", ""), (CUSTOMERS, "Month", "Complete", ""),
    (WEEKS, "Week", "Won", ""),
    (STAGES, "Deals", "Of", ""), (COHORTS, "Began in", COHORTS.columns[-1].header, ""), (CURVE, "Months", "High", ""),
    (LOSSES, "Deals", "Of", ""), (LOSSES, "Record supports", "No messages", ", the record"),
    (CONSENT, "Leads", "Of", ""), (COUNTS, "Counted by the source", "Rows of the store", ", own counts"),
)  # fmt: skip


def _of_block(table: OwnedTable, first: str, last: str, part: str) -> list[Check]:
    """Its numbers and dates, their sum, and each times the one beside it: a change of any cell, or a swap, shows."""
    name = table.name + part.replace(",", "")
    headers = [column.header for column in table.columns]
    start, end = headers.index(first), headers.index(last)

    def block(left: int, right: int) -> str:
        return f"{table.name}[[{headers[left]}]:[{headers[right]}]]"

    whole = {"column": block(start, end)}
    pair = {"column": block(start, end - 1), "other": block(start + 1, end)}
    return [
        Check(f"{table.sheet}{part}: how many numbers", f'"{name} numbers"', totals.numbers_in, whole),
        Check(f"{table.sheet}{part}: their sum", f'"{name} sum"', totals.sum_of, whole),
        Check(f"{table.sheet}{part}: neighbours multiplied", f'"{name} crossed"', totals.crossed, pair),
    ]


def _column(name: str) -> dict[str, str]:
    return {"column": name}


CONTROL_CHECKS = tuple(check for block in _BLOCKS for check in _of_block(*block))
CROSS_CHECKS = tuple(
    Check(label, f'"{control}"', totals.sum_of, _column(column))
    for label, control, column in (
        ("Leads of all sources = leads of the store", "store leads", "hw_sources[Leads]"),
        ("Leads of all months = leads of the store", "store leads", "hw_months[Leads]"),
        ("Leads of all weeks = leads of the store", "store leads", "hw_weeks[Leads]"),
        ("Customers of all sources = customers of the store", "store customers", "hw_sources[Customers]"),
        ("Customers of all months = customers of the store", "store customers", "hw_months[Customers]"),
        ("Spend of all sources = spend of the store", "store spend", "hw_sources[Spend]"),
    )
)

_DEALS = {"whose": "hw_losses[[#All],[Whose]]", "deals": "hw_losses[[#All],[Deals]]"}
_RESULTS, _ABOUT = _column("hw_results[Value]"), _column("hw_about[Value]")
RESULT_CHECKS = (
    *(Check(f"Losses: deals lost by {word}", f'"hw_losses {word}"', lost_deals.lost_sum, _DEALS | {"word": f'"{word}"'})
      for word in ("us", "them")),
    *(Check(f"Losses: deals tested as {claim}", f'"hw_losses {claim}"', lost_deals.lost_sum,
            {"whose": "hw_losses[[#All],[Tested as]]", "deals": "hw_losses[[#All],[Deals]]", "word": f'"{claim}"'})
      for claim in ("no reply", "our delay")),
    Check("Results: how many numbers", '"hw_results numbers"', totals.numbers_in, _RESULTS),
    Check("Results: their sum", '"hw_results sum"', totals.sum_of, _RESULTS),
    Check("Results: each times itself", '"hw_results crossed"', totals.crossed,
          _RESULTS | {"other": "hw_results[Value]"}),
    Check("About: how many numbers", '"hw_about numbers"', totals.numbers_in, _ABOUT),
    Check("About: their sum", '"hw_about sum"', totals.sum_of, _ABOUT),
)  # fmt: skip
CHECKS = (*CROSS_CHECKS, *CONTROL_CHECKS, *RESULT_CHECKS)

CONTROL = {"values": "hw_controls[[#All],[Value]]", "keys": "hw_controls[[#All],[Control]]"}
TEXT_CHECKS: tuple[tuple[str, Callable[..., Any], Mapping[str, str]], ...] = (
    ("Sources: names and their order", control.same_names,
     {"used": "hw_used_sources[Source]", "now": "hw_sources[Source]"} | CONTROL),
    ("Results: the verdict", control.same_verdict,
     {"values": "hw_results[[#All],[Value]]", "keys": "hw_results[[#All],[Result]]",
      "controls": CONTROL["values"], "names": CONTROL["keys"]}),
    ("Rows of the store = what the sources count themselves", control.same_counts,
     {"told": "hw_counts[Counted by the source]", "kept": "hw_counts[Rows of the store]"}),
)  # fmt: skip
