"""The ceiling: the number of customers at which as many leave as come, and the way to it."""

from __future__ import annotations

import math

from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.formulas.retention import RETENTION
from holdwater.units import Count, Duration, PositiveRate, Rate


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


@formula(RETENTION, Duration)
def ceiling_periods(
    new_customers: Count, churn: Rate, customers: Count, referral: Rate = 0, share: PositiveRate = 0.9
) -> float:
    """Periods until a business is close to its ceiling, from below or, when it is sliding, from above.

    Arguments:
        new_customers: customers won per period without referrals
        churn: share of customers lost per period
        customers: customers now
        referral: new customers that one customer brings per period
        share: close means that the gap is 1 - share of the ceiling or less

    Equation:
        ln((1 - share) N / gap) / ln(1 - churn + referral), with N = new_customers / (churn - referral),
        gap = |N - customers|; 0 where the gap is that small already

    Source:
        N(t) = N - (N - customers) (1 - churn + referral)^t, solved for t.

    Examples:
        Ten a month come, 5 % go; a new business has 90 % of its 200 customers in under four years:

        >>> round(holdwater.ceiling_periods(10, 0.05, 0), 1)
        44.9

        With 300 customers the same business slides towards 200, and is at 220 in 31 months:

        >>> round(holdwater.ceiling_periods(10, 0.05, 300), 1)
        31.4
    """
    if referral >= churn:
        raise NumError("CEILING_PERIODS: referrals replace everyone who leaves, so there is no ceiling.")
    ceiling = new_customers / (churn - referral)
    gap = abs(ceiling - customers)
    near = (1 - share) * ceiling
    if gap <= near * (1 + 1e-12):  # 90 % of 200 is a hair off 180 in floating point
        return 0
    if near == 0:
        raise NumError(
            "CEILING_PERIODS: the ceiling is neared but never reached; give new_customers above 0, share below 1."
        )
    if churn - referral == 1:  # everybody is replaced at once
        return 0
    return math.log(near / gap) / math.log1p(-(churn - referral))
