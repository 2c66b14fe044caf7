"""Limits: what physically holds the business back, what one more of it is worth, and how many leads it can take."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

from holdwater.bucket.labels import label_of
from holdwater.bucket.lead_curve import LeadCurve
from holdwater.bucket.model import Bucket
from holdwater.bucket.projection import BUCKET, profit, project
from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.units import Count, Model, Money, PositiveCount, Text

LIMITS = ("customer_capacity", "onboarding_capacity", "lead_capacity")  # the one named first wins a tie
CONSTRAINTS = (*LIMITS, "leads")


def shadow_price(bucket: Bucket, constraint: str, step: float) -> float:
    more = replace(bucket, **{constraint: getattr(bucket, constraint) + step})
    return (profit(more, paid_today=bucket.leads) - profit(bucket)) / step


def limits_reached(bucket: Bucket) -> list[str]:
    """The limits that hold back leads, newcomers or service at some time, in the order of LIMITS."""
    # At the end of the horizon the customers count once more, in the closing value.
    periods = list(project(bucket))
    last = periods[-1]
    most = max(*(period.customers for period in periods), last.customers + last.new - last.lost)
    busy = bucket.customer_capacity * (bucket.overload_threshold if bucket.overload_slope else 1)
    reached = {
        "customer_capacity": most >= busy,
        "onboarding_capacity": any(period.turned_away > 0 for period in periods),
        "lead_capacity": bucket.leads * (1 - bucket.burn) > bucket.lead_capacity,
    }
    return [limit for limit in LIMITS if reached[limit]]


def tightest(bucket: Bucket, limits: list[str]) -> str:
    """Of these limits the one of which 1 % more adds most profit."""
    values = [
        profit(replace(bucket, **{limit: getattr(bucket, limit) * 1.01}), paid_today=bucket.leads) for limit in limits
    ]
    return limits[values.index(max(values))]


@formula(BUCKET, Money, python_only="a loop over the periods")
def constraint_value(model: Model, constraint: Text, step: PositiveCount = 1) -> float:
    """Shadow price: what one more of a capacity, or one more lead per period, adds to profit over the whole horizon.

    Divide it by the sum of (1 + discount)^-t over the periods to compare it with a wage.

    Arguments:
        model: the business as rows of label and value, or a Bucket
        constraint: lead_capacity, onboarding_capacity, customer_capacity or leads
        step: how much more of it

    Equation:
        (BUCKET_PROFIT with step more of constraint - BUCKET_PROFIT) / step

    Source:
        Shadow price as in linear programming, here of the whole model and over a finite step.

    Examples:
        Sales can work 80 of the 100 leads; time for one more a month is worth 1,920 in two years:

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05, "lead capacity": 80}
        >>> round(holdwater.constraint_value(gym, "lead capacity"))
        1920

        One more lead a month would be one more that nobody calls:

        >>> round(holdwater.constraint_value(gym, "leads"))
        -360
    """
    return shadow_price(Bucket.of(model), label_of(constraint, CONSTRAINTS, "CONSTRAINT_VALUE: constraint"), step)


@formula(BUCKET, Text, python_only="a loop over the periods")
def bottleneck(model: Model) -> str:
    """What physically limits the business: a capacity that is used up, else leads if one more pays, else none.

    Of several capacities it is the one of which 1 % more adds most profit.

    Arguments:
        model: the business as rows of label and value, or a Bucket

    Equation:
        customer_capacity if customers reach it, at the end of the horizon at the latest (overload_threshold x it when
        overload_slope is above 0); onboarding_capacity if anyone is turned away; lead_capacity if leads (1 - burn)
        exceed it; else leads if one more lead adds profit; else none

    Source:
        Theory of constraints: one limit decides what the whole can do.

    Examples:
        Sales can work 80 of the 100 leads:

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05}
        >>> holdwater.bottleneck(gym | {"lead capacity": 80})
        'lead_capacity'

        With nothing in the way, leads are what is missing:

        >>> holdwater.bottleneck(gym)
        'leads'
    """
    bucket = Bucket.of(model)
    reached = limits_reached(bucket)
    if reached:
        return tightest(bucket, reached)
    return "leads" if shadow_price(bucket, "leads", 1) > 0 else "none"


@formula(BUCKET, Count, python_only="a loop over the periods, and a search")
def leads_safe(model: Model) -> float:
    """The lead flow at which profit peaks, all else equal: beyond it leads are burned, turned away or overload service.

    Of several it is the smallest. 0 if no lead pays. Where overload makes the customers swing from period to period,
    profit does too, and the peak is the highest of those found on a grid of 500 flows.

    Arguments:
        model: the business as rows of label and value, or a Bucket; leads beyond its leads cost next_lead_cost

    Equation:
        the smallest leads >= 0 with the highest BUCKET_PROFIT

    Source:
        Marginal cost equals marginal value, over the whole horizon and all limits.

    Examples:
        Sales can work 80 leads a month, so the other 20 are wasted:

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05, "lead capacity": 80}
        >>> holdwater.leads_safe(gym)
        80.0

        At 90 a lead, not one of them pays:

        >>> holdwater.leads_safe(gym | {"cost per lead": 90})
        0.0
    """
    return LeadCurve(Bucket.of(model)).peak


def constraint_range(model: object, constraint: str) -> tuple[float, float]:
    """From where to where a capacity (or the leads) can go, all else equal, before the limits that bind are others.

    Its CONSTRAINT_VALUE belongs to this range, in which it may become less; at the ends another limit begins or ceases
    to bind.
    """
    bucket = Bucket.of(model)
    label = label_of(constraint, CONSTRAINTS, "Bucket.constraint_range: constraint")
    now = getattr(bucket, label)
    if now == inf:
        raise NumError(f"Bucket.constraint_range: {label} is unlimited; give it a number.")
    binding = limits_reached(bucket)

    def same(value: float) -> bool:
        changed: dict[str, Any] = {label: value}
        return limits_reached(replace(bucket, **changed)) == binding

    far = max(now, 1.0)
    while same(far) and far < 1e12 * max(now, 1.0):
        far *= 2
    lowest = 5e-324 if label == "customer_capacity" else 0.0
    return (0.0 if same(lowest) else _edge(same, now, lowest)), (inf if same(far) else _edge(same, now, far))


def _edge(holds: Callable[[float], bool], inside: float, outside: float) -> float:
    """The last value, seen from inside, at which it still holds."""
    while abs(outside - inside) > 1e-12 * max(abs(inside), abs(outside)):
        middle = (inside + outside) / 2
        if middle in (inside, outside):  # an edge at 0: there is no number between it and the smallest
            break
        if holds(middle):
            inside = middle
        else:
            outside = middle
    return inside
