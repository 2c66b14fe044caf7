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


@formula(RETENTION, Rate)
def churn_convert(rate: Rate, periods: Duration) -> float:
    """Churn per longer or shorter period: 12 takes a month to a year, 1/12 a year to a month.

    Arguments:
        rate: share of customers lost per period
        periods: how many of its periods the new one is long; 1/12 for a twelfth

    Equation:
        1 - (1 - rate)^periods

    Source:
        Who has left cannot leave again, so rates do not add up: 12 x 5 % is not 60 %.

    Examples:
        5 % a month is 46 % a year:

        >>> round(holdwater.churn_convert(0.05, 12), 4)
        0.4596

        30 % a year is not 2.5 % a month but 2.9 %:

        >>> round(holdwater.churn_convert(0.3, 1 / 12), 4)
        0.0293
    """
    if rate == 1:
        return 1
    return -math.expm1(periods * math.log1p(-rate))  # 1 - (1 - rate)^periods, with all digits for the smallest rate


@formula(RETENTION, Growth)
def discount_convert(rate: Growth, periods: Duration) -> float:
    """Discount or growth per longer or shorter period: 12 takes a month to a year, 1/12 a year to a month.

    Arguments:
        rate: discount, interest or growth per period
        periods: how many of its periods the new one is long; 1/12 for a twelfth

    Equation:
        (1 + rate)^periods - 1

    Source:
        Compound interest.

    Examples:
        10 % a year is 0.797 % a month:

        >>> round(holdwater.discount_convert(0.1, 1 / 12), 5)
        0.00797

        1 % a month is 12.7 % a year:

        >>> round(holdwater.discount_convert(0.01, 12), 4)
        0.1268
    """
    return math.expm1(periods * math.log1p(rate))  # (1 + rate)^periods - 1, with all digits for the smallest rate


@formula(RETENTION, Duration)
def lifetime(churn: Rate, cap: Duration | None = None) -> float:
    """Periods that a customer stays on average.

    Arguments:
        churn: share of customers lost per period
        cap: the most that you are willing to count on; without it, any number

    Equation:
        1 / churn, and no more than cap

    Source:
        Mean of the geometric distribution. Stripe caps it at 60 months.

    Examples:
        4 % leave each month:

        >>> holdwater.lifetime(0.04)
        25.0

        Nobody has left so far, and five years are as long as one may hope:

        >>> holdwater.lifetime(0, 60)
        60.0
    """
    if cap is not None:
        return cap if churn * cap <= 1 else 1 / churn
    if churn == 0:
        raise NumError("LIFETIME: nobody ever leaves at a churn of 0, so a lifetime has no end; give cap.")
    return 1 / churn


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
