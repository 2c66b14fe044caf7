"""One row of a table: a source, a month, a reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.formulas.acquisition import allowable_cpl, cac, cpl, lead_value
from holdwater.formulas.uncertainty import rate_high
from holdwater.twins import fixed, is_number
from holdwater.workbook.sheet_formulas.trust import trusted

if TYPE_CHECKING:
    from holdwater.twins import Shown


def row_conversion(judged_customers: float | None, judged_leads: float | None) -> float | str:
    if judged_customers is None or judged_leads is None or judged_leads == 0:
        return ""
    return judged_customers / judged_leads


def row_cpl(spend: float | None, leads: float | None) -> float | str:
    if spend is None or leads is None or leads == 0:
        return ""
    return cpl(spend, leads)


def row_cac(spend: float | None, customers: float | None) -> float | str:
    if spend is None or customers is None or customers == 0:
        return ""
    return cac(spend, customers)


def row_allowable(conversion: Shown, customers: Shown, allowable: Shown, lead_cost: float) -> float | str:
    """Of fewer than five customers no price is named, here as everywhere."""
    if is_number(conversion) and is_number(allowable) and is_number(customers) and customers >= 5:
        return allowable_cpl(allowable, conversion, lead_cost)
    return ""


def row_worth(conversion: Shown, customers: Shown, value: Shown, lead_cost: float) -> float | str:
    if is_number(conversion) and is_number(value) and is_number(customers) and customers >= 5:
        return lead_value(value, conversion, lead_cost)
    return ""


def row_counted(records: Shown, told: Shown, kept: Shown) -> str:
    """What a source counts itself, against the rows of the store."""
    if records is None:
        return ""
    if told is None:
        return "not told: the source tells no count, or could not be asked"
    if told == kept:
        return "OK"
    return "FAIL: sync with --reconcile, then refresh; if it stays, --full"


def row_advice(
    paid: Shown, allowable: Shown, worth: Shown, at_most: Shown, judged_leads: Shown, judged_customers: Shown
) -> str:
    """Below five customers a rate says little: only a price above what is likely at most is called a loss."""
    if is_number(judged_leads) and is_number(judged_customers) and judged_leads > 0:
        if is_number(paid) and is_number(at_most) and paid > at_most:
            return "loses money, even at the highest likely conversion"
        if judged_customers < 5:
            return f"too few to say: {fixed(judged_customers, 0)} of {fixed(judged_leads, 0)}"
        if is_number(paid) and is_number(allowable) and is_number(worth):
            if paid > worth:
                return f"loses {fixed(paid - worth, 2)} a lead"
            if paid > allowable:
                return f"too dear by {fixed(paid - allowable, 2)} a lead"
            return f"pays, {fixed(allowable - paid, 2)} a lead to spare"
        return "no spend known"
    return ""


def row_worth_at_most(judged_leads: Shown, judged_customers: Shown, value: Shown, lead_cost: float) -> float | str:
    """What a lead is worth at the highest likely conversion, where fewer than five customers say little."""
    if is_number(judged_leads) and is_number(judged_customers) and is_number(value) and judged_leads > 0:
        if judged_customers < 5:
            return lead_value(value, rate_high(judged_customers, judged_leads), lead_cost)
        return ""
    return ""


def row_number(value: Shown) -> Shown:
    return value if is_number(value) else ""


def row_trust(count: Shown, of: Shown) -> str:
    return trusted(count, of)
