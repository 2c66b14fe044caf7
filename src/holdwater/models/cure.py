"""Conversion while deals are still open: a cure model.

A share of the deals will be won, each after a time of its own; the others will never be, and sooner or later most of
them are closed as lost. Won / all counts every open deal as lost, won / (won + lost) takes the fast ones for all.
Boag 1949; Farewell 1982, The use of mixture models for the analysis of survival data with long-term survivors; with
losses as a second way out, Larson & Dinse 1985.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from holdwater.errors import NoDataError
from holdwater.formulas.uncertainty import deviate, highest_rate
from holdwater.models.cure_likelihood import (
    LOSS_SCALE,
    LOSS_SHAPE,
    MARKED,
    NAMES,
    ODDS,
    SCALE,
    SHAPE,
    Likelihood,
    some_of,
)
from holdwater.models.deals import Deals
from holdwater.models.fitted import Array, Estimator, Fit, check_confidence, chosen
from holdwater.models.newton import Hill, Prior, Top, climb, penalised
from holdwater.models.profile import profile_limits

MODEL = "Conversion with open deals"
TOO_YOUNG = 1 / 3  # of the wins at the upper limit: with fewer of them in, the wins say too little about the rest

# Of the six log parameters. Times are measured in the mean days to a win (or loss) of the deals closed so far, so that
# no unit takes part; those that closed so far are the fast ones, hence a scale of 0.5 to 14 times that.
_CENTRES = np.array([-2.0, 0.0, 1.0, 2.0, 0.0, 1.0])
_SPREADS = np.array([2.0, 0.5, 1.0, 1.5, 0.5, 1.0])

_ALL = 40.0  # log odds of what happens for certain
_NARROWEST = math.log(20)  # shape: deals that all take the same time would ask for an endless one
_ENDS = {SHAPE: _NARROWEST, MARKED: 10.0, LOSS_SHAPE: _NARROWEST}  # beyond these a parameter is held, not fitted


class Law(StrEnum):
    """How the days to a win, and to a loss, spread."""

    WEIBULL = "Weibull"
    EXPONENTIAL = "exponential"


class Limits(NamedTuple):
    low: float
    high: float
    too_young: bool  # then the data say next to nothing, however far apart the limits are


@dataclass(frozen=True, slots=True, kw_only=True)
class CureFit(Fit):
    """A fitted cure model. Times are in the data's unit; `odds` are those that a deal will be won."""

    model: ClassVar[str] = MODEL
    names: ClassVar[tuple[str, ...]] = NAMES  # `parameters` holds those of them that the deals and the law call for

    deals: Deals = field(repr=False)
    law: Law

    @property
    def conversion(self) -> float:
        """The share of all deals that is won or will be."""
        return _share(math.log(self.parameters["odds"]))

    @property
    def wins_to_come(self) -> float:
        """How many of the open deals will still be won."""
        return Likelihood(self.deals).wins_to_come(self._everywhere())

    @property
    def decided(self) -> float:
        """The share of the deals that is won or lost already."""
        return self.deals.decided

    def won_within(self, days: ArrayLike) -> Array:
        """The share of all deals that is won within so much time."""
        everywhere = np.exp(self._everywhere())
        waited = np.maximum(np.asarray(days, dtype=float), 0) / everywhere[SCALE]
        return np.asarray(-self.conversion * np.expm1(-(waited ** everywhere[SHAPE])))

    def conversion_limits(self, confidence: float = 0.9) -> Limits:
        """Profile-likelihood limits of the conversion, and whether the deals are too young for an answer.

        So they are before the first win, unless all are closed; and as long as fewer than a third of the wins would be
        in if the conversion were at its upper limit. Few deals alone make nothing too young: what chance leaves open
        about the wins that are in, RATE_HIGH of all deals, counts as in.
        """
        check_confidence(MODEL, confidence)
        at, z = np.log(list(self.parameters.values())), deviate(confidence)
        hill = _hill(self.deals, self._free(), self.law, self.estimator)
        low, high = map(_share, profile_limits(hill, Top(at, hill(at), self.converged, 0), ODDS, z))
        won, deals = float(self.deals.won.sum()), float(self.deals.all.sum())
        too_young = won == 0 or highest_rate(won, deals, z) < TOO_YOUNG * high
        return Limits(low, high, too_young and self.decided < 1)

    def summary(self) -> str:
        """A few lines a person can read."""
        low, high, too_young = self.conversion_limits()
        lines = [
            f"{MODEL} ({self.law}), {self.n:,.15g} deals, {self.estimator}",
            f"  conversion {self.conversion:.1%}, 90 % between {low:.1%} and {high:.1%}",
            f"  {self.decided:.0%} of the deals are decided, {self.wins_to_come:,.3g} more wins expected",
            "  " + ", ".join(f"{name} {value:.5g}" for name, value in self.parameters.items()),
            f"  log-likelihood {self.log_likelihood:,.4f}",
        ]
        if too_young:
            lines.append("  Too young: do not use this conversion yet.")
        if not self.converged:
            lines.append("  The search did not reach a top: do not use these numbers.")
        return "\n".join(lines)

    def _free(self) -> list[int]:
        return [NAMES.index(name) for name in self.parameters]

    def _everywhere(self) -> Array:
        """All six log parameters."""
        everywhere = _held(self.deals, self.law)
        everywhere[self._free()] = np.log(list(self.parameters.values()))
        return everywhere


