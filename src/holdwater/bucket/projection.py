"""The recurrence: what happens to leads, customers and money, period by period."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from math import inf, isfinite
from typing import NamedTuple

from holdwater.bucket.model import Bucket
from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.units import Model, Money

BUCKET = "The bucket"


class Period(NamedTuple):
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
    leads, worked = bucket.leads, worked_leads(bucket, bucket.leads)
    spent = spent_at(bucket, leads, leads if paid_today is None else paid_today)
    flow = islice(_customers(bucket, worked), bucket.horizon)
    price = bucket.revenue_per_customer
    for period, (customers, new, turned_away, lost) in enumerate(flow):
        revenue = min(customers, bucket.customer_capacity) * price
        contribution = revenue * bucket.gross_margin - spent
        if not isfinite(contribution):
            raise NumError("Bucket: the numbers grow beyond all bounds; use a shorter horizon or less extreme numbers.")
        yield Period(
            period, leads, worked, leads - worked, new, turned_away, lost, customers, revenue, contribution
        )  # fmt: skip
        price *= 1 + bucket.growth


def profit(bucket: Bucket, *, paid_today: float | None = None) -> float:
    """Discounted contribution over the horizon and, times `run_off`, what the customers left then still bring."""
    return profit_at(bucket, bucket.leads, bucket.leads if paid_today is None else paid_today)


def profit_at(bucket: Bucket, leads: float, paid_today: float) -> float:
    """`profit` if there were that many leads, of which those beyond `paid_today` cost `next_lead_cost`."""
    flow = _customers(bucket, worked_leads(bucket, leads))
    capacity = bucket.customer_capacity
    grows, shrinks = (1 + bucket.growth) / (1 + bucket.discount), 1 / (1 + bucket.discount)
    earned, price, periods, today = 0.0, 1.0, 0.0, 1.0  # what 1 of margin per customer and 1 of cost per period come to
    for customers, _, _, _ in islice(flow, bucket.horizon):
        earned += (customers if customers < capacity else capacity) * price
        periods += today
        price *= grows
        today *= shrinks
    if bucket.run_off:
        leaves = (bucket.churn + bucket.discount) / (1 + bucket.discount)
        if leaves <= 0:
            raise NumError(
                "Bucket: with no churn and no discount the customers left at the end are worth no finite sum;"
                " give a churn or a discount above 0, or a run_off of 0."
            )
        earned += bucket.run_off * min(next(flow)[0], capacity) * price / leaves
    total = bucket.revenue_per_customer * bucket.gross_margin * earned - spent_at(bucket, leads, paid_today) * periods
    if not isfinite(total):
        raise NumError("Bucket: the numbers grow beyond all bounds; use a shorter horizon or less extreme numbers.")
    return total


def worked_leads(bucket: Bucket, leads: float) -> float:
    return min(leads * (1 - bucket.burn), bucket.lead_capacity)


def spent_at(bucket: Bucket, leads: float, paid_today: float) -> float:
    """The costs of each period: of all leads, of working them, and fixed ones."""
    next_lead_cost = bucket.cost_per_lead if bucket.next_lead_cost is None else bucket.next_lead_cost
    bought = min(leads, paid_today) * bucket.cost_per_lead + max(0.0, leads - paid_today) * next_lead_cost
    return bought + worked_leads(bucket, leads) * bucket.lead_cost + bucket.fixed_cost


def _customers(bucket: Bucket, worked: float) -> Iterator[tuple[float, float, float, float]]:
    """Customers at the start of each period, and those who are new, turned away and lost in it; without an end."""
    unreferred, referral = worked * bucket.fit_share * bucket.conversion, bucket.referral_rate
    onboarding, calm_churn = bucket.onboarding_capacity, bucket.churn
    # One comparison decides a period without overload, which is the usual one.
    capacity, slope, threshold = bucket.customer_capacity, bucket.overload_slope, bucket.overload_threshold
    busy = capacity * threshold if slope else inf
    customers = bucket.customers
    while True:
        new = wanted = unreferred + referral * customers
        if wanted > onboarding:
            new = onboarding
        churn = calm_churn
        if customers > busy and (over := customers / capacity - threshold) > 0:
            churn += slope * over
            if churn > 1:
                churn = 1.0
        lost = churn * customers
        yield customers, new, wanted - new, lost
        # In this order, as the catalogue has it: where customers swing wildly even a rounding grows.
        customers = customers - lost + new


def one_more_lead(bucket: Bucket, *, conversion: float | None = None) -> float:
    """What one more lead in every period adds to the profit; negative where it only costs.

    `conversion` is that of the further lead, where it differs from that of the others.
    """
    leads = bucket.leads + 1
    further = bucket.conversion if conversion is None else conversion
    mixed = (bucket.leads * bucket.conversion + further) / leads
    return profit(replace(bucket, leads=leads, conversion=mixed), paid_today=bucket.leads) - profit(bucket)


@formula(BUCKET, Money, columns=Period._fields, python_only="a loop over the periods")
def bucket_projection(model: Model) -> list[dict[str, float]]:
    """What happens in each period: leads worked and burned, customers won, turned away and lost, revenue, contribution.

    Arguments:
        model: the business as rows of label and value, or a Bucket

    Equation:
        N' = N - lost + new; worked = min(leads (1 - burn), lead_capacity); new = min(worked x fit_share x conversion
        + referral_rate x N, onboarding_capacity); lost = CHURN_OVERLOADED x N; revenue = min(N, customer_capacity) x
        revenue_per_customer x (1 + growth)^t; contribution = revenue x gross_margin - cost of leads - fixed_cost

    Source:
        The stock of customers as a bucket that is filled by new ones and leaks by churn, with a limit at each step.

    Examples:
        100 leads bring 10 customers a month, and nobody else comes or goes in the first:

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05, "horizon": 3}
        >>> [row["customers"] for row in holdwater.bucket_projection(gym)]
        [0.0, 10.0, 19.5]

        With time to call 80 of them, a fifth is burned and still paid for:

        >>> (first, *_) = holdwater.bucket_projection(gym | {"lead capacity": 80})
        >>> first["burned"], first["contribution"]
        (20.0, -1500.0)
    """
    return [period._asdict() for period in project(Bucket.of(model))]


@formula(BUCKET, Money, python_only="a loop over the periods")
def bucket_profit(model: Model) -> float:
    """Profit of the whole business: discounted contribution over the horizon, plus what the customers left then bring.

    Arguments:
        model: the business as rows of label and value, or a Bucket

    Equation:
        sum of contribution / (1 + discount)^t + run_off x min(N at the end, customer_capacity) x revenue_per_customer
        x gross_margin x ((1 + growth) / (1 + discount))^horizon / (1 - (1 - churn) / (1 + discount))

    Source:
        Net present value; the closing value keeps a short horizon from calling late customers worthless.

    Examples:
        A lead that costs 15 brings a tenth of a customer who is worth 800: 65 for each of 100 leads in 24 months.

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05}
        >>> round(holdwater.bucket_profit(gym), 2)
        156000.0

        Place for 120 members takes a part of that away:

        >>> round(holdwater.bucket_profit(gym | {"customer capacity": 120}))
        136354
    """
    return profit(Bucket.of(model))
