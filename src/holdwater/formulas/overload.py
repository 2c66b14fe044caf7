"""Overload: more customers than the people can serve leave faster, so growth ends where the service does."""

from __future__ import annotations

import math

from holdwater.errors import KindError, NoDataError, NumError
from holdwater.formula import formula
from holdwater.formulas.capacity import CAPACITY
from holdwater.formulas.student import student_deviate
from holdwater.units import (
    Confidence,
    Count,
    PairedCounts,
    PairedPositiveCounts,
    PositiveCount,
    PositiveRate,
    Rate,
    Share,
    Slope,
)


@formula(CAPACITY, Rate)
def churn_overloaded(
    churn: Rate, customers: Count, capacity: PositiveCount, slope: Slope, threshold: PositiveRate = 0.9
) -> float:
    """Share of customers lost per period when there are so many that the service suffers.

    Arguments:
        churn: share of customers lost per period while there is time for all of them
        customers: customers now
        capacity: customers that can be served well, as from CUSTOMER_CAPACITY
        slope: how much churn rises as customers grow by one whole capacity; OVERLOAD_SLOPE measures it
        threshold: share of the capacity above which churn begins to rise

    Equation:
        min(1, churn + slope x max(0, customers / capacity - threshold))

    Source:
        A line above a threshold, the simplest form that past periods can confirm or refute.

    Examples:
        150 customers where 150 can be served: 3 % become 6 %:

        >>> round(holdwater.churn_overloaded(0.03, 150, 150, 0.3), 4)
        0.06

        With 120 there is time for everybody:

        >>> holdwater.churn_overloaded(0.03, 120, 150, 0.3)
        0.03
    """
    return min(1, churn + slope * max(0, customers / capacity - threshold))


def _swings(
    new_customers: float, churn: float, capacity: float, slope: float, threshold: float, referral: float
) -> str:
    settled = customers_settled(new_customers, churn, capacity, slope, threshold, referral)
    lost = churn_overloaded(churn, settled, capacity, slope, threshold)
    # One customer more now is 1 - lost + referral - slope x load more next period; below -1 that is a growing swing.
    if lost == churn or lost == 1 or settled * slope / capacity <= 2 + referral - lost:
        return ""
    return (
        f"The customers will swing around {settled:,.1f} rather than settle there:"
        " overload drives so many away at once that the next period has too few."
    )


@formula(CAPACITY, Count, remark=_swings)
def customers_settled(
    new_customers: Count,
    churn: Rate,
    capacity: PositiveCount,
    slope: Slope,
    threshold: PositiveRate = 0.9,
    referral: Share = 0,
) -> float:
    """Customers at which as many leave as come, when churn rises with overload.

    Where slope x customers / capacity is above 2 + referral - CHURN_OVERLOADED (and that churn is below 1), the
    customers do not settle there but swing around it from period to period; EXPLAIN says so.

    Arguments:
        new_customers: customers won per period without referrals
        churn: share of customers lost per period while there is time for all of them
        capacity: customers that can be served well, as from CUSTOMER_CAPACITY
        slope: how much churn rises as customers grow by one whole capacity; OVERLOAD_SLOPE measures it
        threshold: share of the capacity above which churn begins to rise
        referral: new customers that one customer brings per period

    Equation:
        the largest N with N x CHURN_OVERLOADED(churn, N, capacity, slope, threshold) = new_customers + referral x N

    Source:
        Steady state of N' = N (1 - CHURN_OVERLOADED + referral) + new_customers.

    Examples:
        Ten a month come, 3 % a month go, 150 can be served:

        >>> round(holdwater.customers_settled(10, 0.03, 150, 0.3), 1)
        152.7

        Twice the new customers bring one in six more, where CUSTOMERS_CEILING hopes for twice as many:

        >>> round(holdwater.customers_settled(20, 0.03, 150, 0.3), 1)
        176.6
    """
    if slope == 0 and referral >= churn:
        raise NumError("CUSTOMERS_SETTLED: referrals replace everyone who leaves and nothing slows growth; give slope.")
    if slope == 0:
        return new_customers / (churn - referral)
    # The churn is the lower of 1 and the higher of two lines, so N is the higher of the root for a churn of 1 and
    # the lower of the roots for the lines; the quadratic one is written so that nothing cancels.
    lift = slope * threshold + (referral - churn)
    root = math.sqrt(lift * lift + 4 * slope * (new_customers / capacity))
    settled = capacity * ((lift + root) / (2 * slope)) if lift >= 0 else 2 * new_customers / (root - lift)
    if referral < churn:
        settled = min(settled, new_customers / (churn - referral))
    return max(settled, new_customers / (1 - referral))


