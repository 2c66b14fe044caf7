"""Gamma-Gamma: how much customers spend at a time, from the mean of few purchases and from what others spend.

A customer's purchases vary as Gamma(p, nu), nu over the customers as Gamma(q, v). The mean over all customers is
p v / (q - 1), which exists for q above 1 only; so q is kept above 1, and no customer is worth less than nothing.
Fader, Hardie & Lee 2005, RFM and CLV: using iso-value curves; Fader & Hardie 2013, The Gamma-Gamma model.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdwater.errors import NoDataError
from holdwater.models.fitted import Estimator, Fit, chosen
from holdwater.models.newton import Prior, Slope, Top, climb, penalised
from holdwater.models.purchase_histories import BLOCK, blocks, checked_columns, numbers, refuse
from holdwater.models.special import digamma, log_gamma, trigamma

Array = NDArray[np.float64]

MODEL = "Gamma-Gamma"

# Of log p, log(q - 1) and log v, with money measured in typical purchases: how even the purchases of one customer
# are, how alike the customers are, and the mean over all customers.
PRIOR = Prior(
    combinations=np.array([[1.0, 0, 0], [0, 1, 0], [1, -1, 1]]),
    centres=np.log([3.0, 2.0, 1.0]),
    spreads=np.array([1.0, 1.0, 0.5]),
)

_START = np.log([3.0, 2.0, 2 / 3])  # the centre of that prior
_ONES = np.ones(BLOCK)
_SAMPLE = 60_000  # so many customers are enough to see where the top must be


@dataclass(frozen=True, slots=True, kw_only=True)
class GammaGamma(Fit):
    """A fitted Gamma-Gamma model; its covariance is that of log p, log(q - 1) and log v."""

    model: ClassVar[str] = MODEL
    names: ClassVar[tuple[str, ...]] = ("p", "q", "v")
    least: ClassVar[tuple[float, ...]] = (0.0, 1.0, 0.0)

    def expected_spend(self, frequency: ArrayLike = 0, spend: ArrayLike = 0) -> Array:
        """What a customer is expected to spend at a time, after `frequency` purchases of `spend` on average."""
        return expected_spend(np.array([self.parameters[name] for name in self.names]), frequency, spend)


def expected_spend(parameters: Array, frequency: ArrayLike = 0, spend: ArrayLike = 0) -> Array:
    """The same for parameters p, q, v along the last axis, such as draws; without purchases the mean of all customers.

    Between the customer's own mean and that of all: the more purchases, the closer to their own.
    """
    p, q, v = np.moveaxis(np.asarray(parameters, dtype=float), -1, 0)
    count, spend = numbers(MODEL, "frequency", frequency), numbers(MODEL, "spend", spend)
    refuse(MODEL, count != np.floor(count), "frequency is no whole number")
    return np.asarray(p * (v + count * spend) / (p * count + (q - 1)))


def fit(
    frequency: ArrayLike,
    spend: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    estimator: Estimator | str = Estimator.PENALISED,
) -> GammaGamma:
    """Fit to each customer's number of purchases and their mean; customers with none are passed over.

    KindError or NumError for what cannot be, NoDataError where nobody has bought.
    """
    estimator = chosen(MODEL, Estimator, estimator)
    count, spend, w = checked_columns(MODEL, weights, frequency=frequency, spend=spend)
    refuse(MODEL, count > 1e6, "frequency is above a million purchases")
    refuse(MODEL, count != count.astype(np.int64), "frequency is no whole number")
    if min(count.min(), spend.min(), w.min()) <= 0:
        refuse(MODEL, (count > 0) & (spend <= 0), "spend is not above 0")
        known = (count > 0) & (w > 0)
        if not known.any():
            raise NoDataError(f"{MODEL}: no customer has a purchase to learn from; wait for repeat purchases.")
        count, spend, w = count[known], spend[known], w[known]
    customers = float(w.sum())
    some = slice(None, None, 1 + len(w) // _SAMPLE)
    unit = float(np.exp(w[some] @ np.log(spend[some]) / w[some].sum()))  # of money, for the search: it cancels out
    prior = PRIOR if estimator is Estimator.PENALISED else None
    top = _top(count, spend, w, unit, prior)
    height = top.slope.height - (prior.slope(top.at).height if prior else 0.0)
    return GammaGamma.of(
        replace(top, at=top.at + np.array([0, 0, np.log(unit)])),
        log_likelihood=height - customers * float(np.log(unit)),
        n=customers,
        estimator=estimator,
    )


def _top(count: Array, spend: Array, w: Array, unit: float, prior: Prior | None) -> Top:
    """The top of the hill; from that of every few customers, which saves most of the looks at all of them."""
    start = _START
    if len(count) >= 3 * _SAMPLE:
        some = slice(None, None, len(count) // _SAMPLE)
        start = _top(count[some].copy(), spend[some].copy(), w[some].copy(), unit, prior).at
    return climb(penalised(_Likelihood(count, spend, w, unit), prior), start)


class _Likelihood:
    """The log-likelihood in log p, log(q - 1) and log v, with its exact slope and bend.

    Gamma functions depend on the counts alone, so each is computed once for all customers of a count.
    """

    def __init__(self, count: Array, spend: Array, w: Array, unit: float) -> None:
        self.count, self.weights = count, None if (w == 1).all() else w
        self.total = np.empty_like(count)
        customers = np.zeros(int(count.max()) + 1)
        self.log_spend = self.fixed = 0.0
        for block in blocks(len(count)):
            ones, purchases = self._weights(block)
            scaled = spend[block] / unit
            logs = np.log(scaled)
            self.log_spend += float(ones @ logs)
            self.fixed += float(purchases @ logs)
            np.multiply(count[block], scaled, out=self.total[block])
            customers += np.bincount(count[block].astype(np.int64), weights=ones, minlength=len(customers))
        self.counts = np.flatnonzero(customers).astype(float)
        self.customers = customers[customers > 0]
        self.fixed += float(self.customers @ (self.counts * np.log(self.counts)))

    def _weights(self, block: slice) -> tuple[Array, Array]:
        """What one customer of the block counts, and what one's purchases do."""
        count = self.count[block]
        if self.weights is None:
            return _ONES[: len(count)], count
        return self.weights[block], self.weights[block] * count

    def __call__(self, at: Array) -> Slope:
        p, above, v = np.exp(at)
        q = 1 + above
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # far out; the climb turns back there
            logs, inverse, squares = self._sums(v)
            x, w, n = self.counts, self.customers, self.customers.sum()
            places = np.concatenate([p * x + q, p * x, [q]])
            high, low, last = _split(log_gamma(places))
            height = w @ (high - low) + p * self.fixed - self.log_spend
            height += n * (q * at[2] - last) - p * logs[1] - q * logs[0]
            high, low, last = _split(digamma(places))
            gradient = np.array(
                [
                    (w * x) @ (high - low) + self.fixed - logs[1],
                    w @ high + n * (at[2] - last) - logs[0],
                    n * q / v - p * inverse[1] - q * inverse[0],
                ]
            )
            high, low, last = _split(trigamma(places))
            pp, pq, pv = (w * x * x) @ (high - low), (w * x) @ high, -inverse[1]
            qq, qv = w @ high - n * last, n / v - inverse[0]
            vv = p * squares[1] + q * squares[0] - n * q / v**2
        scale = np.array([p, above, v])
        hessian = np.outer(scale, scale) * [[pp, pq, pv], [pq, qq, qv], [pv, qv, vv]] + np.diag(scale * gradient)
        return Slope(float(height), scale * gradient, hessian)

    def _sums(self, v: float) -> Array:
        """Of log(spent + v), 1 / (spent + v) and its square: once by customers, once by their purchases."""
        sums = np.zeros((3, 2))
        for block in blocks(len(self.total)):
            ones, purchases = self._weights(block)
            spent = self.total[block] + v
            inverse = 1 / spent
            terms = np.log(spent), inverse, inverse * inverse
            sums += [[term @ ones, term @ purchases] for term in terms]
        return sums


def _split(values: Array) -> tuple[Array, Array, float]:
    """At p x + q, at p x, and at q."""
    half = len(values) // 2
    return values[:half], values[half:-1], float(values[-1])
