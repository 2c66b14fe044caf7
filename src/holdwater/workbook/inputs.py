"""What a person types: the inputs of the workbook, one row each."""

from __future__ import annotations

from dataclasses import dataclass

from holdwater.units import (
    Cost,
    Count,
    Duration,
    Growth,
    Hours,
    Minutes,
    Months,
    PositiveCount,
    PositiveRate,
    Price,
    Rate,
    Ratio,
    Text,
    Unit,
)


@dataclass(frozen=True, slots=True)
class Input:
    """One typed number or text. `default` None and not `required`: left empty it means what `meaning` says.

    `measured` is the figure that stands in its place while nothing is typed.
    """

    group: str
    label: str
    name: str  # of the checked cell that formulas use
    unit: Unit
    default: float | str | None
    meaning: str
    required: bool = True
    measured: str | None = None

    @property
    def is_text(self) -> bool:
        return self.unit.number_format == TEXT

    @property
    def typed_name(self) -> str:
        return f"{self.name}_typed"


def _unit(unit: object) -> Unit:
    """The names of units are plain numbers to a type checker; here they are wanted as the units they are."""
    if not isinstance(unit, Unit):
        raise TypeError(unit)
    return unit


MONEY, SELLING, DELIVERY, POLICY, BOOKS = "Money", "Selling", "Delivery", "Rules", "Books"
TEXT = "@"
_WEEKDAY = Unit("day, 1 to 7", "0", low=1, high=7, whole=True)
_MONTH = Unit("month, 1 to 12", "0", low=1, high=12, whole=True)

INPUTS = (
    Input(MONEY, "Revenue per customer and month", "monthly_revenue", _unit(Price), None,
          "What one customer pays in a month, before costs."),
    Input(MONEY, "Gross margin", "margin_share", _unit(PositiveRate), None,
          "Share of that revenue left after the direct costs of serving the customer."),
    Input(MONEY, "Customers lost per month", "monthly_churn", _unit(Rate), None,
          "Share of the customers at the start of a month who leave during it. Left empty: as measured below overload.",
          measured="measured_churn"),
    Input(MONEY, "Discount per month", "monthly_discount", _unit(Growth), 0.0,
          "By how much money a month later is worth less. 10 % a year is about 0.8 % a month."),
    Input(MONEY, "Fixed cost per month", "monthly_fixed_cost", _unit(Cost), 0.0,
          "Rent, wages and tools that do not depend on the number of leads or customers."),
    Input(SELLING, "Cost of working one lead", "lead_work_cost", _unit(Cost), 0.0,
          "Wages and calls for one lead, whether it buys or not."),
    Input(SELLING, "Sales cost per month", "monthly_sales_cost", _unit(Cost), 0.0,
          "Wages and tools of the people who sell, where the cost of working a lead does not hold them already."),
    Input(SELLING, "People who work leads", "sales_people", _unit(Count), None,
          "How many people answer leads."),
    Input(SELLING, "Hours each has for it per month", "sales_hours", _unit(Hours), None,
          "Hours left for leads after everything else."),
    Input(SELLING, "Minutes per touch", "touch_minutes", _unit(Minutes), None,
          "Minutes for one call, mail or meeting."),
    Input(SELLING, "Touches per lead", "lead_touches", _unit(PositiveCount), 1.0,
          "Calls, mails and meetings that one lead takes."),
    Input(SELLING, "Share of hours really used", "hours_used", _unit(PositiveRate), 0.8,
          "Nobody sells 100 % of the time; 80 % is a good rule."),
    Input(SELLING, "Budget for leads per month", "lead_budget", _unit(Price), None,
          "To be split over the sources typed on the sheet Fixes. Left empty: any sum that pays.", required=False),
    Input(DELIVERY, "Customers now", "customers_now", _unit(Count), 0.0,
          "Paying customers today."),
    Input(DELIVERY, "Customers that can be served", "service_capacity", _unit(PositiveCount), None,
          "Left empty: any number.", required=False),
    Input(DELIVERY, "Customers referred per customer and month", "monthly_referral", _unit(Rate), 0.0,
          "Customers whom one customer brings in a month. Above 0, those from a source named referral are no leads."),
    Input(POLICY, "Lifetime value wanted per unit of cost", "value_to_cost", _unit(Ratio), 3.0,
          "3 means that a third of the lifetime value may be spent on winning the customer."),
    Input(POLICY, "Months to pay back", "payback_months", _unit(Duration), 12.0,
          "The cost of a customer must come back within these months."),
    Input(POLICY, "Months to look ahead", "horizon_months", _unit(Months), 24.0,
          "For the projection on the sheet Results; a whole number, 1 to 1200."),
    Input(BOOKS, "First month of the fiscal year", "fiscal_start", _MONTH, 1.0,
          "1 is January. A fiscal year has the number of the calendar year in which it ends; for the sheet Years."),
    Input(BOOKS, "First day of the week", "week_start", _WEEKDAY, 1.0,
          "1 is Monday, 7 is Sunday; for the sheet Weeks."),
    Input(BOOKS, "Time zone", "time_zone", _unit(Text), "UTC",
          "Days and months begin at midnight there: a name such as Europe/Berlin or America/New_York."),
    Input(BOOKS, "Currency of the books", "books_currency", _unit(Text), None,
          "Three letters such as EUR. Left empty: the one that all spend is in. Rates of others are typed below.",
          required=False),
)  # fmt: skip