@formula(
    CAPACITY,
    Rate,
    columns=("churn", "slope", "slope_low", "slope_high"),
    python_only="it fits a line to past periods",
)
def overload_slope(
    customers: PairedCounts,
    lost: PairedCounts,
    capacity: PairedPositiveCounts,
    threshold: PositiveRate = 0.9,
    confidence: Confidence = 0.9,
) -> list[dict[str, float]]:
    """How much churn rises with overload, from past periods: churn without overload, slope, and its limits.

    Periods with neither customers nor lost filled in, or that began without customers, are left out; at least
    three must lie above the threshold, else `#N/A`. The limits rest on how far the periods scatter around the line.

    Arguments:
        customers: customers at the start of each period
        lost: how many of those were lost during it
        capacity: customers that could be served well: one number, or one for each period
        threshold: share of the capacity above which churn begins to rise
        confidence: how often the true slope lies between the limits

    Equation:
        least squares of lost / customers = churn + slope x max(0, customers / capacity - threshold), weighted by
        customers w; limits slope -+ t sqrt(sum of (w (x - mean) miss)^2) / sum of w (x - mean)^2, miss how far a
        period lies from the line through the others, t Student's deviate with n - 2 degrees of freedom

    Source:
        Weighted linear regression; limits after MacKinnon & White 1985 (HC3), because high churn scatters more than
        low churn: the usual limits hold the true slope only 80 to 86 times in 100 where they promise 90.

    Examples:
        Churn was about 3 % until the customers outgrew the 150 that can be served:

        >>> past = [100, 120, 150, 165, 180], [3, 4, 9, 15, 21]
        >>> (line,) = holdwater.overload_slope(*past, 150)
        >>> [round(line[name], 3) for name in ("churn", "slope", "slope_low", "slope_high")]
        [0.032, 0.285, 0.258, 0.313]

        The wanted confidence moves the limits, not the line:

        >>> (line,) = holdwater.overload_slope(*past, 150, confidence=0.99)
        >>> [round(line[name], 3) for name in ("churn", "slope", "slope_low", "slope_high")]
        [0.032, 0.285, 0.218, 0.353]
    """
    weights, loads, rates = _past(customers, lost, capacity, threshold)
    above = sum(load > 0 for load in loads)
    if above < 3:
        raise NoDataError(
            f"OVERLOAD_SLOPE: {above} of the periods lie above the threshold, 3 are needed; give more periods."
        )
    if min(loads) == max(loads):
        raise NoDataError("OVERLOAD_SLOPE: every period has the same overload; give periods that differ.")
    total = math.fsum(weights)
    load_mean = math.fsum(w * x for w, x in zip(weights, loads, strict=True)) / total
    rate_mean = math.fsum(w * y for w, y in zip(weights, rates, strict=True)) / total
    offsets = [(w, x - load_mean, y - rate_mean) for w, x, y in zip(weights, loads, rates, strict=True)]
    spread = math.fsum(w * x * x for w, x, _ in offsets)
    slope = math.fsum(w * x * y for w, x, y in offsets) / spread
    # How much of the line's height at a period the other periods decide.
    others = [1 - w / total - w * x * x / spread for w, x, _ in offsets]
    if min(others) < 1e-9:
        raise NoDataError(
            "OVERLOAD_SLOPE: the slope hangs on one period, all others have the same overload; give more periods."
        )
    errors = [w * x * (y - slope * x) / share for (w, x, y), share in zip(offsets, others, strict=True)]
    reach = student_deviate(confidence, len(offsets) - 2) * math.hypot(*errors) / spread
    if not math.isfinite(slope + reach):
        raise NumError("OVERLOAD_SLOPE: there is no finite answer; use smaller or less extreme numbers.")
    return [
        {
            "churn": rate_mean - slope * load_mean,
            "slope": slope,
            "slope_low": slope - reach,
            "slope_high": slope + reach,
        }
    ]


def _past(
    customers: PairedCounts, lost: PairedCounts, capacity: PairedPositiveCounts, threshold: float
) -> tuple[list[float], list[float], list[float]]:
    """Customers, overload and churn of each period that had customers."""
    capacities = list(capacity) * len(customers) if len(capacity) == 1 else capacity
    if not len(customers) == len(lost) == len(capacities):
        raise KindError(
            f"OVERLOAD_SLOPE: customers has {len(customers)} cells, lost {len(lost)} and capacity {len(capacity)};"
            " give the same periods in each (capacity may be one number)."
        )
    weights, loads, rates = [], [], []
    for start, gone, served in zip(customers, lost, capacities, strict=True):
        if start is None and gone is None:
            continue
        if start is None or gone is None or served is None:
            raise KindError("OVERLOAD_SLOPE: a period lacks customers, lost or capacity; fill in or clear all of it.")
        if gone > start:
            raise NumError(f"OVERLOAD_SLOPE: {gone:g} customers were lost of {start:g}; leave new customers out.")
        if start > 0:
            weights.append(start)
            loads.append(max(0.0, start / served - threshold))
            rates.append(gone / start)
    return weights, loads, rates
