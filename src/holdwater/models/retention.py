"""How long customers stay: the shifted-beta-geometric curve fitted to cohorts of any age, and how sure it is.

Every customer has a churn of its own, so those who stay are the loyal ones. The parameters are the odds of making the
first renewal, odds = beta / alpha, and their rise with every renewal made, rise = 1 / alpha.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from holdwater.errors import NoDataError, NumError
from holdwater.models.fitted import DRAWS, Estimator, Fit, check_confidence, check_size, chosen
from holdwater.models.newton import Array, Hill, Prior, Slope, Top, climb, penalised
from holdwater.models.renewals import Renewals
from holdwater.models.sbg_curve import NO_SUM, Curve, check_terms, payment

__all__ = ["Curve", "Estimator", "Renewals", "RetentionFit", "fit"]

_FAR = 200.0  # logarithms; nothing plausible is beyond, but its draws must be numbers
_TAILS = 5  # degrees of freedom of the distribution that draws are taken from
ROUNDING = 1e-12  # a smaller gain in log-likelihood per customer is none

# Before any data: half a renewal and half a loss at the first age (Jeffreys' prior of a share), and an alpha of 1.5,
# in nine of ten cases between 0.06 and 40. Churn then differs between customers with a standard deviation of 0.8 times
# its mean, between 4 times (most stay for ever or leave at once) and 0.16 times (all alike, for all purposes).
SEEN_BEFORE = 0.5
RISE = Prior(combinations=np.array([[0.0, 1.0]]), centres=np.array([-math.log(1.5)]), spreads=np.array([2.0]))


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionFit(Fit):
    """A fitted curve. `rise` is 0 where churn does not fall with age: alpha and beta then grow without end."""

    model: ClassVar[str] = "Retention (shifted beta-geometric)"
    names: ClassVar[tuple[str, ...]] = ("odds", "rise")
    no_limits: ClassVar[str] = (
        "by curves as likely as this the payments never shrink enough to have a sum, so there is no upper limit; give"
        " periods, or more discount."
    )

    renewals: Renewals

    @property
    def curve(self) -> Curve:
        """The best curve, of a new customer."""
        return Curve(self.parameters["odds"], self.parameters["rise"])

    @property
    def alpha(self) -> float:
        """The first parameter of the beta distribution of churn; NumError where all customers are alike."""
        return 1 / self._risen()

    @property
    def beta(self) -> float:
        """The second parameter of the beta distribution of churn; NumError where all customers are alike."""
        return self.parameters["odds"] / self._risen()

    def _risen(self) -> float:
        if self.parameters["rise"] == 0:
            raise NumError(
                "churn does not fall with age, so alpha and beta would grow without end; take a churn of"
                f" {1 - float(self.curve.kept):.4g} for all ages, or the penalised estimator."
            )
        return self.parameters["rise"]

    def draws(self, size: int = DRAWS, seed: int = 1) -> Array:
        """Plausible odds and rises, one row each; NumError where the data leave one open.

        Of the penalised estimator they follow the posterior itself: Laplace's approximation, with wider tails, is
        drawn and weighted by the exact hill. The hill has a long slope towards customers who are all alike, which a
        normal distribution does not know.
        """
        if self.estimator is Estimator.LIKELIHOOD:
            with np.errstate(over="ignore"):
                return np.clip(Fit.draws(self, size, seed), math.exp(-_FAR), math.exp(_FAR))
        check_size(self.model, size)
        random = np.random.default_rng(seed)
        root = np.linalg.cholesky(self.covariance)
        away = random.standard_t(_TAILS, (4 * size, 2))
        places = np.log(list(self.parameters.values())) + away @ root.T
        seen = _seen_before(self.renewals)
        off = (places[:, 1] - RISE.centres[0]) / RISE.spreads[0]
        height = _log_likelihood(seen, Curve(*np.exp(np.clip(places.T, -_FAR, _FAR)))) - off**2 / 2
        weight = height + (_TAILS + 1) / 2 * np.log1p(away**2 / _TAILS).sum(axis=1)
        chances = np.cumsum(np.exp(weight - weight.max()))
        picked = np.searchsorted(chances, (np.arange(size) + random.random()) / size * chances[-1])
        return np.asarray(np.exp(places[picked]))

    def between(
        self, of: Callable[[Curve], Array], confidence: float = 0.9, *, size: int = DRAWS, seed: int = 1
    ) -> tuple[float, float]:
        """Limits of anything a curve answers: `fit.between(lambda curve: curve.lifetime(0.1))`.

        NumError where the limits are not finite.
        """
        return self.interval(lambda rows: of(Curve(*rows.T)), confidence, size=size, seed=seed)

    def band(self, periods: int, confidence: float = 0.9, *, size: int = DRAWS, seed: int = 1) -> tuple[Array, Array]:
        """Lower and upper limits of survival at time 0, 1, 2, ..., each for itself."""
        check_confidence(self.model, confidence)
        curves = Curve(*self.draws(size, seed).T).survival(periods)
        low, high = np.quantile(curves, [(1 - confidence) / 2, (1 + confidence) / 2], axis=0)
        return low, high

    def value(
        self, margin: float, discount: float = 0, growth: float = 0, periods: int | None = None, timing: int = 0
    ) -> float:
        """Lifetime value of a new customer as in LTV_COHORT: the shares counted, and the curve beyond the last count.

        `fit.curve.value` takes the curve from the beginning, and has the limits `value_between`.
        """
        check_terms(discount, growth, periods)
        one = payment(margin, discount, timing)
        *before, last = self.renewals.shares[1 if timing == 2 else 0 :][:periods]
        counted, worth = len(before), (1 + growth) / (1 + discount)
        total = sum(share * worth**age for age, share in enumerate(before))
        if last > 0:
            old = self.curve.aged(len(self.renewals.shares) - 1)
            beyond = old.lifetime(discount, growth, None if periods is None else periods - counted)
            total += worth**counted * last * beyond
        if not math.isfinite(one * total):
            raise NumError(NO_SUM)
        return float(one * total)

    def value_between(
        self,
        margin: float,
        discount: float = 0,
        growth: float = 0,
        periods: int | None = None,
        timing: int = 0,
        *,
        confidence: float = 0.9,
        size: int = DRAWS,
        seed: int = 1,
    ) -> tuple[float, float]:
        """Limits of a new customer's lifetime value by the curve, without chance of the single customer."""
        return self.between(
            lambda curve: curve.value(margin, discount, growth, periods, timing), confidence, size=size, seed=seed
        )

    def summary(self) -> str:
        """A few lines a person can read."""
        lines = [f"{self.model}, {self.n:,.15g} customers, {self.estimator}"]
        sure = bool(np.isfinite(self.covariance).all())
        drawn = Curve(*self.draws().T) if sure else self.curve
        last = len(self.renewals.stayed)
        for age in sorted({0, 1, last - 1, last}):
            low, high = np.quantile(1 - drawn.aged(age).kept, [0.05, 0.95])
            limits = f"   90 % between {low:.2%} and {high:.2%}" if sure else ""
            seen = "" if age < last else " (not seen yet)"
            lines.append(f"  churn in period {age + 1:<4} {1 - self.curve.aged(age).kept:>7.2%}{limits}{seen}")
        if not sure:
            lines.append("  Without limits: the data leave a parameter open. The penalised estimator has them.")
        if self.parameters["rise"] > 0:
            lines.append(f"  alpha {self.alpha:.5g}, beta {self.beta:.5g}")
        else:
            lines.append("  Churn does not fall with age, as far as these customers show: all are taken to be alike.")
        lines.append(f"  log-likelihood {self.log_likelihood:,.4f}")
        if not self.converged:
            lines.append("  The search did not reach a top: do not use these numbers.")
        return "\n".join(lines)


