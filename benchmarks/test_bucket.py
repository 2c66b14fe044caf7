"""Speed of the bucket: BUCKET_PROFIT beside a loop by hand, FIX_SEQUENCE beside every order."""

from __future__ import annotations

from collections.abc import Sequence

from ratios import Goal, over, paired, seconds

import holdwater
from holdwater import Bucket
from holdwater.bucket.projects import Project, projects_from
from holdwater.bucket.stages import Calendar, Stage

PROFIT = Goal("BUCKET_PROFIT of a Bucket", "times the time of a loop without checks", "a loop by hand", at_most=1.5)
PROFIT_OF_ROWS = Goal("BUCKET_PROFIT of rows of labels", PROFIT.unit, PROFIT.peer, at_most=1.5)
SEQUENCE = Goal("FIX_SEQUENCE of 8 projects, the same best profit", peer="every order", at_least=50)
CLINIC = Bucket(
    leads=120,
    cost_per_lead=25,
    next_lead_cost=40,
    fit_share=0.7,
    conversion=0.15,
    burn=0.1,
    lead_capacity=100,
    lead_cost=3,
    onboarding_capacity=11,
    revenue_per_customer=90,
    gross_margin=0.6,
    churn=0.05,
    referral_rate=0.01,
    discount=0.01,
    customers=180,
    customer_capacity=200,
    overload_slope=0.4,
    fixed_cost=2000,
)
FIXES = [
    ["advertising", "leads", 0.3, 4000, 1],
    ["call centre", "lead_capacity", 0.5, 6000, 2, None, 300],
    ["training", "conversion", 0.2, 5000, 2],
    ["filter", "fit_share", 0.2, 3000, 3],
    ["onboarder", "onboarding_capacity", 0.6, 4000, 3, None, 400],
    ["hire", "customer_capacity", 0.4, 9000, 4, None, 900],
    ["care", "churn", 0.25, 7000, 2],
    ["invitations", "referral_rate", 0.01, 1500, 1],
]


def every_order(bucket: Bucket, projects: Sequence[Project]) -> float:
    """The highest profit of all orders, each run from the first period to the last; the stages are made only once."""
    calendar = Calendar(bucket.discount, bucket.horizon)
    stages: dict[int, Stage] = {}

    def stage_of(members: int) -> Stage:
        if members not in stages:
            better = bucket
            for position, project in enumerate(projects):
                if members >> position & 1:
                    better = project.done(better)
            stages[members] = Stage(better, bucket.leads, calendar)
        return stages[members]

    def profit(order: tuple[int, ...]) -> float:
        money, customers, time, members = 0.0, bucket.customers, 0, 0
        for position in order:
            project = projects[position]
            earned, customers = stage_of(members).run(time, time + project.periods, customers)
            money += earned - calendar.cost(project, time)
            time += project.periods
            members |= 1 << position
        return money + stage_of(members).to_the_end(time, customers)

    def orders(order: tuple[int, ...], time: int) -> float:
        best = profit(order)
        for position, project in enumerate(projects):
            if position not in order and time + project.periods <= bucket.horizon:
                best = max(best, orders((*order, position), time + project.periods))
        return best

    return orders((), 0)


def by_hand(b: Bucket) -> float:
    """The recurrence as formulas.md writes it, for a business that is known to be right."""
    worked = min(b.leads * (1 - b.burn), b.lead_capacity)
    customers, profit = b.customers, 0.0
    for t in range(b.horizon):
        new = min(worked * b.fit_share * b.conversion + b.referral_rate * customers, b.onboarding_capacity)
        load = customers / b.customer_capacity
        churn = min(1, b.churn + b.overload_slope * max(0, load - b.overload_threshold))
        served = min(customers, b.customer_capacity) * (1 + b.growth) ** t
        contribution = served * b.revenue_per_customer * b.gross_margin
        contribution -= b.leads * b.cost_per_lead + worked * b.lead_cost + b.fixed_cost
        profit += contribution / (1 + b.discount) ** t
        customers += new - churn * customers
    left = min(customers, b.customer_capacity) * b.revenue_per_customer * b.gross_margin
    stays = (1 - b.churn) / (1 + b.discount)
    return profit + b.run_off * left * ((1 + b.growth) / (1 + b.discount)) ** b.horizon / (1 - stays)


def test_bucket_profit_costs_little_more_than_a_loop_by_hand() -> None:
    rows = [[field, getattr(CLINIC, field)] for field in CLINIC.__dataclass_fields__]
    assert abs(holdwater.bucket_profit(CLINIC) - by_hand(CLINIC)) < 1e-6
    many = range(300)

    def loop() -> list[float]:
        return [by_hand(CLINIC) for _ in many]

    PROFIT.measured(paired(lambda: [holdwater.bucket_profit(CLINIC) for _ in many], loop))
    PROFIT_OF_ROWS.measured(paired(lambda: [holdwater.bucket_profit(rows) for _ in many], loop))


def test_fix_sequence_is_fifty_times_faster_than_every_order() -> None:
    projects = projects_from(FIXES, CLINIC)
    best: list[float] = []
    every = seconds(lambda: best.append(every_order(CLINIC, projects)))
    plan = holdwater.fix_sequence(FIXES, CLINIC)
    assert abs(plan[-1]["profit"] - best[0]) < 1e-6
    SEQUENCE.measured(over(every, lambda: holdwater.fix_sequence(FIXES, CLINIC)))
