"""The business of a workbook as a `Bucket`: which checked input or refreshed figure each label comes from."""

from __future__ import annotations

from math import inf

from holdwater.bucket import Bucket
from holdwater.errors import FormulaError, NoDataError
from holdwater.workbook.cells import CellError
from holdwater.workbook.evaluate import Values


def bucket_of(values: Values) -> Bucket:
    """The business as it stands; without known spend, leads are free.

    The referred are no leads where the input for them is above 0, and are leads like any other where it is 0, so they
    count once. Fit is not known, so it stays within the conversion. FormulaError (with the cell's error) where an input
    is missing or wrong, or a figure has no data yet.
    """
    leads = number(values, "counted_ever")
    spend = sum(value for value in values["hw_sources[Spend]"] if value and value > 0)
    conversion, burn = conversion_and_burn(values)
    return Bucket(
        leads=number(values, "counted_leads"),
        cost_per_lead=spend / leads if leads else 0,
        next_lead_cost=number(values, "paid_lead_cost") if spend else 0,
        conversion=conversion,
        burn=burn,
        lead_capacity=number(values, "counted_limit"),
        lead_cost=number(values, "lead_work_cost"),
        revenue_per_customer=number(values, "monthly_revenue"),
        gross_margin=number(values, "margin_share"),
        churn=number(values, "monthly_churn"),
        discount=number(values, "monthly_discount"),
        referral_rate=number(values, "monthly_referral"),
        customers=number(values, "customers_now"),
        customer_capacity=inf if values["service_capacity"] == "" else number(values, "service_capacity"),
        fixed_cost=number(values, "monthly_fixed_cost") + number(values, "monthly_sales_cost"),
        horizon=int(number(values, "horizon_months")),
    )


def number(values: Values, name: str) -> float:
    value = values[name]
    if isinstance(value, CellError):
        error = FormulaError(f"{name} is {value}")
        error.cell = str(value)
        raise error
    return float(value)


def conversion_and_burn(values: Values) -> tuple[float, float]:
    """Won of those worked, and the share of leads that nobody worked though the hours on Inputs were enough.

    Where the record does not tell who was worked, the hours do. What they cannot explain is burned: the model takes off
    by lead_capacity what they can.
    """
    if share_worked_by_record(values) is None and number(values, "counted_conversion") > number(values, "share_worked"):
        raise NoDataError(
            "More customers were won than the hours for leads on the sheet Inputs allow to be worked:"
            " correct the people, their hours or the minutes there."
        )
    return number(values, "conversion_if_worked"), number(values, "share_burned")


def share_worked_by_record(values: Values) -> float | None:
    """Of the judged leads; None where no CRM keeps whom the firm has approached, or nobody is judged."""
    worked, judged = number(values, "counted_worked"), number(values, "counted_judged")
    return worked / judged if worked and judged else None
