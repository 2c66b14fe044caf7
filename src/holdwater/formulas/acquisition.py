"""Acquisition: what a lead and a customer cost, and what they may cost."""

from __future__ import annotations

from holdwater.errors import KindError
from holdwater.formula import formula
from holdwater.formulas.series import annuity
from holdwater.units import Cost, Duration, Money, PositiveCount, Price, Rate, Ratio

ACQUISITION = "Acquisition"


@formula(ACQUISITION, Money)
def cpl(spend: Cost, leads: PositiveCount) -> float:
    """What one lead costs: spend divided by leads.

    Arguments:
        spend: money spent to win leads in the period
        leads: leads that came of it, above 0

    Equation:
        spend / leads

    Source:
        Standard definition.

    Examples:
        4,200 spent on 60 leads:

        >>> holdwater.cpl(4200, 60)
        70.0

        Fewer leads for the same money cost more each:

        >>> holdwater.cpl(4200, 48)
        87.5
    """
    return spend / leads


@formula(ACQUISITION, Money)
def cac(spend: Cost, new_customers: PositiveCount, sales_cost: Cost = 0) -> float:
    """What one new customer costs, advertising and sales together.

    Arguments:
        spend: money spent to win leads in the period
        new_customers: customers won in the period, above 0
        sales_cost: wages and tools of the people who sell, in the same period

    Equation:
        (spend + sales_cost) / new_customers

    Source:
        Standard definition; sales cost kept apart because most owners forget it.

    Examples:
        A lead at 70 that takes 30 leads a customer:

        >>> holdwater.cac(2100, 1)
        2100.0

        With 900 of wages it is 3,000:

        >>> holdwater.cac(2100, 1, 900)
        3000.0
    """
    return (spend + sales_cost) / new_customers


@formula(ACQUISITION, Money)
def allowable_cac(
    ltv: Money,
    ratio: Ratio = 3,
    margin: Price | None = None,
    churn: Rate | None = None,
    payback_periods: Duration | None = None,
) -> float:
    """What one new customer may cost: a share of its lifetime value, and no more than it pays back in time.

    Arguments:
        ltv: lifetime value of a customer
        ratio: lifetime value wanted for each unit of acquisition cost
        margin: gross profit of one customer per period, for the cash limit
        churn: share of customers lost per period, for the cash limit; may be 0
        payback_periods: periods within which the cost must have come back

    Equation:
        min(ltv / ratio, margin (1 - (1 - churn)^n) / churn), the second only where the last three are given

    Source:
        Skok, SaaS metrics: a ratio of 3. The cash limit is the sum of the margins that a customer pays in n periods.

    Examples:
        A customer worth 8,840, a quarter of which may be spent:

        >>> holdwater.allowable_cac(8840, 4)
        2210.0

        Worth 10,000, but only 919 come back within a year:

        >>> round(holdwater.allowable_cac(10000, 3, 100, 0.05, 12), 2)
        919.28
    """
    if margin is None and churn is None and payback_periods is None:
        return ltv / ratio
    if margin is None or churn is None or payback_periods is None:
        raise KindError("ALLOWABLE_CAC: give margin, churn and payback_periods together, or none of them.")
    return min(ltv / ratio, margin * annuity(churn, payback_periods))


@formula(ACQUISITION, Money)
def allowable_cpl(allowable_cac: Money, conversion: Rate, lead_cost: Cost = 0, burn: Rate = 0) -> float:
    """What one lead may cost. Negative means that even a free lead loses money.

    Arguments:
        allowable_cac: what one new customer may cost
        conversion: customers won per lead that is worked
        lead_cost: cost of working one lead
        burn: share of leads lost because nobody has time for them

    Equation:
        (allowable_cac x conversion - lead_cost) (1 - burn)

    Source:
        Hunter & Tietyen 1997 name the allowable cost per lead; lead cost and burn are our extension.

    Examples:
        A customer may cost 552.50 and one lead in five becomes one:

        >>> holdwater.allowable_cpl(552.5, 0.2)
        110.5

        One in ten, 8 to work each lead, and a quarter of them is never called:

        >>> holdwater.allowable_cpl(600, 0.1, 8, 0.25)
        39.0
    """
    return _per_lead(allowable_cac, conversion, lead_cost, burn)


@formula(ACQUISITION, Money)
def lead_value(ltv: Money, conversion: Rate, lead_cost: Cost = 0, burn: Rate = 0) -> float:
    """What one lead is worth: the price at which it neither earns nor loses.

    Arguments:
        ltv: lifetime value of a customer
        conversion: customers won per lead that is worked
        lead_cost: cost of working one lead
        burn: share of leads lost because nobody has time for them

    Equation:
        (ltv x conversion - lead_cost) (1 - burn)

    Source:
        Expected value of a lead; at this price the profit is zero.

    Examples:
        A customer worth 750, one lead in ten becomes one:

        >>> holdwater.lead_value(750, 0.1)
        75.0

        A lead that costs more to work than it brings is worth less than nothing:

        >>> holdwater.lead_value(750, 0.01, 10)
        -2.5
    """
    return _per_lead(ltv, conversion, lead_cost, burn)


def _per_lead(per_customer: float, conversion: float, lead_cost: float, burn: float) -> float:
    return (per_customer * conversion - lead_cost) * (1 - burn)
