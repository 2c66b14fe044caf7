"""BG/NBD: who buys again without a contract, how often, and who has silently left.

While alive a customer buys at random, at a rate of their own; after each repeat purchase they leave for good with a
probability of their own. The rates are spread over customers as Gamma(r, alpha), the probabilities as Beta(a, b).
Fader, Hardie & Lee 2005, Counting your customers the easy way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdwater.errors import NoDataError
from holdwater.models import purchase_outlook
from holdwater.models.fitted import Estimator, Fit, chosen
from holdwater.models.newton import Prior, Slope, Top, climb, penalised
from holdwater.models.purchase_histories import Histories, blocks, checked_histories, grouped
from holdwater.models.special import rising

Array = NDArray[np.float64]

MODEL = "BG/NBD"

# Of log r, log alpha, log a and log b, with time measured in mean ages: how alike the customers are, the purchases
# they would make in that time, their chance of leaving after one, how alike these chances are.
PRIOR = Prior(
    combinations=np.array([[1.0, 0, 0, 0], [1, -1, 0, 0], [0, 0, 1, -1], [0, 0, 0.5, 0.5]]),
    centres=np.log([0.7, 2.0, 1 / 3, 1.0]),
    spreads=np.array([1.0, 1.5, 1.0, 1.0]),
)

_START = np.log([0.7, 0.35, 0.6, 1.7])  # the centre of that prior
_SAMPLE = 20_000  # so many customers are enough to see where the top must be


@dataclass(frozen=True, slots=True, kw_only=True)
class BgNbd(Fit):
    """A fitted BG/NBD model. Predictions take one history or arrays of them, in the data's unit of time."""

    model: ClassVar[str] = MODEL
    names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")

    def alive(self, frequency: ArrayLike, recency: ArrayLike, age: ArrayLike) -> Array:
        """See purchase_outlook.alive."""
        return purchase_outlook.alive(self._row, frequency, recency, age)

    def buys(self, time: float, frequency: ArrayLike = 0, recency: ArrayLike = 0, age: ArrayLike = 0) -> Array:
        """See purchase_outlook.buys."""
        return purchase_outlook.buys(self._row, time, frequency, recency, age)

    def purchases(self, time: float, frequency: ArrayLike = 0, recency: ArrayLike = 0, age: ArrayLike = 0) -> Array:
        """See purchase_outlook.purchases."""
        return purchase_outlook.purchases(self._row, time, frequency, recency, age)

    def discounted_purchases(
        self,
        time: float,
        discount: float,
        frequency: ArrayLike = 0,
        recency: ArrayLike = 0,
        age: ArrayLike = 0,
        *,
        period: float = 1.0,
    ) -> Array:
        """See purchase_outlook.discounted_purchases."""
        return purchase_outlook.discounted_purchases(self._row, time, discount, frequency, recency, age, period=period)

    @property
    def _row(self) -> Array:
        return np.array([self.parameters[name] for name in self.names])


def fit(
    frequency: ArrayLike,
    recency: ArrayLike,
    age: ArrayLike,
    weights: ArrayLike | None = None,
    *,
    estimator: Estimator | str = Estimator.PENALISED,
) -> BgNbd:
    """Fit to what each customer did, or each group of customers who did the same: see Histories.

    KindError or NumError for a history that cannot be, NoDataError where there is nothing to learn from.
    """
    estimator = chosen(MODEL, Estimator, estimator)
    histories = checked_histories(MODEL, frequency, recency, age, weights)
    if len(histories.age) > _SAMPLE:
        histories = grouped(histories)
    customers, repeats = float(histories.weights.sum()), float(histories.weights @ histories.frequency)
    unit = float(histories.weights @ histories.age) / customers  # of time, for the search: the data's own cancels out
    if unit == 0:
        raise NoDataError(f"{MODEL}: every first purchase was made just now; wait until some time has passed.")
    if repeats == 0 and estimator is Estimator.LIKELIHOOD:
        raise NoDataError(f"{MODEL}: nobody bought again, so the likelihood has no top; use the penalised estimator.")
    scaled = histories._replace(recency=histories.recency / unit, age=histories.age / unit)
    prior = PRIOR if estimator is Estimator.PENALISED else None
    top = _top(scaled, prior)
    height = top.slope.height - (prior.slope(top.at).height if prior else 0.0)
    return BgNbd.of(
        replace(top, at=top.at + np.array([0, np.log(unit), 0, 0])),
        log_likelihood=height - repeats * float(np.log(unit)),
        n=customers,
        estimator=estimator,
    )


def _top(histories: Histories, prior: Prior | None) -> Top:
    """The top of the hill; from that of every few customers, which saves most of the looks at all of them."""
    start = _START
    if len(histories.age) >= 3 * _SAMPLE:
        start = _top(histories.sample(_SAMPLE), prior).at
    return climb(penalised(_Likelihood(histories), prior), start)


