"""Profit as a function of the lead flow, all else equal.

The curve is made of smooth pieces. They meet at today's leads (the next ones may cost more or less), where sales
capacity is used up, and wherever the customers of some period reach the overload threshold, the capacity or the
onboarding limit. Without overload each stretch between today's leads and the end of sales capacity is concave:
customers are then a minimum of rising lines, a minimum of such is served, and costs are straight. Overload bends the
curve both ways, so it is first looked at on a grid through those points. Beyond the smallest flow that fills a limit
in every period, and that of sales, it is a straight line.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from math import inf, isfinite, sqrt

from holdwater.bucket.model import Bucket
from holdwater.bucket.projection import profit_at, spent_at, worked_leads
from holdwater.bucket.stages import Calendar, Stage
from holdwater.errors import NumError

_FINE = 256  # points of each grid
_LOOKED_AT = 60  # periods whose crossings are found one by one
_REFINED = 8  # local peaks that are looked at closely
_NARROW = 2 / (1 + sqrt(5))
_ROUNDING = 1e-13  # of the largest profit on the curve: below that, two profits are the same
_BESIDE = 1e-6  # of the leads: by so much a peak that was searched for may miss
_BLOCK = 64  # periods between two looks at whether the customers have settled
_SETTLED = 1e-15  # of the customers: by so much two blocks may differ


class LeadCurve:
    def __init__(self, bucket: Bucket) -> None:
        self.bucket = bucket
        self.today = bucket.leads
        won = (1 - bucket.burn) * bucket.fit_share * bucket.conversion  # customers for each lead
        all_worked = bucket.lead_capacity / (1 - bucket.burn) if bucket.burn < 1 else inf
        fills = [all_worked, *(limit / won for limit in (bucket.onboarding_capacity, bucket.customer_capacity) if won)]
        self.full = min(fills)  # leads that fill a limit in every period, so that more bring nothing
        self.bends_until = self.today if self.full == inf else max(self.today, self.full)
        # More leads cost work as well, until there is nobody left to work them; then it is a straight line for good.
        self.end = max(self.bends_until, 0.0 if all_worked == inf else all_worked)
        joints = {0.0, self.today, self.end, *fills, *_crossings(bucket, won)}
        self.joints = sorted(leads for leads in joints if 0 <= leads <= self.end)

        profit_at(bucket, self.today, self.today)  # says in its own words what has no finite profit
        # Spending does not depend on the customers; it is taken off at the end.
        self._stage = Stage(bucket, self.today, Calendar(bucket.discount, bucket.horizon))
        self._stage.spent = 0.0

    def profit(self, leads: float) -> float:
        """As `profit_at`, but faster: it is asked for a thousand flows, maybe over thousands of periods.

        Once a block of periods ends with as many customers as it began with, in a steady state or in a swing whose
        length divides the block, each further block earns the same but for growth and discount.
        """
        stage, calendar = self._stage, self._stage.calendar
        stage.unreferred = worked_leads(self.bucket, leads) * self.bucket.fit_share * self.bucket.conversion
        earned, time, customers = 0.0, 0, self.bucket.customers
        while time + _BLOCK <= calendar.horizon:
            of_block, then = stage.run(time, time + _BLOCK, customers)
            earned, time = earned + of_block, time + _BLOCK
            if abs(then - customers) <= _SETTLED * customers:
                left = (calendar.horizon - time) // _BLOCK
                earned += of_block * sum(calendar.prices(self.bucket.growth)[_BLOCK : left * _BLOCK + 1 : _BLOCK])
                time += left * _BLOCK
                break
            customers = then
        total = earned + stage.to_the_end(time, customers)
        total -= spent_at(self.bucket, leads, self.today) * calendar.annuity[-1]
        return total if isfinite(total) else profit_at(self.bucket, leads, self.today)

    @cached_property
    def grid(self) -> list[tuple[float, float]]:
        """Leads and profit: at the joints, evenly spaced, and in equal ratios from the first joint on."""
        leads = set(self.joints)
        last = self.bends_until
        if last > 0:
            leads.update(last * step / _FINE for step in range(_FINE))
            first = min(joint for joint in self.joints if joint > 0) / 4
            leads.update(first * (last / first) ** (step / _FINE) for step in range(_FINE))
        return [(x, self.profit(x)) for x in sorted(leads)]

    @cached_property
    def slack(self) -> float:
        return _ROUNDING * max(abs(profit) for _, profit in self.grid)

    @cached_property
    def beyond(self) -> float:
        """What each lead beyond the end of the grid adds."""
        step = max(1.0, self.end)
        return (self.profit(self.end + step) - self.profit(self.end)) / step

    @cached_property
    def peak(self) -> float:
        """The fewest leads that earn the most; NumError where more always earn more."""
        if self.full == inf and self.beyond * max(1.0, self.end) > self.slack:
            raise NumError(
                "LEADS_SAFE: no limit is given and each lead pays, so more leads always earn more; give the capacities."
            )
        top, most = max(self.tops, key=lambda top: (top[1], -top[0]))
        points = sorted({*self.grid, *self.tops})
        first = next(position for position, (_, profit) in enumerate(points) if profit >= most - self.slack)
        leads = points[first][0]
        if leads in self.joints:  # no leads at all among them, if nothing is gained by any
            return leads
        if leads < top * (1 - _BESIDE):  # a flat top, which begins between two points
            return self._where(most - self.slack, points[first - 1][0], leads, rising=True)
        # A peak at a joint is that joint, not a number a hair beside it.
        beside = (joint for joint in self.joints if abs(joint - top) <= _BESIDE * top)
        return next((joint for joint in beside if self.profit(joint) >= most - self.slack), top)

    @cached_property
    def tops(self) -> list[tuple[float, float]]:
        """The local peaks, each found to the last digits that the profit tells apart.

        Where customers swing wildly there are dozens, as many as the grid is fine: then the highest of them.
        """
        points = self.grid
        rough = []
        for position, (leads, profit) in enumerate(points):
            before, after = points[max(position - 1, 0)], points[min(position + 1, len(points) - 1)]
            if profit >= before[1] and profit >= after[1]:
                rough.append((profit, leads, before[0], after[0]))
        higher = sorted(rough, key=lambda top: (-top[0], top[1]))[:_REFINED]
        return [max((x, y), self._top(low, high), key=lambda top: (top[1], -top[0])) for y, x, low, high in higher]

    def _top(self, low: float, high: float) -> tuple[float, float]:
        """Golden section; of equal profits the fewer leads."""
        width = high - low
        left, right = high - _NARROW * width, low + _NARROW * width
        at_left, at_right = self.profit(left), self.profit(right)
        while low < left < right < high and high - low > 1e-14 * high:
            if at_left >= at_right:
                high, right, at_right = right, left, at_left
                left = high - _NARROW * (high - low)
                at_left = self.profit(left)
            else:
                low, left, at_left = left, right, at_right
                right = low + _NARROW * (high - low)
                at_right = self.profit(right)
        return left, at_left

    def extra_leads(self, gain: float) -> float | None:
        """The fewest leads beyond today's that add this gain (which may be a loss), or None."""
        goal = self.profit(self.today) + gain
        if gain == 0:
            return 0.0
        points = [point for point in (*self.grid, *self.tops) if point[0] >= self.today]
        for (low, at_low), (high, at_high) in pairwise(sorted(points)):
            if min(at_low, at_high) <= goal <= max(at_low, at_high) and at_low != at_high:
                return self._where(goal, low, high, rising=at_high > at_low) - self.today
        last = self.profit(self.end)
        further = (goal - last) / self.beyond if self.beyond else -1.0
        return self.end + further - self.today if further > 0 else None

    def _where(self, goal: float, low: float, high: float, rising: bool) -> float:
        while low < (middle := (low + high) / 2) < high:
            if (self.profit(middle) < goal) == rising:
                low = middle
            else:
                high = middle
        return high


def _crossings(bucket: Bucket, won: float) -> Iterator[float]:
    """Leads at which the customers of some period reach a level where the curve bends, or did so without overload."""
    if not won:
        return
    grows = 1 - bucket.churn + bucket.referral_rate
    capacity, slope, threshold = bucket.customer_capacity, bucket.overload_slope, bucket.overload_threshold
    levels = [capacity]
    if slope:
        levels += [capacity * threshold, capacity * (threshold + (1 - bucket.churn) / slope)]
    if bucket.referral_rate:
        levels.append(bucket.onboarding_capacity / bucket.referral_rate)
    kept, piled = 1.0, 0.0  # of today's customers, and of one customer won in every period
    for _ in range(min(bucket.horizon, _LOOKED_AT)):
        kept, piled = kept * grows, piled * grows + 1
        yield from ((level - bucket.customers * kept) / (won * piled) for level in levels if level < inf)
