"""Totals and averages over whole tables: the figures of the business."""

from __future__ import annotations

from typing import TYPE_CHECKING

from holdwater.errors import NoDataError
from holdwater.twins import is_number, rows, spreadsheet_function, total, total_where, weighted

if TYPE_CHECKING:
    from holdwater.twins import Column


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


def of_paid(column: Column, spend: Column) -> float:
    """Over the sources that cost money, or over all where no spend is known."""
    if total_where(spend, ">0", spend) > 0:
        return total_where(spend, ">0", column)
    return total(column)


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


def won_per_month(leads: float, burned: float, capacity: float, conversion: float) -> float:
    return min(leads * (1 - burned), capacity) * conversion


@spreadsheet_function("COUNT")
def numbers(column: Column) -> int:
    return sum(is_number(value) for value in column)


def sum_of(column: Column) -> float:
    return total(column)


def numbers_in(column: Column) -> int:
    return numbers(column)


def crossed(column: Column, other: Column) -> float:
    return weighted(column, other)
