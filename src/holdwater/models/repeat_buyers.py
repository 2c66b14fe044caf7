"""What repeat buyers are worth: how often they buy, and what they spend at a time, fitted together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from holdwater.errors import NumError
from holdwater.models import bg_nbd, gamma_gamma, purchase_outlook
from holdwater.models.bg_nbd import BgNbd
from holdwater.models.fitted import Estimator, check_confidence
from holdwater.models.gamma_gamma import GammaGamma
from holdwater.models.rfm import Summary

Array = NDArray[np.float64]

DRAWS = 1_000  # each is a row of quadrature nodes; the ends of a 90 % interval move by about 4 % of its width


@dataclass(frozen=True, slots=True)
class RepeatBuyers:
    """BG/NBD and Gamma-Gamma for the same customers; times in the unit of their summary."""

    buying: BgNbd
    spending: GammaGamma

    @classmethod
    def fit(cls, summary: Summary, estimator: Estimator | str = Estimator.PENALISED) -> Self:
        """What a customer buys is taken from the repeat purchases alone: the first one is often of another size."""
        return cls(
            bg_nbd.fit(*summary.histories, estimator=estimator),
            gamma_gamma.fit(summary.frequency, summary.spend, estimator=estimator),
        )

    def values(
        self, summary: Summary, gross_margin: float, horizon: float, discount: float = 0.0, *, period: float = 1.0
    ) -> Array:
        """Gross profit expected of each customer in the coming `horizon`, in today's money.

        `discount` is the rate for one `period`; what is bought in a period counts as money at its end.
        """
        _check_margin(gross_margin)
        purchases = self.buying.discounted_purchases(
            horizon, discount, summary.frequency, summary.recency, summary.age, period=period
        )
        with np.errstate(over="ignore"):
            return _finite(gross_margin * purchases * self.spending.expected_spend(summary.frequency, summary.spend))

    def new_customer(
        self,
        gross_margin: float,
        horizon: float,
        discount: float = 0.0,
        *,
        period: float = 1.0,
        confidence: float = 0.9,
        seed: int = 1,
    ) -> tuple[float, float, float]:
        """Low, mid and high of what a customer still to be won is worth, the first purchase included."""
        _check_margin(gross_margin)
        check_confidence("RepeatBuyers", confidence)
        fitted = [np.array([list(fit.parameters.values())]) for fit in (self.buying, self.spending)]
        drawn = [fit.draws(DRAWS, seed + place) for place, fit in enumerate((self.buying, self.spending))]
        (mid,), values = (
            gross_margin
            * gamma_gamma.expected_spend(spending)
            * (1 + purchase_outlook.discounted_purchases(buying, horizon, discount, period=period))
            for buying, spending in (fitted, drawn)
        )
        low, high = np.quantile(_finite(values), [(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(mid), float(high)


def _check_margin(gross_margin: float) -> None:
    if not 0 <= gross_margin <= 1:
        raise NumError(f"RepeatBuyers: gross_margin is {gross_margin:.15g}; allowed is 0 to 1.")


def _finite(worth: Array) -> Array:
    if not np.isfinite(worth).all():
        raise NumError("RepeatBuyers: the value is too large for a number; give a shorter horizon or smaller amounts.")
    return worth
