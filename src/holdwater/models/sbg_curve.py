"""Shifted-beta-geometric curves, one or thousands at once: survival, retention, and what a life is worth.

As in formulas/sbg.py a curve is the odds of staying one more period and their rise with every period of age.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdwater.errors import NumError
from holdwater.formulas import sbg

Array = NDArray[np.float64]

NO_SUM = "the payments never shrink enough to have a sum; give periods, or more discount."
_SMALL_LEAK = 1e-6  # the fraction would take more than ten thousand steps


@dataclass(frozen=True, slots=True)
class Curve:
    """Customers of one age: their odds of making the next renewal, and the rise of these with every renewal made.

    Either is a number or an array of them, one for each curve; every answer has as many.
    """

    odds: Array | float
    rise: Array | float

    @property
    def kept(self) -> Array:
        """The share that makes the next renewal."""
        return np.asarray(self.odds / (1 + self.odds))

    def aged(self, renewals: int) -> Curve:
        """Those of them who make so many renewals."""
        return Curve(self.odds + self.rise * renewals, self.rise)

    def retention(self, periods: int) -> Array:
        """The shares that make renewal 1, 2, ... of those who made the one before, along the last axis."""
        ages = np.arange(_whole("periods", periods, 0))
        odds = np.asarray(self.odds)[..., None] + np.asarray(self.rise)[..., None] * ages
        return np.asarray(odds / (1 + odds))

    def survival(self, periods: int) -> Array:
        """The shares still there at time 0, 1, 2, ... along the last axis."""
        kept = self.retention(periods)
        return np.concatenate((np.ones((*kept.shape[:-1], 1)), np.cumprod(kept, axis=-1)), axis=-1)

    def lifetime(self, discount: float = 0, growth: float = 0, periods: int | None = None) -> Array:
        """Discounted expected lifetime: periods paid for from now on, the one that begins now in full.

        A payment grows each period by `growth` and is worth less by `discount`; `periods` ends the count.
        NumError where the payments have no sum; among many curves those that have none are infinite.
        """
        check_terms(discount, growth, periods)
        if periods is not None:
            total = self._counted(int(periods), (1 + growth) / (1 + discount))
        else:
            leak = (discount - growth) / (1 + discount)
            total = self._whole_life(leak if abs(leak) > 1e-15 * abs(growth) else 0.0)
        if np.isinf(total).all():
            raise NumError(NO_SUM)
        return total

    def residual_lifetime(
        self, renewal: int, discount: float = 0, growth: float = 0, periods: int | None = None, *, paid: bool = False
    ) -> Array:
        """Discounted expected residual lifetime of a customer at its n-th renewal, by the curve of a new one.

        Just before the renewal, which the customer may or may not make, and which is then paid at once; this is how
        Fader & Hardie (2010) count. With `paid`, just after it: it is made and paid, and the next comes in a period.
        """
        if paid:
            made = self.aged(_whole("renewal", renewal, 0))
            return made.residual_lifetime(1, discount, growth, periods) * ((1 + growth) / (1 + discount))
        due = self.aged(_whole("renewal", renewal, 1) - 1)
        return np.asarray(due.kept * due.aged(1).lifetime(discount, growth, periods))

    def value(
        self, margin: float, discount: float = 0, growth: float = 0, periods: int | None = None, timing: int = 0
    ) -> Array:
        """Lifetime value of a new customer, by the curve alone; the arguments are those of LTV_COHORT."""
        terms = discount, growth, periods
        check_terms(*terms)
        lives = self.residual_lifetime(1, *terms) if timing == 2 else self.lifetime(*terms)
        return np.asarray(payment(margin, discount, timing) * lives)

    def _counted(self, periods: int, worth: float) -> Array:
        """The sum of the first so many payments, of which each is worth so much of the one before."""
        share = np.ones(np.broadcast_shapes(np.shape(self.odds), np.shape(self.rise)))
        total = np.zeros_like(share)
        with np.errstate(over="ignore"):  # whoever asks is told of what is infinite
            for age in range(periods):
                total += share
                share *= worth * self.aged(age).kept
                if worth <= 1 and share.max(initial=0) * (periods - age) < 1e-17 * total.min(initial=1):
                    break  # the rest is less than the last digit
        return total

    def _whole_life(self, leak: float) -> Array:
        """The sum of all payments, each worth less by the share `leak`; infinite where there is none."""
        if leak < _SMALL_LEAK:
            return np.asarray(np.vectorize(sbg.life, otypes=[float])(self.odds, self.rise, leak))
        # The sum is F(1, beta; alpha + beta; 1 - leak). This is Gauss's continued fraction of it, times the rise above
        # and below, so that it holds where all customers are alike too. It starts with the value of a fraction whose
        # steps are all the same, as these are far down.
        odds, rise, both, worth = self.odds, self.rise, 1 + self.odds, 1 - leak
        rest: Array | float = (1 + math.sqrt(leak)) / 2
        for step in range(math.ceil(10 / math.sqrt(leak)), 0, -1):
            up, down = rise * step, both + 2 * rise * (step - 1)
            rest = 1 - worth * (up / (down + rise)) * ((1 + up - rise) / down) / rest
            if step > 1:
                rest = 1 - worth * ((odds + up - rise) / down) * ((both + up - 2 * rise) / (down - rise)) / rest
        return np.asarray(1 / (1 - worth * odds / both / rest))


def payment(margin: float, discount: float, timing: int) -> float:
    """The first payment, as of today: at the start of its period (timing 1), or at the end."""
    if not math.isfinite(margin):
        raise NumError(f"margin is {margin:g}; give a finite amount.")
    if timing not in (0, 1, 2):
        raise NumError(f"timing is {timing:g}; allowed is 0, 1 or 2.")
    return margin if timing == 1 else margin / (1 + discount)


def check_terms(discount: float, growth: float, periods: int | None) -> None:
    """NumError for terms of payment that make no sense."""
    for name, rate in (("discount", discount), ("growth", growth)):
        if not -1 < rate < math.inf:
            raise NumError(f"{name} is {rate:g}; allowed is above -1.")
    if periods is not None:
        _whole("periods", periods, 1)


def _whole(name: str, number: float, least: int) -> int:
    if not least <= number < math.inf or number != int(number):
        raise NumError(f"{name} is {number:g}; allowed is a whole number of {least} or more.")
    return int(number)
