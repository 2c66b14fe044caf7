"""What "improve this one label" means, for every function that asks what an improvement is worth."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite

from holdwater.bucket.model import Bucket
from holdwater.errors import KindError, NumError

RISES = (  # times 1 + change
    "leads",
    "fit_share",
    "conversion",
    "lead_capacity",
    "onboarding_capacity",
    "customer_capacity",
    "revenue_per_customer",
    "gross_margin",
)
FALLS = ("cost_per_lead", "lead_cost", "churn", "burn", "overload_slope", "fixed_cost")  # times 1 - change
POINTS = ("growth", "referral_rate")  # change is added: a rate of 0 has nothing to multiply
LEVERS = (*RISES, *FALLS, *POINTS)

_STOPS_AT_ONE = ("fit_share", "conversion", "gross_margin", "referral_rate")


def improved(bucket: Bucket, label: str, change: float, *, points: float = 0.1) -> Bucket:
    """The business with one label better by `change`; NumError for a worsening, or for more than all of a cost.

    `points` is what a change of 1 adds to growth or referral_rate: 0.1 for LEVER_VALUE, 1 for FIX_SEQUENCE. More leads
    than today's are bought at next_lead_cost: ask `profit` with `paid_today=bucket.leads`.
    """
    if label not in LEVERS:
        raise KindError(f"{label!r} is nothing to improve; take one of {', '.join(LEVERS)}.")
    if label in FALLS and not 0 <= change <= 1:
        raise NumError(f"change of {label} is {change:.15g}; allowed is 0 to 1, where 0.1 takes off a tenth.")
    if not (change >= 0 and isfinite(change)):
        raise NumError(f"change of {label} is {change:.15g}; allowed is 0 or more, because it is an improvement.")
    now = getattr(bucket, label)
    better = now + points * change
    if label not in POINTS:
        better = now * (1 + change if label in RISES else 1 - change)
    return replace(bucket, **{label: min(1, better) if label in _STOPS_AT_ONE else better})
