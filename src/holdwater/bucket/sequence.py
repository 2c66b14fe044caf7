"""FIX_SEQUENCE: which fixes to make, and in which order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from holdwater.bucket.model import Bucket
from holdwater.bucket.ordering import best_order
from holdwater.bucket.projection import BUCKET
from holdwater.bucket.projects import projects_from
from holdwater.bucket.stages import lowest_cash, profit_in_order
from holdwater.formula import formula
from holdwater.units import Model, Money, Periods, Price, Rows

COLUMNS = ("order", "name", "start", "done", "cost", "gain", "profit")


class Plan(list[dict[str, Any]]):
    """The rows of FIX_SEQUENCE, and how deep the plan reaches into the till.

    `cash_low` is the lowest that the cash gets, against today's: 0 or less, not discounted, without the closing value.
    A project is paid at the start of a period, before that period earns anything. `cash_low_period` is when that is.
    """

    cash_low: float
    cash_low_period: int


def _cash_low(projects: Any, model: Any, budget: float | None, horizon: float | None) -> str:
    plan = _plan(projects, model, budget, horizon)
    if plan.cash_low == 0:
        return "On the way the cash never falls below today's."
    return f"On the way the cash is lowest in period {plan.cash_low_period}: {-plan.cash_low:,.2f} less than today."


@formula(BUCKET, Money, columns=COLUMNS, python_only="it compares all orders of the projects", remark=_cash_low)
def fix_sequence(projects: Rows, model: Model, budget: Price | None = None, horizon: Periods | None = None) -> Plan:
    """Which fixes to make, one after the other, and in which order, so that they earn most; exact up to ten.

    A project starts when the one before it ends. Its cost falls due at its start, its lever moves from the period it
    ends in, and it may be left out. The first row is the business as it is. Each further row tells what one would have
    if one stopped after it: profit over the horizon with the closing value, less the costs, and its gain. Python's
    result holds `cash_low` and `cash_low_period` besides; EXPLAIN says them in a cell.

    Arguments:
        projects: rows of name, lever, change (an improvement), cost, periods, [needs], [running_cost per period]
        model: the business as rows of label and value, or a Bucket
        budget: most that the projects done may cost together, without running costs; without it, any sum
        horizon: periods that count, in which all projects end, instead of the model's

    Equation:
        the order of any of the projects with the largest BUCKET_PROFIT, its labels moving when projects end,
        - sum of cost / (1 + discount)^start - sum of running_cost / (1 + discount)^t over t from start to horizon;
        growth and referral_rate + change, else as LEVER_VALUE; leads beyond the model's cost next_lead_cost

    Source:
        Exact search over sets of projects. Fixes multiply, and customers gained early stay: single gains do not add up.

    Examples:
        Training and a filter for unfit leads each earn 15,912 alone, but 12 customers a month is all that can be
        welcomed: together they lose 8,841. Only with a third fix, which alone brings nothing, do both pay:

        >>> shop = {"leads": 100, "cost per lead": 20, "fit share": 0.8, "conversion": 0.125, "onboarding capacity": 12,
        ...         "revenue per customer": 100, "gross margin": 0.6, "churn": 0.05, "customers": 150, "discount": 0.01}
        >>> fixes = [["training", "conversion", 0.2, 25000, 1], ["filter", "fit share", 0.2, 25000, 1],
        ...          ["onboarder", "onboarding capacity", 0.5, 12000, 2]]
        >>> plan = holdwater.fix_sequence(fixes, shop)
        >>> [(row["name"], row["done"], round(row["gain"])) for row in plan]
        [('as is', 0, 0), ('training', 1, 15912), ('onboarder', 3, -11881), ('filter', 4, 17771)]

        The till must hold 40,437.50 before that pays; with 30,000 to spend, training is what remains:

        >>> plan.cash_low, plan.cash_low_period
        (-40437.5, 3)
        >>> [row["name"] for row in holdwater.fix_sequence(fixes, shop, 30000)]
        ['as is', 'training']
    """
    return _plan(projects, model, budget, horizon)


def _plan(projects: Any, model: Any, budget: float | None, horizon: float | None) -> Plan:
    bucket = Bucket.of(model)
    if horizon is not None:
        bucket = replace(bucket, horizon=int(horizon))
    fixes = projects_from(projects, bucket)
    chosen = [fixes[position] for position in best_order(bucket, fixes, budget)]
    plan = Plan()
    time, before = 0, 0.0
    for count, project in enumerate([None, *chosen]):
        profit = profit_in_order(bucket, chosen[:count])
        start, time = time, time + (project.periods if project else 0)
        gain = profit - before if project else 0.0
        name, cost = (project.name, project.cost) if project else ("as is", 0.0)
        plan.append(dict(zip(COLUMNS, (count, name, start, time, cost, gain, profit), strict=True)))
        before = profit
    plan.cash_low, plan.cash_low_period = lowest_cash(bucket, chosen)
    return plan
