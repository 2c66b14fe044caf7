"""What every fit gives back: its parameters, how well it fits, and how sure it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from holdwater.errors import NumError
from holdwater.models.newton import Top

Array = NDArray[np.float64]

DRAWS = 4_000  # the ends of a 90 % interval then move by about 2 % of its width


class Estimator(StrEnum):
    PENALISED = "penalised"  # the default: never without an answer, also for twenty customers
    LIKELIHOOD = "maximum likelihood"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """One fitted model. Subclasses name the model and its parameters, and add what it predicts."""

    model: ClassVar[str]
    names: ClassVar[tuple[str, ...]]
    least: ClassVar[tuple[float, ...]] = ()  # what each parameter stays above, where that is not 0

    parameters: Mapping[str, float]
    log_likelihood: float  # of the data alone, also where a prior took part
    covariance: Array  # of the logarithms of the parameters, each above its least
    converged: bool
    n: float  # customers, or deals: the sum of the weights
    estimator: Estimator

    @classmethod
    def of(cls, top: Top, *, log_likelihood: float, n: float, estimator: Estimator, **more: Any) -> Self:
        return cls(
            parameters=dict(zip(cls.names, map(float, np.exp(top.at) + (cls.least or 0)), strict=True)),
            log_likelihood=log_likelihood,
            covariance=top.covariance,
            converged=top.converged,
            n=n,
            estimator=estimator,
            **more,
        )

    def draws(self, size: int = DRAWS, seed: int = 1) -> Array:
        """Plausible parameters, one row each: Laplace's approximation. NumError where the data leave one open."""
        if not np.isfinite(self.covariance).all():
            raise NumError(
                f"{self.model}: the data leave a parameter open, so there is no interval; use the penalised estimator"
                " or wait for more data."
            )
        least = np.array(self.least or [0.0] * len(self.parameters))
        middle = np.log(np.array(list(self.parameters.values())) - least)
        return least + np.exp(np.random.default_rng(seed).multivariate_normal(middle, self.covariance, size=size))

    def interval(
        self, of: Callable[[Array], Array], confidence: float = 0.9, *, size: int = DRAWS, seed: int = 1
    ) -> tuple[float, float]:
        """Limits of a quantity; `of` takes parameters, one row each, and gives one number a row."""
        if not 0 < confidence < 1:
            raise NumError(f"{self.model}: confidence is {confidence:g}; allowed is between 0 and 1.")
        values = np.asarray(of(self.draws(size, seed)), dtype=float)
        low, high = np.quantile(values[~np.isnan(values)], [(1 - confidence) / 2, (1 + confidence) / 2])
        return float(low), float(high)

    def summary(self) -> str:
        """A few lines a person can read."""
        lines = [f"{self.model}, {self.n:,.15g} observed, {self.estimator}"]
        spread = np.sqrt(np.diag(self.covariance))
        least = self.least or [0.0] * len(self.parameters)
        for (name, value), above, error in zip(self.parameters.items(), least, spread, strict=True):
            low, high = (above + (value - above) * np.exp(side * error) for side in (-1.645, 1.645))
            lines.append(f"  {name:<8} {value:>12.5g}   90 % between {low:.3g} and {high:.3g}")
        lines.append(f"  log-likelihood {self.log_likelihood:,.4f}")
        if not self.converged:
            lines.append("  The search did not reach a top: do not use these numbers.")
        return "\n".join(lines)
