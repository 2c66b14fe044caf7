"""Levers: what improving one label is worth, and how many more leads would earn as much."""

from __future__ import annotations

from contextlib import suppress
from math import isnan, nan
from typing import Any

from holdwater.bucket.improvement import LEVERS, improved
from holdwater.bucket.labels import label_of
from holdwater.bucket.lead_curve import LeadCurve
from holdwater.bucket.model import Bucket
from holdwater.bucket.projection import BUCKET, profit
from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.units import Model, Money, PositiveCount, Ratio, Text


def gain(bucket: Bucket, lever: str, change: float) -> float:
    """Profit after the improvement less profit now; leads beyond today's at their own cost."""
    return profit(improved(bucket, lever, change), paid_today=bucket.leads) - profit(bucket)


@formula(BUCKET, Money, python_only="a loop over the periods")
def lever_value(model: Model, lever: Text, change: Ratio = 0.1) -> float:
    """What improving one label adds to the profit of the whole business; negative for leads says: fewer.

    Gains of several levers do not add up: they multiply, or one limit swallows them all.

    Arguments:
        model: the business as rows of label and value, or a Bucket
        lever: the label to improve, such as churn
        change: 0.1 for a tenth better; growth and referral_rate gain a tenth of it in points

    Equation:
        BUCKET_PROFIT(better) - BUCKET_PROFIT(model); better has leads, fit_share, conversion, a capacity,
        revenue_per_customer or gross_margin times 1 + change, cost_per_lead, lead_cost, churn, burn, overload_slope or
        fixed_cost times 1 - change, growth or referral_rate plus change / 10; a share stops at 1

    Source:
        Difference of the whole model, because the steps of a funnel multiply.

    Examples:
        A tenth more leads, at 15 each:

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05}
        >>> round(holdwater.lever_value(gym, "leads"))
        15600

        A tenth less churn is worth more:

        >>> round(holdwater.lever_value(gym, "churn"))
        21333
    """
    return gain(Bucket.of(model), label_of(lever, LEVERS, "LEVER_VALUE: lever"), change)


@formula(BUCKET, Money, columns=("lever", "from", "to", "value"), python_only="a loop over the periods")
def levers(model: Model, change: Ratio = 0.1) -> list[dict[str, Any]]:
    """Every label that can be improved, with what improving it alone adds to the profit, best first.

    An unlimited capacity is infinite before and after; improving it adds nothing. What is worth no finite sum has no
    value, and comes last.

    Arguments:
        model: the business as rows of label and value, or a Bucket
        change: 0.1 for a tenth better; growth and referral_rate gain a tenth of it in points

    Equation:
        LEVER_VALUE for each label, in falling order

    Source:
        Sensitivity of the whole model, one label at a time.

    Examples:
        One point a month of growth in prices, or of members who bring others, beats a tenth less churn:

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05, "customers": 200}
        >>> [row["lever"] for row in holdwater.levers(gym)][:3]
        ['growth', 'referral_rate', 'churn']

        More leads are far down the list, though each of them pays:

        >>> [row["lever"] for row in holdwater.levers(gym)].index("leads")
        6
    """
    bucket = Bucket.of(model)
    now, rows = profit(bucket), []
    for lever in LEVERS:
        row = {"lever": lever, "from": getattr(bucket, lever), "to": nan, "value": nan}
        with suppress(NumError):  # so good that it is worth no finite sum: the others are worth theirs all the same
            better = improved(bucket, lever, change)
            row["to"] = getattr(better, lever)
            row["value"] = profit(better, paid_today=bucket.leads) - now
        rows.append(row)
    return sorted(rows, key=lambda row: (isnan(row["value"]), -row["value"]))


@formula(BUCKET, PositiveCount, python_only="a loop over the periods, and a search")
def leads_equivalent(model: Model, lever: Text, change: Ratio = 0.1) -> float:
    """How many more leads per period would earn what improving this label earns.

    Of several answers it is the fewest leads; where the improvement loses money, the leads that lose as much.

    Arguments:
        model: the business as rows of label and value, or a Bucket
        lever: the label to improve, such as churn
        change: 0.1 for a tenth better; growth and referral_rate gain a tenth of it in points

    Equation:
        the smallest x >= 0 with profit at leads + x, each at next_lead_cost, less BUCKET_PROFIT = LEVER_VALUE

    Source:
        The owner's own unit: what else would have to be bought.

    Examples:
        A tenth less churn earns as much as 14 more leads every month:

        >>> gym = {"leads": 100, "cost per lead": 15, "conversion": 0.1, "revenue per customer": 50,
        ...        "gross margin": 0.8, "churn": 0.05}
        >>> round(holdwater.leads_equivalent(gym, "churn"), 1)
        13.7

        When sales works all it can, no number of further leads helps:

        >>> holdwater.leads_equivalent(gym | {"lead capacity": 90}, "churn")
        Traceback (most recent call last):
        ...
        holdwater.errors.NumError: LEADS_EQUIVALENT: no number of further leads earns what a better churn does.
    """
    bucket = Bucket.of(model)
    label = label_of(lever, LEVERS, "LEADS_EQUIVALENT: lever")
    extra = LeadCurve(bucket).extra_leads(gain(bucket, label, change))
    if extra is None:
        raise NumError(f"LEADS_EQUIVALENT: no number of further leads earns what a better {label} does.")
    return extra
