"""Cohorts: customers won together, how many of them are still there, and what that says about those to come."""

from __future__ import annotations

import math

from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.formulas.retention import RETENTION
from holdwater.formulas.sbg import cohort, life, log_likelihood, odds_of_staying, staying
from holdwater.units import Growth, Money, Parameter, Periods, Rate, Survivors, Timing


@formula(
    RETENTION,
    Parameter,
    row=("alpha", "beta", "log_likelihood"),
    python_only="the likelihood is climbed step by step",
)
def sbg_fit(survivors: Survivors) -> tuple[float, float, float]:
    """Fits the shifted-beta-geometric curve to a cohort: alpha, beta and the log-likelihood they reach.

    Arguments:
        survivors: customers of one cohort still there at time 0, 1, 2, ...; three counts at least

    Equation:
        alpha, beta that maximise the sum over t = 1 ... T of lost(t) ln(S(t-1) - S(t)), plus survivors(T) ln S(T),
        with S(t) = B(alpha, beta + t) / B(alpha, beta)

    Source:
        Fader & Hardie 2007, How to project customer retention. Everyone has a churn of their own, beta-distributed.

    Examples:
        The Regular cohort of the paper, 1,000 customers over seven years:

        >>> regular = [1000, 631, 468, 382, 326, 289, 262, 241]
        >>> [round(number, 3) for number in holdwater.sbg_fit(regular)]
        [0.704, 1.182, -1680.265]

        The High End cohort churns less from the start:

        >>> high_end = [1000, 869, 743, 653, 593, 551, 517, 491]
        >>> [round(number, 3) for number in holdwater.sbg_fit(high_end)]
        [0.668, 3.806, -1611.158]
    """
    counts = cohort(survivors)
    first, rise = odds_of_staying(counts)
    if rise == 0:
        raise NumError(
            f"SBG_FIT: churn does not fall with age, so alpha and beta would grow without end; take a churn of"
            f" {1 / (1 + first):.4g} for all ages."
        )
    return 1 / rise, first / rise, log_likelihood(counts, first, rise)


@formula(RETENTION, Rate, column=True, python_only="the curve is as long as periods says")
def sbg_survival(survivors: Survivors, periods: Periods) -> list[float]:
    """Share of a cohort still there at time 0, 1, 2, ... by the curve fitted to it, beyond the last count too.

    Arguments:
        survivors: customers of one cohort still there at time 0, 1, 2, ...; three counts at least
        periods: the last time wanted, a whole number

    Equation:
        S(t) = B(alpha, beta + t) / B(alpha, beta), with alpha and beta as SBG_FIT finds them;
        (1 - churn)^t, the limit of these curves, where churn does not fall with age

    Source:
        Fader & Hardie 2007, How to project customer retention.

    Examples:
        The Regular cohort of the paper; 24.1 % were there after year 7:

        >>> regular = [1000, 631, 468, 382, 326, 289, 262, 241]
        >>> [round(share, 3) for share in holdwater.sbg_survival(regular, 8)]
        [1.0, 0.627, 0.474, 0.388, 0.332, 0.292, 0.262, 0.239, 0.22]

        Fitted to the first four years only, it foresees year 7:

        >>> round(holdwater.sbg_survival(regular[:5], 7)[-1], 3)
        0.23
    """
    first, rise = odds_of_staying(cohort(survivors))
    return staying(first, rise, int(periods))


@formula(RETENTION, Money, python_only="the curve is fitted, and summed beyond the last count")
def ltv_cohort(
    margin: Money,
    survivors: Survivors,
    discount: Growth = 0,
    growth: Growth = 0,
    periods: Periods | None = None,
    timing: Timing = 0,
) -> float:
    """Lifetime value by a cohort's own counts, and beyond them by the curve fitted to them: loyal customers stay.

    Arguments:
        margin: gross profit of one customer in its first period
        survivors: customers of one cohort still there at time 0, 1, 2, ...
        discount: rate by which money a period later is worth less
        growth: rate by which the margin grows each period
        periods: whole periods counted; without it, a whole life
        timing: 0 paid at the end of a period, 1 at its start, 2 from the first renewal

    Equation:
        sum over t = 0 ... n - 1 of margin (1 + growth)^t S(t) / (1 + discount)^(t + 1); timing 1: / (1 + discount)^t;
        timing 2: S(t + 1). S(t) = survivors(t) / survivors(0), beyond the last T: S(T) sbg(t) / sbg(T)

    Source:
        Fader & Hardie 2010, Customer-base valuation in a contractual setting; sbg as in SBG_SURVIVAL.

    Examples:
        The Regular cohort, 100 a year at a discount of 10 %:

        >>> regular = [1000, 631, 468, 382, 326, 289, 262, 241]
        >>> round(holdwater.ltv_cohort(100, regular, 0.1), 2)
        335.49

        The first year's churn, taken to be everybody's for ever, would say far less:

        >>> round(holdwater.ltv(100, 0.369, 0.1), 2)
        213.22
    """
    counts = cohort(survivors)
    shares = [count / counts[0] for count in counts]
    if timing == 2:
        del shares[0]
    payment = margin if timing == 1 else margin / (1 + discount)
    kept = (1 + growth) / (1 + discount)
    if periods is not None and periods <= len(shares):
        return payment * _worth(shares[: int(periods)], kept)
    if counts[-1] == 0:  # nobody is left to come
        return payment * _worth(shares, kept)
    first, rise = odds_of_staying(counts)
    odds = first + rise * (len(counts) - 1)
    *before, last = shares
    if periods is None:
        leak = (discount - growth) / (1 + discount)
        beyond = life(odds, rise, leak if abs(leak) > 1e-15 * abs(growth) else 0)
        if beyond == math.inf:
            raise NumError(
                "LTV_COHORT: the payments never shrink enough to have a sum; give periods, or more discount."
            )
    else:
        beyond = _worth(staying(odds, rise, int(periods) - len(shares)), kept)
    return payment * (_worth(before, kept) + kept ** len(before) * last * beyond)


def _worth(shares: list[float], kept: float) -> float:
    return sum(share * kept**age for age, share in enumerate(shares))
