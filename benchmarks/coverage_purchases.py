"""How often the 90 % intervals of repeat buyers hold the truth.

python benchmarks/coverage_purchases.py [runs=200] [likelihood]
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

import holdwater
from holdwater.models import gamma_gamma, purchase_outlook
from holdwater.models.fitted import Estimator
from holdwater.models.repeat_buyers import RepeatBuyers
from holdwater.models.rfm import Summary

HORIZON, DISCOUNT, MARGIN, RATIO = 24, 0.01, 0.4, 3
SIZES = (20, 40, 150)


@dataclass(frozen=True)
class Truth:
    """A business whose customers behave exactly as the models say; the unit of time is a month."""

    name: str
    buying: tuple[float, float, float, float]  # r, alpha, a, b
    spending: tuple[float, float, float]  # p, q, v
    months: float  # observed; customers came at any time in the first half
    conversion: float

    @property
    def value(self) -> float:
        later = purchase_outlook.discounted_purchases(np.array(self.buying), HORIZON, DISCOUNT)
        return float(MARGIN * gamma_gamma.expected_spend(np.array(self.spending)) * (1 + later))

    def customers(self, count: int, random: np.random.Generator) -> Summary:
        r, alpha, a, b = self.buying
        p, q, v = self.spending
        rate, leaving = random.gamma(r, 1 / alpha, count), random.beta(a, b, count)
        age = random.uniform(0.5, 1, count) * self.months
        frequency, recency = np.zeros(count), np.zeros(count)
        for who in range(count):
            moment = random.exponential(1 / rate[who])
            while moment < age[who]:
                frequency[who], recency[who] = frequency[who] + 1, moment
                if random.random() < leaving[who]:
                    break
                moment += random.exponential(1 / rate[who])
        many = np.maximum(frequency, 1)
        taste = random.gamma(q, 1 / v, count)
        spend = random.gamma(p * many, 1 / taste) / many
        return Summary(np.arange(count), frequency, recency, age, np.where(frequency > 0, spend, 0.0))


TRUTHS = (
    Truth("books, few come back", (0.243, 1.0, 0.79, 2.43), (6.25, 3.74, 15.4), 9, 0.2),
    Truth("coffee, often and loyal", (1.6, 1.2, 0.5, 7.0), (1.4, 6.0, 90.0), 12, 0.1),
    Truth("gifts, rare and fickle", (2.0, 14.0, 1.6, 2.2), (12.0, 2.6, 8.0), 24, 0.3),
    Truth("parts, all alike", (4.0, 9.0, 0.25, 2.0), (3.0, 9.0, 400.0), 18, 0.05),
)


class Coverage(NamedTuple):
    truth: str
    customers: int
    value: float  # share of the intervals of the lifetime value that hold the truth
    allowable_cpl: float
    width: float  # median of high / low of the lifetime value
    failed: int


def coverage(truth: Truth, customers: int, runs: int, estimator: Estimator = Estimator.PENALISED) -> Coverage:
    value, cpl = truth.value, truth.value / RATIO * truth.conversion
    held = np.zeros((runs, 2), dtype=bool)
    widths, failed = [], 0
    for run in range(runs):
        random = np.random.default_rng([run, customers, TRUTHS.index(truth)])
        summary = truth.customers(customers, random)
        leads = customers + random.negative_binomial(customers, truth.conversion)
        try:
            fit = RepeatBuyers.fit(summary, estimator)
            low, _, high = fit.new_customer(MARGIN, HORIZON, DISCOUNT)
            if not (fit.buying.converged and fit.spending.converged and 0 < low <= high < np.inf):
                raise holdwater.NumError("no top")
        except holdwater.FormulaError:
            failed += 1
            continue
        lowest, _, highest = holdwater.allowable_cpl_range(low, high, customers, leads, RATIO)
        held[run] = low <= value <= high, lowest <= cpl <= highest
        widths.append(high / low)
    value_held, cpl_held = held.mean(axis=0)
    return Coverage(truth.name, customers, float(value_held), float(cpl_held), float(np.median(widths)), failed)


def main(runs: int, estimator: Estimator) -> None:
    print("| business | customers | holds the lifetime value | holds the allowable CPL | high / low | failed |")
    print("|---|---:|---:|---:|---:|---:|")
    for truth in TRUTHS:
        for size in SIZES:
            c = coverage(truth, size, runs, estimator)
            print(
                f"| {c.truth} | {c.customers} | {c.value:.3f} | {c.allowable_cpl:.3f} | {c.width:.1f} | {c.failed} |",
                flush=True,
            )


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 200,
        Estimator.LIKELIHOOD if "likelihood" in sys.argv else Estimator.PENALISED,
    )
