"""The workbook's own logic: written once in Python, translated for the cells, run for the values shown in them.

An empty cell is None here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.errors import NoDataError
from holdwater.formulas.acquisition import allowable_cpl, cac, cpl, lead_value
from holdwater.formulas.uncertainty import rate_high
from holdwater.twins import (
    fixed,
    is_number,
    item,
    rows,
    spreadsheet_function,
    total,
    total_where,
    weighted,
)
from holdwater.workbook.cells import CellError

if TYPE_CHECKING:
    from holdwater.twins import Column, Shown

# One row of the sheet Sources, or of Months.


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


def row_allowable(conversion: Shown, allowable: Shown, lead_cost: float) -> float | str:
    if is_number(conversion) and is_number(allowable):
        return allowable_cpl(allowable, conversion, lead_cost)
    return ""


def row_worth(conversion: Shown, value: Shown, lead_cost: float) -> float | str:
    if is_number(conversion) and is_number(value):
        return lead_value(value, conversion, lead_cost)
    return ""


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


# The figures of the business.


def leads_per_month(leads: Column, recent: Column) -> float:
    """Average over the months marked as recent: the last three complete ones."""
    if total(recent) == 0:
        raise NoDataError("There is no complete month of leads yet; sync a CRM or an export, then refresh.")
    return weighted(leads, recent) / total(recent)


def conversion_of_paid(judged_leads: Column, judged_customers: Column, spend: Column) -> float:
    """Judged customers per judged lead over the sources that cost money, or over all where no spend is known."""
    leads = total_where(spend, ">0", judged_leads)
    if leads > 0:
        return total_where(spend, ">0", judged_customers) / leads
    return conversion_of_all(judged_leads, judged_customers)


def conversion_of_all(judged_leads: Column, judged_customers: Column) -> float:
    if total(judged_leads) == 0:
        raise NoDataError("No lead is old enough to judge; sync a CRM or an export, then refresh.")
    return total(judged_customers) / total(judged_leads)


def paid_cost_per_lead(spend: Column, leads: Column) -> float:
    """Sources whose spend nets to nothing or less are left out; spend without any source is shared by all leads."""
    spent = total_where(spend, ">0", spend)
    bought = total_where(spend, ">0", leads)
    if spent == 0 or total(leads) == 0:
        raise NoDataError("No spend is known; sync a table of spend, then refresh.")
    return spent / (bought if bought > 0 else total(leads))


def paid_cost_per_customer(spend: Column, customers: Column, months: Column, monthly_sales_cost: float) -> float:
    """Spend over the customers it won, and the sales cost of every month over all customers."""
    won = total_where(spend, ">0", customers)
    if won == 0:
        raise NoDataError("No customer has been won from a source with spend; sync a table of spend, then refresh.")
    return total_where(spend, ">0", spend) / won + monthly_sales_cost * rows(months) / total(customers)


def margin_per_month(revenue: float, share: float) -> float:
    return revenue * share


def won_per_month(leads: float, capacity: float, conversion: float) -> float:
    return min(leads, capacity) * conversion


# The sheet Today.


def shown(value: Shown) -> float | str:
    """The figure, or a dash while there is nothing to compute it from."""
    return value if is_number(value) else "–"  # noqa: RUF001  # a dash as figures have it


def verdict(
    leads: Shown,
    conversion: Shown,
    value: Shown,
    allowable: Shown,
    worth: Shown,
    paid: Shown,
    capacity: Shown,
    customers: Shown,
    places: Shown,
    one_more: Shown,
    full_from: Shown,
    stale: str,
) -> str:
    """The first thing that stands in the way of more leads decides: money, delivery, sales, the rules."""
    if not is_number(leads):
        return "No leads yet. Run holdwater sync, then holdwater refresh."
    if not is_number(conversion):
        return "Nobody has been won yet, or no lead is old enough to judge: what a lead is worth is not known."
    if not is_number(value) or not is_number(allowable) or not is_number(worth):
        return "Inputs are missing or wrong: the sheet Inputs shows which, in the column In use."
    if worth <= 0:
        return "No lead pays, not even a free one: mend conversion, price or churn first."
    if is_number(paid) and paid > worth:
        return (
            f"Each lead loses money: one costs {fixed(paid, 2)} and brings {fixed(worth, 2)} in all."
            " Mend conversion, price or churn first."
        )
    still_pays = stale == "Results are current." and is_number(one_more) and one_more >= 0  # churn makes room in time
    if is_number(places) and is_number(customers) and customers >= places and not still_pays:
        return (
            f"Make room to serve first: {fixed(customers, 0)} customers for {fixed(places, 0)} places."
            " More leads bring nothing until then."
        )
    if is_number(capacity) and leads > capacity:
        return (
            f"Make room to sell first: {fixed(leads, 1)} leads arrive a month, {fixed(capacity, 1)} can be worked."
            " More leads are burned."
        )
    if stale == "Results are current." and is_number(one_more) and one_more < 0:
        if is_number(full_from):
            return (
                f"More leads lose money: from month {fixed(full_from, 0)} on there is no room to serve whom they bring."
                " Make room to serve first."
            )
        if is_number(capacity) and leads + 1 > capacity:
            return (
                f"Make room to sell first: {fixed(leads, 1)} leads arrive a month, {fixed(capacity, 1)} can be worked."
                " One more would be burned."
            )
        return "More leads lose money in the months ahead: the sheet Results says how much."
    if not is_number(paid):
        return f"A lead may cost up to {fixed(allowable, 2)}. Add what you spend to compare."
    if paid > allowable:
        return (
            f"Leads are too dear for your rules: one costs {fixed(paid, 2)} and may cost {fixed(allowable, 2)}."
            " Leave the dear sources, or mend the bucket."
        )
    return f"More leads pay: one costs {fixed(paid, 2)} and may cost {fixed(allowable, 2)}."


def load(leads: Shown, capacity: Shown) -> str:
    if is_number(leads) and is_number(capacity):
        if leads > capacity:
            return (
                f"Sales: {fixed(leads, 0)} leads a month for {fixed(capacity, 0)} that can be worked:"
                f" {fixed(leads - capacity, 0)} are burned."
            )
        return (
            f"Sales: {fixed(leads, 0)} leads a month for {fixed(capacity, 0)} that can be worked:"
            f" room for {fixed(capacity - leads, 0)} more."
        )
    return "Sales: fill in people, hours and minutes on the sheet Inputs."


def outlook(one_more: Shown, months: Shown, stale: str) -> str:
    """What one more lead a month adds over the months looked ahead; a result of refresh."""
    if stale != "Results are current.":
        return "What one more lead adds is unknown until holdwater refresh has computed it from these inputs."
    if is_number(one_more) and is_number(months):
        if one_more < 0:
            return (
                f"One more lead in each of the {fixed(months, 0)} months ahead loses {fixed(-one_more, 2)} in all,"
                " whole customer lives counted."
            )
        return (
            f"One more lead in each of the {fixed(months, 0)} months ahead brings {fixed(one_more, 2)} in all,"
            " whole customer lives counted."
        )
    return "What one more lead adds follows once the inputs are right: then run holdwater refresh again."


def status_line(status: str, about: Column) -> str:
    if rows(about) < 3:
        return status
    return f"{status} Computed {item(about, 3)}."


def sources_left(sources: Column, shown_rows: int) -> str:
    """How many sources the first sheet has no room for."""
    if rows(sources) - 1 > shown_rows:
        return f"and {fixed(rows(sources) - 1 - shown_rows, 0)} more on the sheet Sources"
    return ""


def nth(column: Column, position: int) -> Shown:
    """The n-th row of a whole table column, header included, or nothing below its end."""
    if position >= rows(column):
        return ""
    if item(column, position + 1) == "":
        return ""
    return item(column, position + 1)


@spreadsheet_function("SUMPRODUCT(--({}<>{}))")
def differences(one: Column, other: Column) -> Shown:
    """How many cells differ; an error among them comes out instead."""
    for value in (*one, *other):
        if isinstance(value, CellError):
            return value
    return sum(("" if a is None else a) != ("" if b is None else b) for a, b in zip(one, other, strict=True))


def freshness(used: Column, now: Column) -> str:
    """Whether the results were computed from the inputs as they stand."""
    if rows(used) != rows(now):
        return "Results are not computed yet: run holdwater refresh."
    if is_number(differences(used, now)) and differences(used, now) == 0:
        return "Results are current."
    return "STALE: inputs have changed since the results were computed; run holdwater refresh."


def subtitle(about: Column) -> str:
    if rows(about) < 3:
        return "No data yet: run holdwater sync, then holdwater refresh."
    return f"{item(about, 1)}, as of {item(about, 2)}. Refreshed {item(about, 3)}."


def nth_judged(customers: Column, leads: Column, position: int) -> str:
    """The counts behind the n-th row's conversion."""
    if position >= rows(customers):
        return ""
    won = item(customers, position + 1)
    of = item(leads, position + 1)
    if is_number(won) and is_number(of):
        return f"{fixed(won, 0)} of {fixed(of, 0)}"
    return ""
