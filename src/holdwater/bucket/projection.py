"""The recurrence: what happens to leads, customers and money, period by period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from holdwater.bucket.model import Bucket
from holdwater.errors import NumError


@dataclass(frozen=True, slots=True)
class Period:
    period: int
    leads: float
    worked: float
    burned: float
    new: float
    turned_away: float
    lost: float
    customers: float  # at the start of the period
    revenue: float
    contribution: float


def project(bucket: Bucket, *, paid_today: float | None = None) -> Iterator[Period]:
    """Every period of the horizon; leads beyond `paid_today` (all, unless given) cost `next_lead_cost`."""
    paid = bucket.leads if paid_today is None else paid_today
    next_lead_cost = bucket.cost_per_lead if bucket.next_lead_cost is None else bucket.next_lead_cost
    bought = min(bucket.leads, paid) * bucket.cost_per_lead + max(0.0, bucket.leads - paid) * next_lead_cost
    worked = min(bucket.leads * (1 - bucket.burn), bucket.lead_capacity)
    customers = bucket.customers
    for period in range(int(bucket.horizon)):
        wanted = worked * bucket.fit_share * bucket.conversion + bucket.referral_rate * customers
        new = min(wanted, bucket.onboarding_capacity)
        load = customers / bucket.customer_capacity if customers else 0.0
        churn = min(1.0, bucket.churn + bucket.overload_slope * max(0.0, load - bucket.overload_threshold))
        lost = churn * customers
        served = min(customers, bucket.customer_capacity)
        revenue = served * bucket.revenue_per_customer * (1 + bucket.growth) ** period
        contribution = revenue * bucket.gross_margin - bought - worked * bucket.lead_cost - bucket.fixed_cost
        yield Period(
            period,
            bucket.leads,
            worked,
            bucket.leads - worked,
            new,
            wanted - new,
            lost,
            customers,
            revenue,
            contribution,
        )
        customers += new - lost


def profit(bucket: Bucket, *, paid_today: float | None = None) -> float:
    """Discounted contribution over the horizon and, times `run_off`, what the customers left then still bring."""
    total, customers = 0.0, bucket.customers
    for period in project(bucket, paid_today=paid_today):
        total += period.contribution / (1 + bucket.discount) ** period.period
        customers = period.customers + period.new - period.lost
    if bucket.run_off == 0:
        return total
    kept = (1 - bucket.churn) / (1 + bucket.discount)
    if kept >= 1:
        raise NumError("Bucket: with no churn and no discount the customers left at the end are worth no finite sum.")
    served = min(customers, bucket.customer_capacity)
    grown = ((1 + bucket.growth) / (1 + bucket.discount)) ** bucket.horizon
    return total + bucket.run_off * served * bucket.revenue_per_customer * bucket.gross_margin * grown / (1 - kept)


def one_more_lead(bucket: Bucket, *, conversion: float | None = None) -> float:
    """What one more lead in every period adds to the profit; negative where it only costs.

    `conversion` is that of the further lead, where it differs from that of the others.
    """
    leads = bucket.leads + 1
    further = bucket.conversion if conversion is None else conversion
    mixed = (bucket.leads * bucket.conversion + further) / leads
    return profit(replace(bucket, leads=leads, conversion=mixed), paid_today=bucket.leads) - profit(bucket)