def fit(
    days: ArrayLike,
    status: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    law: Law | str = Law.WEIBULL,
    estimator: Estimator | str = Estimator.PENALISED,
) -> CureFit:
    """Fit to deals as Deals.of takes them: age if open, else days to close; won, lost or open; deals in each group.

    KindError or NumError for what cannot be, NoDataError where there is nothing to learn from.
    """
    return fit_deals(Deals.of(days, status, weights), law=law, estimator=estimator)


def fit_deals(
    deals: Deals, *, law: Law | str = Law.WEIBULL, estimator: Estimator | str = Estimator.PENALISED
) -> CureFit:
    """The same from deals already counted."""
    law, estimator = chosen(MODEL, Law, law), chosen(MODEL, Estimator, estimator)
    free = [ODDS, SHAPE, SCALE]
    if deals.lost.any():
        free += [MARKED, LOSS_SHAPE, LOSS_SCALE]
    if law is Law.EXPONENTIAL:
        free = [parameter for parameter in free if parameter not in (SHAPE, LOSS_SHAPE)]
    if estimator is Estimator.LIKELIHOOD and not deals.won.any():
        raise NoDataError(f"{MODEL}: nothing has been won, so the likelihood has no top; use the penalised estimator.")
    start = _prior(deals, free).centres
    won, n = float(deals.won.sum()), float(deals.all.sum())
    start[ODDS] = math.log((won + 0.5) / (n - won + 0.5))
    found = climb(_hill(deals, free, law, estimator), start)
    while endless := [
        parameter for parameter in free if found.at[free.index(parameter)] > _ENDS.get(parameter, np.inf)
    ]:
        start = found.at[[parameter not in endless for parameter in free]]
        free = [parameter for parameter in free if parameter not in endless]
        found = climb(_hill(deals, free, law, estimator), start)
    prior = _prior(deals, free) if estimator is Estimator.PENALISED else None
    return CureFit(
        parameters={NAMES[parameter]: float(np.exp(value)) for parameter, value in zip(free, found.at, strict=True)},
        log_likelihood=found.slope.height - (prior.slope(found.at).height if prior else 0.0),
        covariance=found.covariance,
        converged=found.converged,
        n=n,
        estimator=estimator,
        deals=deals,
        law=law,
    )


def _hill(deals: Deals, free: list[int], law: Law, estimator: Estimator) -> Hill:
    """What is climbed, in the parameters that are fitted."""
    prior = _prior(deals, free) if estimator is Estimator.PENALISED else None
    return penalised(some_of(Likelihood(deals), free, _held(deals, law)), prior)


def _held(deals: Deals, law: Law) -> Array:
    """The log parameters where they are not fitted: every loss is marked, or none, and the shapes are as the law says.

    A Weibull shape that is not fitted is as high as it may be.
    """
    shape = 0.0 if law is Law.EXPONENTIAL else _NARROWEST
    return np.array([0.0, shape, 0.0, _ALL if deals.lost.any() else -_ALL, shape, 0.0])


def _prior(deals: Deals, free: list[int]) -> Prior:
    centres = _CENTRES.copy()
    centres[SCALE] += math.log(_mean_days(deals, deals.won))
    centres[LOSS_SCALE] += math.log(_mean_days(deals, deals.lost))
    return Prior(np.eye(len(free)), centres[free], _SPREADS[free])


def _mean_days(deals: Deals, counts: Array) -> float:
    """Of the deals closed that way, or of all where that tells nothing."""
    for some in (counts, deals.all):
        if some @ deals.days > 0:
            return float(some @ deals.days / some.sum())
    return 1.0  # every age is 0, so no unit shows


def _share(log_odds: float) -> float:
    return float(np.exp(-np.logaddexp(0.0, -log_odds)))