def fit(renewals: Renewals, estimator: Estimator | str = Estimator.PENALISED) -> RetentionFit:
    """The curve of these customers.

    The penalised estimator always has an answer. Maximum likelihood, the optimum of SBG_FIT, has a rise of 0 where
    churn does not fall with age, and NoDataError where the counts leave a parameter open.
    """
    estimator = chosen(RetentionFit.model, Estimator, estimator)
    if estimator is Estimator.LIKELIHOOD:
        _check_that_there_is_a_top(renewals)
        top = _highest(renewals, None)
        alike = math.log(renewals.stayed.sum() / renewals.left.sum())
        flat = _log_likelihood(renewals, Curve(math.exp(alike), 0.0))
        if not top.slope.height - flat > ROUNDING * renewals.customers:
            top = Top(np.array([alike, -np.inf]), Slope(float(flat), np.zeros(2), np.zeros((2, 2))), True, 0)
    else:
        top = _highest(_seen_before(renewals), RISE)
    return RetentionFit.of(
        top,
        log_likelihood=float(_log_likelihood(renewals, Curve(*np.exp(top.at)))),
        n=renewals.customers,
        estimator=estimator,
        renewals=renewals,
    )


def _highest(renewals: Renewals, prior: Prior | None) -> Top:
    """The highest top that is found from several places, because the hill may have two."""
    hill = penalised(_hill(renewals), prior)
    alike = renewals.stayed.sum() / renewals.left.sum()  # the best odds where the rise is 0
    starts = [np.log([alike * share, alike * 10.0**power]) for share in (0.1, 0.3, 1) for power in range(-3, 3)]
    starts.sort(key=lambda start: hill(start).height, reverse=True)
    return max((climb(hill, start) for start in starts[:3]), key=lambda top: top.slope.height)


