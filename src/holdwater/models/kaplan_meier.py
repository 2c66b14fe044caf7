"""Conversion by age without any law of time: the check of the cure model against the deals themselves.

Kaplan-Meier takes a lost deal for one that left the view and might still have been won; Aalen-Johansen knows that it
never will be. Kaplan & Meier 1958; Aalen & Johansen 1978; limits by Gaynor et al. 1993 and the complementary log-log.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from holdwater.errors import NumError
from holdwater.formulas.uncertainty import deviate
from holdwater.models.deals import Deals
from holdwater.models.fitted import Array


@dataclass(frozen=True, slots=True)
class Curve:
    """The share won by each age, a staircase: it holds from its age up to the next one."""

    days: Array
    share: Array
    variance: Array
    at_risk: Array  # deals open just before that age, those that closed or were last seen at it among them

    def at(self, days: ArrayLike) -> Array:
        """The share won within so much time; beyond the oldest deal it stays as it was there."""
        return self._step(self.share, days)

    def limits(self, days: ArrayLike, confidence: float = 0.9) -> tuple[Array, Array]:
        """Limits of that share; where nothing has been won yet there are none but 0 and 1."""
        if not 0 < confidence < 1:
            raise NumError(f"Conversion by age: confidence is {confidence:g}; allowed is between 0 and 1.")
        share, variance = self.at(days), self._step(self.variance, days)
        inside = (share > 0) & (share < 1)
        left = np.log1p(-np.where(inside, share, 0.5))
        reach = deviate(confidence) * np.sqrt(variance) / np.abs((1 - np.where(inside, share, 0.5)) * left)
        low, high = (-np.expm1(left * np.exp(side * reach)) for side in (-1, 1))
        return np.where(inside, low, share * (share == 1)), np.where(inside, high, 1.0)

    def _step(self, values: Array, days: ArrayLike) -> Array:
        place = np.searchsorted(self.days, np.asarray(days, dtype=float), side="right") - 1
        return np.where(place < 0, 0.0, values[place])


def kaplan_meier(deals: Deals) -> Curve:
    """The share won by each age if no deal were lost before: the right check where losses are not marked."""
    return _curve(deals, deals.won)


def aalen_johansen(deals: Deals) -> Curve:
    """The share won by each age, with losses as the other way out; equals kaplan_meier where nothing is lost."""
    return _curve(deals, deals.won + deals.lost)


def _curve(deals: Deals, leaving: Array) -> Curve:
    """Deals that close at an age leave before those that were last seen open at it, as they were open that long."""
    at_risk = np.cumsum(deals.all[::-1])[::-1]
    stays = 1 - leaving / at_risk
    stays[stays < 1e-12] = 0.0  # all that were left; weights need not add up to the last bit
    open_before = np.concatenate(([1.0], np.cumprod(stays)[:-1]))
    wins = deals.won / at_risk
    share = np.cumsum(open_before * wins)
    # The delta method, with its sums over earlier ages taken apart so that each is a running one.
    left = np.where(stays > 0, at_risk - leaving, np.inf)
    left_sum = np.cumsum(leaving / (at_risk * left))
    left_share = np.cumsum(share * leaving / (at_risk * left))
    left_square = np.cumsum(share * share * leaving / (at_risk * left))
    own = np.cumsum(open_before**2 * wins * (1 - wins) / at_risk)
    mixed = np.cumsum(open_before * wins / at_risk)
    mixed_share = np.cumsum(share * open_before * wins / at_risk)
    variance = share**2 * left_sum - 2 * share * left_share + left_square + own - 2 * (share * mixed - mixed_share)
    return Curve(deals.days, share, np.maximum(variance, 0.0), at_risk)