class _Likelihood:
    """The log-likelihood in log r, log alpha, log a and log b, with its exact slope and bend.

    Gamma functions depend on the counts alone, so each is looked up once for all customers of a count.
    """

    def __init__(self, histories: Histories) -> None:
        counts = histories.frequency.astype(np.int64)
        self.by_count = np.bincount(counts, weights=histories.weights).astype(float)
        once, again = np.flatnonzero(histories.frequency == 0), np.flatnonzero(histories.frequency)
        self.ages, self.weights = histories.age[once], histories.weights[once]
        self.repeaters = Histories(*(column[again] for column in histories))

    def __call__(self, at: Array) -> Slope:
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # far out; the climb turns back there
            parts = [_of_counts(at, self.by_count)]
            parts += [_of_one_purchase(at, self.ages[b], self.weights[b]) for b in blocks(len(self.ages))]
            repeaters = self.repeaters
            parts += [_of_repeaters(at, *(column[b] for column in repeaters)) for b in blocks(len(repeaters.age))]
        height, gradient, hessian = (sum(part) for part in zip(*parts, strict=True))
        return Slope(float(height), np.asarray(gradient), np.asarray(hessian))


def _of_counts(at: Array, customers: Array) -> Slope:
    """What depends on the count x alone: all gamma functions, r log alpha, and where x > 0 log a - log(b + x - 1)."""
    r, _, a, b = np.exp(at)
    count, n, repeaters = len(customers) - 1, customers.sum(), customers[1:].sum()
    (r0, r1, r2), (b0, b1, b2), (s0, s1, s2) = (
        [customers @ column for column in rising(x, count)] for x in (r, b, a + b)
    )
    rest = b + np.arange(count)
    first, second = b * (b1 - s1) - b * (customers[1:] @ (1 / rest)), customers[1:] @ (b / rest) ** 2
    height = r0 + n * r * at[1] + b0 - s0 + repeaters * at[2] - customers[1:] @ np.log(rest)
    gradient = np.array([r * (r1 + n * at[1]), n * r, repeaters - a * s1, first])
    hessian = np.diag([gradient[0] + r * r * r2, 0, -a * s1 - a * a * s2, first + b * b * (b2 - s2) + second])
    hessian[0, 1] = hessian[1, 0] = n * r
    hessian[2, 3] = hessian[3, 2] = -a * b * s2
    return Slope(height, gradient, hessian)


def _of_one_purchase(at: Array, age: Array, w: Array) -> Slope:
    """-r log(alpha + T)."""
    r, alpha = np.exp(at[:2])
    inverse = 1 / (alpha + age)
    still, fading = r * (w @ np.log(alpha + age)), alpha * r * (w @ inverse)
    gradient, hessian = np.zeros(4), np.zeros((4, 4))
    gradient[:2] = -still, -fading
    hessian[:2, :2] = [[-still, -fading], [-fading, alpha * alpha * r * ((w * inverse) @ inverse) - fading]]
    return Slope(-still, gradient, hessian)


def _of_repeaters(at: Array, x: Array, last: Array, age: Array, w: Array) -> Slope:
    """-(r + x) log(alpha + last) + log(1 + 1 / odds).

    odds = a / (b + x - 1) ((alpha + T) / (alpha + last))^(r + x) of having left. Where they are large, the customer
    left at the last purchase; the term in front is that of such a customer.
    """
    r, alpha, a, b = np.exp(at)
    power, count = r + x, (b - 1) + x
    until = alpha + last
    log_last, to_last, to_end, rest = np.log(until), 1 / until, 1 / (alpha + age), 1 / count
    silence = np.log(until * to_end)
    stayed = np.exp(power * silence)
    stayed *= count
    stayed *= 1 / a  # 1 / odds
    either = 1 + stayed
    weighted = w * power
    height = w @ np.log(either) - weighted @ log_last

    share = stayed / either
    here = w * share
    between = to_end - to_last
    fading = power * between
    # The slopes of the logarithm of the odds are these times `scale`.
    slopes = (silence, fading, np.ones_like(x), rest)
    scale = np.array([-r, alpha, 1.0, -b])
    gradient = -scale * [here @ slope for slope in slopes]
    doubt = here - here * share
    hessian = np.empty((4, 4))
    for i, slope in enumerate(slopes):
        doubted = doubt if i == 2 else doubt * slope
        for j in range(i, 4):
            hessian[i, j] = hessian[j, i] = scale[i] * scale[j] * (doubted @ slopes[j])
    # Their bends.
    hessian[0, 0] += gradient[0]
    hessian[0, 1] -= r * alpha * (here @ between)
    hessian[1, 1] += gradient[1] + alpha * alpha * ((here * fading) @ (to_end + to_last))
    hessian[3, 3] += gradient[3] - b * b * ((here * rest) @ rest)
    # And the term in front.
    still, slow = r * (w @ log_last), alpha * (weighted @ to_last)
    gradient[:2] -= still, slow
    hessian[0, 0] -= still
    hessian[0, 1] -= r * alpha * (w @ to_last)
    hessian[1, 1] -= slow - alpha * alpha * ((weighted * to_last) @ to_last)
    hessian[1, 0] = hessian[0, 1]
    return Slope(height, gradient, hessian)