def _hill(renewals: Renewals) -> Hill:
    """The log-likelihood with its exact slopes and bends, in the logarithms of odds and rise."""
    stayed, left, at_risk = renewals.stayed, renewals.left, renewals.at_risk
    ages = np.arange(len(stayed))

    def at(place: Array) -> Slope:
        first, rise = np.exp(place)
        risen = rise * ages
        odds = first + risen
        slope = stayed / odds - at_risk / (1 + odds)
        bend = at_risk / (1 + odds) ** 2 - stayed / odds**2
        gradient = np.array([slope.sum() * first, slope @ risen])
        both = first * (bend @ risen)
        bends = np.array([[bend.sum() * first**2, both], [both, bend @ risen**2]]) + np.diag(gradient)
        return Slope(float(_heights(stayed, left, odds).sum()), gradient, bends)

    return at


def _log_likelihood(renewals: Renewals, curve: Curve) -> Array:
    """Of all who renewed and all who left, by each of these curves."""
    total = np.zeros(np.shape(curve.odds))
    for age, (stayed, left) in enumerate(zip(renewals.stayed, renewals.left, strict=True)):
        total = total + _heights(stayed, left, curve.aged(age).odds)
    return total


def _heights(stayed: Array, left: Array, odds: Array | float) -> Array:
    """Both terms have the same sign, so that no digits are lost."""
    return -stayed * np.log1p(1 / odds) - left * np.log1p(odds)


def _seen_before(renewals: Renewals) -> Renewals:
    """The customers, and the part of the prior that speaks of one renewal and one loss."""
    first = SEEN_BEFORE * (np.arange(len(renewals.stayed)) == 0)
    return Renewals(renewals.stayed + first, renewals.left + first)


def _check_that_there_is_a_top(renewals: Renewals) -> None:
    """NoDataError for counts that leave the odds open, the same as SBG_FIT's."""
    stayed, left = renewals.stayed, renewals.left
    missing = ""
    if not stayed[0]:
        missing = "nobody made the first renewal, so there is no curve to fit"
    elif np.count_nonzero(renewals.at_risk) < 2:
        missing = "nobody has reached a second renewal, and a curve with two parameters takes two"
    elif not left.any():
        missing = "nobody has left yet"
    elif not left[1:].any():
        missing = "nobody left after the first renewal"
    if missing:
        raise NoDataError(f"{missing}; wait for more renewals, or use the penalised estimator.")
