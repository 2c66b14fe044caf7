"""What is known of an input that is not known exactly: an interval, a count, or draws.

The label decides which curve an interval stands for, so that no draw is impossible:
- shares (conversion, churn ...) lie within 0 and 1: their log odds are normal;
- amounts (leads, prices, capacities ...) are above 0: their logarithm is normal;
- growth and discount may be negative: they are normal, and drawn again beyond -1 or 1.
The middle of an interval is thus its median: halfway in log odds, in logarithms, or plainly.

A count has the posterior of Jeffreys, Beta(successes + 1/2, failures + 1/2). Its 90 % interval holds the true share in
89 to 94 % of all samples, averaged over shares from 0.01 to 0.1, 0.1 to 0.3 and 0.3 to 0.5 and 20 to 200 trials. A
uniform prior does as well on average, but at its worst share it falls to 72 % with 20 trials, Jeffreys' to 82 %.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from holdwater.errors import KindError, NumError
from holdwater.formulas.uncertainty import deviate

Array: TypeAlias = NDArray[np.float64]


class Curve(NamedTuple):
    """Where the draws of an interval are normal, and the open range that they stay in."""

    bend: Callable[[Any], Any]
    unbend: Callable[[Any], Any]
    low: float
    high: float
    allowed: str


_SHARE = Curve(
    lambda share: np.log(share) - np.log1p(-share),
    lambda odds: 1 / (1 + np.exp(-odds)),
    0,
    1,
    "above 0 and below 1; where 0 or 1 is possible, give an end close to it such as 0.001 or 0.999, or a count",
)
_AMOUNT = Curve(np.log, np.exp, 0, inf, "above 0; where 0 is possible, give a small low end")
_CHANGE = Curve(np.asarray, np.asarray, -1, 1, "above -1 and below 1")

CURVES = (
    dict.fromkeys(
        ("conversion", "fit_share", "burn", "churn", "referral_rate", "gross_margin", "overload_threshold", "run_off"),
        _SHARE,
    )
    | dict.fromkeys(
        (
            "leads", "cost_per_lead", "next_lead_cost", "lead_cost", "revenue_per_customer", "fixed_cost",
            "customers", "lead_capacity", "onboarding_capacity", "customer_capacity", "overload_slope",
        ),
        _AMOUNT,
    )
    | dict.fromkeys(("growth", "discount"), _CHANGE)
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Between:
    """Between low and high with this confidence, and as likely below as above."""

    low: float
    high: float
    confidence: float = 0.9

    def __post_init__(self) -> None:
        _numbers(self, "Between", "low", "high", "confidence")
        if not self.low < self.high:
            raise NumError(
                f"Between: low is {self.low:.15g} and high is {self.high:.15g}; low must be below high; give what you"
                " know exactly as a plain number."
            )
        if not 0.5 <= self.confidence < 1:
            raise NumError(f"Between: confidence is {self.confidence:.15g}; allowed is 0.5 to below 1, such as 0.9.")

    def check(self, label: str) -> None:
        curve = CURVES[label]
        if not curve.low < self.low < self.high < curve.high:
            raise NumError(
                f"UncertainBucket: {label} lies between {self.low:.15g} and {self.high:.15g}; allowed is"
                f" {curve.allowed}."
            )

    def middle(self, label: str) -> float:
        curve = CURVES[label]
        return float(curve.unbend((curve.bend(self.low) + curve.bend(self.high)) / 2))

    def draw(self, label: str, size: int, random: np.random.Generator) -> Array:
        curve = CURVES[label]
        low, high = curve.bend(self.low), curve.bend(self.high)
        middle, spread = (low + high) / 2, (high - low) / 2 / deviate(self.confidence)
        with np.errstate(over="ignore"):  # what leaves the range of numbers is drawn again as well
            values: Array = curve.unbend(middle + spread * random.standard_normal(size))
            while not (inside := (curve.low < values) & (values < curve.high)).all():
                values[~inside] = curve.unbend(middle + spread * random.standard_normal(size - inside.sum()))
        return values


@dataclass(frozen=True, slots=True)
class Counted:
    """So many of so many: 14 of 60 leads won, or 9 customers lost in 240 customer-months. Sums of weights will do."""

    successes: float
    trials: float

    def __post_init__(self) -> None:
        _numbers(self, "Counted", "successes", "trials")
        if not self.trials > 0:
            raise NumError(f"Counted: trials is {self.trials:.15g}; allowed is above 0.")
        if not 0 <= self.successes <= self.trials:
            raise NumError(
                f"Counted: successes is {self.successes:.15g}; allowed is 0 to the number of trials,"
                f" {self.trials:.15g}."
            )

    def check(self, label: str) -> None:
        if CURVES[label] is not _SHARE:
            raise KindError(
                f"UncertainBucket: {label} is a count, {self.successes:.15g} of {self.trials:.15g}; only a share can be"
                " counted: give Between(low, high)."
            )

    def middle(self, label: str) -> float:
        return (self.successes + 0.5) / (self.trials + 1)

    def draw(self, label: str, size: int, random: np.random.Generator) -> Array:
        return random.beta(self.successes + 0.5, self.trials - self.successes + 0.5, size)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Draws of a fitted model. Those of equal length belong together, row by row; each is used about equally often."""

    values: Array = field(repr=False)

    def __post_init__(self) -> None:
        values = np.asarray(self.values)
        if values.ndim != 1 or not values.size or values.dtype.kind not in "iuf":
            raise KindError("Drawn: values are no list of numbers; give one number for each draw.")
        values = values.astype(float)  # a copy, which nobody can change
        if np.isnan(values).any():
            raise NumError(
                f"Drawn: {np.isnan(values).sum():,} of {len(values):,} values are NaN; leave out draws without a value."
            )
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def check(self, label: str) -> None:
        """Whether each is allowed is what Bucket knows."""

    def middle(self, label: str) -> float:
        return float(np.median(self.values))

    def draw(self, label: str, size: int, random: np.random.Generator) -> Array:
        length = len(self.values)
        rounds = np.tile(np.arange(length), (-(-size // length), 1))
        drawn: Array = self.values[random.permuted(rounds, axis=1).ravel()[:size]]
        return drawn


Uncertain: TypeAlias = Between | Counted | Drawn


def _numbers(given: Between | Counted, name: str, *fields: str) -> None:
    for each in fields:
        value = getattr(given, each)
        if isinstance(value, (bool, str, bytes)) or not hasattr(value, "__float__") or np.ndim(value):
            raise KindError(f"{name}: {each} is no number; a number belongs here.")
        try:
            number = float(value)
        except OverflowError:
            number = inf
        if not isfinite(number):
            raise NumError(f"{name}: {each} is {number}; a finite number belongs here.")
        object.__setattr__(given, each, number)
