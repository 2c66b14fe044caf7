"""Retention in money: what recurring revenue keeps, loses and gains."""

from __future__ import annotations

from holdwater.errors import NumError
from holdwater.formula import formula
from holdwater.formulas.retention import RETENTION
from holdwater.units import Cost, Price, Rate, Ratio


@formula(RETENTION, Rate)
def nrr(start: Price, expansion: Cost, contraction: Cost, churned: Cost) -> float:
    """Net revenue retention: recurring revenue from the customers of the start, as a share of what it was then.

    Arguments:
        start: recurring revenue at the start of the period
        expansion: what those customers pay more at its end
        contraction: what those who stayed pay less
        churned: what those paid who left

    Equation:
        (start + expansion - contraction - churned) / start

    Source:
        SaaS Metrics Standards Board; the same as NetSuite's (revenue at the end - new revenue) / start.

    Examples:
        Of 100, 20 were added, 5 given up and 10 left:

        >>> holdwater.nrr(100, 20, 5, 10)
        1.05

        Without the 20, the bucket leaks:

        >>> holdwater.nrr(100, 0, 5, 10)
        0.85
    """
    kept = start + expansion - contraction - churned
    if kept < -1e-12 * (start + expansion):
        raise NumError("NRR: more revenue was lost than there was; leave out what new customers brought and took.")
    return max(0, kept) / start


@formula(RETENTION, Rate)
def grr(start: Price, contraction: Cost, churned: Cost) -> float:
    """Gross revenue retention: the share of recurring revenue that was kept, whatever was added. Never above 1.

    Arguments:
        start: recurring revenue at the start of the period
        contraction: what those who stayed pay less
        churned: what those paid who left

    Equation:
        (start - contraction - churned) / start

    Source:
        SaaS Metrics Standards Board. Expansion does not count, so it cannot hide what was lost.

    Examples:
        Of 100, 5 were given up and 10 left:

        >>> holdwater.grr(100, 5, 10)
        0.85

        Nothing was lost:

        >>> holdwater.grr(100, 0, 0)
        1.0
    """
    kept = start - contraction - churned
    if kept < -1e-12 * start:
        raise NumError("GRR: more revenue was lost than there was at the start; count only what those customers paid.")
    return max(0, kept) / start


@formula(RETENTION, Ratio)
def quick_ratio(new_revenue: Cost, expansion: Cost, churned: Cost, contraction: Cost) -> float:
    """Recurring revenue gained for each unit of it that is lost. Below 1 the bucket empties.

    Arguments:
        new_revenue: recurring revenue of customers won in the period
        expansion: what existing customers pay more
        churned: what those paid who left
        contraction: what those who stayed pay less

    Equation:
        (new_revenue + expansion) / (churned + contraction)

    Source:
        Mamoon Hamid's quick ratio for subscriptions: 4 or more is healthy.

    Examples:
        20 won and 8 added, 5 left and 3 given up:

        >>> holdwater.quick_ratio(20, 8, 5, 3)
        3.5

        As much is lost as is won:

        >>> holdwater.quick_ratio(8, 0, 5, 3)
        1.0
    """
    if churned + contraction == 0:
        raise NumError("QUICK_RATIO: nothing was lost, so there is no ratio; it needs revenue churned or given up.")
    return (new_revenue + expansion) / (churned + contraction)
