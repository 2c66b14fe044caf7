"""How often the limits of a lifetime value hold the true one: businesses made up, fitted again and again.

`python benchmarks/coverage_retention.py` prints the table of docs/models_retention.md; it takes some minutes.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

import holdwater
from holdwater.models import retention
from holdwater.models.fitted import Array, Estimator
from holdwater.models.renewals import Renewals
from holdwater.models.sbg_curve import Curve

RUNS = 400
SIZES = (20, 40, 150)
MARGIN = 100
CONVERSION = 0.2
RATIO = 3


class Business(NamedTuple):
    """What is true, and how many renewals of its oldest customers anybody has seen."""

    name: str
    alpha: float
    beta: float
    window: int
    discount: float

    @property
    def lifetime_value(self) -> float:
        return float(Curve(self.beta / self.alpha, 1 / self.alpha).value(MARGIN, self.discount))

    def renewals(self, random: np.random.Generator, customers: int) -> Renewals:
        """Customers won evenly over the window, each with a churn of its own."""
        start = random.integers(0, self.window, customers)
        churn = np.maximum(random.beta(self.alpha, self.beta, customers), 1e-15)
        return Renewals.of_customers(start, start + random.geometric(churn).astype(float), as_of=self.window)


# The prior's centre is alpha = 1.5.
BUSINESSES = (
    Business("yearly, customers differ much", 0.704, 1.182, 8, 0.1),
    Business("yearly, customers differ little", 3.8, 15.2, 8, 0.1),
    Business("monthly, customers differ much", 0.5, 6.0, 24, 0.01),
    Business("monthly, customers nearly alike", 8.0, 150.0, 24, 0.01),
)


class Score(NamedTuple):
    """How the limits of one business did."""

    failed: int  # runs without limits
    value: float  # share of the other runs whose limits held the true lifetime value
    cost_per_lead: float  # and the true allowable cost per lead
    width: float  # high / low of the value, median

    def row(self) -> str:
        return f"{self.failed} | {self.value:.3f} | {self.cost_per_lead:.3f} | {self.width:.2f}"


def score(business: Business, size: int, estimator: Estimator, runs: int = RUNS, seed: int = 1) -> Score:
    """Leads enough to win `size` customers on average; both counts are as chance has it."""
    held: list[tuple[bool, bool, float]] = []
    true_value = business.lifetime_value
    true_cost = true_value / RATIO * CONVERSION
    leads = round(size / CONVERSION)
    for random in _generators(seed, runs):
        won = int(random.binomial(leads, CONVERSION))
        try:
            fitted = retention.fit(business.renewals(random, won), estimator)
            low, high = fitted.value_between(MARGIN, business.discount)
        except (holdwater.NoDataError, holdwater.NumError):
            continue
        if fitted.converged:
            cheap, _, dear = holdwater.allowable_cpl_range(low, high, won, leads, RATIO)
            held.append((low <= true_value <= high, cheap <= true_cost <= dear, high / low))
    columns: Array = np.array(held, dtype=float).T
    return Score(runs - len(held), columns[0].mean(), columns[1].mean(), float(np.median(columns[2])))


def _generators(seed: int, runs: int) -> Iterator[np.random.Generator]:
    return (np.random.default_rng((seed, run)) for run in range(runs))


def main() -> None:
    for estimator in Estimator:
        print(f"\n{estimator.capitalize()}, {RUNS} runs a row:\n")
        print("| business | n | without limits | LTV within limits | allowable CPL within limits | high / low |")
        print("|---|---:|---:|---:|---:|---:|")
        for business in BUSINESSES:
            for size in SIZES:
                print(f"| {business.name} | {size} | {score(business, size, estimator).row()} |")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
