"""How often the limits of a conversion hold the true one: deals of businesses made up, counted again and again.

`python benchmarks/coverage_conversion.py` prints the tables of docs/models_conversion.md; it takes some minutes.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import numpy as np

from holdwater.errors import NoDataError
from holdwater.models import beta_binomial, cure
from holdwater.models.deals import Deals
from holdwater.models.fitted import Array, Estimator

RUNS = 200


class Business(NamedTuple):
    """What is true, and what somebody looking for `window` days sees of it."""

    name: str
    conversion: float
    shape: float  # of the days to a win
    scale: float
    loss_scale: float = 98.0
    marked: float = 1.0  # the share of the losses that anybody ever marks

    def deals(self, random: np.random.Generator, n: int, window: float) -> Deals:
        """Deals that came in evenly over the window, their days rounded up as dates are."""
        age = np.ceil(random.uniform(0, window, n))
        to_be_won = random.random(n) < self.conversion
        ever_lost = random.random(n) < self.marked
        to_loss = np.where(ever_lost, np.ceil(self.loss_scale * random.exponential(size=n)), np.inf)
        closes = np.where(to_be_won, np.ceil(self.scale * random.weibull(self.shape, n)), to_loss)
        status = np.where(closes > age, 0, np.where(to_be_won, 1, 2))
        return Deals.of(np.minimum(closes, age), status)


BUSINESSES = (
    Business("the textbook case", 0.12, 1.3, 75),
    Business("few, slow, half the losses marked", 0.03, 1.0, 60, 120, 0.5),
    Business("one in three, steady", 0.35, 2.0, 50, 60),
    Business("one in twenty, losses never marked", 0.05, 0.8, 40, 98, 0.0),
)
WINDOWS = (45, 180)
SIZES = (20, 40, 150, 400)


class Coverage(NamedTuple):
    covered: float  # of all runs
    answered: float  # the share of runs that is not too young
    wrong: float  # the share of runs with an answer that misses the truth
    low: float  # medians
    rate: float
    high: float
    failed: int


def coverage(
    business: Business,
    n: int,
    window: float,
    runs: int = RUNS,
    estimator: Estimator = Estimator.PENALISED,
) -> Coverage:
    """Nominal are 0.9 covered; so no more than 0.1 of the runs should end in a wrong answer."""
    random = np.random.default_rng([n, int(window), int(1000 * business.conversion)])
    rows = []
    for _ in range(runs):
        try:
            fit = cure.fit_deals(business.deals(random, n, window), estimator=estimator)
            low, high, too_young = fit.conversion_limits()
            rows.append((low, fit.conversion, high, too_young, fit.converged))
        except NoDataError:  # the likelihood alone has no top
            rows.append((0.0, np.nan, 1.0, True, False))
    low, rate, high, too_young, converged = np.array(rows, dtype=float).T
    covered = (low <= business.conversion) & (business.conversion <= high)
    return Coverage(
        float(covered.mean()),
        float(1 - too_young.mean()),
        float((~covered & (too_young == 0)).mean()),
        float(np.nanmedian(low)),
        float(np.nanmedian(rate)),
        float(np.nanmedian(high)),
        int((converged == 0).sum()),
    )


class Sources(NamedTuple):
    """Sources whose true rates scatter as Beta(concentration x mean, ...)."""

    mean: float
    concentration: float
    sources: int
    leads: int  # on average; from a third to three times that

    def coverage(self, runs: int = RUNS) -> tuple[float, float, float, float]:
        """The share of rates inside their limits, with shrinkage and alone (Wilson), and how wide both are."""
        random = np.random.default_rng([self.sources, self.leads])
        inside, alone, width, width_alone = [], [], [], []
        for _ in range(runs):
            rates = random.beta(self.mean * self.concentration, (1 - self.mean) * self.concentration, size=self.sources)
            leads = np.ceil(self.leads * 3 ** random.uniform(-1, 1, self.sources))
            won = random.binomial(leads.astype(int), rates).astype(float)
            low, high = beta_binomial.fit(won, leads).limits()
            inside.append((low <= rates) & (rates <= high))
            width.append(high - low)
            low, high = _wilson(won, leads)
            alone.append((low <= rates) & (rates <= high))
            width_alone.append(high - low)
        return tuple(float(np.mean(values)) for values in (inside, alone, width, width_alone))  # type: ignore[return-value]  # four of them


SOURCES = tuple(
    Sources(mean, concentration, sources, leads)
    for mean, concentration in ((0.03, 20.0), (0.12, 200.0), (0.4, 8.0))
    for sources, leads in ((5, 20), (5, 150), (20, 40))
)


def _wilson(won: Array, leads: Array) -> tuple[Array, Array]:
    z = 1.6448536269514722
    middle = (won + z * z / 2) / (leads + z * z)
    half = z * np.sqrt(won / leads * (leads - won) + z * z / 4) / (leads + z * z)
    return middle - half, middle + half


def main() -> None:
    for estimator in (Estimator.PENALISED, Estimator.LIKELIHOOD):
        print(f"\n{estimator}\n")
        print("| business | true | days | deals | covered | answered | answered, and wrong | median | no top |")
        print("|---|---:|---:|---:|---:|---:|---:|---|---:|")
        for business in BUSINESSES:
            for window in WINDOWS:
                for n in SIZES if estimator is Estimator.PENALISED else SIZES[-1:]:
                    c = coverage(business, n, window, estimator=estimator)
                    print(
                        f"| {business.name} | {business.conversion:.0%} | {window} | {n} | {c.covered:.3f} |"
                        f" {c.answered:.2f} | {c.wrong:.3f} | {c.rate:.3f} [{c.low:.3f}, {c.high:.3f}] | {c.failed} |"
                    )
                    sys.stdout.flush()
    print("\nsources\n\n| mean | scatter | sources | leads each | covered | alone | width | alone |")
    print("|---:|---:|---:|---:|---:|---:|---:|---:|")
    for case in SOURCES:
        inside, alone, width, width_alone = case.coverage()
        scatter = (case.mean * (1 - case.mean) / (case.concentration + 1)) ** 0.5
        print(
            f"| {case.mean:.0%} | {scatter:.3f} | {case.sources} | {case.leads} | {inside:.3f} | {alone:.3f} |"
            f" {width:.3f} | {width_alone:.3f} |"
        )


if __name__ == "__main__":
    main()
