"""Conversion of several sources, each drawn towards the average the more, the less it has seen of its own.

The rates of the sources are spread as a beta distribution, fitted to all of them together (empirical Bayes); a source
with three leads says little about itself, and what it does not say the others do. Skellam 1948; Efron & Morris 1975.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from holdwater.errors import KindError, NoDataError, NumError
from holdwater.models.fitted import DRAWS, Array, Estimator, Fit, check_confidence, chosen
from holdwater.models.newton import Prior, Slope, climb, penalised
from holdwater.models.special import log_gamma, rise

MODEL = "Conversion by source"

# Of the log odds of the average rate, and of the logarithm of the concentration: how many leads the average weighs.
PRIOR = Prior(np.eye(2), np.array([-2.0, np.log(30.0)]), np.array([2.0, 2.0]))


class RateLimits(NamedTuple):
    low: Array
    high: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesFit(Fit):
    """A fitted Beta-Binomial: `odds` of the average rate, and `concentration`, the leads that average weighs."""

    model: ClassVar[str] = MODEL
    names: ClassVar[tuple[str, ...]] = ("odds", "concentration")

    won: Array = field(repr=False)
    leads: Array = field(repr=False)

    @property
    def average(self) -> float:
        odds = self.parameters["odds"]
        return odds / (1 + odds)

    def rates(self, won: ArrayLike | None = None, leads: ArrayLike | None = None) -> Array:
        """The expected rate of each source of the fit, or of others: (0, 0) is one of which nothing is known."""
        wins, tried = self._counts(won, leads)
        weight = self.parameters["concentration"]
        return np.asarray((weight * self.average + wins) / (weight + tried))

    def limits(
        self,
        won: ArrayLike | None = None,
        leads: ArrayLike | None = None,
        confidence: float = 0.9,
        *,
        size: int = DRAWS,
        seed: int = 1,
    ) -> RateLimits:
        """Limits of each source's rate, with the doubt about the average and about the scatter in them."""
        check_confidence(MODEL, confidence)
        wins, tried = self._counts(won, leads)
        odds, concentration = self.draws(size, seed).T
        random = np.random.default_rng(seed)
        tails = [(1 - confidence) / 2, (1 + confidence) / 2]
        a, b = concentration * odds / (1 + odds), concentration / (1 + odds)
        ends = [np.quantile(random.beta(a + w, b + n - w), tails) for w, n in zip(wins, tried, strict=True)]
        low, high = np.reshape(ends, (-1, 2)).T
        return RateLimits(low, high)

    def _counts(self, won: ArrayLike | None, leads: ArrayLike | None) -> tuple[Array, Array]:
        if won is None and leads is None:
            return self.won, self.leads
        return _checked(0.0 if won is None else won, 0.0 if leads is None else leads)


def fit(
    won: ArrayLike,
    leads: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    estimator: Estimator | str = Estimator.PENALISED,
) -> SourcesFit:
    """Fit to the leads of each source and how many of them were won; `weights` counts sources alike.

    Only leads that are decided belong here; with open ones use a cure model. KindError or NumError for what cannot be,
    NoDataError where there is nothing to learn from.
    """
    estimator = chosen(MODEL, Estimator, estimator)
    wins, tried = _checked(won, leads)
    counts = np.ones_like(tried) if weights is None else _numbers("weights", weights)
    if len(counts) != len(tried):
        raise KindError(f"{MODEL}: weights has {len(counts)} entries, leads has {len(tried)}; give one a source.")
    n = float(counts @ tried)
    if not n > 0:
        raise NoDataError(f"{MODEL}: there are no leads; give at least one.")
    total = float(counts @ wins)
    if estimator is Estimator.LIKELIHOOD and total in (0.0, n):
        every = "none" if total == 0 else "every one"
        raise NoDataError(
            f"{MODEL}: {every} of the leads was won, so the likelihood has no top; use the penalised estimator."
        )
    prior = PRIOR if estimator is Estimator.PENALISED else None
    start = np.array([np.log((total + 0.5) / (n - total + 0.5)), PRIOR.centres[1]])
    top = climb(penalised(_Likelihood(wins, tried, counts), prior), start)
    if estimator is Estimator.LIKELIHOOD and not np.isfinite(top.covariance).all():
        raise NoDataError(
            f"{MODEL}: the sources differ no more than by chance, so the likelihood has no top; use the penalised"
            " estimator."
        )
    return SourcesFit.of(
        top,
        log_likelihood=top.slope.height - (prior.slope(top.at).height if prior else 0.0),
        n=n,
        estimator=estimator,
        won=wins,
        leads=tried,
    )


class _Likelihood:
    """The logarithm of the beta-binomial probabilities in log odds and log concentration, with slope and bend."""

    def __init__(self, won: Array, leads: Array, counts: Array) -> None:
        self.won, self.lost, self.leads, self.counts = won, leads - won, leads, counts
        ways = log_gamma(leads + 1) - log_gamma(won + 1) - log_gamma(leads - won + 1)
        self.ways = float(counts @ ways)

    def __call__(self, at: Array) -> Slope:
        weight = float(np.exp(at[1]))
        mean, rest = float(np.exp(-np.logaddexp(0, -at[0]))), float(np.exp(-np.logaddexp(0, at[0])))
        a, b = weight * mean, weight * rest
        (log_a, slope_a, bend_a), (log_b, slope_b, bend_b), (log, slope, bend) = (
            [float(self.counts @ column) for column in rise(x, more)]
            for x, more in ((a, self.won), (b, self.lost), (weight, self.leads))
        )
        swing = weight * mean * rest  # of a, and of -b, in the log odds
        gradient = np.array([swing * (slope_a - slope_b), a * slope_a + b * slope_b - weight * slope])
        cross = swing * (slope_a + a * bend_a - slope_b - b * bend_b)
        odds_bend = swing * swing * (bend_a + bend_b) + swing * (rest - mean) * (slope_a - slope_b)
        weight_bend = gradient[1] + a * a * bend_a + b * b * bend_b - weight * weight * bend
        return Slope(self.ways + log_a + log_b - log, gradient, np.array([[odds_bend, cross], [cross, weight_bend]]))


def _checked(won: ArrayLike, leads: ArrayLike) -> tuple[Array, Array]:
    wins, tried = _numbers("won", won), _numbers("leads", leads)
    if len(wins) != len(tried):
        raise KindError(f"{MODEL}: won has {len(wins)} entries, leads has {len(tried)}; give one of each a source.")
    if (wins > tried).any():
        place = int(np.argmax(wins > tried))
        raise NumError(
            f"{MODEL}: won is {wins[place]:.15g} in element {place}, counted from 0; allowed is 0 to the number of"
            f" leads there, {tried[place]:.15g}."
        )
    return wins, tried


def _numbers(name: str, column: ArrayLike) -> Array:
    given = np.atleast_1d(np.asarray(column))
    if given.size and given.dtype.kind not in "iuf":
        raise KindError(f"{MODEL}: {name} holds something that is no number; give numbers only.")
    if given.ndim != 1:
        raise KindError(f"{MODEL}: {name} has {given.ndim} dimensions; give one number for each source.")
    fine = (given >= 0) & (given < np.inf)
    if not fine.all():
        place = int(np.argmin(fine))
        raise NumError(
            f"{MODEL}: {name} is {given[place]:.15g} in element {place}, counted from 0; allowed is 0 or more."
        )
    return given.astype(float)
