"""Retention and lifetime value: how long customers stay, and what that is worth."""

from __future__ import annotations

import math

from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.formulas.series import annuity
from holdwater.units import Cost, Count, Duration, Growth, Money, PositiveCount, Price, Rate, Ratio, Timing

RETENTION = "Retention and lifetime value"


@formula(RETENTION, Rate)
def churn(start: PositiveCount, lost: Count) -> float:
    """Share of customers lost in a period.

    Arguments:
        start: customers at the start of the period
        lost: how many of those were lost during it

    Equation:
        lost / start

    Source:
        Standard definition. New customers of the period do not count.

    Examples:
        Eight of 200 left:

        >>> holdwater.churn(200, 8)
        0.04

        Nobody left:

        >>> holdwater.churn(200, 0)
        0.0
    """
    if lost > start:
        raise NumError("CHURN: more customers were lost than there were at the start; leave new customers out.")
    return lost / start


@formula(RETENTION, Money)
def ltv(
    margin: Money,
    churn: Rate,
    discount: Growth = 0,
    growth: Growth = 0,
    periods: Duration | None = None,
    timing: Timing = 0,
) -> float:
    """Lifetime value: what all payments of one customer are worth today.

    Arguments:
        margin: gross profit of one customer in its first period
        churn: share of customers lost per period
        discount: rate by which money a period later is worth less
        growth: rate by which the margin grows each period
        periods: periods counted; without it, a whole life
        timing: 0 paid at the end of a period, 1 at its start, 2 from the first renewal

    Equation:
        margin A / (1 + discount), with A = (1 - q^n) / (1 - q), q = (1 - churn)(1 + growth) / (1 + discount);
        times (1 + discount) for timing 1, times (1 - churn) for timing 2

    Source:
        Gupta & Lehmann 2005 (timing 2); Pfeifer & Farris 2004 (timing 1); timing 0 and 1 as in Excel's PV.

    Examples:
        40 a month at 75 % gross margin, 4 % leave each month:

        >>> holdwater.ltv(30, 0.04)
        750.0

        Darden's case: the first margin now, 0.5 % churn, 1 % discount:

        >>> round(holdwater.ltv(17.95, 0.005, 0.01, timing=1), 2)
        1208.63
    """
    leak = churn + discount - growth + churn * growth  # (1 - q)(1 + discount), without the loss of digits
    if periods is None:
        if leak <= 1e-15 * abs(growth):
            raise NumError(
                "LTV: the payments never shrink, so their sum has no end; give periods, or a higher discount."
            )
        value = margin / leak
    else:
        value = margin * annuity(min(1, leak / (1 + discount)), periods) / (1 + discount)
    if timing == 1:
        return value * (1 + discount)
    if timing == 2:
        return value * (1 - churn)
    return value


@formula(RETENTION, Ratio)
def ltv_cac(ltv: Money, cac: Price) -> float:
    """How many times over a customer brings back what it cost.

    Arguments:
        ltv: lifetime value of a customer
        cac: what one new customer costs, above 0

    Equation:
        ltv / cac

    Source:
        Skok: 3 or more is healthy.

    Examples:
        Worth 750, cost 250:

        >>> holdwater.ltv_cac(750, 250)
        3.0

        Worth less than it cost:

        >>> holdwater.ltv_cac(750, 1000)
        0.75
    """
    return ltv / cac


@formula(RETENTION, Duration)
def payback(cac: Cost, margin: Price, churn: Rate = 0, discount: Growth = 0) -> float:
    """Periods until a new customer has paid back what it cost; `#NUM!` if it never does.

    Arguments:
        cac: what one new customer costs
        margin: gross profit of one customer per period
        churn: share of customers lost per period
        discount: rate by which money a period later is worth less

    Equation:
        n with margin / (1 + discount) (1 - k^n) / (1 - k) = cac, k = (1 - churn) / (1 + discount)

    Source:
        Metrickit for the simple form; with churn it is the annuity solved for its length, as NPER does.

    Examples:
        6,000 at 400 a month:

        >>> holdwater.payback(6000, 400)
        15.0

        When 3 % leave each month it takes almost 20:

        >>> round(holdwater.payback(6000, 400, 0.03), 1)
        19.6
    """
    leak = churn + discount
    if cac * leak >= margin or churn == 1:
        raise NumError("PAYBACK: the cost never comes back; it needs a lower cost, a higher margin or less churn.")
    if leak == 0:
        return cac * (1 + discount) / margin
    return math.log1p(-(cac * leak / margin)) / math.log1p(-(leak / (1 + discount)))


@formula(RETENTION, Count)
def customers_ceiling(new_customers: Count, churn: Rate, referral: Rate = 0) -> float:
    """The number of customers at which as many leave as come: growth ends there.

    Arguments:
        new_customers: customers won per period without referrals
        churn: share of customers lost per period
        referral: new customers that one customer brings per period

    Equation:
        new_customers / (churn - referral)

    Source:
        Steady state of N' = N (1 - churn + referral) + new_customers.

    Examples:
        Ten a month come, 5 % a month go:

        >>> holdwater.customers_ceiling(10, 0.05)
        200.0

        If each customer brings 0.01 a month the ceiling rises:

        >>> holdwater.customers_ceiling(10, 0.05, 0.01)
        250.0
    """
    if referral >= churn:
        raise NumError("CUSTOMERS_CEILING: referrals replace everyone who leaves, so there is no ceiling.")
    return new_customers / (churn - referral)
