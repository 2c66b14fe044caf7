"""How far a number can be trusted: its interval, or that it rests on too few."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.formulas.uncertainty import rate_high, rate_low
from holdwater.twins import fixed, is_number
from holdwater.workbook.sheet_formulas.lookups import found

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown


def trusted(count: Shown, of: Shown) -> str:
    """The counts behind a rate with its 90 % interval, or that they are too few: fewer than five, of which a rate
    may be off by half of itself."""
    if is_number(count) and is_number(of) and of > 0:
        if count < 5:
            return f"Too few: {fixed(count, 0)} of {fixed(of, 0)}"
        low = fixed(100 * rate_low(count, of), 1)
        return f"{fixed(count, 0)} of {fixed(of, 0)}: {low} to {fixed(100 * rate_high(count, of), 1)} %"
    return ""


def if_trusted(value: Shown, count: Shown) -> Shown:
    """A rate of fewer than five is not shown; why stands beside it."""
    if is_number(value) and is_number(count) and count >= 5:
        return value
    return "–"  # noqa: RUF001  # a dash as figures have it


def price_between(customer: Shown, count: Shown, of: Shown, lead_cost: Shown) -> str:
    """What a lead may cost, or is worth, at both ends of the conversion's 90 % interval."""
    if is_number(customer) and is_number(count) and is_number(of) and is_number(lead_cost) and of > 0:
        if count < 5:
            return f"Too few: {fixed(count, 0)} of {fixed(of, 0)}"
        low = fixed(customer * rate_low(count, of) - lead_cost, 2)
        return f"{low} to {fixed(customer * rate_high(count, of) - lead_cost, 2)}"
    return ""


def wins_between(wins: Shown, count: Shown, of: Shown) -> str:
    """Customers won a month at both ends of the conversion's 90 % interval."""
    if is_number(wins) and is_number(count) and is_number(of) and of > 0:
        if count < 5:
            return f"Too few: {fixed(count, 0)} of {fixed(of, 0)}"
        low = fixed(wins * rate_low(count, of) * of / count, 1)
        return f"{low} to {fixed(wins * rate_high(count, of) * of / count, 1)}"
    return ""


def rests_on(count: Shown, of: Shown) -> str:
    """Beside a figure that no such interval is made of: only that it rests on too few."""
    if is_number(count) and is_number(of) and of > 0 and count < 5:
        return f"Too few: {fixed(count, 0)} of {fixed(of, 0)}"
    return ""


def result_if_trusted(values: Column, keys: Column, key: str, count: Shown) -> Shown:
    """A price among the results, which a rate of fewer than five does not show; nothing where there is none."""
    if found(values, key, keys) == "":
        return ""
    if is_number(count) and count >= 5:
        return found(values, key, keys)
    return "–"  # noqa: RUF001  # a dash as figures have it
