"""All that the functions of the bucket say about one business, gathered once for a page or a script."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from math import inf

from holdwater.bucket.description import Description
from holdwater.bucket.lead_curve import LeadCurve
from holdwater.bucket.levers import gain, levers
from holdwater.bucket.limits import CONSTRAINTS, bottleneck, constraint_range, limits_reached, shadow_price
from holdwater.bucket.model import Bucket
from holdwater.bucket.projection import profit, project
from holdwater.bucket.sequence import Plan, fix_sequence
from holdwater.bucket.verdict import FEWER, FIX, MORE, Diagnosis, diagnose
from holdwater.rows import as_text

BETTER = 0.1  # the improvement of every lever
MOST_STEPS = 3


@dataclass(frozen=True, slots=True)
class Constraint:
    """A capacity or the leads, what one more of it is worth, and the range in which the same limits bind."""

    label: str
    now: float  # infinite: unlimited
    value: float
    holds_from: float | None  # None, as is holds_to: unlimited
    holds_to: float | None  # infinite: without an end
    binds_from: int | None  # the first period, from 1, in which it holds the business back; None: in none


@dataclass(frozen=True, slots=True)
class Lever:
    label: str
    now: float
    better: float
    value: float
    leads: float | None  # more leads per period that would earn (or lose) as much; None: no number does


@dataclass(frozen=True, slots=True)
class Step:
    do: str  # one of MORE, FIX and FEWER
    label: str
    value: float | None  # of a tenth better; None for fewer leads
    leads: float | None  # as for a lever
    until: float | None  # how far to go, until another limit decides or profit falls; None: no end is known


@dataclass(frozen=True, slots=True)
class Report:
    description: Description
    profit: float
    diagnosis: Diagnosis
    bottleneck: str
    constraints: list[Constraint]
    levers: list[Lever]  # best first
    next_steps: list[Step]
    plan: Plan | None  # None without projects
    left_out: list[str]  # the projects that are not in the plan


def report(description: Description) -> Report:
    """FormulaError where the model or a project has no answer."""
    bucket = description.bucket
    diagnosis = diagnose(bucket)
    plan, left_out = None, []
    if description.projects:
        plan = fix_sequence(description.projects, bucket, description.budget, description.horizon)
        done = {row["name"] for row in plan}
        left_out = [name for name in (as_text(row[0]) for row in description.projects) if name not in done]
    return Report(
        description=description,
        profit=profit(bucket),
        diagnosis=diagnosis,
        bottleneck=bottleneck(bucket),
        constraints=_constraints(bucket),
        levers=_levers(bucket),
        next_steps=list(islice(_next_steps(bucket, diagnosis), MOST_STEPS)),
        plan=plan,
        left_out=left_out,
    )


def _constraints(bucket: Bucket) -> list[Constraint]:
    binds = _binds_from(bucket)
    rows = []
    for label in CONSTRAINTS:
        now = getattr(bucket, label)
        low, high = (None, None) if now == inf else constraint_range(bucket, label)
        rows.append(Constraint(label, now, shadow_price(bucket, label, 1), low, high, binds.get(label)))
    return rows


def _binds_from(bucket: Bucket) -> dict[str, int]:
    """Since when each limit that is reached holds back; at the end of the horizon where only the closing value does."""
    busy = bucket.customer_capacity * (bucket.overload_threshold if bucket.overload_slope else 1)
    periods = list(project(bucket))
    since = {
        "customer_capacity": (p.period + 1 for p in periods if p.customers >= busy),
        "onboarding_capacity": (p.period + 1 for p in periods if p.turned_away > 0),
        "lead_capacity": iter([1]),
    }
    return {limit: next(since[limit], bucket.horizon + 1) for limit in limits_reached(bucket)}


def _levers(bucket: Bucket) -> list[Lever]:
    curve = LeadCurve(bucket)  # once for all, which LEADS_EQUIVALENT would draw for each
    return [
        Lever(row["lever"], row["from"], row["to"], row["value"], curve.extra_leads(row["value"]))
        for row in levers(bucket, BETTER)
    ]


def _next_steps(bucket: Bucket, diagnosis: Diagnosis) -> Iterator[Step]:
    """What the verdict says to do, in its order, each with how far it goes."""
    more = Step(MORE, "leads", gain(bucket, "leads", BETTER), bucket.leads * BETTER, diagnosis.leads_safe)
    if diagnosis.decision == MORE:
        yield more
    elif diagnosis.decision == FEWER:
        yield Step(FEWER, "leads", None, None, diagnosis.leads_safe)
    for fix in (diagnosis.first, diagnosis.then):
        if fix:
            until = constraint_range(bucket, fix.label)[1] if fix.label in CONSTRAINTS else inf
            yield Step(FIX, fix.label, fix.value, fix.leads, None if until == inf else until)
    if diagnosis.decision != FIX:
        return
    if diagnosis.lead_worth > 0:
        yield more
    elif diagnosis.leads_safe is not None and diagnosis.leads_safe < bucket.leads:
        yield Step(FEWER, "leads", None, None, diagnosis.leads_safe)  # until the fix is done
