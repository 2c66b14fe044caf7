"""The business while its labels change one after the other, as projects end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, repeat
from math import inf
from operator import mul

from holdwater.bucket.model import Bucket
from holdwater.bucket.projects import Project
from holdwater.errors import NumError


class Calendar:
    """What 1 of each period is worth today, up to the horizon."""

    def __init__(self, discount: float, horizon: int) -> None:
        self.discount = discount
        self.horizon = horizon
        self.discounted = list(accumulate(repeat(1 / (1 + discount), horizon), mul, initial=1.0))
        self.annuity = list(accumulate(self.discounted[:-1], initial=0.0))  # of 1 in each period before t
        self._prices: dict[float, list[float]] = {}

    def prices(self, growth: float) -> list[float]:
        """What a price of 1 has grown to, as worth today: (1 + growth)^t counts from period 0, as in the model."""
        if growth not in self._prices:
            grows = (1 + growth) / (1 + self.discount)
            self._prices[growth] = list(accumulate(repeat(grows, self.horizon), mul, initial=1.0))
        return self._prices[growth]

    def cost(self, project: Project, start: int) -> float:
        """What the project costs from its start to the horizon."""
        running = project.running_cost * (self.annuity[-1] - self.annuity[start])
        return project.cost * self.discounted[start] + running


class Stage:
    """The business between two changes of its labels."""

    def __init__(self, bucket: Bucket, leads_today: float, calendar: Calendar) -> None:
        self.calendar = calendar
        next_lead_cost = bucket.cost_per_lead if bucket.next_lead_cost is None else bucket.next_lead_cost
        bought = min(bucket.leads, leads_today) * bucket.cost_per_lead
        bought += max(0.0, bucket.leads - leads_today) * next_lead_cost
        worked = min(bucket.leads * (1 - bucket.burn), bucket.lead_capacity)
        self.spent = bought + worked * bucket.lead_cost + bucket.fixed_cost
        self.unreferred = worked * bucket.fit_share * bucket.conversion
        self.referral = bucket.referral_rate
        self.onboarding = bucket.onboarding_capacity
        self.churn = bucket.churn
        self.capacity = bucket.customer_capacity
        self.slope = bucket.overload_slope
        self.threshold = bucket.overload_threshold
        self.busy = self.capacity * self.threshold if self.slope else inf
        margin = bucket.revenue_per_customer * bucket.gross_margin
        self.weights = [margin * price for price in calendar.prices(bucket.growth)]
        self.closing_weight = 0.0
        if bucket.run_off:
            leaves = (bucket.churn + bucket.discount) / (1 + bucket.discount)
            if leaves <= 0:
                raise NumError(
                    "FIX_SEQUENCE: with no churn and no discount the customers left at the end are worth no finite"
                    " sum; give a discount, a smaller change of churn, or a run_off of 0."
                )
            self.closing_weight = bucket.run_off * self.weights[-1] / leaves

    def run(self, start: int, end: int, customers: float) -> tuple[float, float]:
        """The discounted contribution of the periods from start to before end, and the customers at the end."""
        money = 0.0
        calm, busy, capacity, slope, threshold = self.churn, self.busy, self.capacity, self.slope, self.threshold
        unreferred, referral, onboarding = self.unreferred, self.referral, self.onboarding
        for weight in self.weights[start:end]:
            money += weight * (customers if customers < capacity else capacity)
            churn = calm
            if customers > busy:
                churn += slope * (customers / capacity - threshold)
                if churn > 1.0:
                    churn = 1.0
            new = unreferred + referral * customers
            customers = customers - churn * customers + (new if new < onboarding else onboarding)
        annuity = self.calendar.annuity
        return money - self.spent * (annuity[end] - annuity[start]), customers

    def closing(self, customers: float) -> float:
        return self.closing_weight * min(customers, self.capacity)

    def to_the_end(self, start: int, customers: float) -> float:
        """The discounted contribution of the periods from start on, with the closing value."""
        money, left = self.run(start, self.calendar.horizon, customers)
        return money + self.closing(left)


def profit_in_order(bucket: Bucket, order: Sequence[Project]) -> float:
    """The profit, closing value included, less the costs of these projects, done one after the other."""
    calendar = Calendar(bucket.discount, bucket.horizon)
    better, customers, money, time = bucket, bucket.customers, 0.0, 0
    for project in order:
        earned, customers = Stage(better, bucket.leads, calendar).run(time, time + project.periods, customers)
        money += earned - calendar.cost(project, time)
        time += project.periods
        better = project.done(better)
    return money + Stage(better, bucket.leads, calendar).to_the_end(time, customers)


def lowest_cash(bucket: Bucket, order: Sequence[Project]) -> tuple[float, int]:
    """The lowest that the cash gets against today's (0 or less), and in which period; nothing is discounted.

    A project is paid when its first period begins, before that period earns anything.
    """
    calendar = Calendar(0, bucket.horizon)
    better, customers, cash, running, time = replace(bucket, discount=0, run_off=0), bucket.customers, 0.0, 0.0, 0
    balances = [(0.0, 0)]
    for project in (*order, None):
        stage = Stage(better, bucket.leads, calendar)
        if project:
            cash -= project.cost
            running += project.running_cost
            balances.append((cash, time))
            better = project.done(better)
        for period in range(time, time + project.periods if project else bucket.horizon):
            earned, customers = stage.run(period, period + 1, customers)
            cash += earned - running
            balances.append((cash, period))
            time = period + 1
    return min(balances)
