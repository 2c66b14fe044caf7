"""How the accountant keeps the books, as typed on the sheet Inputs: what figures need before any is computed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import inf

from holdwater.errors import WorkbookError
from holdwater.metrics.conventions import UNSAID, Conventions, zone
from holdwater.rows import is_blank
from holdwater.workbook.added import written_tables
from holdwater.workbook.cells import Value
from holdwater.workbook.opened import OpenWorkbook
from holdwater.workbook.owned import TABLES
from holdwater.workbook.rates import Rates, typed_rates
from holdwater.workbook.refresh import typed_inputs

_CURRENCY = re.compile("[A-Z]{3}")


def conventions_of(package: OpenWorkbook) -> Conventions:
    """Those of a Holdwater workbook; a foreign one with the data tables says nothing of them.

    WorkbookError for what cannot be meant, since every figure would be another one.
    """
    if written_tables(package) is not TABLES:
        return UNSAID
    try:
        return conventions_from(typed_inputs(package), typed_rates(package))
    except ValueError as problem:
        raise WorkbookError(f"{package.path}, sheet Inputs: {problem}.") from None


def conventions_from(typed: Mapping[str, Value], rates: Rates) -> Conventions:
    """ValueError says which entry cannot be used, and what is allowed."""
    currency = (
        None if is_blank(typed.get("books_currency")) else _code(typed["books_currency"], "Currency of the books")
    )
    _require_month(typed.get("fiscal_start"))
    return Conventions(
        _zone(typed.get("time_zone")), _weekday(typed.get("week_start")), currency, _rates(rates, currency)
    )


def _zone(value: Value) -> str:
    if is_blank(value):
        return UNSAID.time_zone
    name = value.strip() if isinstance(value, str) else ""
    try:
        zone(name)
    except ValueError:
        raise ValueError(
            f"Time zone is {value!r}, which this machine does not know; type a name such as Europe/Berlin,"
            " America/New_York or UTC (on Windows, install the package tzdata first)"
        ) from None
    return name


def _weekday(value: Value) -> int:
    if is_blank(value):
        return UNSAID.week_start
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value not in range(1, 8):
        raise ValueError(f"First day of the week is {value!r}; type 1 for Monday to 7 for Sunday")
    return int(value)


def _require_month(value: Value) -> None:
    """The formulas of fiscal years read it where it is typed, and take what is no month for none."""
    if is_blank(value):
        return
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value not in range(1, 13):
        raise ValueError(f"First month of the fiscal year is {value!r}; type 1 for January to 12 for December")


def _rates(rows: Rates, currency: str | None) -> dict[str, float]:
    found: dict[str, float] = {}
    for code, rate in rows:
        if is_blank(code) and is_blank(rate):
            continue
        other = _code(code, "a currency with a rate")
        if currency is None:
            raise ValueError(f"there is a rate for {other}, but Currency of the books is empty; type the one it is in")
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not 0 < rate < inf:
            raise ValueError(f"the rate of {other} is {rate!r}; type how much {currency} one {other} is, above 0")
        if other in found:
            raise ValueError(f"{other} has two rates; keep one")
        if other == currency and rate != 1:
            raise ValueError(f"{other} is the currency of the books, so its rate is 1, not {rate:g}; leave it out")
        found[other] = float(rate)
    return found


def _code(value: Value, what: str) -> str:
    code = value.strip().upper() if isinstance(value, str) else ""
    if not _CURRENCY.fullmatch(code):
        raise ValueError(f"{what} is {value!r}; type three letters such as EUR")
    return code
